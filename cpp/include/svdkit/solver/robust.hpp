// Robust SVD: a low-rank matrix L and a noise level sigma that minimise the density power divergence of the residuals.
//
//   H(L, s) = (2 pi s)^(-alpha/2) [ (1 + alpha)^(-1/2) - (1 + 1/alpha) sum w / N ] + 1/alpha,   s = sigma^2,
//   w_ij = q_ij exp(-alpha (x_ij - l_ij)^2 / (2 s)),   N = sum q           (q: prior weights; alpha -> 0: plain SVD)
//   s = sum w e^2 / (sum w - N alpha (1 + alpha)^(-3/2))                   where H is stationary in s
//
// Joint: all k components at once, by alternating half-sweeps (kernel/robust_pass.hpp), each of which lowers H for
// fixed s. Deflation: component after component, the rule of the R package rsvddpd when sigma is the interquartile
// range. The start is the SVD of a trimmed and damped X: a plain SVD starts inside the outliers' basin
// (robust_start.hpp). Residuals in the report: max(|(W o E) v_i|, |(W o E)^T u_i|), zero where H is stationary in L.
// Cost of a sweep: two reads of X, N (k^2 + 8 k + 16) multiply-adds and 2 N exponentials (k <= 8; then N (12 k + 16)).
// Papers: Roy, Basu & Ghosh, arXiv 2109.10680 and 2307.10591; Basu, Harris, Hjort & Jones, Biometrika 85 (1998).
#pragma once

#include "svdkit/base/monitor.hpp"
#include "svdkit/kernel/robust_pass.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

enum class RobustMethod { joint, deflation };
/// Weights: density power divergence; min(1, 1.345 sigma / |e|); exp(-(e / (2.985 sigma))^2).
enum class RobustLoss { dpd, huber, welsch };
/// Where sigma comes from: the divergence (dpd only), the median |residual|, the interquartile range of X, the caller.
enum class RobustScale { mdpde, mad, iqr, fixed };

template <class T>
struct RobustOptions {
    index_t k = 1;
    double alpha = 0.3;
    RobustMethod method = RobustMethod::joint;
    RobustLoss loss = RobustLoss::dpd;
    RobustScale scale = RobustScale::mdpde;
    double sigma = 0;              ///< scale = fixed: the noise level; else where it starts, 0: from the residuals
    double tol = 0;                ///< relative change of L in a sweep; 0: 1e-6 in double, 1e-4 in single precision
    index_t max_iterations = 200;  ///< sweeps (of every component in deflation)
    bool keep_unsupported = false;
    ConstView<T> start_left = {};  ///< m x k and n x k with X ~ left right^T; right alone is enough; empty: trimmed SVD
    ConstView<T> start_right = {};
    std::uint64_t seed = 0;  ///< of the random start of deflation with iqr
    int threads = 0;         ///< 0: the default
};

template <class T>
struct RobustResult {
    Result<T> svd;
    std::vector<double> sigma;      ///< of every component; the same for all in joint fits
    std::vector<double> objective;  ///< H before every sweep
    std::vector<index_t> unsupported_rows, unsupported_cols;
    bool order_changed = false;  ///< deflation found a later component larger
};

/// X: any strides of which one is 1, NaN where a cell is missing; the prior weights are laid out like X.
template <class T>
RobustResult<T> robust_svd(const PriorCells<T>& cells, const RobustOptions<T>& options, Monitor& monitor);

}  // namespace svdkit
