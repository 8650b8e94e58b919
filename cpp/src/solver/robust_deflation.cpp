#include "robust_deflation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "robust_joint.hpp"
#include "robust_start.hpp"
#include "svdkit/base/random.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/orth.hpp"

namespace svdkit::detail {
namespace {

constexpr double kSettled = 1e-2;  // accuracy from which on a row without weight is taken for an outlier

// to = the unit vector along from - Q Q^T from; the norm. Both are zero where only rounding errors lie outside Q.
template <class T>
double normalised_outside(ConstPanel<T> q, const Block<T>& from, const Block<T>& to) {
    for (index_t i = 0; i < from.rows(); ++i) to(i, 0) = from(i, 0);
    double before = 0;
    column_norms<T>(to, &before);
    for (int round = 0; round < (q.cols > 0 ? 2 : 0); ++round) {
        for (index_t l = 0; l < q.cols; ++l) {
            double dot = 0;
            for (index_t i = 0; i < q.rows; ++i) dot += static_cast<double>(q(i, l)) * static_cast<double>(to(i, 0));
            for (index_t i = 0; i < q.rows; ++i) to(i, 0) -= static_cast<T>(dot) * q(i, l);
        }
    }
    double norm = 0;
    column_norms<T>(to, &norm);
    if (!(norm > 64 * static_cast<double>(epsilon<T>) * before)) norm = 0;
    for (index_t i = 0; i < to.rows(); ++i)
        to(i, 0) = norm > 0 ? static_cast<T>(static_cast<double>(to(i, 0)) / norm) : T(0);
    return norm;
}

template <class T>
class RankOneFit {
public:
    RankOneFit(const PriorCells<T>& cells, const Observed& observed, const RobustOptions<T>& options, double unit,
               ConstPanel<T> u, ConstPanel<T> v, double largest)
        : cells_(cells),
          observed_(observed),
          options_(options),
          u_(u),
          v_(v),
          largest_(largest),
          noise_(cells, observed, options, unit),
          c_(cells.x.rows, 1),
          d_(cells.x.cols, 1),
          a_(cells.x.rows, 1),
          b_(cells.x.cols, 1),
          lost_rows_(static_cast<std::size_t>(cells.x.rows), 0),
          lost_cols_(static_cast<std::size_t>(cells.x.cols), 0) {
        options.scale == RobustScale::iqr ? random_start() : trimmed_start(unit);
        noise_.begin(c_, b_);
    }

    bool sweep(const RobustModel& model, double tol) {
        if (change_ <= kSettled) support_ = std::max(support_, model.settled_support());
        const RobustSweep half = setting(model);
        const RobustSweepResult first =
            half_sweep<T>(cells_, observed_, MovingFactor::slow, c_, b_, half, lost_rows_.data());
        objective_ = model.objective(first.sums, observed_.cells, noise_.variance());
        normalised_outside<T>(u_, c_, a_);
        const RobustSweepResult second =
            half_sweep<T>(cells_, observed_, MovingFactor::fast, a_, d_, half, lost_cols_.data());
        size_ = normalised_outside<T>(v_, d_, b_);
        const double moved = first.change + second.change;
        const double largest = std::max(size_, largest_);
        change_ = largest > 0 ? moved / largest : (moved > 0 ? 1 : 0);
        return noise_.update(model, second.sums, a_, d_, tol) && change_ <= tol;
    }

    double size() const { return size_; }
    double change() const { return change_; }
    double sigma() const { return noise_.sigma(); }
    double objective() const { return objective_; }
    const Block<T>& a() const { return a_; }
    const Block<T>& b() const { return b_; }
    const std::vector<std::uint8_t>& lost_rows() const { return lost_rows_; }
    const std::vector<std::uint8_t>& lost_cols() const { return lost_cols_; }

