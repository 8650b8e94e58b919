#include "svdkit/kernel/small_eigh.hpp"

#include <algorithm>

#include "svdkit/base/error.hpp"
#include "svdkit/blas/blas.hpp"

namespace svdkit {
namespace {

// Values, largest first; eigenvectors in G where they are wanted.
template <class T>
void solve(Panel<T> g, real_t<T>* values, bool vectors) {
    if (lapack::heevd(g.rows, g.data, g.ld, values, vectors) != 0) {
        const std::string size = std::to_string(g.rows);
        throw NumericalError("svdkit: LAPACK's eigensolver did not converge on a " + size + " x " + size + " matrix");
    }
    std::reverse(values, values + g.rows);
}

}  // namespace

// LAPACK is column-major: it sees conj(G), so its eigenvectors, columns to it and rows to us, are conjugates of G's.
template <class T>
void small_eigh(Panel<T> g, real_t<T>* values, Panel<T> y) {
    const index_t n = g.rows;
    solve(g, values, true);
    for (index_t j = 0; j < y.cols; ++j)
        for (index_t i = 0; i < n; ++i) y(i, j) = conj(g(n - 1 - j, i));
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

}  // namespace svdkit
