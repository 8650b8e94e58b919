// EntryTiles: the entries of a sparse matrix again, cut into tiles for Y = A X and Z = A^T Y.
//
// The plain passes (kernel/spmm.hpp) gather rows of X and scatter into rows of Z at random. Where those panels are
// larger than the second-level cache, they wait for the third level. Here a tile of A is multiplied at a time: its rows
// of X and Y, or of Y and Z, stay near. For Y a row of tiles is a task; for Z a column of tiles is, a heavy one in
// pieces with private sums, added in order, so the bits do not depend on threads.
//
// Entries of a tile do not follow one another as they do in A: eight runs of rows are interleaved, so that neighbours
// touch different rows of Y and of Z and no sum waits for the one before.
//
// Panels with rows of more than two cache lines are taken in slices of their columns, each packed: 2 (m + n) b numbers
// copied, and every slice costs what a narrow panel does.
//
// Memory: nnz (sizeof(T) + 4) bytes, a value and two 16-bit numbers an entry. Making the copy costs about three passes.
// Cost of a product: 2 nnz b flops; with rows of one cache line some 5 cycles an entry, the traffic of the second-level
// cache. Real scalars only.
#pragma once

#include <cstdint>
#include <vector>

#include "svdkit/base/buffer.hpp"
#include "svdkit/kernel/spmm.hpp"

namespace svdkit {

template <class T>
class EntryTiles {
public:
    /// The memory rule: A is wider than three tiles, and has 32 entries or more for every column.
    template <class S, class Index>
    static bool pay(const CsrView<S, Index>& a) {
        return a.cols > 3 * kCols && a.nnz() >= 32 * a.cols;
    }

    template <class Index>
    explicit EntryTiles(const CsrView<T, Index>& a);

    /// Whether tiles hold so many entries that Y = A X gains as well.
    bool forward_pays() const { return values_.size() >= 2 * grid_rows_ * grid_cols_ * kCols; }
    void forward(ConstPanel<T> x, Panel<T> y) const;
    void adjoint(ConstPanel<T> y, Panel<T> z) const;
    static index_t bytes(index_t nnz) { return nnz * static_cast<index_t>(sizeof(T) + sizeof(std::uint32_t)); }

private:
    static constexpr index_t kCols = 4096;  // 256 kB of Z when its rows are one cache line

    struct Piece {
        index_t column, first, last;  // tiles [first, last) of this column of tiles
        index_t sum;                  // which private sum; -1: straight into Z
    };
    void cut_into_pieces();
    void forward_slice(ConstPanel<T> x, Panel<T> y) const;
    void adjoint_slice(ConstPanel<T> y, Panel<T> z) const;
    index_t begin(index_t row, index_t column) const {
        return begin_[static_cast<std::size_t>(row * grid_cols_ + column)];
    }
    index_t end(index_t row, index_t column) const { return begin(row, column + 1); }  // of the next tile, by rows

    index_t rows_, cols_, tile_rows_, grid_rows_, grid_cols_;
    std::vector<index_t> begin_;    // of every tile's entries, tiles by rows; and the end of the last
    Buffer<std::uint32_t> places_;  // row in the tile * 2^16 + column in the tile
    Buffer<T> values_;
    std::vector<Piece> pieces_;
    index_t sums_ = 0;
};

}  // namespace svdkit
