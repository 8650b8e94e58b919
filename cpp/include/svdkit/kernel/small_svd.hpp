// SVD of a matrix in memory: A = X diag(s) Y^H, divide and conquer with QR iteration as fallback.
//
// By LAPACK where it is small, complex or much longer than wide, else on all threads (kernel/reduced_svd.hpp).
// Cost: about 20 p q min(p, q) flops for p x q. NumericalError when both methods fail.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// A (p x q, row-major) is destroyed; X is p x k, Y is q x k, for the k <= r = min(p, q) largest values, both
/// row-major; s has all r, descending. Returns false when the fallback had to be used.
template <class T>
bool small_svd(Panel<T> a, Panel<T> x, real_t<T>* s, Panel<T> y);

/// The same in double precision whatever T, A kept: for projected matrices, whose noise of noise would underflow in
/// single precision and make the answer depend on the scale of A.
template <class T>
bool small_svd_wide(ConstPanel<T> a, Panel<T> x, real_t<T>* s, Panel<T> y);

/// Singular values only.
template <class T>
void small_singular_values(Panel<T> a, real_t<T>* s);

}  // namespace svdkit
