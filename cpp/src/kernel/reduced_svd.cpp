#include "svdkit/kernel/reduced_svd.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "merge_tree.hpp"
#include "power_of_two.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/kernel/bidiagonal.hpp"
#include "svdkit/kernel/bidiagonal_svd.hpp"
#include "svdkit/kernel/reduction_block.hpp"
#include "svdkit/kernel/reflectors.hpp"

namespace svdkit {
namespace {

// A, or its transpose when that has fewer rows, as the reduction wants it.
template <class R>
Block<R> oriented(ConstPanel<R> a) {
    const bool flip = a.rows > a.cols;
    Block<R> out = reduction_block<R>(std::min(a.rows, a.cols), std::max(a.rows, a.cols));
    constexpr index_t kTile = 64;
    const index_t strips = (a.rows + kTile - 1) / kTile;
    parallel_for(strips, static_cast<double>(a.rows * a.cols), [&](index_t strip) {
        const index_t first = strip * kTile, last = std::min(a.rows, first + kTile);
        if (!flip) {
            for (index_t i = first; i < last; ++i) std::copy_n(a.row(i), a.cols, &out(i, 0));
            return;
        }
        for (index_t j = 0; j < a.cols; j += kTile)
            for (index_t c = j; c < std::min(a.cols, j + kTile); ++c)
                for (index_t i = first; i < last; ++i) out(c, i) = a(i, c);
    });
    return out;
}

// Vectors of the bidiagonal matrix, each `length` numbers `stride` apart, turned back into columns of OUT.
template <class R, class Vector>
void turn_back(const Reflectors<R>& back, index_t length, const Vector& vector, Panel<R> out) {
    const double each = 4.0 * static_cast<double>(out.rows) * static_cast<double>(length);
    detail::for_strips(0, out.cols, detail::strip_width(out.cols), each, [&](index_t from, index_t to) {
        const Block<R> strip(to - from, out.rows, out.rows);
        vector(from, to, strip);
        back.apply(strip.data(), out.rows, to - from);
        for (index_t i = 0; i < out.rows; ++i)
            for (index_t j = from; j < to; ++j) out(i, j) = strip(j - from, i);
    });
}

// See bidiagonal_svd; QR iteration where divide and conquer fails.
template <class R>
bool solve_bidiagonal(index_t n, R* d, R* e, Block<R>& u, Block<R>& vt, index_t wanted, index_t* order) {
    const std::vector<R> diagonal(d, d + n), beside(e, e + n - 1);
    if (bidiagonal_svd(n, d, e, u.data(), vt.data(), wanted, order)) return true;
    std::copy(diagonal.begin(), diagonal.end(), d);
    std::copy(beside.begin(), beside.end(), e);
    if (lapack::bdsqr(n, d, e, u.data(), n, vt.data(), n) != 0) {
        throw NumericalError(
            "svdkit: divide and conquer and QR iteration both failed to converge on a bidiagonal "
            "matrix of order " +
            std::to_string(n));
    }
    for (index_t j = 0; j < n; ++j) order[j] = j;
    return false;
}

}  // namespace

// The reduction takes A for M^T: left vectors of M, whose rows are A's columns, are right ones of A.
template <class R>
bool reduced_svd(ConstPanel<R> a, Panel<R> x, R* s, Panel<R> y) {
    const Block<R> work = oriented(a);
    const index_t n = work.rows(), m = work.cols();
    const int outer = detail::normalise(work.panel());
    const Block<R> lines(2, n), tau(2, n);  // diagonal, superdiagonal; factors of both kinds of reflectors
    R *const d = lines.panel().row(0), *const e = lines.panel().row(1);
    bidiagonalise(work.panel(), d, e, tau.panel().row(0), tau.panel().row(1));
    const bool zero = std::all_of(lines.data(), lines.data() + 2 * lines.ld(), [](R value) { return value == 0; });
    const int exponent = outer + detail::normalise(lines.panel());
    Block<R> u(n, n, n), vt(n, n, n);
    std::vector<index_t> order(static_cast<std::size_t>(n));
    const bool first_try = solve_bidiagonal(n, d, e, u, vt, x.cols, order.data());
    for (index_t j = 0; j < n; ++j) s[j] = zero ? R(0) : std::ldexp(d[order[static_cast<std::size_t>(j)]], exponent);
    const Panel<R> longer = a.rows > a.cols ? x : y, shorter = a.rows > a.cols ? y : x;
    const Reflectors<R> left(lapack::Stored::columns, work.data(), work.ld(), tau.panel().row(0), n, 0, m);
    turn_back(
        left, n,
        [&](index_t from, index_t to, const Block<R>& strip) {
            for (index_t j = from; j < to; ++j)
                std::copy_n(&u(order[static_cast<std::size_t>(j)], 0), n, &strip(j - from, 0));
        },
        longer);
    const Reflectors<R> right(lapack::Stored::rows, work.data() + work.ld(), work.ld(), tau.panel().row(1), n - 1, 1,
                              n);
    turn_back(
        right, n,
        [&](index_t from, index_t to, const Block<R>& strip) {
            for (index_t i = 0; i < n; ++i)
                for (index_t j = from; j < to; ++j) strip(j - from, i) = vt(i, order[static_cast<std::size_t>(j)]);
        },
        shorter);
    return first_try;
}

template bool reduced_svd<float>(ConstPanel<float>, Panel<float>, float*, Panel<float>);
template bool reduced_svd<double>(ConstPanel<double>, Panel<double>, double*, Panel<double>);

}  // namespace svdkit
