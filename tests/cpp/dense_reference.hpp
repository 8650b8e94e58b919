// What operators and kernels are checked against: triple loops, and nothing of svdkit but its panels.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>

#include "svdkit/base/buffer.hpp"
#include "svdkit/base/random.hpp"
#include "svdkit/op/operator.hpp"

namespace svdkit::test {

template <class T>
Block<T> gaussian(index_t rows, index_t cols, std::uint64_t seed) {
    Block<T> block(rows, cols);
    fill_gaussian<T>(block.panel(), seed, Stream::probe);
    return block;
}

template <class T>
ConstView<T> view_of(const Block<T>& a) {
    return {a.data(), a.rows(), a.cols(), a.ld(), 1};
}

template <class T>
Block<T> multiply(ConstView<T> a, ConstPanel<T> x) {
    Block<T> y(a.rows, x.cols);
    for (index_t i = 0; i < a.rows; ++i)
        for (index_t j = 0; j < a.cols; ++j)
            for (index_t c = 0; c < x.cols; ++c) y(i, c) += a(i, j) * x(j, c);
    return y;
}

template <class T>
Block<T> multiply_adjoint(ConstView<T> a, ConstPanel<T> y) {
    Block<T> z(a.cols, y.cols);
    for (index_t i = 0; i < a.rows; ++i)
        for (index_t j = 0; j < a.cols; ++j)
            for (index_t c = 0; c < y.cols; ++c) z(j, c) += conj(a(i, j)) * y(i, c);
    return z;
}

/// Largest |x_ij - y_ij|.
template <class T>
double distance(ConstPanel<T> x, ConstPanel<T> y) {
    double largest = x.rows == y.rows && x.cols == y.cols ? 0.0 : HUGE_VAL;
    for (index_t i = 0; i < x.rows && largest < HUGE_VAL; ++i)
        for (index_t j = 0; j < x.cols; ++j) {
            const double difference = static_cast<double>(std::abs(x(i, j) - y(i, j)));
            largest = difference <= largest ? largest : difference;  // a NaN is kept
        }
    return largest;
}

template <class T>
double distance(const Block<T>& x, const Block<T>& y) {
    return distance<T>(ConstPanel<T>(x), ConstPanel<T>(y));
}

/// Largest entry of |Q^H Q - I| over the first `count` columns.
template <class T>
double orthonormality(ConstPanel<T> q, index_t count) {
    double largest = 0;
    for (index_t i = 0; i < count; ++i)
        for (index_t j = 0; j < count; ++j) {
            std::complex<double> sum = i == j ? -1.0 : 0.0;
            for (index_t r = 0; r < q.rows; ++r)
                sum += std::conj(std::complex<double>(q(r, i))) * std::complex<double>(q(r, j));
            largest = std::max(largest, std::abs(sum));
        }
    return largest;
}

template <class T>
double tolerance(double factor) {
    return factor * static_cast<double>(epsilon<T>);
}

/// Both products and both fused passes of `op` against the dense matrix that it stands for.
template <class T>
bool agrees(const Operator<T>& op, ConstView<T> a, index_t width = 5, double factor = 1000) {
    const Block<T> x = gaussian<T>(a.cols, width, 11), w = gaussian<T>(a.rows, width, 12);
    const Block<T> y(a.rows, width), z(a.cols, width), fused_y(a.rows, width), fused_z(a.cols, width);
    const Block<T> outer_z(a.cols, width), outer_w(a.rows, width);
    op.apply(x, y);
    op.apply_adjoint(w, z);
    op.apply_gram(x, fused_y, fused_z);
    op.apply_outer(w, outer_z, outer_w);
    const double limit = tolerance<T>(factor) * std::sqrt(static_cast<double>(a.rows + a.cols));
    const double squared = limit * std::sqrt(static_cast<double>(a.rows + a.cols));
    const Block<T> ax = multiply<T>(a, x), aw = multiply_adjoint<T>(a, w);
    return op.rows() == a.rows && op.cols() == a.cols && distance(y, ax) <= limit && distance(z, aw) <= limit &&
           distance(fused_y, ax) <= limit && distance(fused_z, multiply_adjoint<T>(a, ax)) <= squared &&
           distance(outer_z, aw) <= limit && distance(outer_w, multiply<T>(a, aw)) <= squared;
}

}  // namespace svdkit::test

/// Calls f<T>() for every scalar.
#define FOR_EACH_SCALAR(f)         \
    do {                           \
        f<float>();                \
        f<double>();               \
        f<std::complex<float>>();  \
        f<std::complex<double>>(); \
    } while (false)
