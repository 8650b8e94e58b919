// Truncated SVD of many small matrices: one serial tsvd each, the threads spread over the matrices.
//
// Cost: that of the single decompositions, divided by the threads. The monitor is polled between groups of matrices.
#pragma once

#include <span>
#include <vector>

#include "svdkit/solver/tsvd.hpp"

namespace svdkit {

/// One result for each matrix, in order; shorter than `stack` when the monitor asked to stop.
template <class T>
std::vector<Result<T>> tsvd_batched(std::span<const Operator<T>* const> stack, const Options<T>& options,
                                    Monitor& monitor);

}  // namespace svdkit
