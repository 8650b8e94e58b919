// Joint robust fit: all components at once, L = left right^T with right orthonormal (solver/robust.hpp).
#pragma once

#include <algorithm>
#include <vector>

#include "robust_scale.hpp"
#include "robust_start.hpp"
#include "svdkit/kernel/orth.hpp"

namespace svdkit::detail {

template <class T>
class JointFit {
public:
    JointFit(const PriorCells<T>& cells, const Observed& observed, const RobustOptions<T>& options, double unit,
             RobustStart<T> start);

    /// Two half-sweeps and the noise level; whether L and sigma stand still.
    bool sweep(const RobustModel& model, double tol);

    /// From now on rows and columns need a good part of a clean one's weight; those that have less get a second
    /// chance (robust_rescue.hpp), or become zero. Returns how many took it.
    index_t settle(const RobustModel& model);

    bool has_lost() const { return std::ranges::count(lost_rows_, 1) + std::ranges::count(lost_cols_, 1) > 0; }
    double change() const { return change_; }  ///< relative, of L in the last sweep
    double objective() const { return objective_.back(); }
    index_t sweeps() const { return std::ssize(objective_); }

    /// Singular triplets, their residuals, and what had no support.
    RobustResult<T> finish(const RobustModel& model);

private:
    RobustSweep setting(const RobustModel& model, MovingFactor side) const;
    index_t rescue_side(MovingFactor side, const RobustModel& model);
    // w = Q R; other <- other R^T
    double shift_core(const Block<T>& w, const Block<T>& other);

    const PriorCells<T>& cells_;
    const Observed& observed_;
    const RobustOptions<T>& options_;
    Block<T> left_, right_, core_, core_transposed_;
    NoiseLevel<T> noise_;
    Replacements replacements_;
    std::vector<std::uint8_t> lost_rows_, lost_cols_;
    std::vector<double> objective_;
    double change_ = 0;
    double support_ = RobustSweep{}.support;
    std::vector<double> full_rows_, full_cols_;  // see RobustSweep::full; empty before settling
    bool relax_ = true;
};

/// Positions of the flags that are set.
inline std::vector<index_t> flagged(const std::vector<std::uint8_t>& flags) {
    std::vector<index_t> found;
    for (std::size_t i = 0; i < flags.size(); ++i)
        if (flags[i]) found.push_back(static_cast<index_t>(i));
    return found;
}

}  // namespace svdkit::detail
