#include "robust_start.hpp"

#include <algorithm>
#include <cmath>

#include "robust_scale.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/op/scaled.hpp"
#include "svdkit/op/trimmed.hpp"
#include "svdkit/solver/tsvd.hpp"

namespace svdkit::detail {
namespace {

constexpr double kAccuracy = 1e-2;  // of the start
constexpr double kTrim = 3;         // in units of the typical size
constexpr index_t kSampled = 301;   // cells of a row or column that give its median
constexpr double kMad = 1.4826;

template <class T>
bool is_observed(const PriorCells<T>& cells, index_t i, index_t j) {
    return !std::isnan(cells.x(i, j)) && !(cells.prior.data && cells.prior(i, j) == 0);
}

// Median of cell(j) over a sample of j < count.
template <class Cell>
double sampled_median(index_t count, const Cell& cell) {
    const index_t stride = (count + kSampled - 1) / kSampled;
    std::vector<double> values;
    for (index_t j = 0; j < count; j += stride) {
        const double value = cell(j);
        if (!std::isnan(value)) values.push_back(value);
    }
    return median(values);
}

// body(i) for i < count, each with a sample to sort.
template <class Body>
void in_parallel(index_t count, const Body& body) {
    const Partition parts{count, std::min<index_t>(count, 64), 1};
    parallel_for(parts.parts, 20.0 * kSampled * static_cast<double>(count), [&](index_t part) {
        for (index_t i = parts.begin(part); i < parts.begin(part + 1); ++i) body(i);
    });
}

template <class T>
Trim<T> centered_trim(const PriorCells<T>& cells) {
    const index_t m = cells.x.rows, n = cells.x.cols;
    const auto value = [&](index_t i, index_t j) {
        return is_observed(cells, i, j) ? static_cast<double>(cells.x(i, j)) : std::nan("");
    };
    Trim<T> trim{0, std::vector<T>(static_cast<std::size_t>(m)), std::vector<T>(static_cast<std::size_t>(n))};
    in_parallel(m, [&](index_t i) {
        trim.row_centers[static_cast<std::size_t>(i)] =
            static_cast<T>(sampled_median(n, [&](index_t j) { return value(i, j); }));
    });
    const auto row = [&](index_t i) { return static_cast<double>(trim.row_centers[static_cast<std::size_t>(i)]); };
    in_parallel(n, [&](index_t j) {
        trim.col_centers[static_cast<std::size_t>(j)] =
            static_cast<T>(sampled_median(m, [&](index_t i) { return value(i, j) - row(i); }));
    });
    const index_t stride = even_stride(m, n, kStartCells);
    std::vector<double> away;
    for (index_t at = 0; at < m * n; at += stride) {
        const index_t i = at / n, j = at % n;
        const double e = value(i, j) - row(i) - static_cast<double>(trim.col_centers[static_cast<std::size_t>(j)]);
        if (!std::isnan(e)) away.push_back(std::abs(e));
    }
    trim.limit = kMad * median(away);
    return trim;
}

template <class T>
std::vector<T> narrow(const std::vector<double>& values) {
    return {values.begin(), values.end()};
}

template <class T>
RobustStart<T> damped_svd(const PriorCells<T>& cells, const Trim<T>& trim, index_t k) {
    const TrimmedNorms norms = trimmed_norms(cells, trim);
    const Trimmed<T> trimmed(cells, trim);
    const Scaled<T> damped(trimmed, narrow<T>(damping(norms.rows)), narrow<T>(damping(norms.cols)));
    Result<T> svd = tsvd<T>(damped, {.k = k, .tol = kAccuracy, .max_abs = trim.limit});
    RobustStart<T> start{Block<T>(cells.x.rows, k), Block<T>(cells.x.cols, k)};
    for (index_t i = 0; i < cells.x.rows; ++i)
        for (index_t l = 0; l < k; ++l) start.left(i, l) = svd.u(i, l) * svd.s[static_cast<std::size_t>(l)];
    for (index_t j = 0; j < cells.x.cols; ++j) std::copy_n(&svd.v(j, 0), k, &start.right(j, 0));
    return start;
}

}  // namespace

template <class T>
std::vector<RobustStart<T>> trimmed_starts(const PriorCells<T>& cells, double unit, index_t k) {
    std::vector<RobustStart<T>> starts;
    starts.push_back(damped_svd(cells, Trim<T>{kTrim * unit, {}, {}}, k));
    Trim<T> centered = centered_trim(cells);
    if (centered.limit < unit / 4) {
        centered.limit *= kTrim;
        starts.push_back(damped_svd(cells, centered, k));
    }
    return starts;
}

template <class T>
Block<T> trimmed_product(const PriorCells<T>& cells, double unit, ConstPanel<T> b, bool adjoint) {
    const Trimmed<T> trimmed(cells, Trim<T>{kTrim * unit, {}, {}});
    Block<T> product(adjoint ? trimmed.cols() : trimmed.rows(), b.cols);
    adjoint ? trimmed.apply_adjoint(b, product) : trimmed.apply(b, product);
    return product;
}

#define INSTANTIATE(T)                                                                             \
    template std::vector<RobustStart<T>> trimmed_starts<T>(const PriorCells<T>&, double, index_t); \
    template Block<T> trimmed_product<T>(const PriorCells<T>&, double, ConstPanel<T>, bool);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit::detail
