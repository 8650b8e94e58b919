#include "robust_scale.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace svdkit::detail {
namespace {

constexpr double kMad = 1.4826;     // median |x| of a normal variable to its standard deviation
constexpr double kHuber = 1.345;    // 95 % efficiency at the normal
constexpr double kWelsch = 2.9846;  // the same
constexpr double kShrink = 0.25;    // most that the variance may lose in a sweep: faster falls end in degenerate fits
constexpr double kDenominator = 0.05;
constexpr double kSettledShare = 0.4;
constexpr index_t kMostCells = 1'000'000;  // that a median of residuals is taken of

// Mean |x - middle|; the largest |x| where that is zero.
template <class T>
double typical_distance(const PriorCells<T>& cells, const Observed& observed, double middle) {
    double sum = 0, count = 0;
    for (index_t i = 0; i < cells.x.rows; ++i) {
        for (index_t j = 0; j < cells.x.cols; ++j) {
            const auto x = static_cast<double>(cells.x(i, j));
            if (std::isnan(x) || (cells.prior.data && cells.prior(i, j) == 0)) continue;
            const double share = 1 / ++count;
            sum += share * (std::abs(x - middle) - sum);
        }
    }
    return sum > 0 ? sum : observed.max_abs;
}

}  // namespace

template <class T>
double typical_size(const PriorCells<T>& cells, const Observed& observed) {
    std::vector<double> sizes = sample_residuals<T>(cells, {}, {}, kStartCells);
    const double middle = median(sizes);
    return middle > 0 ? kMad * middle : typical_distance(cells, observed, 0);
}

template <class T>
double interquartile_range(const PriorCells<T>& cells, const Observed& observed) {
    const double range = cell_quantile(cells, observed, 0.75) - cell_quantile(cells, observed, 0.25);
    return range > 0 ? range : typical_distance(cells, observed, cell_quantile(cells, observed, 0.5));
}

double RobustModel::parameter(double variance) const {
    switch (loss_) {
        case RobustLoss::huber:
            return kHuber * std::sqrt(variance);
        case RobustLoss::welsch:
            return 1 / (kWelsch * kWelsch * variance);
        default:
            return alpha_ / (2 * variance);
    }
}

double RobustModel::weight(double e, double variance) const {
    const double value = parameter(variance);
    if (loss_ == RobustLoss::huber) return std::abs(e) > value ? value / std::abs(e) : 1;
    return std::exp(-value * e * e);
}

double RobustModel::settled_support() const {
    if (loss_ == RobustLoss::huber) return RobustSweep{}.support;
    const double exponent = loss_ == RobustLoss::dpd ? alpha_ : 2 / (kWelsch * kWelsch);
    return kSettledShare / std::sqrt(1 + exponent);  // the root: mean weight of a normal residual
}

double RobustModel::objective(const RobustSums& sums, double cells, double variance) const {
    const double mean = sums.weight / cells;
    if (loss_ == RobustLoss::huber) return sums.loss / (cells * variance);
    if (loss_ == RobustLoss::welsch) return kWelsch * kWelsch / 2 * (1 - mean);
    const double log_density = std::log(2 * std::numbers::pi * variance) / 2;
    if (alpha_ == 0) return log_density + sums.square / (2 * cells * variance);
    const double factor = std::exp(-alpha_ * log_density);
    return factor * (1 / std::sqrt(1 + alpha_) - mean) - (factor * mean - 1) / alpha_;
}

double RobustModel::stationary_variance(const RobustSums& sums, double cells) const {
    const double denominator = sums.weight - cells * alpha_ * std::pow(1 + alpha_, -1.5);
    return denominator > kDenominator * cells / std::sqrt(1 + alpha_) ? sums.square / denominator : 0;
}

template <class T>
NoiseLevel<T>::NoiseLevel(const PriorCells<T>& cells, const Observed& observed, const RobustOptions<T>& options,
                          double unit)
    : cells_(cells), count_(observed.cells), unit_(unit), given_(options.sigma), scale_(options.scale) {
    const double smallest = (sizeof(T) == 4 ? 1e-5 : 1e-9) * unit;
    floor_ = smallest * smallest;
    if (scale_ == RobustScale::iqr && given_ == 0) given_ = interquartile_range(cells, observed);
    if (given_ > 0) variance_ = given_ * given_;
}

template <class T>
double NoiseLevel<T>::sigma() const {
    return std::sqrt(variance_);
}

template <class T>
double NoiseLevel<T>::from_residuals(ConstPanel<T> slow, ConstPanel<T> fast, index_t most) const {
    std::vector<double> residuals = sample_residuals(cells_, slow, fast, most);
    const double deviation = kMad * median(residuals);
    return deviation * deviation;
}

template <class T>
void NoiseLevel<T>::begin(ConstPanel<T> slow, ConstPanel<T> fast) {
    if (given_ == 0) variance_ = std::max(from_residuals(slow, fast, kStartCells), floor_);
}

template <class T>
bool NoiseLevel<T>::update(const RobustModel& model, const RobustSums& sums, ConstPanel<T> slow, ConstPanel<T> fast,
                           double tol) {
    if (scale_ == RobustScale::fixed || scale_ == RobustScale::iqr) return true;
    double next = scale_ == RobustScale::mdpde ? model.stationary_variance(sums, count_) : 0;
    if (next == 0) next = from_residuals(slow, fast, kMostCells);
    next = std::max({next, kShrink * variance_, floor_});
    const bool still = std::abs(std::sqrt(next) - sigma()) <= tol * unit_;
    variance_ = next;
    return still;
}

#define INSTANTIATE(T)                                                             \
    template double typical_size<T>(const PriorCells<T>&, const Observed&);        \
    template double interquartile_range<T>(const PriorCells<T>&, const Observed&); \
    template class NoiseLevel<T>;
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit::detail
