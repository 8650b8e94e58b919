// The noise level of robust fits: how the weights depend on it, what the residuals say it is, and how far it may move.
#pragma once

#include <vector>

#include "robust_quantile.hpp"
#include "svdkit/kernel/robust_pass.hpp"
#include "svdkit/solver/robust.hpp"

namespace svdkit::detail {

/// Cells that medians in the start are taken of, evenly spread: 0.4 % accurate.
inline constexpr index_t kStartCells = 100'000;

/// 1.4826 median |x|, or mean, or largest |x| where that is zero: positive unless all cells are.
template <class T>
double typical_size(const PriorCells<T>& cells, const Observed& observed);

/// Interquartile range of the observed cells, quantiles by Hazen's rule as in Armadillo; mean |x - median| where it is
/// zero.
template <class T>
double interquartile_range(const PriorCells<T>& cells, const Observed& observed);

/// Weight function and objective for one alpha.
class RobustModel {
public:
    RobustModel(RobustLoss loss, double alpha) : loss_(loss), alpha_(alpha) {}

    WeightShape shape() const { return loss_ == RobustLoss::huber ? WeightShape::huber : WeightShape::exponential; }
    double parameter(double variance) const;
    double weight(double e, double variance) const;
    /// Mean weight that a row needs once the fit has settled: 0.4 of what a clean row keeps, so three fifths of its
    /// cells may be wrong. Less, and it only follows its outliers, slowly, and bends the other factor to them.
    double settled_support() const;
    double objective(const RobustSums& sums, double cells, double variance) const;
    /// Formula for s above; 0 where its denominator is not safely positive.
    double stationary_variance(const RobustSums& sums, double cells) const;

private:
    RobustLoss loss_;
    double alpha_;
};

/// sigma^2 of a fit, with its guards.
template <class T>
class NoiseLevel {
public:
    /// `unit`: typical size of X.
    NoiseLevel(const PriorCells<T>& cells, const Observed& observed, const RobustOptions<T>& options, double unit);

    double variance() const { return variance_; }
    double sigma() const;
    void set(double variance) { variance_ = variance; }
    /// From the residuals of the start, unless it is given.
    void begin(ConstPanel<T> slow, ConstPanel<T> fast);
    /// After a sweep; `sums` of its second half. Returns whether sigma stands still beside `tol` times the unit.
    bool update(const RobustModel& model, const RobustSums& sums, ConstPanel<T> slow, ConstPanel<T> fast, double tol);

private:
    double from_residuals(ConstPanel<T> slow, ConstPanel<T> fast, index_t most) const;

    const PriorCells<T>& cells_;
    double count_, unit_, floor_, given_, variance_ = 1;
    RobustScale scale_;
};

}  // namespace svdkit::detail