    double residual(const RobustModel& model) {
        RobustSweep look = setting(model);
        look.move = false;
        const auto left =
            half_sweep<T>(cells_, observed_, MovingFactor::slow, c_, b_, look, lost_rows_.data()).gradient;
        const auto right =
            half_sweep<T>(cells_, observed_, MovingFactor::fast, a_, d_, look, lost_cols_.data()).gradient;
        return std::max(left[0], right[0]);
    }

private:
    RobustSweep setting(const RobustModel& model) const {
        // The package's rule gives up no row, however little weight it has.
        const double support = options_.scale == RobustScale::iqr ? 1e-290 : support_;
        return {.shape = model.shape(),
                .parameter = model.parameter(noise_.variance()),
                .keep_unsupported = options_.keep_unsupported,
                .support = support};
    }

    // As the package: positive random b, and c = d = 1 on data divided by the interquartile range.
    void random_start() {
        fill_gaussian<T>(b_.panel(), options_.seed, Stream::start, static_cast<std::uint32_t>(v_.cols));
        for (index_t j = 0; j < b_.rows(); ++j) d_(j, 0) = std::abs(b_(j, 0));
        normalised_outside<T>({nullptr, d_.rows(), 0, 0}, d_, b_);
        for (index_t i = 0; i < c_.rows(); ++i) c_(i, 0) = static_cast<T>(noise_.sigma());
        for (index_t j = 0; j < d_.rows(); ++j) d_(j, 0) = static_cast<T>(noise_.sigma());
    }

    void trimmed_start(double unit) {
        const RobustStart<T> start = std::move(trimmed_starts(cells_, unit, 1).back());
        for (index_t i = 0; i < c_.rows(); ++i) c_(i, 0) = start.left(i, 0);
        const double size = normalised_outside<T>(u_, c_, a_);
        normalised_outside<T>(v_, start.right, b_);
        for (index_t j = 0; j < d_.rows(); ++j) d_(j, 0) = static_cast<T>(size) * start.right(j, 0);
    }

