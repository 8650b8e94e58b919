#include "svdkit/kernel/triplet_check.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "svdkit/base/random.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/scan.hpp"

namespace svdkit {
namespace {

// Times epsilon sqrt(p q). Measured, orders 200 to 1300, both precisions: at most 3 for Gaussian, graded, clustered,
// integer and low-rank matrices (LAPACK's gesdd: the same), 15 for ones everywhere (gesdd: 6), whose rounding errors
// all have one sign: 33 for 20000 x 230 of them, where residuals are those of gesdd. A vector that is wrong counts one.
constexpr double kRounding = 64;

using Vector = std::vector<double>;

template <class R>
double inner(const R* a, const double* x, index_t count) {
    constexpr index_t kLanes = 8;
    double lanes[kLanes] = {};
    index_t j = 0;
    for (; j + kLanes <= count; j += kLanes)
        for (index_t l = 0; l < kLanes; ++l) lanes[l] += static_cast<double>(a[j + l]) * x[j + l];
    for (; j < count; ++j) lanes[0] += static_cast<double>(a[j]) * x[j];
    double sum = 0;
    for (const double lane : lanes) sum += lane;
    return sum;
}

template <class R>
Vector product(ConstPanel<R> b, const Vector& x) {
    Vector y(static_cast<std::size_t>(b.rows));
    for (index_t i = 0; i < b.rows; ++i) y[static_cast<std::size_t>(i)] = inner(b.row(i), x.data(), b.cols);
    return y;
}

template <class R>
Vector adjoint(ConstPanel<R> b, const Vector& x) {
    Vector y(static_cast<std::size_t>(b.cols));
    double* const out = y.data();
    for (index_t i = 0; i < b.rows; ++i) {
        const R* const row = b.row(i);
        const double weight = x[static_cast<std::size_t>(i)];
        for (index_t j = 0; j < b.cols; ++j) out[j] += weight * static_cast<double>(row[j]);
    }
    return y;
}

Vector times(double factor, Vector x) {
    for (double& value : x) value *= factor;
    return x;
}

Vector signs(index_t count) {
    Vector w(static_cast<std::size_t>(count));
    for (std::size_t j = 0; j < w.size(); ++j) {
        const PhiloxCounter random = philox({static_cast<std::uint32_t>(j / 32), 0, 0, 0}, {0, 0});
        w[j] = (random[0] >> (j % 32)) % 2 == 0 ? 1 : -1;
    }
    return w;
}

double distance(const Vector& a, const Vector& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
}

template <class R>
double energy(ConstPanel<R> a, double factor) {
    double sum = 0;
    Vector row(static_cast<std::size_t>(a.cols));
    for (index_t i = 0; i < a.rows; ++i) {
        for (index_t j = 0; j < a.cols; ++j) row[static_cast<std::size_t>(j)] = factor * static_cast<double>(a(i, j));
        sum += inner(row.data(), row.data(), a.cols);
    }
    return sum;
}

// Sums that read A, X or Y once each, one thread a sum.
void side_by_side(index_t entries, const std::vector<std::function<void()>>& sums) {
    const index_t count = static_cast<index_t>(sums.size());
    parallel_for(count, static_cast<double>(entries * count), [&](index_t i) { sums[static_cast<std::size_t>(i)](); });
}

}  // namespace

template <class R>
double triplet_error(ConstPanel<R> a, ConstPanel<R> x, const R* s, ConstPanel<R> y) {
    const index_t k = x.cols, r = std::min(a.rows, a.cols);
    const double largest = scan(ConstView<R>{a.data, a.rows, a.cols, a.ld, 1}).max_abs;
    const int exponent = largest > 0 ? std::max(std::ilogb(largest), -1000) : 0;  // squares stay in range
    const double factor = std::ldexp(1.0, -exponent);
    const Vector w = signs(k);
    Vector sw = times(factor, w);
    for (index_t j = 0; j < k; ++j) sw[static_cast<std::size_t>(j)] *= static_cast<double>(s[j]);
    Vector xw, yw;
    side_by_side(std::max(a.rows, a.cols) * k, {[&] { xw = product(x, w); }, [&] { yw = product(y, w); }});
    Vector ayw, xsw, axw, ysw, xxw, yyw;
    double total = 0;
    side_by_side(a.rows * a.cols,
                 {[&] { ayw = product(a, times(factor, yw)); }, [&] { axw = adjoint(a, times(factor, xw)); },
                  [&] { total = energy(a, factor); }, [&] { xsw = product(x, sw); }, [&] { ysw = product(y, sw); },
                  [&] { xxw = adjoint(x, xw); }, [&] { yyw = adjoint(y, yw); }});
    double size = std::max(std::abs(static_cast<double>(s[0])), std::abs(static_cast<double>(s[r - 1]))) * factor;
    if (size == 0) size = 1;
    const double turned = distance(xxw, w) + distance(yyw, w);
    const double apart = distance(ayw, xsw) + distance(axw, ysw);
    double squares = 0;
    for (index_t j = 0; j < r; ++j) squares += std::pow(factor * static_cast<double>(s[j]), 2);
    const double lost = total == squares ? 0 : std::abs(total - squares) / std::max(total, squares);
    return turned + apart / size + lost;
}

template <class R>
bool are_triplets(ConstPanel<R> a, ConstPanel<R> x, const R* s, ConstPanel<R> y) {
    const double size = std::sqrt(static_cast<double>(a.rows) * static_cast<double>(a.cols));
    const double bound = kRounding * static_cast<double>(epsilon<R>) * size;
    return x.cols == 0 || triplet_error(a, x, s, y) <= bound;  // false for NaN
}

#define INSTANTIATE(R)                                                                       \
    template double triplet_error<R>(ConstPanel<R>, ConstPanel<R>, const R*, ConstPanel<R>); \
    template bool are_triplets<R>(ConstPanel<R>, ConstPanel<R>, const R*, ConstPanel<R>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit
