// Singular values lowered by a level, the proximal step of the nuclear norm:  W -> U (Sigma - level)_+ V^T, in factors.
//
// Few values above the level: truncated SVDs (solver/tsvd.hpp), of predicted rank and from vectors near the wanted
// ones; more are asked for until one is below the level. Many, or a narrow matrix: with W^T W = V Sigma^2 V^T the step
// is (W V_r (1 - level / Sigma_r)) V_r^T, which needs no left vectors; squares are formed in double precision, a value
// sigma is off by epsilon sigma_1^2 / sigma, and this is taken while the level is not below 1e-6 sigma_1. Cost: that of
// tsvd; or m n (n + 2 r) + 9 n^3 flops.
#pragma once

#include <string>

#include "svdkit/base/monitor.hpp"
#include "svdkit/solver/options.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

template <class T>
struct Thresholded {
    Block<T> p, q;       ///< P Q^T: m x r and n x r, Q orthonormal
    double nuclear = 0;  ///< sum (sigma_i - level)_+
    std::string method;
};

/// W is tall or square, rows contiguous. `options`: k predicts the rank, tol and warm_start are for tsvd. W's largest
/// entry is near one. Says by monitor.stop_reason() that it stopped early; the answer is not to be used then.
template <class T>
Thresholded<T> threshold_values(ConstView<T> w, double level, Options<T> options, Monitor& monitor);

}  // namespace svdkit
