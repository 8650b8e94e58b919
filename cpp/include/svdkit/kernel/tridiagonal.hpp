// Householder reduction of a symmetric matrix that fits in cache to tridiagonal form, T = Q^T A Q.
//
//   A <- A - v w^T - w v^T   of a step and   y = A x   of the next one   in one sweep over the rows
//
// The next vector x needs only its own row of the updated matrix, so that every step reads and writes what is left
// once; both halves are kept, so that rows are whole vectors. Twice the flops of LAPACK's, which uses the symmetry, and
// two products and two sweeps a step. Cost: 2 n^3 flops. Paper: Dongarra, Hammarling & Sorensen, JCAM 27 (1989).
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit::detail {

struct TridiagonalKernels {
    void (*reduce)(double* a, index_t lda, index_t n, double* diagonal, double* beside, double* reflectors,
                   double* room);
};

/// `a`: n rows of lda >= n numbers, whole cache lines, zero beyond the n-th. The vector of step j, without its leading
/// 1, lies in row j from column j + 2 on afterwards, as LAPACK's dormtr wants it; its factor is reflectors[j]. Entries
/// must be such that sums of squares are in range. room: 4 lda.
void tridiagonalise(double* a, index_t lda, index_t n, double* diagonal, double* beside, double* reflectors,
                    double* room);

}  // namespace svdkit::detail
