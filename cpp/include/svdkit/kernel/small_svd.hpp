// SVD of a matrix that fits in cache: A = X diag(s) Y^H by LAPACK, divide and conquer with QR iteration as fallback.
//
// Cost: about 20 p q min(p, q) flops for p x q. NumericalError when both drivers fail.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// A (p x q, row-major) is destroyed; X is p x r, Y is q x r, r = min(p, q), both row-major; s descending.
/// Returns false when the fallback had to be used.
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
