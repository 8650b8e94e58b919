// How the dense block passes cut A: strips of rows, and along each the tiles that the register loops work on.
//
// Measured on two cores with 2 MiB of second-level cache each. What decides is how A arrives from memory (long runs
// along few rows at a time), that the rows of X or Z beside a tile stay in the first-level cache, and that what is used
// twice stays in the second-level one.
#pragma once

#include <algorithm>
#include <optional>

#include "panels.hpp"

namespace svdkit::detail {

// Half of the smallest second-level cache (1 MiB) that the cuts have in mind.
inline constexpr index_t kCacheBytes = 1024 * 1024;
inline constexpr index_t kStripBytes = kCacheBytes / 4;
inline constexpr index_t kRowTile = 8;
inline constexpr index_t kStripRows = 24;  // whole register tiles of 6 and 8 rows

inline index_t round_down(index_t value, index_t grain) { return value / grain * grain; }

// Rows and columns of a tile.
struct Cut {
    index_t rows, cols;
};

template <class T>
index_t bytes_of(index_t count) {
    return count * static_cast<index_t>(sizeof(T));
}

// Of a pass that computes one product: the rows of the panel beside a tile take 32 KiB at most.
template <class T>
Cut product_cut(index_t b) {
    return bytes_of<T>(b) <= 256 ? Cut{kStripRows, 128} : Cut{2 * kStripRows, 64};
}

// Of a fused pass by rows, whose strip is read for Y and again for Z and stays in the second-level cache between. Few
// rows use a panel's rows too seldom for the first-level cache to outweigh long runs along the rows of A.
template <class T>
Cut fused_cut(index_t n, index_t b) {
    const index_t rows = std::clamp<index_t>(round_down(kStripBytes / bytes_of<T>(n), kRowTile), kRowTile, 64);
    return {rows, rows == kRowTile ? 512 : std::max<index_t>(64, round_down(16 * 1024 / bytes_of<T>(b), 8))};
}

// Parts of a panel of n rows that fit in the cache beside a strip.
template <class T>
index_t panel_parts(index_t n, index_t b) {
    return (bytes_of<T>(n) * b + kCacheBytes / 2 - 1) / (kCacheBytes / 2);
}

// Whether fusing pays: X and Z stay in the cache beside a strip. If not, reading A twice in wide strips costs less than
// reading the panels once for every narrow one.
template <class T>
bool panels_fit(index_t n, index_t b) {
    return panel_parts<T>(2 * n, b) <= 1;
}

// Whether tiles of the matrix are used where they lie.
template <class T, class S>
bool in_place(ConstView<S> a) {
    return std::is_same_v<T, S> && a.col_stride == 1;
}

// A tile of a matrix stored as S: in place when its rows are contiguous, else a packed and widened copy.
template <class T, class S>
class Tile {
public:
    Tile(ConstView<S> a, index_t row, index_t rows, index_t col, index_t cols) {
        // BLAS, which multiplies complex tiles, wants a leading dimension of at least the width.
        if constexpr (std::is_same_v<T, S>) {
            if (in_place<T>(a) && (!is_complex<T> || a.row_stride >= cols)) {
                data_ = a.data + row * a.row_stride + col;
                ld_ = a.row_stride;
                return;
            }
        }
        packed_.emplace(rows * cols);
        for (index_t i = 0; i < rows; ++i) pack(&a(row + i, col), a.col_stride, cols, packed_->data() + i * cols);
        data_ = packed_->data();
        ld_ = cols;
    }
    const T* data() const { return data_; }
    index_t ld() const { return ld_; }

private:
    static void pack(const S* from, index_t stride, index_t count, T* to) {
        if constexpr (std::is_same_v<T, S>) {
            for (index_t j = 0; j < count; ++j) to[j] = from[j * stride];
        } else if (stride == 1) {
            widen_row(from, count, to);
        } else {
            for (index_t j = 0; j < count; ++j) to[j] = widen(from[j * stride]);
        }
    }

    std::optional<Scratch<T>> packed_;
    const T* data_ = nullptr;
    index_t ld_ = 0;
};

// Which tile is fetched into the second-level cache while one is at work: none, the one that comes next, or half of the
// rows of that in the strip below, which a fused pass takes next: one half while it computes Y, the other with Z.
enum class Fetch { none, next, below_upper, below_lower };

template <class T>
typename Ahead<T>::Rows rows_of(Fetch fetch) {
    if (fetch == Fetch::below_upper) return Ahead<T>::Rows::upper;
    return fetch == Fetch::below_lower ? Ahead<T>::Rows::lower : Ahead<T>::Rows::all;
}

// Calls body(i, rows, c, cols, tile, ahead) for the tiles of A's rows [row, row + rows) and columns [col, col + cols),
// a strip of rows at a time; i and c count from row and col.
template <class T, class S, class Body>
void for_each_tile(ConstView<S> a, index_t row, index_t rows, index_t col, index_t cols, Cut cut, Fetch fetch,
                   const Body& body) {
    if (!in_place<T>(a)) fetch = Fetch::none;
    for (index_t i = 0; i < rows; i += cut.rows) {
        const index_t height = std::min(cut.rows, rows - i);
        for (index_t c = 0; c < cols; c += cut.cols) {
            const index_t width = std::min(cut.cols, cols - c);
            const Tile<T, S> tile(a, row + i, height, col + c, width);
            Ahead<T> ahead{.rows = rows_of<T>(fetch)};
            if (fetch == Fetch::next && c + 2 * width <= cols) {
                ahead.tile = tile.data() + width;
            } else if (fetch != Fetch::none && row + i + 2 * height <= a.rows) {
                ahead.tile = tile.data() + height * tile.ld() - (fetch == Fetch::next ? c : 0);
            }
            body(i, height, c, width, tile, ahead);
        }
    }
}

// Y (rows [row, row + y.rows) of the product) += A X over columns [col, col + x.rows).
template <class T, class S>
void forward_range(ConstView<S> a, index_t row, index_t col, ConstPanel<T> x, Panel<T> y, Cut cut, Fetch fetch) {
    for_each_tile<T>(a, row, y.rows, col, x.rows, cut, fetch,
                     [&](index_t i, index_t rows, index_t c, index_t cols, const Tile<T, S>& tile, Ahead<T> ahead) {
                         forward_tile(tile.data(), tile.ld(), rows, cols, x.row(c), x.ld, y.row(i), y.ld, x.cols,
                                      ahead);
                     });
}

// Z (columns [col, col + z.rows)) += A^H Y over rows [row, row + y.rows).
template <class T, class S>
void adjoint_range(ConstView<S> a, index_t row, index_t col, ConstPanel<T> y, Panel<T> z, Cut cut, Fetch fetch) {
    for_each_tile<T>(a, row, y.rows, col, z.rows, cut, fetch,
                     [&](index_t i, index_t rows, index_t c, index_t cols, const Tile<T, S>& tile, Ahead<T> ahead) {
                         adjoint_tile(tile.data(), tile.ld(), rows, cols, y.row(i), y.ld, z.row(c), z.ld, y.cols,
                                      ahead);
                     });
}

}  // namespace svdkit::detail
