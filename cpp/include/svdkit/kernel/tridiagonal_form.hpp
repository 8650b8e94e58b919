// Householder tridiagonalisation of a real symmetric matrix on all threads: A = Q T Q^T.
//
//   A <- A - V W^T - W V^T  after every panel of columns;  within it  A v  from A as it was and the panel's pairs
//
// Half of the 4/3 n^3 flops are products of one vector with the trailing triangle, which is read once for each (n^3 / 6
// numbers in all, the floor of the time), in fixed parts with private sums that are added in order; the other half are
// matrix products on fixed tiles. The bits do not depend on the number of threads. A matrix of which both halves fit in
// the cache of one core is the business of kernel/tridiagonal.hpp.
// Dongarra, Sorensen & Hammarling (1989), Block reduction of matrices to condensed forms, J. Comput. Appl. Math. 27.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// A (from reduction_block) has the upper triangle; d (n) and e, tau (n - 1). Reflector i stands in row i from column
/// i + 2 on: LAPACK's sytrd, lower, column-major. Largest |entry| must be near one.
template <class R>
void tridiagonal_form(Panel<R> a, R* d, R* e, R* tau);

}  // namespace svdkit
