#include "svdkit/kernel/reduced_svd.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
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

// How many times longer than wide a matrix is from which QR comes first: LAPACK has 11/6.
constexpr double kTall = 1.6;

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

// R of a QR, oriented like the matrix whose place it took.
template <class R>
Block<R> triangle(const Block<R>& qr) {
    const index_t n = qr.rows();
    Block<R> out = reduction_block<R>(n, n);
    for (index_t j = 0; j < n; ++j) std::copy_n(&qr(j, 0), j + 1, &out(j, 0));
    return out;
}

// Vectors of the bidiagonal matrix, the first `length` numbers of strips of zeros, turned back into columns of OUT.
template <class R, class Back, class Vector>
void turn_back(const Back& back, index_t length, const Vector& vector, Panel<R> out) {
    const double each = 4.0 * static_cast<double>(out.rows) * static_cast<double>(length);
    detail::for_strips(0, out.cols, detail::strip_width(out.cols), each, [&](index_t from, index_t to) {
        const Block<R> strip(to - from, out.rows, out.rows);
        vector(from, to, strip);
        back(strip.data(), out.rows, to - from);
        for (index_t i = 0; i < out.rows; ++i)
            for (index_t j = from; j < to; ++j) out(i, j) = strip(j - from, i);
    });
}

// SVD of the bidiagonal matrix with the given lines (d, e), in double precision whatever they are: single precision
// errs most here, by up to 150 epsilon where values are graded, and only n^2 numbers more are read for it.
struct Condensed {
    template <class R>
    Condensed(Panel<R> lines, index_t wanted)
        : n(lines.cols),
          d(lines.row(0), lines.row(0) + n),
          u(n, n, n),
          vt(n, n, n),
          order(static_cast<std::size_t>(n)) {
        std::vector<double> e(lines.row(1), lines.row(1) + n - 1);
        const std::vector<double> diagonal = d, beside = e;
        usual = bidiagonal_svd(n, d.data(), e.data(), u.data(), vt.data(), wanted, order.data());
        if (usual) return;
        d = diagonal;
        e = beside;
        if (lapack::bdsqr(n, d.data(), e.data(), u.data(), n, vt.data(), n) != 0) {
            throw NumericalError(
                "svdkit: divide and conquer and QR iteration both failed to converge on a bidiagonal "
                "matrix of order " +
                std::to_string(n));
        }
        std::iota(order.begin(), order.end(), index_t(0));
    }

    index_t place(index_t j) const { return order[static_cast<std::size_t>(j)]; }
    double value(index_t j) const { return d[static_cast<std::size_t>(place(j))]; }

    index_t n;
    std::vector<double> d;
    Block<double> u, vt;  // column-major
    std::vector<index_t> order;
    bool usual;  // divide and conquer converged
};

}  // namespace

// The reduction takes A for M^T: left vectors of M, whose rows are A's columns, are right ones of A.
template <class R>
bool reduced_svd(ConstPanel<R> a, Panel<R> x, R* s, Panel<R> y) {
    Block<R> work = oriented(a), qr;
    const index_t n = work.rows(), m = work.cols();
    int outer = detail::normalise(work.panel());
    std::optional<Reflectors<R>> q;
    if (static_cast<double>(m) > kTall * static_cast<double>(n)) {
        qr = std::move(work);
        q = Reflectors<R>::factor(m, n, qr.data(), qr.ld());
        work = triangle(qr);
        outer += detail::normalise(work.panel());
    }
    const Block<R> lines(2, n), tau(2, n);  // diagonal, superdiagonal; factors of both kinds of reflectors
    R *const d = lines.panel().row(0), *const e = lines.panel().row(1);
    bidiagonalise(work.panel(), d, e, tau.panel().row(0), tau.panel().row(1));
    const bool zero = std::all_of(lines.data(), lines.data() + 2 * lines.ld(), [](R value) { return value == 0; });
    const int exponent = outer + detail::normalise(lines.panel());
    const Condensed condensed(lines.panel(), x.cols);
    for (index_t j = 0; j < n; ++j) s[j] = zero ? R(0) : static_cast<R>(std::ldexp(condensed.value(j), exponent));
    const Panel<R> longer = a.rows > a.cols ? x : y, shorter = a.rows > a.cols ? y : x;
    const Reflectors<R> left(lapack::Stored::columns, work.data(), work.ld(), tau.panel().row(0), n, 0, work.cols());
    turn_back(
        [&](R* c, index_t ldc, index_t cols) {
            left.apply(c, ldc, cols);
            if (q) q->apply(c, ldc, cols);
        },
        n,
        [&](index_t from, index_t to, const Block<R>& strip) {
            for (index_t j = from; j < to; ++j)
                for (index_t i = 0; i < n; ++i) strip(j - from, i) = static_cast<R>(condensed.u(condensed.place(j), i));
        },
        longer);
    const Reflectors<R> right(lapack::Stored::rows, work.data() + work.ld(), work.ld(), tau.panel().row(1), n - 1, 1,
                              n);
    turn_back([&](R* c, index_t ldc, index_t cols) { right.apply(c, ldc, cols); }, n,
              [&](index_t from, index_t to, const Block<R>& strip) {
                  for (index_t i = 0; i < n; ++i)
                      for (index_t j = from; j < to; ++j)
                          strip(j - from, i) = static_cast<R>(condensed.vt(i, condensed.place(j)));
              },
              shorter);
    return condensed.usual;
}

template bool reduced_svd<float>(ConstPanel<float>, Panel<float>, float*, Panel<float>);
template bool reduced_svd<double>(ConstPanel<double>, Panel<double>, double*, Panel<double>);

}  // namespace svdkit
