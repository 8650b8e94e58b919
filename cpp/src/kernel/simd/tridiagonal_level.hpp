// The reduction to tridiagonal form of one level, which its table points to.
#pragma once

#include "svdkit/kernel/tridiagonal.hpp"

namespace svdkit::detail::SVDKIT_LEVEL {

extern const TridiagonalKernels tridiagonal;

}  // namespace svdkit::detail::SVDKIT_LEVEL
