// The loops of weighted medians of one level, which its table points to.
#pragma once

#include "svdkit/kernel/median_tile.hpp"

namespace svdkit::detail::SVDKIT_LEVEL {

extern const MedianKernels<float> median_f32;
extern const MedianKernels<double> median_f64;

}  // namespace svdkit::detail::SVDKIT_LEVEL
