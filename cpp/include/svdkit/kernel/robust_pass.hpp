// A robust half-sweep: one read of X, one factor fixed, every row of the other one moved by its own weighted equations.
//
//   e_ij = x_ij - a_i . b_j,  w_ij = prior_ij weight(e_ij);   row i:  a_i <- a_i + (G_i + ridge)^-1 g_i,
//   G_i = sum_j w_ij b_j b_j^T,  g_i = sum_j w_ij e_ij b_j                (alternating least squares, r <= 8)
//   a_i <- a_i + g_i / max(mean_j w_ij, 1/4)                              (majorise, any r)
//
// The fixed factor has orthonormal columns. Rows whose cells all but lost their weight have no support: they become
// zero (or stay). Cells are cut into fixed tiles, their sums added in order: the bits do not depend on the threads.
// Cost: one read of X, N (r^2 / 2 + 4 r + 8) multiply-adds and N exponentials; majorise: N (6 r + 8). No m x n
// temporary. Papers: Roy, Basu & Ghosh, arXiv 2109.10680; Hunter & Lange, Am. Stat. 58 (2004), majorisation.
#pragma once

#include <cstdint>
#include <vector>

#include "svdkit/base/view.hpp"
#include "svdkit/kernel/robust_tile.hpp"

namespace svdkit {

/// X and its prior weights (data null: ones), rows contiguous both.
template <class T>
struct PriorCells {
    ConstView<T> x;
    ConstView<T> prior;
};

/// What is known of the cells before the first sweep.
struct Observed {
    double max_abs = 0;
    double max_prior = 1;
    double cells = 0;                                ///< sum of the prior weights of observed cells
    std::vector<double> row_mass, col_mass;          ///< the same by rows and columns
    std::vector<std::int32_t> row_cells, col_cells;  ///< how many are observed, with a prior weight above 0
    index_t infinite_row = -1, infinite_col = -1;    ///< an infinite cell, if there is one
};

/// Cost: one read of X.
template <class T>
Observed observe(const PriorCells<T>& cells);

/// The factor that moves: that of the rows of X (slow, rows x r) or of its columns (fast, cols x r).
enum class MovingFactor { slow, fast };

struct RobustSweep {
    detail::WeightShape shape = detail::WeightShape::exponential;
    double parameter = 0;   ///< rate or bound
    bool majorise = false;  ///< required for r > 8
    bool relax = true;      ///< majorise with steps above one
    bool move = true;       ///< false: only look
    bool keep_unsupported = false;
    double support = 1e-3;         ///< share of `full` that the trace of G_i needs
    const double* full = nullptr;  ///< trace of G_i for weight one, for every row; null: what even cells would give
    double* traces = nullptr;      ///< if not null: trace of G_i for every row
};

struct RobustSweepResult {
    detail::RobustSums sums;       ///< before the move
    double change = 0;             ///< Frobenius norm of the move
    std::vector<double> gradient;  ///< norm of every column of W o E times the fixed factor, supported rows only
};

/// `unsupported` (one for every row of the moving factor) is written.
template <class T>
RobustSweepResult half_sweep(const PriorCells<T>& cells, const Observed& observed, MovingFactor side, Panel<T> slow,
                             Panel<T> fast, const RobustSweep& options, std::uint8_t* unsupported);

/// Every how many cells, row by row, one is taken so that at most so many are, from all columns alike.
index_t even_stride(index_t rows, index_t cols, index_t most);

/// |x_ij - a_i . b_j| of observed cells, at most so many, evenly spread; slow.cols = 0: of X itself.
template <class T>
std::vector<double> sample_residuals(const PriorCells<T>& cells, ConstPanel<T> slow, ConstPanel<T> fast, index_t most);

}  // namespace svdkit
