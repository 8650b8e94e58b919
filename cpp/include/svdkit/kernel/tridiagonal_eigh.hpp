// Eigenvectors of a real symmetric tridiagonal matrix on all threads: divide and conquer, T = Q diag(d) Q^T.
//
// T = diag(T1, T2) + rho z z^T; both halves solved, then the secular equation 1 + rho sum z_i^2 / (d_i - x) = 0. Leaves
// and small merges run beside each other; in a large one roots, vectors and the products that turn them run in fixed
// strips. LAPACK deflates (laed2) and finds roots (laed4). Only the wanted vectors pass the last merge, which is three
// quarters of the work. Cost: up to 4/3 n^3 flops, less by deflation; n^2 numbers beside Q.
// Cuppen (1981), Numer. Math. 36; Gu & Eisenstat (1995), SIAM J. Matrix Anal. Appl. 16.
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit {

/// T has diagonal d and off-diagonal e (both destroyed), largest |entry| near one. The values are left in d, in no
/// order: column order[j] of Q (n x n, column-major) and d[order[j]] are the pair of the (j + 1)-th largest, for
/// j < wanted; all values are there. Returns false when it did not converge.
template <class R>
bool tridiagonal_eigh(index_t n, R* d, R* e, R* q, index_t wanted, index_t* order);

}  // namespace svdkit
