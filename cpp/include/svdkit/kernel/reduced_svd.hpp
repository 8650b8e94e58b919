// SVD of a real matrix by bidiagonal form, on all threads: A = X diag(s) Y^T; QR first where A is long.
//
// Cost: n^3 / 3 numbers read for the reduction (kernel/bidiagonal.hpp), up to 8/3 n^3 flops of divide and conquer and
// 2 n^2 k of back-transformation for each side. The bits do not depend on the number of threads.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// As small_svd: A (p x q, row-major) is kept; X is p x k, Y is q x k, for the k <= min(p, q) largest values; s has
/// all. Returns false when QR iteration had to take over from divide and conquer; NumericalError when both failed.
template <class R>
bool reduced_svd(ConstPanel<R> a, Panel<R> x, R* s, Panel<R> y);

}  // namespace svdkit
