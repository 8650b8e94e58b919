#include "svdkit/kernel/small_eigh.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "merge_tree.hpp"
#include "power_of_two.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/blas/condensed.hpp"
#include "svdkit/kernel/reduction_block.hpp"
#include "svdkit/kernel/reflectors.hpp"
#include "svdkit/kernel/tridiagonal_eigh.hpp"
#include "svdkit/kernel/tridiagonal_form.hpp"
#include "svdkit/kernel/triplet_check.hpp"

namespace svdkit {
namespace {

// From this order on our own threaded reduction is faster than LAPACK. Two cores, half of the vectors, check included,
// time of heevd over ours: 1.09 at 256, 1.36 at 500, 1.75 at 1000 in double precision; 1.06, 1.15, 1.38 in single.
constexpr index_t kReduced = 256;

[[noreturn]] void fail(index_t n) {
    const std::string size = std::to_string(n);
    throw NumericalError("svdkit: LAPACK's eigensolver did not converge on a " + size + " x " + size + " matrix");
}

// Values, largest first; eigenvectors in G where they are wanted.
template <class T>
void solve(Panel<T> g, real_t<T>* values, bool vectors) {
    if (lapack::heevd(g.rows, g.data, g.ld, values, vectors) != 0) fail(g.rows);
    std::reverse(values, values + g.rows);
}

// Eigenvectors of T in Q; QR iteration where divide and conquer fails. See tridiagonal_eigh.
template <class R>
void solve_tridiagonal(index_t n, R* d, R* e, R* q, index_t wanted, index_t* order) {
    const std::vector<R> diagonal(d, d + n), beside(e, e + n - 1);
    if (tridiagonal_eigh(n, d, e, q, wanted, order)) return;
    std::copy(diagonal.begin(), diagonal.end(), d);
    std::copy(beside.begin(), beside.end(), e);
    if (lapack::steqr(n, d, e, q, n) != 0) fail(n);
    for (index_t j = 0; j < n; ++j) order[j] = n - 1 - j;
}

// LAPACK is column-major: it sees conj(G), so its eigenvectors, columns to it and rows to us, are conjugates of G's.
template <class T>
void lapack_eigh(Panel<T> g, real_t<T>* values, Panel<T> y) {
    const index_t n = g.rows;
    solve(g, values, true);
    for (index_t j = 0; j < y.cols; ++j)
        for (index_t i = 0; i < n; ++i) y(i, j) = conj(g(n - 1 - j, i));
}

}  // namespace

template <class R>
void reduced_eigh(ConstPanel<R> g, R* values, Panel<R> y) {
    const index_t n = g.rows;
    const Block<R> a = reduction_block<R>(n, n);
    for (index_t i = 0; i < n; ++i) std::copy(g.row(i) + i, g.row(i) + n, &a(i, i));
    const int outer = detail::normalise(a.panel());
    const Block<R> lines(2, n);  // diagonal, off-diagonal
    R *const d = lines.panel().row(0), *const e = lines.panel().row(1);
    std::vector<R> tau(static_cast<std::size_t>(n));
    tridiagonal_form(a.panel(), d, e, tau.data());
    const int exponent = outer + detail::normalise(lines.panel());
    std::vector<index_t> order(static_cast<std::size_t>(n));
    const Block<R> q(n, n, n);
    solve_tridiagonal(n, d, e, q.data(), y.cols, order.data());
    for (index_t j = 0; j < n; ++j) values[j] = std::ldexp(d[order[static_cast<std::size_t>(j)]], exponent);
    const Reflectors<R> back(lapack::Stored::columns, a.data() + 1, a.ld(), tau.data(), n - 1, 1, n);
    const double column = 2.0 * static_cast<double>(n) * static_cast<double>(n);
    detail::for_strips(0, y.cols, detail::strip_width(y.cols), column, [&](index_t from, index_t to) {
        const Block<R> strip(to - from, n, n);
        for (index_t j = from; j < to; ++j)
            std::copy_n(q.data() + order[static_cast<std::size_t>(j)] * n, n, &strip(j - from, 0));
        back.apply(strip.data(), n, to - from);
        for (index_t i = 0; i < n; ++i)
            for (index_t j = from; j < to; ++j) y(i, j) = strip(j - from, i);
    });
}

template <class R>
bool checked_eigh(Panel<R> g, R* values, Panel<R> y, EighMethod<R> method) {
    method(g, values, y);
    if (are_triplets<R>(g, y, values, y)) return true;
    lapack_eigh(g, values, y);
    return false;
}

template <class T>
void small_eigh(Panel<T> g, real_t<T>* values, Panel<T> y) {
    if constexpr (!is_complex<T>) {
        if (g.rows >= kReduced) {
            checked_eigh<T>(g, values, y, reduced_eigh<T>);
            return;
        }
    }
    lapack_eigh(g, values, y);
}

template <class T>
void small_eigenvalues(Panel<T> g, real_t<T>* values) {
    solve(g, values, false);
}

#define INSTANTIATE(T)                                           \
    template void small_eigh<T>(Panel<T>, real_t<T>*, Panel<T>); \
    template void small_eigenvalues<T>(Panel<T>, real_t<T>*);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

#define INSTANTIATE(R)                                          \
    template void reduced_eigh<R>(ConstPanel<R>, R*, Panel<R>); \
    template bool checked_eigh<R>(Panel<R>, R*, Panel<R>, EighMethod<R>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit
