// Least absolute deviations of rank k:  min sum |x_ij - sum_q a_iq b_jq|  over the observed cells.
//
// One component at a time, rows and columns in turn, every entry a weighted median (kernel/median_pass.hpp): no
// half-sweep raises the sum. Components are fitted to what the earlier ones leave, then again in rounds, each to what
// all others leave. Not convex: the answer is a point that no single entry can improve. The start of a component is the
// best of a few after one sweep: medians of |row|, and some rows themselves, their large entries cut. Cost of a
// half-sweep: one read of X, 2 k flops a cell for the other components and O(1) for the medians. Memory: k (m + n) and
// a few lines; no m x n temporary. Papers: Hawkins, Liu & Young, NISS technical report 122 (2001); Ke & Kanade, CVPR
// (2005).
#pragma once

#include "svdkit/base/monitor.hpp"
#include "svdkit/base/view.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

struct L1Options {
    index_t k = 1;
    double tol = 1e-9;             ///< relative fall of the sum in a sweep (in a round) that ends it
    index_t max_iterations = 100;  ///< sweeps of a component
    index_t rounds = 10;           ///< over all components; 1: plain deflation
    double max_abs = 0;            ///< largest observed |x_ij|; 0: looked up
    std::uint64_t seed = 0;        ///< of directions that the fit leaves free
    int threads = 0;               ///< 0: the default
};

template <class T>
struct L1Result {
    Result<T> fit;                ///< the SVD of the fitted matrix; residuals: relative fall at the last sweep
    std::vector<double> history;  ///< the sum before every half-sweep, and at the end
    index_t rounds = 0;
};

/// Real scalars. NaN in X: a cell that is not observed.
template <class T>
L1Result<T> l1(ConstView<T> x, const L1Options& options, Monitor& monitor);

}  // namespace svdkit
