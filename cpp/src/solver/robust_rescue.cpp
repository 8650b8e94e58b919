#include "robust_rescue.hpp"

#include <algorithm>
#include <cmath>

#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/solve_packed.hpp"

namespace svdkit::detail {
namespace {

constexpr int kDeviationSweeps = 12;  // of least absolute deviations
constexpr int kLastSweeps = 10;       // with the scale of the fit
constexpr double kAccepted = 0.5;     // share of its weight that makes a row a good one after all
constexpr double kMad = 1.4826;

// The observed cells of one row, and its equations.
class Regression {
public:
    Regression(std::vector<double> x, std::vector<double> prior, std::vector<double> rows, index_t r)
        : x_(std::move(x)),
          prior_(std::move(prior)),
          rows_(std::move(rows)),
          r_(r),
          coefficients_(static_cast<std::size_t>(r), 0.0),
          residuals_(x_) {}

    /// One reweighted step; weight(residual) comes before the prior weight. Returns sum w |b|^2.
    template <class Weight>
    double step(const Weight& weight) {
        std::vector<double> gram(static_cast<std::size_t>(r_ * (r_ + 1) / 2), 0.0);
        std::vector<double> g(static_cast<std::size_t>(r_), 0.0);
        for (std::size_t j = 0; j < x_.size(); ++j) {
            const double w = prior_[j] * weight(residuals_[j]);
            const double* b = rows_.data() + static_cast<index_t>(j) * r_;
            auto at = gram.begin();
            for (index_t k = 0; k < r_; ++k) {
                for (index_t l = 0; l <= k; ++l) *at++ += w * b[k] * b[l];
                g[static_cast<std::size_t>(k)] += w * residuals_[j] * b[k];
            }
        }
        double trace = 0;
        for (index_t k = 0; k < r_; ++k) trace += gram[static_cast<std::size_t>(k * (k + 1) / 2 + k)];
        if (!(trace > 0)) return 0;
        solve_packed(gram.data(), g.data(), r_, trace);
        for (std::size_t j = 0; j < x_.size(); ++j)
            for (index_t k = 0; k < r_; ++k)
                residuals_[j] -= g[static_cast<std::size_t>(k)] *
                                 rows_[j * static_cast<std::size_t>(r_) + static_cast<std::size_t>(k)];
        for (index_t k = 0; k < r_; ++k) coefficients_[static_cast<std::size_t>(k)] += g[static_cast<std::size_t>(k)];
        return trace;
    }
    double median_residual() const {
        std::vector<double> sizes;
        for (double e : residuals_) sizes.push_back(std::abs(e));
        return median(sizes);
    }
    const std::vector<double>& coefficients() const { return coefficients_; }

private:
    std::vector<double> x_, prior_, rows_;
    index_t r_;
    std::vector<double> coefficients_, residuals_;
};

}  // namespace

template <class T>
RowRescue<T>::RowRescue(const PriorCells<T>& cells, const Observed& observed, MovingFactor side, Panel<T> slow,
                        Panel<T> fast, const RobustModel& model, double variance)
    : cells_(cells),
      count_(side == MovingFactor::slow ? observed.row_cells : observed.col_cells),
      moving_(side == MovingFactor::slow ? slow : fast),
      fixed_(side == MovingFactor::slow ? fast : slow),
      model_(model),
      variance_(variance) {
    if (side == MovingFactor::fast) {
        cells_.x = cells_.x.transposed();
        cells_.prior = cells_.prior.transposed();
    }
}

template <class T>
bool RowRescue<T>::fit(index_t i) const {
    const index_t r = moving_.cols;
    if (count_[static_cast<std::size_t>(i)] < r) return false;
    std::vector<double> x, prior, rows;
    for (index_t j = 0; j < cells_.x.cols; ++j) {
        const double q = cells_.prior.data ? static_cast<double>(cells_.prior(i, j)) : 1.0;
        if (std::isnan(cells_.x(i, j)) || q == 0) continue;
        x.push_back(static_cast<double>(cells_.x(i, j)));
        prior.push_back(q);
        for (index_t k = 0; k < r; ++k) rows.push_back(static_cast<double>(fixed_(j, k)));
    }
    Regression regression(std::move(x), std::move(prior), std::move(rows), r);
    const double smallest = std::sqrt(variance_) / 10;
    const double full = regression.step([](double) { return 1.0; });
    for (int sweep = 0; sweep < kDeviationSweeps; ++sweep)
        regression.step([&](double e) { return smallest / std::max(std::abs(e), smallest); });
    double scale = std::max(kMad * regression.median_residual(), std::sqrt(variance_));
    for (; scale * scale > variance_; scale /= 2)
        regression.step([&](double e) { return model_.weight(e, scale * scale); });
    double trace = 0;
    for (int sweep = 0; sweep < kLastSweeps; ++sweep)
        trace = regression.step([&](double e) { return model_.weight(e, variance_); });
    if (!(trace >= kAccepted * full)) return false;
    for (index_t k = 0; k < r; ++k)
        moving_(i, k) = static_cast<T>(regression.coefficients()[static_cast<std::size_t>(k)]);
    return true;
}

template <class T>
index_t RowRescue<T>::operator()(std::vector<std::uint8_t>& lost) const {
    std::vector<index_t> rows;
    for (index_t i = 0; i < moving_.rows; ++i)
        if (lost[static_cast<std::size_t>(i)]) rows.push_back(i);
    const double work = 100 * static_cast<double>(std::ssize(rows)) * static_cast<double>(fixed_.rows);
    parallel_for(std::ssize(rows), work, [&](index_t at) {
        const index_t i = rows[static_cast<std::size_t>(at)];
        if (fit(i)) {
            lost[static_cast<std::size_t>(i)] = 0;
        } else {
            std::fill_n(moving_.row(i), moving_.cols, T(0));
        }
    });
    index_t rescued = 0;
    for (index_t i : rows) rescued += lost[static_cast<std::size_t>(i)] == 0;
    return rescued;
}

template class RowRescue<float>;
template class RowRescue<double>;

}  // namespace svdkit::detail
