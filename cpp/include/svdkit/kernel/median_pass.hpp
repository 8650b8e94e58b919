// Half a sweep of a least absolute fit of rank one: one factor fixed, every entry of the other a weighted median.
//
//   E = X - P Q^T,   along rows:  a_i = argmin sum_j |e_ij - a b_j| = the median of e_ij / b_j with weights |b_j|
//                    along columns:  b_j = the median of e_ij / a_i with weights |a_i|
//
// X is read in place and scaled by a power of two, E exists a tile at a time; NaN in X is not observed. Lines belong to
// fixed tiles, sums are added in order. A line without observed cells of any weight becomes 0. Cost: one read of X,
// 2 r flops a cell for P Q^T, and O(1) a cell for the medians (kernel/weighted_median.hpp).
// Paper: Hawkins, Liu & Young, NISS technical report 122 (2001).
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

template <class R>
struct MedianPass {
    ConstView<R> x;
    R scale = 1;       ///< of X
    ConstPanel<R> p;   ///< m x r: the other components, taken off; r may be 0
    ConstPanel<R> qt;  ///< r x n
    const R* fixed;    ///< of the side that stays; null: ones, and absolute values of E in its place
};

/// Writes `moving` (m entries along rows, n along columns) and returns sum |e_ij - a_i b_j| before that, 0 where
/// `fixed` is null.
template <class R>
double median_rows(const MedianPass<R>& pass, R* moving);
template <class R>
double median_columns(const MedianPass<R>& pass, R* moving);

/// sum |e_ij - a_i b_j| over the observed cells.
template <class R>
double absolute_error(const MedianPass<R>& pass, const R* along_rows);

}  // namespace svdkit
