// Products with a matrix whose far-off cells are replaced on the way, without a copy of it.
//
//   y_ij = x_ij  where |x_ij - r_i - c_j| <= limit,  else  r_i + c_j     (also where x_ij is NaN or has prior weight 0)
//
// Tiles of y are made in cache and multiplied by the tiles of the block pass. Cost: one read of X, 2 m n b flops.
#pragma once

#include <vector>

#include "svdkit/base/view.hpp"
#include "svdkit/kernel/robust_pass.hpp"

namespace svdkit {

template <class T>
struct Trim {
    double limit = 0;
    std::vector<T> row_centers, col_centers;  ///< both empty: zeros
};

/// Y = trimmed(X) B
template <class T>
void trimmed_forward(const PriorCells<T>& cells, const Trim<T>& trim, ConstPanel<T> b, Panel<T> y);

/// Z = trimmed(X)^T B
template <class T>
void trimmed_adjoint(const PriorCells<T>& cells, const Trim<T>& trim, ConstPanel<T> b, Panel<T> z);

struct TrimmedNorms {
    std::vector<double> rows, cols;
};

/// Norms of the rows of trimmed(X), and of its columns after the rows were multiplied by min(1, median / norm).
template <class T>
TrimmedNorms trimmed_norms(const PriorCells<T>& cells, const Trim<T>& trim);

/// min(1, median / norm) of every norm, the median over those above zero.
std::vector<double> damping(const std::vector<double>& norms);

}  // namespace svdkit
