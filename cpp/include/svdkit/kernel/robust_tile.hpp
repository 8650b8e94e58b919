// One tile of a robust half-sweep, compiled once per instruction-set level: weights and moments in one read of X.
//
//   e_ij = x_ij - a_i . b_j,   w_ij = prior_ij * weight(e_ij)      (0 where x_ij is NaN)
//   along   row i:     G_i = sum_j w_ij b_j b_j^T,  g_i = sum_j w_ij e_ij b_j
//   across  column j:  G_j = sum_i w_ij a_i a_i^T,  g_j = sum_i w_ij e_ij a_i
//
// G is packed by rows of its lower triangle and followed by g: r (r + 1) / 2 + r moments. Sums in T within a tile, then
// in double. Weights: e^(-rate e^2), or Huber's min(1, bound / |e|).
// Cost a cell: r (r + 1) / 2 + 3 r + 8 multiply-adds, and the exponential (simd/exp.hpp).
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit::detail {

enum class WeightShape { exponential, huber };

/// Ranks for which the moments are accumulated in registers.
inline constexpr int kFusedRank = 8;

constexpr index_t moments_of(index_t r) { return r * (r + 1) / 2 + r; }

template <class T>
struct RobustTile {
    const T* x;  ///< rows x cols, rows contiguous
    index_t ldx;
    const T* prior;  ///< the same, or null: ones
    index_t ld_prior;
    index_t rows, cols;
    const T* slow;  ///< a: rows x r
    index_t ld_slow;
    const T* fast;  ///< b, transposed: r x cols, whole vectors readable
    index_t ld_fast;
    T parameter;  ///< rate or bound
};

/// Over the cells of the tiles seen so far, before any update.
struct RobustSums {
    double weight = 0;  ///< sum w
    double square = 0;  ///< sum w e^2
    double loss = 0;    ///< sum prior * Huber's loss; 0 for the exponential

    void add(const RobustSums& other) {
        weight += other.weight;
        square += other.square;
        loss += other.loss;
    }
};

template <class T>
struct RobustKernels {
    /// moments[i * ld + l] += moment l of row i (of column i). The tile of `across` has at most 32 rows.
    using Accumulate = void (*)(const RobustTile<T>& tile, double* moments, index_t ld, RobustSums& sums);
    /// Fit a_i . b_j in, w_ij e_ij out; weights added to rows and columns. Whole vectors of `fit` are written.
    using Weigh = void (*)(const RobustTile<T>& tile, T* fit, index_t ld_fit, double* row_weights, T* column_weights,
                           RobustSums& sums);
    /// out_j = x_j where |x_j - center - centers_j| <= limit, else center + centers_j; `centers` may be null: zeros.
    using Trim = void (*)(const T* x, index_t count, T center, const T* centers, T limit, T* out);

    Accumulate along[2][kFusedRank];   ///< [shape][r - 1]
    Accumulate across[2][kFusedRank];  ///< moments[l * ld + j]: columns are contiguous
    Weigh weigh[2];
    Trim trim;
};

template <class T>
const RobustKernels<T>& robust_kernels();

}  // namespace svdkit::detail
