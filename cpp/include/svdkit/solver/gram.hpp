// Gram matrix and Rayleigh-Ritz, for tall (or wide) dense matrices.
//
// G = A^H A in one read, its eigenvectors V_k, then the Rayleigh-Ritz step on A V_k, which squares nothing: the
// relative error of s_i is about epsilon s_1 / s_i, not its square. Residuals are measured; a triplet with s_i below
// (10 epsilon / tol) s_1 may fail, and then the caller goes on with lanczos, warm-started with V_k. Cost: m n^2 + 4 m n
// k flops, 25 n^3 on one thread for the eigenvectors; two reads of A; memory n^2. Paper: Golub & Van Loan, Matrix
// Computations (4th ed.), sections 8.6 and 5.3 (why G alone is not enough).
#pragma once

#include "svdkit/base/monitor.hpp"
#include "svdkit/solver/counted.hpp"
#include "svdkit/solver/options.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

/// Needs a.original().dense_view(). Signs are not fixed, report.method and reason are left to the caller.
template <class T>
Result<T> gram(Counted<T>& a, const Options<T>& options, Monitor& monitor);

}  // namespace svdkit
