// One step towards the spatial median of the rows, the c that minimises sum |x_i - c|.
//
//   d_i = |x_i - c|,   c' = sum x_i / d_i / sum 1 / d_i      over rows with d_i > 0            (Weiszfeld)
//   c'' = c + max(0, 1 - eta / |g|) (c' - c),  g = sum (x_i - c) / d_i,  eta = rows with d_i = 0   (Vardi & Zhang)
//
// so that a row at c is no trap; |g| / m is how far c is from the median, and 0 at it (at most eta / m on a row). Sums
// in double, over fixed parts, added in order. Cost: one read of X, 5 flops an entry.
// Papers: Weiszfeld, Tohoku Math. J. 43 (1937); Vardi & Zhang, PNAS 97 (2000).
#pragma once

#include <vector>

#include "svdkit/base/view.hpp"

namespace svdkit {

struct SpatialStep {
    double slope = 0;   ///< max(0, |g| - eta) / m
    double moved = 0;   ///< |c'' - c|
    double spread = 0;  ///< the harmonic mean of the distances: what `moved` is small against
};

/// `distances` (m) are those from the `center` given, which is moved. Both are in units of X times `scale`.
template <class R>
SpatialStep spatial_median_step(ConstView<R> x, double scale, std::vector<double>& center,
                                std::vector<double>& distances);

}  // namespace svdkit
