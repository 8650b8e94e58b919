// Leading eigenvectors of a symmetric matrix that fits in cache, for callers that put them right themselves.
//
// Tridiagonal form, all eigenvalues, twisted factorisations for the vectors that are wanted, back again. Residuals are
// rounding of G; two vectors are orthogonal to rounding divided by the relative distance of their values, hence not at
// all where values coincide. Where five eighths of the vectors are wanted, n = 74 to 140: half of the time of LAPACK's
// divide and conquer for all. Cost: 2 n^3 + 2 n^2 count flops.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// Row i of z (count x n): the vector of the i-th largest value. False: not converged, or not a
/// matrix of finite numbers in range.
bool leading_eigenvectors(ConstPanel<double> g, double* values, Panel<double> z);

}  // namespace svdkit
