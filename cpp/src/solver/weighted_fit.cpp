#include "weighted_fit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/orth.hpp"
#include "svdkit/kernel/small_svd.hpp"

namespace svdkit::detail {
namespace {

constexpr double kPull = 1e-3;  // of the mean weight of a row with too few cells, on each of its entries

std::vector<double> pull_of(const std::vector<double>& sums, const std::vector<index_t>& counts, index_t wanted,
                            index_t across, index_t& pulled) {
    std::vector<double> pull(sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
        if (counts[i] == 0 || counts[i] >= wanted) continue;
        pull[i] = kPull * sums[i] / static_cast<double>(across);
        ++pulled;
    }
    return pull;
}

// sum_i pull_i |row i of panel|^2
template <class T>
double pulled_energy(const std::vector<double>& pull, ConstPanel<T> panel) {
    double energy = 0;
    for (index_t i = 0; i < std::ssize(pull); ++i) {
        const double each = pull[static_cast<std::size_t>(i)];
        for (index_t j = 0; each > 0 && j < panel.cols; ++j)
            energy += each * static_cast<double>(panel(i, j)) * static_cast<double>(panel(i, j));
    }
    return energy;
}

}  // namespace

template <class T>
Block<T> orthonormal_factor(Panel<T> w, Replacements& replacements) {
    const Block<T> none(0, w.cols);
    Block<T> r(w.cols, w.cols);
    std::vector<double> norms(static_cast<std::size_t>(w.cols));
    column_norms<T>(w, norms.data());
    const double floor = 2 * static_cast<double>(epsilon<T>) * *std::ranges::max_element(norms);
    extend_basis<T>(w.col_range(0, 0), w, none, r, floor, replacements);
    return r;
}

template <class T>
void scale_columns(ConstPanel<T> u, const std::vector<real_t<T>>& s, double power, Panel<T> out) {
    std::vector<T> factors(s.size());
    for (std::size_t j = 0; j < s.size(); ++j) factors[j] = static_cast<T>(std::pow(static_cast<double>(s[j]), power));
    const Partition rows{u.rows, std::max<index_t>(1, u.rows / 1024), 1};
    parallel_for(rows.parts, static_cast<double>(u.rows * u.cols), [&](index_t part) {
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i)
            for (index_t j = 0; j < u.cols; ++j) out(i, j) = u(i, j) * factors[static_cast<std::size_t>(j)];
    });
}

template <class T>
std::vector<double> misfits(ConstPanel<T> y, ConstPanel<T> u, double penalty) {
    const Partition rows{y.rows, std::max<index_t>(1, y.rows / 2048), 1};
    const index_t r = y.cols;
    std::vector<double> parts(static_cast<std::size_t>(rows.parts * r)), sums(static_cast<std::size_t>(r));
    parallel_for(rows.parts, static_cast<double>(4 * y.rows * r), [&](index_t part) {
        double* const own = parts.data() + part * r;
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i)
            for (index_t j = 0; j < r; ++j) {
                const double d = static_cast<double>(y(i, j)) - penalty * static_cast<double>(u(i, j));
                own[j] += d * d;
            }
    });
    for (index_t part = 0; part < rows.parts; ++part)
        for (index_t j = 0; j < r; ++j)
            sums[static_cast<std::size_t>(j)] += parts[static_cast<std::size_t>(part * r + j)];
    return sums;
}

template <class T>
Triplets<T> triplets_of(Block<T> left, Block<T> right, std::uint64_t seed) {
    Replacements replacements{seed, 0};
    const index_t r = left.cols();
    const Block<T> r_left = orthonormal_factor<T>(left, replacements),
                   r_right = orthonormal_factor<T>(right, replacements);
    const Block<T> core(r, r), x(r, r), y(r, r);
    for (index_t i = 0; i < r; ++i)
        for (index_t j = 0; j < r; ++j) {
            double sum = 0;
            for (index_t l = 0; l < r; ++l)
                sum += static_cast<double>(r_left(i, l)) * static_cast<double>(r_right(j, l));
            core(i, j) = static_cast<T>(sum);
        }
    Triplets<T> z{std::move(left), std::move(right), std::vector<real_t<T>>(static_cast<std::size_t>(r))};
    small_svd_wide<T>(core, x.panel(), z.s.data(), y.panel());
    rotate<T>(z.u, x);
    rotate<T>(z.v, y);
    return z;
}

template <class T>
Triplets<T> leading_triplets(Triplets<T> all, index_t count) {
    if (count >= all.width()) return all;
    Triplets<T> first{Block<T>(all.u.rows(), count), Block<T>(all.v.rows(), count), {}};
    for (index_t i = 0; i < all.u.rows(); ++i) std::copy_n(&all.u(i, 0), count, &first.u(i, 0));
    for (index_t i = 0; i < all.v.rows(); ++i) std::copy_n(&all.v(i, 0), count, &first.v(i, 0));
    first.s.assign(all.s.begin(), all.s.begin() + count);
    return first;
}

