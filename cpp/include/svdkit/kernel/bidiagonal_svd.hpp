// Singular vectors of a real upper bidiagonal matrix on all threads: divide and conquer, B = U diag(d) V^T.
//
// One row apart, both halves solved, then the roots of 1 + sum z_i^2 / (d_i^2 - x^2) = 0: see tridiagonal_eigh.hpp, of
// which this is the twin. LAPACK deflates (lasd2) and finds roots (lasd4). Cost: up to 8/3 n^3 flops, less by deflation
// and where few vectors are wanted; 4 n^2 numbers beside U and V.
// Gu & Eisenstat (1995), A divide-and-conquer algorithm for the bidiagonal SVD, SIAM J. Matrix Anal. Appl. 16.
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit {

/// B has diagonal d and superdiagonal e (n - 1; both destroyed), largest |entry| near one. Values are left in d, in no
/// order: column order[j] of U, row order[j] of VT (n x n, column-major, zeros on entry) and d[order[j]] are the
/// triplet of the (j + 1)-th largest, for j < wanted; all values are there. Returns false when it did not converge.
bool bidiagonal_svd(index_t n, double* d, double* e, double* u, double* vt, index_t wanted, index_t* order);

}  // namespace svdkit
