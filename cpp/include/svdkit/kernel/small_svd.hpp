// SVD of a matrix in memory: A = X diag(s) Y^H, divide and conquer with QR iteration as fallback.
//
// By LAPACK where it is small or complex, else on all threads (kernel/reduced_svd.hpp), and
// checked (kernel/triplet_check.hpp): what is not right to rounding LAPACK computes again.
// Cost: about 20 p q min(p, q) flops for p x q. NumericalError when both methods fail.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// A (p x q, row-major) is destroyed; X is p x k, Y is q x k, for the k <= r = min(p, q) largest values, both
/// row-major; s has all r, descending. Returns what a report should note: which fallback had to be used, null for none.
template <class T>
const char* small_svd(Panel<T> a, Panel<T> x, real_t<T>* s, Panel<T> y);

template <class R>
using SvdMethod = bool (*)(ConstPanel<R> a, Panel<R> x, R* s, Panel<R> y);

/// The same by `method`, which returns whether it went its usual way, and by LAPACK if its answer is no SVD of A.
template <class R>
const char* checked_svd(Panel<R> a, Panel<R> x, R* s, Panel<R> y, SvdMethod<R> method);

/// The same in double precision whatever T, A kept: for projected matrices, whose noise of noise would underflow in
/// single precision and make the answer depend on the scale of A.
template <class T>
const char* small_svd_wide(ConstPanel<T> a, Panel<T> x, real_t<T>* s, Panel<T> y);

/// Singular values only.
template <class T>
void small_singular_values(Panel<T> a, real_t<T>* s);

}  // namespace svdkit
