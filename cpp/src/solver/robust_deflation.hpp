// Robust fit by deflation: rank one after rank one, each from what the ones before leave of X (solver/robust.hpp).
//
//   w of x - c b^T:  c_i = sum_j w_ij x_ij b_j / sum_j w_ij b_j^2,   a = orth(c),  and the same for d and b
//
// c and d are kept as they are for the weights; only a and b are orthogonalised against earlier vectors. The fixed
// points are those of the R package rsvddpd, which nests a loop for c and one for d in every sweep.
#pragma once

#include "robust_scale.hpp"

namespace svdkit::detail {

/// Keeps what is left of X as a copy. The report's residuals, iterations and convergence are filled in.
template <class T>
RobustResult<T> deflate(const PriorCells<T>& cells, const Observed& observed, const RobustOptions<T>& options,
                        double unit, double tol, Monitor& monitor);

}  // namespace svdkit::detail
