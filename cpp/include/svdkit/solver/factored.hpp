// The SVD of a product P Q^T of two thin matrices, never formed.
//
//   P = Q_p R_p,  Q = Q_q R_q,  R_p R_q^T = X diag(s) Y^T  ->  (Q_p X, s, Q_q Y)
//
// Cost: 4 (m + n) r^2 flops and an r x r SVD. Lost directions are completed at random: the vectors are orthonormal
// always.
#pragma once

#include "svdkit/solver/result.hpp"

namespace svdkit {

/// P is m x r, Q is n x r, r <= min(m, n). Signs are fixed; the report is left to the caller.
template <class T>
Result<T> svd_of_factors(const Block<T>& p, const Block<T>& q, std::uint64_t seed);

}  // namespace svdkit
