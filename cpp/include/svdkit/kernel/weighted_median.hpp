// Weighted median: the smallest value t with  sum {w_i : v_i <= t} >= sum w_i / 2,  which minimises sum w_i |v_i - t|.
//
// Eight values at a fixed stride cut the line into nine pieces, one pass counts the weight up to each of them, and the
// piece with the answer is what is left: a ninth, about. Exact and deterministic, whatever the eight say. Cost:
// about 1.2 passes over the values, O(N); sorted, O(N log N), where the pieces stop shrinking. Papers: Floyd & Rivest,
// Comm. ACM 18 (1975); Gurwitz, Pattern Recognition Letters 11 (1990), on weights.
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit {

/// Both arrays are overwritten. Weights not negative, all finite. No weight: 0.
template <class R>
R weighted_median(R* values, R* weights, index_t count);

}  // namespace svdkit
