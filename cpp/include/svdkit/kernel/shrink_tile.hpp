// One row of a splitting step M = L + S, compiled once per instruction-set level (kernel/shrink_pass.hpp).
//
//   x = m - l + y / mu,  c = clip(x, -t, t),  s = x - c   (the soft threshold t = lambda / mu)
//   y <- mu c,           w <- m - s + y / mu'             (mu' the penalty of the next step)
//
// A cell with m = NaN is not observed: y <- 0, w <- l. Cost a cell: about 20 flops, 3 numbers read and 2 written.
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit::detail {

template <class R>
struct ShrinkStep {
    R scale;      ///< m = scale * stored entry
    R mu;         ///< penalty of this step
    R threshold;  ///< lambda / mu
    R next_mu;
};

/// Over the cells seen so far.
struct ShrinkSums {
    double inner = 0;   ///< sum m y, y the new multiplier
    double rest = 0;    ///< sum |m - l|
    double primal = 0;  ///< sum (y_new - y_old)^2 = mu^2 |M - L - S|^2
    double dual = 0;    ///< sum (mu (w_old - l) - y_new)^2 = mu^2 |S_new - S_old|^2
    double square = 0;  ///< sum y_new^2

    void add(const ShrinkSums& other) {
        inner += other.inner;
        rest += other.rest;
        primal += other.primal;
        dual += other.dual;
        square += other.square;
    }
};

template <class R>
using ShrinkRow = void (*)(const R* m, const R* l, index_t count, const ShrinkStep<R>& step, R* w, R* y,
                           ShrinkSums& sums);

/// The loops of one level, which its table points to.
struct ShrinkKernels {
    ShrinkRow<float> f32;
    ShrinkRow<double> f64;
};

void shrink_row(const float* m, const float* l, index_t count, const ShrinkStep<float>& step, float* w, float* y,
                ShrinkSums& sums);
void shrink_row(const double* m, const double* l, index_t count, const ShrinkStep<double>& step, double* w, double* y,
                ShrinkSums& sums);

}  // namespace svdkit::detail
