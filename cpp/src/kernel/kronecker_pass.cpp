#include "svdkit/kernel/kronecker_pass.hpp"

#include <algorithm>

#include "panels.hpp"

namespace svdkit {
namespace {

using detail::add_in_order;
using detail::adjoint_tile;
using detail::Ahead;
using detail::forward_tile;
using detail::Widened;
using detail::WidenedOutput;

// The cut of kernel/block_pass.cpp: strips for half of a 1 MiB second-level cache, panels for a 32 KiB first-level one.
constexpr index_t kCacheBytes = 1024 * 1024;
constexpr index_t kStripBytes = kCacheBytes / 4;
constexpr index_t kChunkBytes = 16 * 1024;

// Which tile is fetched while one is at work: the next along the strip, or half of the rows of the one below it.
enum class Fetch { next, below_upper, below_lower };

template <class T>
using Axis = typename KroneckerTiles<T>::Axis;

struct Range {
    index_t begin, end;
};

// Calls body(tile, first, count) for the pieces of single tiles that make up the range of an axis.
template <class A, class Body>
void for_each_piece(const A& axis, Range range, index_t most, const Body& body) {
    for (index_t at = range.begin; at < range.end;) {
        const index_t tile = at / axis.inner, first = at % axis.inner;
        const index_t count = std::min({axis.inner - first, range.end - at, most});
        body(tile, first, count);
        at += count;
    }
}

// The tile to be fetched beside rows [i, i + count) of tile (o, p) from column j on.
template <class T>
Ahead<T> ahead_of(const KroneckerTiles<T>& r, index_t o, index_t i, index_t count, index_t p, index_t j, Fetch fetch) {
    if (fetch == Fetch::next) return {p + 1 < r.cols.outer ? r.at(o, i, p + 1, j) : nullptr};
    const auto rows = fetch == Fetch::below_upper ? Ahead<T>::Rows::upper : Ahead<T>::Rows::lower;
    if (i + 2 * count <= r.rows.inner) return {r.at(o, i + count, p, j), rows};
    return {i + count == r.rows.inner && o + 1 < r.rows.outer ? r.at(o + 1, 0, p, j) : nullptr, rows};
}

// Calls body(a, rows, cols, row of the panels beside R, row of those above, ahead) for the pieces of tiles in a block
// of R, along its rows first.
template <class T, class Body>
void for_each_tile(const KroneckerTiles<T>& r, Range rows, Range cols, index_t b, Fetch fetch, const Body& body) {
    const index_t chunk = std::max<index_t>(64, kChunkBytes / (b * static_cast<index_t>(sizeof(T))) / 8 * 8);
    for_each_piece(r.rows, rows, 64, [&](index_t o, index_t i, index_t height) {
        for_each_piece(r.cols, cols, chunk, [&](index_t p, index_t j, index_t width) {
            body(r.at(o, i, p, j), height, width, r.rows.panel_row(o, i), r.cols.panel_row(p, j),
                 ahead_of(r, o, i, height, p, j, fetch));
        });
    });
}

template <class T>
void set_zero(const Axis<T>& axis, Range range, Panel<T> panel) {
    for_each_piece(axis, range, axis.inner, [&](index_t tile, index_t first, index_t count) {
        for (index_t i = first; i < first + count; ++i)
            std::fill_n(panel.row(axis.panel_row(tile, i)), panel.cols, T(0));
    });
}

// Y += R X, and Z += R^H Y, for a block of R.
template <class T>
void forward_block(const KroneckerTiles<T>& r, Range rows, Range cols, ConstPanel<T> x, Panel<T> y, Fetch fetch) {
    for_each_tile(r, rows, cols, x.cols, fetch,
                  [&](const T* a, index_t height, index_t width, index_t beside, index_t above, Ahead<T> ahead) {
                      forward_tile(a, r.ld, height, width, x.row(above), x.ld * r.cols.inner_step, y.row(beside),
                                   y.ld * r.rows.inner_step, x.cols, ahead);
                  });
}

template <class T>
void adjoint_block(const KroneckerTiles<T>& r, Range rows, Range cols, ConstPanel<T> y, Panel<T> z, Fetch fetch) {
    for_each_tile(r, rows, cols, y.cols, fetch,
                  [&](const T* a, index_t height, index_t width, index_t beside, index_t above, Ahead<T> ahead) {
                      adjoint_tile(a, r.ld, height, width, y.row(beside), y.ld * r.rows.inner_step, z.row(above),
                                   z.ld * r.cols.inner_step, y.cols, ahead);
                  });
}

template <class T>
double work(const KroneckerTiles<T>& r, index_t b) {
    return 2.0 * static_cast<double>(r.rows.size()) * static_cast<double>(r.cols.size()) * static_cast<double>(b);
}

// Ranges of an axis are cut between whole tiles when these are small, else at multiples of `fine`.
template <class A>
index_t grain(const A& axis, index_t fine) {
    return axis.inner <= 4 * fine ? axis.inner : fine;
}

// Parts of an axis whose outputs are disjoint: of some 64 rows.
template <class A>
Partition disjoint_parts(const A& axis, index_t fine) {
    const index_t size = axis.size(), parts = size >= 512 ? size / 64 : size / fine;
    return {size, std::max<index_t>(1, parts), grain(axis, fine)};
}

// Parts that keep a private sum each: few enough that the sums are a small share of the work.
template <class A>
Partition summing_parts(const A& axis, index_t b, index_t fine) {
    const index_t size = axis.size();
    return {size, std::clamp<index_t>(size / (64 * b), std::min<index_t>(8, size), 128), grain(axis, fine)};
}

template <class T>
constexpr index_t kFineCols = 64 / sizeof(T);  // a cache line
constexpr index_t kFineRows = 8;

// Rows (or columns) of R in a strip that is used twice, each of `bytes` bytes.
index_t strip_size(index_t bytes, index_t panel_bytes, index_t fine) {
    const index_t most = 2 * panel_bytes > kCacheBytes ? 64 : std::min<index_t>(64, kStripBytes / bytes);
    return std::max<index_t>(fine, most / fine * fine);
}

}  // namespace

template <class T>
void kronecker_forward(const KroneckerTiles<T>& r, ConstPanel<T> x, Panel<T> y) {
    if (x.cols == 0) return;
    const Widened<T> in(x);
    const WidenedOutput<T> out(y);
    const Partition parts = disjoint_parts(r.rows, kFineRows);
    parallel_for(parts.parts, work(r, x.cols), [&](index_t part) {
        const Range rows{parts.begin(part), parts.begin(part + 1)};
        set_zero<T>(r.rows, rows, out.panel());
        forward_block<T>(r, rows, {0, r.cols.size()}, in.panel(), out.panel(), Fetch::next);
    });
}

template <class T>
void kronecker_adjoint(const KroneckerTiles<T>& r, ConstPanel<T> y, Panel<T> z) {
    if (y.cols == 0) return;
    const Widened<T> in(y);
    const WidenedOutput<T> out(z);
    const Partition parts = disjoint_parts(r.cols, kFineCols<T>);
    parallel_for(parts.parts, work(r, y.cols), [&](index_t part) {
        const Range cols{parts.begin(part), parts.begin(part + 1)};
        set_zero<T>(r.cols, cols, out.panel());
        adjoint_block<T>(r, {0, r.rows.size()}, cols, in.panel(), out.panel(), Fetch::next);
    });
}

template <class T>
void kronecker_gram(const KroneckerTiles<T>& r, ConstPanel<T> x, Panel<T> y, Panel<T> z) {
    if (x.cols == 0) return;
    const Widened<T> in(x);
    const WidenedOutput<T> out_y(y), out_z(z);
    const index_t n = r.cols.size(), b = in.panel().cols, bytes = n * static_cast<index_t>(sizeof(T));
    const index_t ld = padded_ld<T>(b);
    const Partition parts = summing_parts(r.rows, b, kFineRows);
    const index_t strip = strip_size(bytes, bytes * b, parts.grain);
    const Scratch<T> sums(parts.parts * n * ld);
    parallel_for(parts.parts, 2 * work(r, b), [&](index_t part) {
        const Panel<T> sum{sums.data() + part * n * ld, n, b, ld};
        detail::set_zero(sum);
        for (index_t i = parts.begin(part); i < parts.begin(part + 1); i += strip) {
            const Range rows{i, std::min(i + strip, parts.begin(part + 1))}, cols{0, n};
            set_zero<T>(r.rows, rows, out_y.panel());
            forward_block<T>(r, rows, cols, in.panel(), out_y.panel(), Fetch::below_upper);
            adjoint_block<T>(r, rows, cols, out_y.panel(), sum, Fetch::below_lower);
        }
    });
    add_in_order(sums.data(), parts.parts, n * ld, ld, out_z.panel());
}

template <class T>
void kronecker_outer(const KroneckerTiles<T>& r, ConstPanel<T> y, Panel<T> z, Panel<T> w) {
    if (y.cols == 0) return;
    const Widened<T> in(y);
    const WidenedOutput<T> out_z(z), out_w(w);
    const index_t m = r.rows.size(), b = in.panel().cols, bytes = m * static_cast<index_t>(sizeof(T));
    const index_t ld = padded_ld<T>(b);
    const Partition parts = summing_parts(r.cols, b, kFineCols<T>);
    const index_t strip = strip_size(bytes, bytes * b, parts.grain);
    const Scratch<T> sums(parts.parts * m * ld);
    parallel_for(parts.parts, 2 * work(r, b), [&](index_t part) {
        const Panel<T> sum{sums.data() + part * m * ld, m, b, ld};
        detail::set_zero(sum);
        for (index_t j = parts.begin(part); j < parts.begin(part + 1); j += strip) {
            const Range rows{0, m}, cols{j, std::min(j + strip, parts.begin(part + 1))};
            set_zero<T>(r.cols, cols, out_z.panel());
            adjoint_block<T>(r, rows, cols, in.panel(), out_z.panel(), Fetch::next);
            forward_block<T>(r, rows, cols, out_z.panel(), sum, Fetch::next);
        }
    });
    add_in_order(sums.data(), parts.parts, m * ld, ld, out_w.panel());
}

template <class T>
bool gram_is_fused(const KroneckerTiles<T>& r) {
    return grain(r.rows, kFineRows) * r.cols.size() * static_cast<index_t>(sizeof(T)) <= kCacheBytes;
}

template <class T>
bool outer_is_fused(const KroneckerTiles<T>& r) {
    return grain(r.cols, kFineCols<T>) * r.rows.size() * static_cast<index_t>(sizeof(T)) <= kCacheBytes;
}

#define INSTANTIATE(T)                                                                             \
    template void kronecker_forward<T>(const KroneckerTiles<T>&, ConstPanel<T>, Panel<T>);         \
    template void kronecker_adjoint<T>(const KroneckerTiles<T>&, ConstPanel<T>, Panel<T>);         \
    template void kronecker_gram<T>(const KroneckerTiles<T>&, ConstPanel<T>, Panel<T>, Panel<T>);  \
    template void kronecker_outer<T>(const KroneckerTiles<T>&, ConstPanel<T>, Panel<T>, Panel<T>); \
    template bool gram_is_fused<T>(const KroneckerTiles<T>&);                                      \
    template bool outer_is_fused<T>(const KroneckerTiles<T>&);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
