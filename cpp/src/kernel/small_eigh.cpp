#include "svdkit/kernel/small_eigh.hpp"

#include <algorithm>

#include "svdkit/base/error.hpp"
#include "svdkit/blas/blas.hpp"

namespace svdkit {

// LAPACK is column-major: it sees conj(G), so its eigenvectors, columns to it and rows to us, are conjugates of G's.
template <class T>
void small_eigh(Panel<T> g, real_t<T>* values, Panel<T> y) {
    const index_t n = g.rows;
    if (lapack::heevd(n, g.data, g.ld, values) != 0) {
        throw NumericalError("svdkit: LAPACK's eigensolver did not converge on a " + std::to_string(n) + " x " +
                             std::to_string(n) + " matrix");
    }
    std::reverse(values, values + n);
    for (index_t j = 0; j < y.cols; ++j)
        for (index_t i = 0; i < n; ++i) y(i, j) = conj(g(n - 1 - j, i));
}

#define INSTANTIATE(T) template void small_eigh<T>(Panel<T>, real_t<T>*, Panel<T>);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
