#include "svdkit/kernel/block_pass.hpp"

#include <algorithm>

#include "panels.hpp"

namespace svdkit {
namespace {

using detail::add_in_order;
using detail::adjoint_tile;
using detail::Ahead;
using detail::forward_tile;
using detail::set_zero;
using detail::Widened;
using detail::WidenedOutput;

// Cache sizes the cut aims at: half of the smallest second-level (1 MiB) and first-level (32 KiB) caches, and a strip
// of A that leaves room for the next one and the panels.
constexpr index_t kCacheBytes = 1024 * 1024;
constexpr index_t kStripBytes = kCacheBytes / 4;
constexpr index_t kChunkBytes = 16 * 1024;
constexpr index_t kRowTile = 8;
constexpr index_t kSweepRows = 24;    // whole register tiles of 6 and 8 rows
constexpr index_t kAdjointRows = 32;  // rows that lie a large power of two apart share few places of a cache

index_t round_down(index_t value, index_t grain) { return value / grain * grain; }

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
            detail::widen_row(from, count, to);
        } else {
            for (index_t j = 0; j < count; ++j) to[j] = widen(from[j * stride]);
        }
    }

    std::optional<Scratch<T>> packed_;
    const T* data_ = nullptr;
    index_t ld_ = 0;
};

// Columns of A per tile, so that the matching rows of a b-wide panel stay in the first-level cache; a strip of few
// register tiles uses them too seldom for that to outweigh long runs along the rows of A.
template <class T>
index_t chunk_cols(index_t b, index_t strip) {
    if (strip == kRowTile || strip == kSweepRows) return 512;
    return std::max<index_t>(64, round_down(kChunkBytes / (b * static_cast<index_t>(sizeof(T))), 8));
}

// Which tile is fetched into the second-level cache while one is at work: none, the one that comes next, or half of the
// rows of that in the strip below or to the right, which a fused pass takes next: one half while it computes Y, the
// other with Z.
enum class Fetch { none, next, below_upper, below_lower, right_upper, right_lower };

template <class T>
typename Ahead<T>::Rows rows_of(Fetch fetch) {
    if (fetch == Fetch::below_upper || fetch == Fetch::right_upper) return Ahead<T>::Rows::upper;
    if (fetch == Fetch::below_lower || fetch == Fetch::right_lower) return Ahead<T>::Rows::lower;
    return Ahead<T>::Rows::all;
}

// Calls body(i, rows, c, cols, tile, ahead) for the tiles of A's rows [row, row + rows) and columns [col, col + cols),
// a strip of rows at a time; i and c count from row and col.
template <class T, class S, class Body>
void for_each_tile(ConstView<S> a, index_t row, index_t rows, index_t col, index_t cols, index_t strip, index_t chunk,
                   Fetch fetch, const Body& body) {
    if (!in_place<T>(a)) fetch = Fetch::none;
    for (index_t i = 0; i < rows; i += strip) {
        const index_t height = std::min(strip, rows - i);
        for (index_t c = 0; c < cols; c += chunk) {
            const index_t width = std::min(chunk, cols - c);
            const Tile<T, S> tile(a, row + i, height, col + c, width);
            Ahead<T> ahead{.rows = rows_of<T>(fetch)};
            if (fetch == Fetch::right_upper || fetch == Fetch::right_lower) {
                if (col + cols + c + width <= a.cols) ahead.tile = tile.data() + cols;
            } else if (fetch == Fetch::next && c + 2 * width <= cols) {
                ahead.tile = tile.data() + width;
            } else if (fetch != Fetch::none && row + i + 2 * height <= a.rows) {
                ahead.tile = tile.data() + height * tile.ld() - (fetch == Fetch::next ? c : 0);
            }
            body(i, height, c, width, tile, ahead);
        }
    }
}

// Y (rows [row, row + y.rows) of the product) += A X over columns [col, col + x.rows), rows in strips of `strip`.
template <class T, class S>
void forward_range(ConstView<S> a, index_t row, index_t col, ConstPanel<T> x, Panel<T> y, index_t strip, Fetch fetch) {
    for_each_tile<T>(a, row, y.rows, col, x.rows, strip, chunk_cols<T>(x.cols, strip), fetch,
                     [&](index_t i, index_t rows, index_t c, index_t cols, const Tile<T, S>& tile, Ahead<T> ahead) {
                         forward_tile(tile.data(), tile.ld(), rows, cols, x.row(c), x.ld, y.row(i), y.ld, x.cols,
                                      ahead);
                     });
}

