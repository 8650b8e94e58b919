// Householder bidiagonalisation of a real matrix on all threads: M = Q B P^T, B upper bidiagonal.
//
//   M <- M - U Y^T - X V^T  after every panel of columns
//   within it   y = tau M^T u,  r = row of M - y,  M r       in one read of M, a few columns at a time
//
// r is v but for its first entry and its length, so M v follows from M r and one column of M: half the reading of
// LAPACK's gebrd, which is what it waits for. Floor of the time: n^3 / 3 numbers read (square), 4/3 n^3 flops in matrix
// products on fixed tiles. Fixed parts, private sums added in order: the bits do not depend on the number of threads.
// Dongarra, Sorensen & Hammarling (1989), J. Comput. Appl. Math. 27; Howell et al. (2008), Cache efficient
// bidiagonalization using BLAS 2.5 operators, ACM Trans. Math. Softw. 34.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// A = M^T, n x m with n <= m, row-major (from reduction_block); d (n), e (n - 1), tau_q and tau_p (n). Left reflector
/// i stands in row i of A from column i + 1 on, right reflector i in column i from row i + 2 on: LAPACK's gebrd,
/// column-major. Largest |entry| must be near one.
template <class R>
void bidiagonalise(Panel<R> a, R* d, R* e, R* tau_q, R* tau_p);

}  // namespace svdkit
