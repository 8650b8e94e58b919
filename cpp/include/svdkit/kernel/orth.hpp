// Orthonormal bases of tall panels, grown a block at a time.
//
//   W = V H + Q R,   V^H Q = 0,  Q^H Q = I
//
// Twice: project against the basis V, then Cholesky QR of what is left (its Gram matrix in double precision); the
// second round acts on an orthonormal block, so neither the condition of W nor cancellation costs orthogonality. Of a
// numerically rank deficient block a pivoted Cholesky factor tells the independent directions, group by group; the lost
// ones are replaced by random ones, which come last and whose rows of R are zero. Cost: 8 n j b flops and 4 reads of V
// (n x j), 6 n b^2 flops for the block (n x b). Papers: Yamamoto, Nakatsukasa, Yanagisawa & Fukaya, ETNA 44 (2015),
// CholeskyQR2; Barlow & Smoktunowicz, Numer. Math. 123 (2013), reorthogonalised block Gram-Schmidt; Daniel, Gragg,
// Kaufman & Stewart, Math. Comp. 30 (1976), replacement of lost directions.
#pragma once

#include <cstdint>

#include "svdkit/kernel/tall_pass.hpp"

namespace svdkit {

/// Where random replacements come from: every use takes the next index, so that runs repeat bit for bit.
struct Replacements {
    std::uint64_t seed = 0;
    std::uint32_t used = 0;
};

/// Replaces W by an orthonormal Q that is orthogonal to `basis`; H (j x b) and R (b x b) as above. Columns whose
/// part outside the basis has norm <= `floor` count as lost and are replaced by random directions while there are any.
/// Returns the number of columns of Q; those beyond it are zero: no direction was left for them.
/// `recent`: W is known to have parts in this many last vectors of the basis only (a Lanczos recurrence), but for
/// rounding; 0: nothing is known. That saves half of the work, and is checked.
template <class T>
index_t extend_basis(ConstColumns<T> basis, Panel<T> w, Panel<T> h, Panel<T> r, double floor,
                     Replacements& replacements, index_t recent = 0);

}  // namespace svdkit
