// Weighted median: the smallest value t with  sum {w_i : v_i <= t} >= sum w_i / 2,  which minimises sum w_i |v_i - t|.
//
// Selection by brackets: a sample at a fixed stride says between which two values the answer lies, one pass keeps the
// values in there, and so on. Exact and deterministic whatever the sample says. Cost: about 1.4 passes over the values,
// O(N); sorted, O(N log N), where brackets stop shrinking.
// Papers: Floyd & Rivest, Comm. ACM 18 (1975); Gurwitz, Pattern Recognition Letters 11 (1990), on weights.
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit {

/// Both arrays are overwritten. Weights not negative, all finite. No weight: 0.
template <class R>
R weighted_median(R* values, R* weights, index_t count);

}  // namespace svdkit
