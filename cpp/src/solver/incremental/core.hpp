// Core: leading triplets of the small matrix to which an update reduces.
//
// Only k + 1 of k + t triplets are wanted. So: leading eigenvectors Z of the Gram matrix M^T M (tridiagonal form, then
// relatively robust representations), Y = M Z, and as the squares cost digits, first-order rotations of (Y, Z) until
// the columns of Y itself are orthogonal to rounding,
//
//   X_ij = T_ij / (T_jj - T_ii),   T = Y^T Y,   Z <- Z (I + X),  Y <- Y (I + X)
//
// which converges quadratically. Then it is an SVD of M as LAPACK's would be, at about half of its time: 2 n^3
// + 2 n^2 (2 k) flops, and some ten products. Values too small beside the first for their squares: LAPACK decomposes in
// full. Cores much larger than k: tsvd. Papers: Dhillon & Parlett, SIMAX 25 (2004); Ogita & Aishima, JJIAM 35 (2018).
#pragma once

#include <cstdint>
#include <vector>

#include "svdkit/base/buffer.hpp"

namespace svdkit::detail {

struct Core {
    Block<double> left{}, right{};
    std::vector<double> theta{};  ///< descending
    double beyond = 0;            ///< squares of the values that are not there
};

/// All triplets, by LAPACK.
Core decompose(const Block<double>& m);
/// The `wanted` leading ones, or a few more, of an M whose first `diagonal` rows have entries on the diagonal only.
Core decompose_leading(const Block<double>& m, index_t diagonal, index_t wanted, std::uint64_t seed);

}  // namespace svdkit::detail
