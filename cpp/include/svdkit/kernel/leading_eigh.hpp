// Leading eigenvectors of a symmetric matrix that fits in cache, for callers that put them right themselves.
//
// Tridiagonal form, all eigenvalues, twisted factorisations for the vectors that are wanted, back again. Residuals are
// rounding of G; two vectors are orthogonal to rounding divided by the relative distance of their values, hence not at
// all where values coincide. A third of the time of LAPACK's divide and conquer where half of the vectors are wanted.
// Cost: 4/3 n^3 + 2 n^2 count flops, half of the first at the speed of matrix-vector products.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// Row i of z (count x n): the vector of the i-th largest value. G (row-major) is destroyed. False: not converged.
bool leading_eigenvectors(Panel<double> g, double* values, Panel<double> z);

}  // namespace svdkit