// Z (columns [col, col + z.rows)) += A^H Y over rows [row, row + y.rows).
template <class T, class S>
void adjoint_range(ConstView<S> a, index_t row, index_t col, ConstPanel<T> y, Panel<T> z, index_t strip, Fetch fetch) {
    for_each_tile<T>(a, row, y.rows, col, z.rows, strip, chunk_cols<T>(y.cols, strip), fetch,
                     [&](index_t i, index_t rows, index_t c, index_t cols, const Tile<T, S>& tile, Ahead<T> ahead) {
                         adjoint_tile(tile.data(), tile.ld(), rows, cols, y.row(i), y.ld, z.row(c), z.ld, y.cols,
                                      ahead);
                     });
}

// Row parts that keep a private n x b sum each: few enough that the sums are a small share of the work.
index_t private_parts(index_t rows, index_t b) {
    return std::clamp<index_t>(rows / (64 * b), std::min<index_t>(8, rows), 128);
}

// Rows per strip of the fused pass. A strip is read for Y and again for Z: while the panels are small it stays in the
// second-level cache; once the panels outgrow that cache, reading them less often matters more, the more the wider
// they are.
template <class T>
index_t fused_strip(index_t n, index_t b) {
    const index_t row_bytes = n * static_cast<index_t>(sizeof(T));
    if (2 * row_bytes * b > kCacheBytes) return b * static_cast<index_t>(sizeof(T)) <= 128 ? 16 : 64;
    return std::clamp<index_t>(round_down(kStripBytes / row_bytes, kRowTile), kRowTile, 64);
}

template <class T>
bool strip_fits(index_t n) {
    return kRowTile * n * static_cast<index_t>(sizeof(T)) <= kCacheBytes;
}

// Flops of one product, for parallel_for.
template <class S>
double product_work(ConstView<S> a, index_t b) {
    return 2.0 * static_cast<double>(a.rows) * static_cast<double>(a.cols) * static_cast<double>(b);
}

// The three passes over a matrix whose rows are contiguous (or packed). Panels have legal widths.

template <class T, class S>
void forward_rows(ConstView<S> a, ConstPanel<T> x, Panel<T> y, bool accumulate) {
    const index_t m = a.rows, n = a.cols, b = x.cols;
    if (m >= 512 || n < 8 * m) {
        const Partition rows{m, std::max<index_t>(1, m / 64), kRowTile};
        parallel_for(rows.parts, product_work(a, b), [&](index_t part) {
            const index_t first = rows.begin(part), count = rows.begin(part + 1) - first;
            const Panel<T> out = y.row_range(first, count);
            if (!accumulate) set_zero(out);
            forward_range(a, first, 0, x, out, 64, Fetch::next);
        });
        return;
    }
    // Short and wide: parts are ranges of columns, each with its own m x b sum.
    const Partition cols{n, std::min<index_t>(64, (n + 511) / 512), 64};
    const index_t ld = padded_ld<T>(b);
    const Scratch<T> sums((cols.parts + 1) * m * ld);
    parallel_for(cols.parts, product_work(a, b), [&](index_t part) {
        const index_t first = cols.begin(part), count = cols.begin(part + 1) - first;
        const Panel<T> sum{sums.data() + part * m * ld, m, b, ld};
        set_zero(sum);
        forward_range(a, 0, first, x.row_range(first, count), sum, 64, Fetch::next);
    });
    if (!accumulate) {
        add_in_order(sums.data(), cols.parts, m * ld, ld, y);
        return;
    }
    const Panel<T> total{sums.data() + cols.parts * m * ld, m, b, ld};
    add_in_order(sums.data(), cols.parts, m * ld, ld, total);
    for (index_t i = 0; i < m; ++i)
        for (index_t j = 0; j < b; ++j) y(i, j) += total(i, j);
}

template <class T, class S>
void adjoint_rows(ConstView<S> a, ConstPanel<T> y, Panel<T> z) {
    const index_t m = a.rows, n = a.cols, b = y.cols;
    if (n >= 1024 && n >= m / 8) {
        // Few wide parts: every row of A is read in runs, which fetching ahead needs.
        const index_t wide = std::max(std::min<index_t>(16, n / 128), n / 1024);
        const Partition cols{n, std::min<index_t>(64, wide), 16};
        parallel_for(cols.parts, product_work(a, b), [&](index_t part) {
            const index_t first = cols.begin(part), count = cols.begin(part + 1) - first;
            set_zero(z.row_range(first, count));
            adjoint_range(a, 0, first, y, z.row_range(first, count), kAdjointRows, Fetch::next);
        });
        return;
    }
    const Partition rows{m, private_parts(m, b), kRowTile};
    const index_t ld = padded_ld<T>(b);
    const Scratch<T> sums(rows.parts * n * ld);
    parallel_for(rows.parts, product_work(a, b), [&](index_t part) {
        const index_t first = rows.begin(part), count = rows.begin(part + 1) - first;
        const Panel<T> sum{sums.data() + part * n * ld, n, b, ld};
        set_zero(sum);
        adjoint_range(a, first, 0, y.row_range(first, count), sum, 64, Fetch::next);
    });
    add_in_order(sums.data(), rows.parts, n * ld, ld, z);
}

