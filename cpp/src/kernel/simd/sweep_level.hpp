// The sweeps of one level, which its table points to.
#pragma once

#include "svdkit/kernel/sweep.hpp"

namespace svdkit::detail::SVDKIT_LEVEL {

extern const SweepKernels<float> sweep_f32;
extern const SweepKernels<double> sweep_f64;

}  // namespace svdkit::detail::SVDKIT_LEVEL
