// The end of every solver: triplets from a subspace, and their certificate.
//
// measure_residuals: max(|A v - s u|, |A^H u - s v|) of every triplet, from fresh products.
// rayleigh_ritz: the best triplets with right vectors in the span of V: with A V = Q R and R = X diag(s) Y^H they are
// (Q X, s, V Y), A squared nowhere, and the residuals come from the same two products.
// Cost of either: 4 m n k flops, two reads of A; rayleigh_ritz takes one where the products can share it and no value
// is below s_1 / 1000 (single precision: s_1 / 20), or where `slack` allows: residuals of small values are then bounds,
// wider by epsilon s_1^2 / s_i. Paper: Golub & Van Loan, Matrix Computations (4th ed.), section 8.6
// (Rayleigh-Ritz).
#pragma once

#include <vector>

#include "svdkit/solver/counted.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

template <class T>
std::vector<double> measure_residuals(Counted<T>& a, ConstPanel<T> u, const std::vector<real_t<T>>& s, ConstPanel<T> v);

struct RayleighRitz {
    std::uint64_t seed = 0;  ///< for directions that A maps to zero
    index_t keep = 0;        ///< leading triplets to return; 0: as many as V has columns
    double slack = 0;        ///< share of a residual that rounding may add before A is read once more to avoid it
};

/// Fills u, s, v and report.residuals of the result; V is orthonormalised first.
template <class T>
Result<T> rayleigh_ritz(Counted<T>& a, Block<T> v, const RayleighRitz& options);

/// Orthonormal V, A V and A^H A V.
template <class T>
struct Products {
    Block<T> v, image, back;
};

/// The same, of products that were made before: A is read again only where residuals of small values need it.
template <class T>
Result<T> rayleigh_ritz(Counted<T>& a, Products<T> known, const RayleighRitz& options);

}  // namespace svdkit
