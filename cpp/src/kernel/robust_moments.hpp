// Moments of blocks of a factor, from tiles of cells (kernel/robust_pass.hpp): fused loops for r <= 8, else the
// weighted residuals of a tile and the products of the block pass.
#pragma once

#include <algorithm>

#include "svdkit/base/scratch.hpp"
#include "svdkit/kernel/robust_pass.hpp"
#include "tile.hpp"

namespace svdkit::detail {

/// Where moment l of row i of a block lies: i * row + l * moment.
struct MomentStrides {
    index_t row, moment;
};

template <class T>
class MomentTile {
public:
    MomentTile(const PriorCells<T>& cells, ConstPanel<T> slow, ConstPanel<T> fast, const RobustSweep& options,
               MovingFactor side)
        : cells_(cells),
          slow_(slow),
          fast_(fast),
          options_(options),
          side_(side),
          planes_(slow.cols, fast.rows + padded_ld<T>(1)) {
        for (index_t k = 0; k < fast.cols; ++k) {
            T* plane = planes_.panel().row(k);
            for (index_t j = 0; j < fast.rows; ++j) plane[j] = fast(j, k);
            std::fill(plane + fast.rows, plane + planes_.panel().ld, T(0));
        }
    }

    /// Rows of the moving factor that are served together, and the grain in which cells of the other direction are cut.
    index_t block() const { return side_ == MovingFactor::slow ? kTileRows : kTileCols; }
    index_t grain() const { return side_ == MovingFactor::slow ? kTileCols : 2 * kTileRows; }
    /// Majorise: the gradient and, last, the sum of weights.
    index_t moments() const { return options_.majorise ? slow_.cols + 1 : moments_of(slow_.cols); }
    MomentStrides strides() const {
        return side_ == MovingFactor::slow || options_.majorise ? MomentStrides{moments(), 1}
                                                                : MomentStrides{1, kTileCols};
    }

    /// Adds the moments of rows [first, first + count) of the moving factor from cells [from, from + length).
    void accumulate(index_t first, index_t count, index_t from, index_t length, double* moments,
                    RobustSums& sums) const {
        const index_t step = grain();
        for (index_t at = from; at < from + length; at += step) {
            const index_t now = std::min(step, from + length - at);
            if (side_ == MovingFactor::slow) {
                tile(first, count, at, now, moments, sums);
            } else {
                tile(at, now, first, count, moments, sums);
            }
        }
    }

private:
    static constexpr index_t kTileRows = 16;
    static constexpr index_t kTileCols = 4096 / sizeof(T);

    void tile(index_t row, index_t rows, index_t col, index_t cols, double* moments, RobustSums& sums) const {
        const auto& prior = cells_.prior;
        const RobustTile<T> part{&cells_.x(row, col),
                                 cells_.x.row_stride,
                                 prior.data ? &prior(row, col) : nullptr,
                                 prior.row_stride,
                                 rows,
                                 cols,
                                 slow_.row(row),
                                 slow_.ld,
                                 planes_.panel().row(0) + col,
                                 planes_.panel().ld,
                                 static_cast<T>(options_.parameter)};
        const auto& kernels = robust_kernels<T>();
        const auto shape = static_cast<int>(options_.shape);
        const index_t rank = slow_.cols;
        if (options_.majorise) {
            majorise(part, col, moments, sums);
        } else if (side_ == MovingFactor::slow) {
            kernels.along[shape][rank - 1](part, moments, moments_of(rank), sums);
        } else {
            kernels.across[shape][rank - 1](part, moments, kTileCols, sums);
        }
    }

    // W o E of the tile, then its product with the fixed factor.
    void majorise(const RobustTile<T>& part, index_t col, double* moments, RobustSums& sums) const {
        const index_t rank = slow_.cols, width = padded_ld<T>(rank), ld = padded_ld<T>(part.cols);
        const index_t count = side_ == MovingFactor::slow ? part.rows : part.cols;
        const Scratch<T> fit(part.rows * ld), column_weights(ld), product(count * width);
        const Scratch<double> row_weights(part.rows);
        std::fill_n(fit.data(), part.rows * ld, T(0));
        std::fill_n(column_weights.data(), ld, T(0));
        std::fill_n(product.data(), count * width, T(0));
        std::fill_n(row_weights.data(), part.rows, 0.0);
        forward_tile<T>(part.slow, part.ld_slow, part.rows, rank, part.fast, part.ld_fast, fit.data(), ld, ld);
        robust_kernels<T>().weigh[static_cast<int>(options_.shape)](part, fit.data(), ld, row_weights.data(),
                                                                    column_weights.data(), sums);
        if (side_ == MovingFactor::slow) {
            forward_tile<T>(fit.data(), ld, part.rows, part.cols, fast_.row(col), fast_.ld, product.data(), width,
                            width);
        } else {
            adjoint_tile<T>(fit.data(), ld, part.rows, part.cols, part.slow, part.ld_slow, product.data(), width,
                            width);
        }
        for (index_t i = 0; i < count; ++i) {
            double* out = moments + i * (rank + 1);
            for (index_t k = 0; k < rank; ++k) out[k] += static_cast<double>(product[i * width + k]);
            out[rank] += side_ == MovingFactor::slow ? row_weights[i] : static_cast<double>(column_weights[i]);
        }
    }

    const PriorCells<T>& cells_;
    ConstPanel<T> slow_, fast_;
    const RobustSweep& options_;
    MovingFactor side_;
    ScratchPanel<T> planes_;  // the fast factor, transposed, and zeros
};

}  // namespace svdkit::detail