    const PriorCells<T>& cells_;
    const Observed& observed_;
    const RobustOptions<T>& options_;
    ConstPanel<T> u_, v_;
    double largest_;  // component before
    NoiseLevel<T> noise_;
    Block<T> c_, d_, a_, b_;
    std::vector<std::uint8_t> lost_rows_, lost_cols_;
    double size_ = 0, change_ = 1, objective_ = 0;
    double support_ = RobustSweep{}.support;
};

// A copy with contiguous rows; nothing of nothing.
template <class T>
Block<T> by_rows(ConstView<T> from) {
    if (!from.data) return {};
    Block<T> to(from.rows, from.cols, from.cols);
    for (index_t i = 0; i < from.rows; ++i)
        for (index_t j = 0; j < from.cols; ++j) to(i, j) = from(i, j);
    return to;
}

// left <- left - size a b^T
template <class T>
void subtract(const Block<T>& left, double size, const Block<T>& a, const Block<T>& b) {
    const Partition parts{left.rows(), std::clamp<index_t>(left.rows() / 64, 1, 256), 1};
    parallel_for(parts.parts, static_cast<double>(left.rows()) * static_cast<double>(left.cols()), [&](index_t part) {
        for (index_t i = parts.begin(part); i < parts.begin(part + 1); ++i) {
            const T factor = static_cast<T>(size) * a(i, 0);
            for (index_t j = 0; j < left.cols(); ++j) left(i, j) -= factor * b(j, 0);
        }
    });
}

// Largest first, vectors along; whether that changed anything.
template <class T>
bool sort_components(RobustResult<T>& result) {
    Result<T>& svd = result.svd;
    std::vector<std::size_t> order(svd.s.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater{}, [&](std::size_t k) { return svd.s[k]; });
    if (std::ranges::is_sorted(order)) return false;
    const auto permute = [&](auto& values) {
        auto copy = values;
        for (std::size_t k = 0; k < order.size(); ++k) values[k] = copy[order[k]];
    };
    permute(svd.s);
    permute(result.sigma);
    permute(svd.report.residuals);
    for (const Block<T>* block : {&svd.u, &svd.v}) {
        std::vector<T> row(order.size());
        for (index_t i = 0; i < block->rows(); ++i) {
            std::copy_n(&(*block)(i, 0), row.size(), row.begin());
            for (std::size_t k = 0; k < order.size(); ++k) (*block)(i, static_cast<index_t>(k)) = row[order[k]];
        }
    }
    return true;
}

}  // namespace

template <class T>
RobustResult<T> deflate(const PriorCells<T>& cells, const Observed& observed, const RobustOptions<T>& options,
                        double unit, double tol, Monitor& monitor) {
    const index_t m = cells.x.rows, n = cells.x.cols, k = options.k;
    RobustResult<T> out;
    out.svd.u = Block<T>(m, k, k);
    out.svd.v = Block<T>(n, k, k);
    out.svd.s.assign(static_cast<std::size_t>(k), T(0));
    out.svd.report.residuals.assign(static_cast<std::size_t>(k), 0.0);
    out.svd.report.converged = true;
    const Block<T> left = by_rows(cells.x), prior = by_rows(cells.prior);
    const PriorCells<T> rest{{left.data(), m, n, n, 1}, {prior.data(), m, n, n, 1}};
    // sigma of the interquartile rule is that of X throughout.
    RobustOptions<T> own = options;
    if (options.scale == RobustScale::iqr) own.sigma = interquartile_range(cells, observed);
    const RobustModel model(options.loss, options.alpha);
    index_t found = 0;
    for (; found < k && monitor.stop_reason().empty(); ++found) {
        const double typical = found == 0 ? unit : typical_size(rest, observed);
        if (typical <= 4 * static_cast<double>(epsilon<T>) * unit) break;  // rounding errors of what was taken out
        RankOneFit<T> fit(rest, observed, own, typical, out.svd.u.panel().col_range(0, found),
                          out.svd.v.panel().col_range(0, found),
                          static_cast<double>(*std::ranges::max_element(out.svd.s)));
        bool done = false;
        for (index_t sweep = 0; sweep < options.max_iterations && !done; ++sweep) {
            done = fit.sweep(model, tol);
            out.objective.push_back(fit.objective());
            const double change = fit.change();
            if (monitor.poll({.iteration = std::ssize(out.objective),
                              .converged = found,
                              .wanted = k,
                              .residuals = {&change, 1},
                              .passes = 2 * std::ssize(out.objective)}))
                break;
        }
        out.svd.report.converged = out.svd.report.converged && done;
        if (fit.size() == 0) break;
        const auto at = static_cast<std::size_t>(found);
        out.svd.s[at] = static_cast<T>(fit.size());
        out.sigma.push_back(fit.sigma());
        for (index_t i = 0; i < m; ++i) out.svd.u(i, found) = fit.a()(i, 0);
        for (index_t j = 0; j < n; ++j) out.svd.v(j, found) = fit.b()(j, 0);
        out.svd.report.residuals[at] = fit.residual(model);
        if (found == 0) out.unsupported_rows = flagged(fit.lost_rows());
        if (found == 0) out.unsupported_cols = flagged(fit.lost_cols());
        subtract(left, fit.size(), fit.a(), fit.b());
    }
    out.sigma.resize(static_cast<std::size_t>(k), out.sigma.empty() ? 0.0 : out.sigma.back());
    Replacements replacements{options.seed, 0};
    for (const Block<T>* block : {&out.svd.u, &out.svd.v}) {  // nothing left: any orthonormal vectors, s = 0
        if (found == k) break;
        const Block<T> h(found, k - found), r(k - found, k - found);
        extend_basis<T>(block->panel().col_range(0, found), block->panel().col_range(found, k - found), h, r, 0,
                        replacements);
    }
    out.svd.report.iterations = std::ssize(out.objective);
    out.order_changed = sort_components(out);
    return out;
}

#define INSTANTIATE(T)                                                                                          \
    template RobustResult<T> deflate<T>(const PriorCells<T>&, const Observed&, const RobustOptions<T>&, double, \
                                        double, Monitor&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit::detail
