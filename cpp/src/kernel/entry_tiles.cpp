#include "svdkit/kernel/entry_tiles.hpp"

#include <algorithm>
#include <utility>

#include "panels.hpp"
#include "svdkit/kernel/simd.hpp"

namespace svdkit {
namespace {

constexpr index_t kMaxRows = 8192;  // of a tile: 512 kB of Y when its rows are one cache line
constexpr index_t kParts = 16;      // rows of tiles, and pieces in all, at least: the tasks of the loops below
constexpr index_t kMaxLine = 128;   // bytes of a row of a panel worked on at a time
constexpr index_t kRuns = 8;        // interleaved runs of the entries of a tile

// Places in a tile whose entries are kRuns interleaved runs of equal length, and what is left over behind them.
struct Interleaved {
    index_t first, last, at;
    Interleaved(index_t begin, index_t end) : first(begin), last(begin + (end - begin) / kRuns * kRuns), at(begin) {}
    index_t next() {
        const index_t place = at;
        at += at < last ? kRuns : 1;
        if (place < last && at >= last) {  // on with the next run, or with what is left over
            at += 1 - (last - first);
            if (at == first + kRuns) at = last;
        }
        return place;
    }
};

// body(in, out) for panels the register tiles can work on: a wide one in slices of its columns, each packed. Where the
// rows of a panel lie far apart, a tile of it takes more pages, and fewer sets of the caches, than its own size.
template <class T, class Body>
void for_each_slice(ConstPanel<T> in, Panel<T> out, const Body& body) {
    constexpr index_t slice = kMaxLine / sizeof(T);
    if (in.cols <= slice) {
        const detail::Widened<T> from(in);
        const detail::WidenedOutput<T> to(out);
        return body(from.panel(), to.panel());
    }
    for (index_t j = 0; j < in.cols; j += slice) {
        const index_t b = std::min(slice, in.cols - j);
        const index_t width = (b + detail::kWidthQuantum - 1) / detail::kWidthQuantum * detail::kWidthQuantum;
        const ScratchPanel<T> from(in.rows, width), to(out.rows, width);
        detail::copy_widened<T>(in.col_range(j, b), from.panel());
        body(from.panel(), to.panel());
        detail::copy_panel<T>(to.panel().col_range(0, b), out.col_range(j, b));
    }
}

}  // namespace

template <class T>
template <class Index>
EntryTiles<T>::EntryTiles(const CsrView<T, Index>& a)
    : rows_(a.rows),
      cols_(a.cols),
      tile_rows_(std::clamp<index_t>((a.rows + kParts - 1) / kParts, 1, kMaxRows)),
      grid_rows_((a.rows + tile_rows_ - 1) / tile_rows_),
      grid_cols_((a.cols + kCols - 1) / kCols),
      begin_(static_cast<std::size_t>(grid_rows_ * grid_cols_ + 1), a.nnz()),
      places_(a.nnz()),
      values_(a.nnz()) {
    // Entries of a row of tiles lie together in A and here: every row of tiles is counted and filled on its own.
    parallel_for(grid_rows_, static_cast<double>(a.nnz()) * sizeof(T), [&](index_t row) {
        const index_t first = row * tile_rows_, last = std::min(a.rows, first + tile_rows_);
        std::vector<index_t> at(static_cast<std::size_t>(grid_cols_) + 1, 0);
        for (Index p = a.row_pointers[first]; p < a.row_pointers[last]; ++p)
            ++at[static_cast<std::size_t>(a.columns[p] / kCols) + 1];
        at[0] = static_cast<index_t>(a.row_pointers[first]);
        for (std::size_t column = 1; column < at.size(); ++column) at[column] += at[column - 1];
        std::copy_n(at.begin(), grid_cols_, begin_.begin() + row * grid_cols_);
        std::vector<Interleaved> places;
        for (std::size_t column = 1; column < at.size(); ++column) places.emplace_back(at[column - 1], at[column]);
        for (index_t i = first; i < last; ++i) {
            for (Index p = a.row_pointers[i]; p < a.row_pointers[i + 1]; ++p) {
                const auto column = static_cast<index_t>(a.columns[p]);
                const index_t to = places[static_cast<std::size_t>(column / kCols)].next();
                places_[to] = static_cast<std::uint32_t>((i - first) << 16 | column % kCols);
                values_[to] = a.values[p];
            }
        }
    });
    cut_into_pieces();
}

template <class T>
void EntryTiles<T>::cut_into_pieces() {
    for (index_t column = 0; column < grid_cols_; ++column) {
        index_t entries = 0;
        for (index_t row = 0; row < grid_rows_; ++row) entries += end(row, column) - begin(row, column);
        const index_t share = kParts * entries / std::max<index_t>(1, values_.size());
        const Partition rows{grid_rows_, std::clamp<index_t>(share, 1, grid_rows_), 1};
        for (index_t part = 0; part < rows.parts; ++part)
            pieces_.push_back({column, rows.begin(part), rows.begin(part + 1), rows.parts == 1 ? -1 : sums_++});
    }
}

template <class T>
void EntryTiles<T>::forward(ConstPanel<T> x, Panel<T> y) const {
    for_each_slice<T>(x, y, [this](ConstPanel<T> in, Panel<T> out) { forward_slice(in, out); });
}

template <class T>
void EntryTiles<T>::adjoint(ConstPanel<T> y, Panel<T> z) const {
    for_each_slice<T>(y, z, [this](ConstPanel<T> in, Panel<T> out) { adjoint_slice(in, out); });
}

template <class T>
void EntryTiles<T>::forward_slice(ConstPanel<T> x, Panel<T> y) const {
    parallel_for(grid_rows_, 2.0 * static_cast<double>(values_.size() * x.cols), [&](index_t row) {
        const index_t first = row * tile_rows_;
        const Panel<T> to = y.row_range(first, std::min(tile_rows_, rows_ - first));
        detail::set_zero(to);
        for (index_t column = 0; column < grid_cols_; ++column) {
            const index_t at = begin(row, column);
            detail::entry_kernels<T>().forward(places_.data() + at, values_.data() + at, end(row, column) - at,
                                               x.row(column * kCols), x.ld, to.data, to.ld, x.cols);
        }
    });
}

template <class T>
void EntryTiles<T>::adjoint_slice(ConstPanel<T> y, Panel<T> z) const {
    const index_t b = y.cols, ld = padded_ld<T>(b);
    const Scratch<T> memory(sums_ * kCols * ld);
    const auto sum = [&](index_t q) { return memory.data() + q * kCols * ld; };
    const auto rows_of_z = [&](index_t column) {
        return z.row_range(column * kCols, std::min(kCols, cols_ - column * kCols));
    };
    parallel_for(static_cast<index_t>(pieces_.size()), 2.0 * static_cast<double>(values_.size() * b), [&](index_t p) {
        const Piece& piece = pieces_[static_cast<std::size_t>(p)];
        Panel<T> to = rows_of_z(piece.column);
        if (piece.sum >= 0) to = {sum(piece.sum), to.rows, b, ld};
        detail::set_zero(to);
        for (index_t row = piece.first; row < piece.last; ++row) {
            const index_t at = begin(row, piece.column);
            detail::entry_kernels<T>().adjoint(places_.data() + at, values_.data() + at, end(row, piece.column) - at,
                                               y.row(row * tile_rows_), y.ld, to.data, to.ld, b);
        }
    });
    for (auto piece = pieces_.begin(); piece != pieces_.end();) {
        const auto next = std::find_if(piece, pieces_.end(), [&](const Piece& p) { return p.column != piece->column; });
        if (piece->sum >= 0)
            detail::add_in_order(sum(piece->sum), next - piece, kCols * ld, ld, rows_of_z(piece->column));
        piece = next;
    }
}

#define INSTANTIATE(T)                                                   \
    template class EntryTiles<T>;                                        \
    template EntryTiles<T>::EntryTiles(const CsrView<T, std::int32_t>&); \
    template EntryTiles<T>::EntryTiles(const CsrView<T, std::int64_t>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit
