// What the panels of both reductions share: the update of the trailing matrix by pairs of vectors, on fixed tiles.
#pragma once

#include <algorithm>

#include "svdkit/base/buffer.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/blas/blas.hpp"
#include "svdkit/kernel/sweep.hpp"

namespace svdkit::detail {

inline index_t round_down(index_t i) { return i / kSweepQuantum * kSweepQuantum; }

enum class Shape { whole, upper };  // upper: only tiles that meet the upper triangle

/// A -= L^T R on rows from `row` and columns from `col` on; L and R hold as many vectors, one a row.
template <class R>
void rank_update(Panel<R> a, index_t row, index_t col, const Block<R>& left, const Block<R>& right, Shape shape) {
    constexpr index_t kTile = 256;
    const index_t rows = a.rows - row, cols = a.cols - col, depth = left.rows();
    const index_t down = (rows + kTile - 1) / kTile, across = (cols + kTile - 1) / kTile;
    const double work = 2.0 * static_cast<double>(rows) * static_cast<double>(cols) * static_cast<double>(depth);
    parallel_for(down * across, work, [&](index_t tile) {
        const index_t i = tile / across * kTile, j = tile % across * kTile;
        if (shape == Shape::upper && j < i) return;
        // BLAS is column-major: it sees A^T -= R^T L.
        blas::gemm(blas::Op::none, blas::Op::transpose, std::min(kTile, cols - j), std::min(kTile, rows - i), depth,
                   R(-1), right.data() + col + j, right.ld(), left.data() + row + i, left.ld(), R(1),
                   a.row(row + i) + col + j, a.ld);
    });
}

}  // namespace svdkit::detail
