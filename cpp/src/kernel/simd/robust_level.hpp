// The robust loops of one level, which its table points to.
#pragma once

#include "svdkit/kernel/robust_tile.hpp"

namespace svdkit::detail::SVDKIT_LEVEL {

extern const RobustKernels<float> robust_f32;
extern const RobustKernels<double> robust_f64;

}  // namespace svdkit::detail::SVDKIT_LEVEL
