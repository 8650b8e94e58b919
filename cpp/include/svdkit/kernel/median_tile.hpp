// The loops of weighted medians along one line of cells, compiled once per instruction-set level.
//
//   ratios  v_i = e_i / f_i, w_i = |f_i|; 0 and 0 where e_i is NaN or |f_i| <= least;  error += sum |e_i - before f_i|
//   weigh   below += sum {w_i : v_i < low},  reached += sum {w_i : v_i <= high}
//
// Sums in R over 512 cells, then in double.
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit::detail {

template <class R>
struct MedianKernels {
    void (*ratios)(const R* e, const R* f, index_t count, R before, R least, R* v, R* w, double& error);
    void (*weigh)(const R* v, const R* w, index_t count, R low, R high, double& below, double& reached);
};

template <class R>
const MedianKernels<R>& median_kernels();

}  // namespace svdkit::detail