template <class T, class S>
void gram_rows(ConstView<S> a, ConstPanel<T> x, Panel<T> y, Panel<T> z) {
    const index_t m = a.rows, n = a.cols, b = x.cols;
    if (!strip_fits<T>(n)) {
        forward_rows(a, x, y, false);
        adjoint_rows(a, ConstPanel<T>(y), z);
        return;
    }
    const index_t strip = fused_strip<T>(n, b);
    const bool resident = strip * n * static_cast<index_t>(sizeof(T)) <= 2 * kStripBytes;
    const Partition rows{m, private_parts(m, b), kRowTile};
    const index_t ld = padded_ld<T>(b);
    const Scratch<T> sums(rows.parts * n * ld);
    parallel_for(rows.parts, product_work(a, b), [&](index_t part) {
        const index_t begin = rows.begin(part), end = rows.begin(part + 1);
        const Panel<T> sum{sums.data() + part * n * ld, n, b, ld};
        set_zero(sum);
        for (index_t i = begin; i < end; i += strip) {
            const Panel<T> out = y.row_range(i, std::min(strip, end - i));
            set_zero(out);
            forward_range(a, i, 0, x, out, strip, resident ? Fetch::below_upper : Fetch::next);
            adjoint_range(a, i, 0, ConstPanel<T>(out), sum, strip, resident ? Fetch::below_lower : Fetch::next);
        }
    });
    add_in_order(sums.data(), rows.parts, n * ld, ld, z);
}

template <class T>
bool column_strip_fits(index_t n) {
    return 64 * n * static_cast<index_t>(sizeof(T)) <= kStripBytes;
}

// Columns of B in a strip, fetched in runs along the rows: single precision is starved by short runs (measured: strips
// twice as wide are a third faster up to 32 vectors), double precision by what a wider strip leaves of the cache.
template <class T>
index_t column_strip(index_t n) {
    const index_t bytes = sizeof(T) == sizeof(float) ? 2 * kStripBytes : kStripBytes;
    return std::max<index_t>(64, round_down(bytes / (n * static_cast<index_t>(sizeof(T))), 16));
}

// Gram of B^H from the rows of B: Y = B^H X is finished a strip of columns of B at a time, and Z = B Y summed.
template <class T, class S>
void gram_columns(ConstView<S> b_rows, ConstPanel<T> x, Panel<T> y, Panel<T> z) {
    if (!column_strip_fits<T>(b_rows.rows)) {
        adjoint_rows(b_rows, x, y);
        forward_rows(b_rows, ConstPanel<T>(y), z, false);
        return;
    }
    const index_t n = b_rows.rows, m = b_rows.cols, b = x.cols;
    const index_t strip = column_strip<T>(n);
    const Partition cols{m, std::min(private_parts(m, b), std::max<index_t>(1, m / strip)), 16};
    const index_t ld = padded_ld<T>(b);
    const Scratch<T> sums(cols.parts * n * ld);
    parallel_for(cols.parts, product_work(b_rows, b), [&](index_t part) {
        const index_t begin = cols.begin(part), end = cols.begin(part + 1);
        const Panel<T> sum{sums.data() + part * n * ld, n, b, ld};
        set_zero(sum);
        for (index_t i = begin; i < end; i += strip) {
            const Panel<T> out = y.row_range(i, std::min(strip, end - i));
            set_zero(out);
            adjoint_range(b_rows, 0, i, x, out, kSweepRows, Fetch::right_upper);
            forward_range(b_rows, 0, i, ConstPanel<T>(out), sum, kSweepRows, Fetch::right_lower);
        }
    });
    add_in_order(sums.data(), cols.parts, n * ld, ld, z);
}

// Strides along an extent of one mean nothing: those that make rows contiguous.
template <class S>
ConstView<S> normalised(ConstView<S> a) {
    if (a.cols == 1) a.col_stride = 1;
    if (a.rows == 1) a.row_stride = a.cols;
    return a;
}

template <class S>
bool is_column_major(ConstView<S> a) {
    return a.row_stride == 1 && a.col_stride != 1;
}

