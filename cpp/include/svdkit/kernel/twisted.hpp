// Eigenvectors of a symmetric tridiagonal matrix T whose eigenvalues are known, some side by side.
//
// T - lambda I is factored from the top and from the bottom; where the two meet with the smallest rest, gamma, the
// vector is 1, and from there each part gives its entries one by one:  |T z - lambda z| = |gamma|, the rounding of T.
// No pivoting, no iteration, no orthogonalisation: vectors of values that are near each other are not orthogonal.
// Cost: 2 divisions an entry; the vectors of kTwisted values go through vector units together.
// Paper: Parlett & Dhillon, LAA 267 (1997).
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit::detail {

inline constexpr index_t kTwisted = 16;

struct TwistedKernels {
    /// The vectors of `values` (kTwisted), entry i in row i of z (n x kTwisted), not normalised; room 3 n kTwisted.
    void (*vectors)(const double* diagonal, const double* beside, index_t n, const double* values, double smallest,
                    double* room, double* z);
};

void twisted_vectors(const double* diagonal, const double* beside, index_t n, const double* values, double smallest,
                     double* room, double* z);

}  // namespace svdkit::detail
