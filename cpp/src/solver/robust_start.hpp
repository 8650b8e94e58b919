// Where robust fits start: the SVD of a trimmed and damped X.
//
//   Y = X where |x - r_i - c_j| <= 3 t, else r_i + c_j;  rows, then columns, of more than the median norm scaled to it
//
// t = 1.4826 median |x - r_i - c_j|; r = c = 0, and, for data with a centre (rows and columns explain most of |x|), a
// second start with medians of rows and columns. No plain SVD: it would lie inside the outliers' basin.
#pragma once

#include <vector>

#include "svdkit/base/buffer.hpp"
#include "svdkit/kernel/robust_pass.hpp"

namespace svdkit::detail {

/// X ~ left right^T, right orthonormal.
template <class T>
struct RobustStart {
    Block<T> left, right;
};

/// One start or two; `unit` is the typical size of X.
template <class T>
std::vector<RobustStart<T>> trimmed_starts(const PriorCells<T>& cells, double unit, index_t k);

/// trimmed(X) B, or trimmed(X)^T B
template <class T>
Block<T> trimmed_product(const PriorCells<T>& cells, double unit, ConstPanel<T> b, bool adjoint);

}  // namespace svdkit::detail
