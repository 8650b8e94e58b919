// The loops of weighted medians along one line of cells, compiled once per instruction-set level.
//
//   ratios  v_i = e_i / f_i, w_i = |f_i|; 0 and 0 where e_i is NaN or |f_i| <= least;  error += sum |e_i - before f_i|
//   weigh   reached_q = sum {w_i : v_i <= bound_q} for eight bounds
//   keep    those with low < v_i <= high and w_i > 0, in order; how many
//
// Sums in R over 512 cells, then in double.
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit::detail {

inline constexpr index_t kBounds = 8;

template <class R>
struct MedianKernels {
    void (*ratios)(const R* e, const R* f, index_t count, R before, R least, R* v, R* w, double& error);
    void (*weigh)(const R* v, const R* w, index_t count, const R* bounds, double* reached);
    index_t (*keep)(R* v, R* w, index_t count, R low, R high);
};

template <class R>
const MedianKernels<R>& median_kernels();

}  // namespace svdkit::detail
