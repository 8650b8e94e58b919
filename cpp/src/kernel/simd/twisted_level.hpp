// The twisted factorisations of one level, which its table points to.
#pragma once

#include "svdkit/kernel/twisted.hpp"

namespace svdkit::detail::SVDKIT_LEVEL {

extern const TwistedKernels twisted;

}  // namespace svdkit::detail::SVDKIT_LEVEL
