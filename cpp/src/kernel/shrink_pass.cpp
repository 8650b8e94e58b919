#include "svdkit/kernel/shrink_pass.hpp"

#include <algorithm>
#include <vector>

#include "panels.hpp"

namespace svdkit {
namespace {

constexpr index_t kTileRows = 48;   // a multiple of the register tiles
constexpr index_t kTileCols = 512;  // L, W and Y of a tile stay in the second-level cache

// `count` entries of row i from column j on, contiguous.
template <class R>
const R* contiguous(ConstView<R> m, index_t i, index_t j, index_t count, R* room) {
    if (m.col_stride == 1) return m.data + i * m.row_stride + j;
    for (index_t c = 0; c < count; ++c) room[c] = m(i, j + c);
    return room;
}

}  // namespace

template <class R>
detail::ShrinkSums shrink_pass(ConstView<R> m, ConstPanel<R> p, ConstPanel<R> qt, const detail::ShrinkStep<R>& step,
                               Panel<R> w, Panel<R> y) {
    const detail::Widened<R> wide(qt);
    const ConstPanel<R> q = wide.panel();
    const index_t strips = (m.rows + kTileRows - 1) / kTileRows, columns = (m.cols + kTileCols - 1) / kTileCols;
    std::vector<detail::ShrinkSums> sums(static_cast<std::size_t>(strips * columns));
    const double work =
        static_cast<double>(m.rows) * static_cast<double>(m.cols) * static_cast<double>(2 * p.cols + 40);
    parallel_for(strips * columns, work, [&](index_t tile) {
        const index_t top = tile / columns * kTileRows, left = tile % columns * kTileCols;
        const index_t rows = std::min(kTileRows, m.rows - top), cols = std::min(kTileCols, m.cols - left);
        const index_t width = std::min(kTileCols, q.cols - left);  // of the product: whole quanta
        const ScratchPanel<R> l(rows, width);
        const Scratch<R> room(cols);
        detail::set_zero(l.panel());
        detail::forward_tile(p.row(top), p.ld, rows, p.cols, q.data + left, q.ld, l.panel().data, l.panel().ld, width);
        detail::ShrinkSums& sum = sums[static_cast<std::size_t>(tile)];
        for (index_t i = 0; i < rows; ++i) {
            const R* const from = contiguous(m, top + i, left, cols, room.data());
            detail::shrink_row(from, l.panel().row(i), cols, step, w.row(top + i) + left, y.row(top + i) + left, sum);
        }
    });
    detail::ShrinkSums all;
    for (const detail::ShrinkSums& sum : sums) all.add(sum);
    return all;
}

#define INSTANTIATE(R)                                                                     \
    template detail::ShrinkSums shrink_pass<R>(ConstView<R>, ConstPanel<R>, ConstPanel<R>, \
                                               const detail::ShrinkStep<R>&, Panel<R>, Panel<R>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit
