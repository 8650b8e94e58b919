// The splitting step of principal component pursuit on a whole matrix, in one pass over tiles.
//
//   L = P Q^T (never stored),  S = soft(M - L + Y / mu, lambda / mu),  Y <- Y + mu (M - L - S),  W <- M - S + Y / mu'
//
// M - L - S, S and the norms of a certificate (kernel/shrink_tile.hpp) come from the same read. W, the matrix of the
// next singular value threshold, and Y are all that is kept: S = M - W + Y / mu'. Sums belong to fixed tiles and are
// added in order. Cost: m n (2 r + 20) flops, one read of M, one read and one write of W and Y.
#pragma once

#include "svdkit/base/view.hpp"
#include "svdkit/kernel/shrink_tile.hpp"

namespace svdkit {

/// P is m x r, Q^T is r x n; M may hold NaN, cells that are not observed.
template <class R>
detail::ShrinkSums shrink_pass(ConstView<R> m, ConstPanel<R> p, ConstPanel<R> qt, const detail::ShrinkStep<R>& step,
                               Panel<R> w, Panel<R> y);

}  // namespace svdkit
