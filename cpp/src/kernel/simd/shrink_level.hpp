// The splitting step of one level, which its table points to.
#pragma once

#include "svdkit/kernel/shrink_tile.hpp"

namespace svdkit::detail::SVDKIT_LEVEL {

extern const ShrinkKernels shrink;

}  // namespace svdkit::detail::SVDKIT_LEVEL
