// Quantiles of the cells of a matrix: exact ones by selection inside a bracket that a sample gives, in one read of X.
// Cost: one comparison a cell; memory for some sqrt(N) cells, unless many are equal.
#pragma once

#include <vector>

#include "svdkit/kernel/robust_pass.hpp"

namespace svdkit::detail {

/// The median; destroys the order. 0 of nothing.
double median(std::vector<double>& values);

/// Hazen's quantile of all observed cells: piecewise linear with knots at (k - 1/2) / N. 0 of nothing.
template <class T>
double cell_quantile(const PriorCells<T>& cells, const Observed& observed, double p);

}  // namespace svdkit::detail
