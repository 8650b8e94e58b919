// Full SVD (kernel/small_svd.hpp), of which k leading or trailing triplets are kept.
//
// Cost: about 20 m n min(m, n) flops (tall or wide matrices: QR first, inside LAPACK) and three copies of A.
#pragma once

#include "svdkit/base/monitor.hpp"
#include "svdkit/solver/counted.hpp"
#include "svdkit/solver/options.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

/// Signs are not fixed, report.method and reason are left to the caller.
template <class T>
Result<T> full(Counted<T>& a, const Options<T>& options, Monitor& monitor);

}  // namespace svdkit