template <class T>
WeightedFit<T>::WeightedFit(const TwoSidedCells<T>& cells, const CompletionOptions& options)
    : cells_(cells), options_(options) {
    const index_t m = cells.by_rows.rows(), n = cells.by_rows.cols();
    std::vector<double> row_sums(static_cast<std::size_t>(m)), col_sums(static_cast<std::size_t>(n));
    std::vector<index_t> row_counts(static_cast<std::size_t>(m)), col_counts(static_cast<std::size_t>(n));
    cells.by_rows.totals(row_sums.data(), row_counts.data());
    cells.by_columns.totals(col_sums.data(), col_counts.data());
    mean_weight_ = std::accumulate(row_sums.begin(), row_sums.end(), 0.0) / static_cast<double>(m * n);
    if (options.penalty > 0) return;
    row_pull_ = pull_of(row_sums, row_counts, options.k, n, pulled_rows_);
    col_pull_ = pull_of(col_sums, col_counts, options.k, m, pulled_cols_);
    if (pulled_rows_ + pulled_cols_ > 0) return;
    row_pull_.clear();
    col_pull_.clear();
}

template <class T>
double WeightedFit<T>::objective(double loss, const Triplets<T>& z) const {
    double pulled = 0;
    if (!row_pull_.empty()) {
        pulled = pulled_energy<T>(row_pull_, scaled_columns<T>(z.u, z.s, 1)) +
                 pulled_energy<T>(col_pull_, scaled_columns<T>(z.v, z.s, 1));
    }
    return (loss + pulled) / 2 + options_.penalty * std::accumulate(z.s.begin(), z.s.end(), 0.0);
}

template <class T>
void WeightedFit<T>::subtract_pull(ConstPanel<T> left, ConstPanel<T> right, double factor,
                                   const std::vector<double>& row_pull, const std::vector<double>& col_pull,
                                   ConstPanel<T> x, Panel<T> y) const {
    const ScratchPanel<T> pulled_x(x.rows, x.cols), core(right.cols, x.cols), product(y.rows, x.cols);
    adjoint_pass<T>(as_view(right), x, core.panel());
    forward_pass<T>(as_view(left), core.panel(), product.panel());
    for (index_t i = 0; i < y.rows; ++i)
        for (index_t j = 0; j < x.cols; ++j)
            y(i, j) -= static_cast<T>(factor * row_pull[static_cast<std::size_t>(i)]) * product.panel()(i, j);
    for (index_t i = 0; i < x.rows; ++i)
        for (index_t j = 0; j < x.cols; ++j)
            pulled_x.panel()(i, j) = static_cast<T>(-factor * col_pull[static_cast<std::size_t>(i)]) * x(i, j);
    adjoint_pass<T>(as_view(right), pulled_x.panel(), core.panel());
    forward_pass<T>(as_view(left), core.panel(), y, true);
}

template <class T>
double WeightedFit<T>::residual_product(const Fit<T>& fit, bool transposed, ConstPanel<T> x, Panel<T> y) const {
    const Fit<T> f = transposed ? fit.transposed() : fit;
    const double loss = (transposed ? by_columns() : by_rows()).multiply(f, x, y);
    if (!row_pull_.empty()) {
        const auto &rows = transposed ? col_pull_ : row_pull_, &cols = transposed ? row_pull_ : col_pull_;
        subtract_pull(f.left, f.right, 1 + f.beta, rows, cols, x, y);
        if (f.extrapolates()) subtract_pull(f.left_before, f.right_before, -f.beta, rows, cols, x, y);
    }
    return loss;
}

template <class T>
std::vector<double> WeightedFit<T>::residuals(const Triplets<T>& z, double& loss) const {
    const index_t r = z.width();
    const Block<T> left = scaled_columns<T>(z.u, z.s, 1);
    const Fit<T> fit{left, z.v, {}, {}, 0};
    std::vector<double> worst(static_cast<std::size_t>(r));
    const auto side = [&](bool transposed, ConstPanel<T> x, ConstPanel<T> other) {
        const Block<T> y(other.rows, r);
        loss = residual_product(fit, transposed, x, y);
        const std::vector<double> squares = misfits<T>(y, other, options_.penalty);
        for (std::size_t j = 0; j < worst.size(); ++j)
            worst[j] = std::max(worst[j], std::sqrt(squares[j]) / mean_weight_);
    };
    side(true, z.u, z.v);
    side(false, z.v, z.u);
    return worst;
}

#define INSTANTIATE(T)                                                                              \
    template void scale_columns<T>(ConstPanel<T>, const std::vector<real_t<T>>&, double, Panel<T>); \
    template Block<T> orthonormal_factor<T>(Panel<T>, Replacements&);                               \
    template std::vector<double> misfits<T>(ConstPanel<T>, ConstPanel<T>, double);                  \
    template Triplets<T> triplets_of<T>(Block<T>, Block<T>, std::uint64_t);                         \
    template Triplets<T> leading_triplets<T>(Triplets<T>, index_t);                                 \
    template class WeightedFit<T>;
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit::detail
