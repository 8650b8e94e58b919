// A second chance for rows (columns) that lost their weight: robust regression on the fixed factor, from far away.
//
//   a_i = argmin sum_j w_ij (x_ij - a . b_j)^2,   w from least absolute deviations, then from the model's weights with
//   a scale that falls to sigma
//
// Where that ends with enough weight, the row was in a bad basin, and is taken back; else it is an outlier as a whole
// and becomes zero. Cost: some 40 times r^2 n multiply-adds for each row in question.
#pragma once

#include <vector>

#include "robust_scale.hpp"

namespace svdkit::detail {

template <class T>
class RowRescue {
public:
    /// `slow` and `fast` as in half_sweep; the fixed one is orthonormal.
    RowRescue(const PriorCells<T>& cells, const Observed& observed, MovingFactor side, Panel<T> slow, Panel<T> fast,
              const RobustModel& model, double variance);

    /// Fits the rows that are flagged; clears the flags of those that have support, zeroes the others. How many have.
    index_t operator()(std::vector<std::uint8_t>& lost) const;

private:
    bool fit(index_t i) const;

    PriorCells<T> cells_;  // rows along the moving side
    const std::vector<std::int32_t>& count_;
    Panel<T> moving_;
    ConstPanel<T> fixed_;
    const RobustModel& model_;
    double variance_;
};

}  // namespace svdkit::detail