// A column-major complex A is (conj B)^H for the row-major B = A^T: conj(A X) = B^H conj(X), so the roles of the two
// products swap once the panels are conjugated. For real scalars these are no-ops.
template <class T>
class ConjugatedInput {
public:
    explicit ConjugatedInput(ConstPanel<T> in) : panel_(in) {
        if constexpr (is_complex<T>) {
            copy_.emplace(in.rows, in.cols);
            detail::copy_panel(in, copy_->panel());
            detail::conjugate(copy_->panel());
            panel_ = copy_->panel();
        }
    }
    ConstPanel<T> panel() const { return panel_; }

private:
    std::optional<ScratchPanel<T>> copy_;
    ConstPanel<T> panel_;
};

template <class T>
void conjugate_output(Panel<T> out) {
    if constexpr (is_complex<T>) detail::conjugate(out);
}

}  // namespace

template <class T, class S>
void forward_pass(ConstView<S> a, ConstPanel<T> x, Panel<T> y, bool accumulate) {
    if (x.cols == 0 || y.rows == 0) return;
    a = normalised(a);
    const Widened<T> in(x);
    const WidenedOutput<T> out(y, accumulate);
    if (!is_column_major(a)) {
        forward_rows(a, in.panel(), out.panel(), accumulate);
    } else if (!accumulate) {
        adjoint_rows(a.transposed(), ConjugatedInput<T>(in.panel()).panel(), out.panel());
        conjugate_output(out.panel());
    } else {
        const ScratchPanel<T> product(y.rows, out.panel().cols);
        adjoint_rows(a.transposed(), ConjugatedInput<T>(in.panel()).panel(), product.panel());
        for (index_t i = 0; i < y.rows; ++i)
            for (index_t j = 0; j < y.cols; ++j) out.panel()(i, j) += conj(product.panel()(i, j));
    }
}

template <class T, class S>
void adjoint_pass(ConstView<S> a, ConstPanel<T> y, Panel<T> z) {
    if (y.cols == 0 || z.rows == 0) return;
    if (y.rows == 0) {
        set_zero(z);
        return;
    }
    a = normalised(a);
    const Widened<T> in(y);
    const WidenedOutput<T> out(z);
    if (!is_column_major(a)) {
        adjoint_rows(a, in.panel(), out.panel());
    } else {
        forward_rows(a.transposed(), ConjugatedInput<T>(in.panel()).panel(), out.panel(), false);
        conjugate_output(out.panel());
    }
}

template <class T, class S>
void gram_pass(ConstView<S> a, ConstPanel<T> x, Panel<T> y, Panel<T> z) {
    if (a.rows == 0 || a.cols == 0 || x.cols == 0) {
        set_zero(y);
        set_zero(z);
        return;
    }
    a = normalised(a);
    const Widened<T> in(x);
    const WidenedOutput<T> out_y(y), out_z(z);
    if (!is_column_major(a)) {
        gram_rows(a, in.panel(), out_y.panel(), out_z.panel());
        return;
    }
    const ConjugatedInput<T> start(in.panel());
    gram_columns(a.transposed(), start.panel(), out_y.panel(), out_z.panel());
    conjugate_output(out_y.panel());
    conjugate_output(out_z.panel());
}

// A^H = conj(A^T): the transposed view with conjugated panels.
template <class T, class S>
void outer_pass(ConstView<S> a, ConstPanel<T> y, Panel<T> z, Panel<T> w) {
    const ConjugatedInput<T> start(y);
    gram_pass<T, S>(a.transposed(), start.panel(), z, w);
    conjugate_output(z);
    conjugate_output(w);
}

template <class T, class S>
bool gram_is_fused(ConstView<S> a) {
    a = normalised(a);
    return is_column_major(a) ? column_strip_fits<T>(a.cols) : strip_fits<T>(a.cols);
}

#define INSTANTIATE_STORED(T, S)                                                     \
    template void forward_pass<T, S>(ConstView<S>, ConstPanel<T>, Panel<T>, bool);   \
    template void adjoint_pass<T, S>(ConstView<S>, ConstPanel<T>, Panel<T>);         \
    template void gram_pass<T, S>(ConstView<S>, ConstPanel<T>, Panel<T>, Panel<T>);  \
    template void outer_pass<T, S>(ConstView<S>, ConstPanel<T>, Panel<T>, Panel<T>); \
    template bool gram_is_fused<T, S>(ConstView<S>);
#define INSTANTIATE(T) INSTANTIATE_STORED(T, T)
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
INSTANTIATE_STORED(float, Float16)
INSTANTIATE_STORED(float, BFloat16)
INSTANTIATE_STORED(double, float)
#undef INSTANTIATE
#undef INSTANTIATE_STORED

}  // namespace svdkit
