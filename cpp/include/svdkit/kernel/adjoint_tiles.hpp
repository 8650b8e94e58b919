// AdjointTiles: the entries of a sparse matrix again, cut into tiles for Z = A^T Y.
//
// The plain pass (kernel/spmm.hpp) scatters into rows of Z at random. Where Z is larger than the second-level cache, it
// waits for the third level. Here a column of tiles is multiplied at a time: its rows of Z stay near, Y streams by.
// Columns of tiles are computed in parallel; a heavy one in pieces with private sums, added in order, so the bits do
// not depend on threads.
//
// Memory: nnz (sizeof(T) + 4) bytes, a value and two 16-bit numbers an entry. Making the copy costs about three passes.
// Real scalars only.
#pragma once

#include <cstdint>
#include <vector>

#include "svdkit/base/buffer.hpp"
#include "svdkit/kernel/spmm.hpp"

namespace svdkit {

template <class T>
class AdjointTiles {
public:
    /// The memory rule: A is wider than three tiles, and has 32 entries or more for every column.
    template <class S, class Index>
    static bool pay(const CsrView<S, Index>& a) {
        return a.cols > 3 * kCols && a.nnz() >= 32 * a.cols;
    }

    template <class Index>
    explicit AdjointTiles(const CsrView<T, Index>& a);

    void multiply(ConstPanel<T> y, Panel<T> z) const;
    static index_t bytes(index_t nnz) { return nnz * static_cast<index_t>(sizeof(T) + sizeof(std::uint32_t)); }

private:
    static constexpr index_t kCols = 4096;  // 256 kB of Z when its rows are one cache line

    struct Piece {
        index_t column, first, last;  // tiles [first, last) of this column of tiles
        index_t sum;                  // which private sum; -1: straight into Z
    };
    void cut_into_pieces();
    index_t begin(index_t row, index_t column) const {
        return begin_[static_cast<std::size_t>(row * grid_cols_ + column)];
    }
    index_t end(index_t row, index_t column) const { return begin(row, column + 1); }  // of the next tile, by rows

    index_t cols_, tile_rows_, grid_rows_, grid_cols_;
    std::vector<index_t> begin_;    // of every tile's entries, tiles by rows; and the end of the last
    Buffer<std::uint32_t> places_;  // row in the tile * 2^16 + column in the tile
    Buffer<T> values_;
    std::vector<Piece> pieces_;
    index_t sums_ = 0;
};

}  // namespace svdkit
