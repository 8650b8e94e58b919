// The extended model [X S, E] of a large batch, decomposed as a whole by tsvd: no core of its size, no loss between the
// pieces of the batch.
//
// Sparse: the operator of products with X, S and E, never formed. Dense, or short: written out.
// Cost: 4 (length r + entries(E)) flops for each of about 3 k + 50 vectors.
#pragma once

#include "svdkit/base/monitor.hpp"
#include "svdkit/solver/incremental/lazy_factor.hpp"
#include "svdkit/solver/options.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit::detail {

/// The leading triplets: left vectors of length X.rows, right ones of length r + E.count.
Result<double> whole_batch(const LazyFactor& factor, const std::vector<double>& values, const TallVectors& vectors,
                           const Options<double>& options, Monitor& monitor);

/// Of a dense matrix, without progress reports.
Result<double> leading_triplets(const Block<double>& a, const Options<double>& options);

}  // namespace svdkit::detail
