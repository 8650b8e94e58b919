#include "svdkit/kernel/tall_pass.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "panels.hpp"

namespace svdkit {
namespace {

using detail::set_zero;

constexpr index_t kRowsPerPart = 2048;
constexpr index_t kStrip = 64;

// The rows below a strip of a slab, to be fetched while the strip is at work; none at the end.
template <class T>
detail::Ahead<T> below(ConstPanel<T> slab, index_t row, index_t rows, typename detail::Ahead<T>::Rows which) {
    return {row + 2 * rows <= slab.rows ? slab.row(row + rows) : nullptr, which};
}

// For strips of rows: W -= V C (C not null), then C_out += V^H W (`out` not null).
template <class T>
void sweep(ConstColumns<T> v, const ConstPanel<T>* c, Panel<T> w, const Panel<T>* out) {
    using Rows = typename detail::Ahead<T>::Rows;
    const index_t n = w.rows, b = w.cols, j = v.cols, ld = padded_ld<T>(b);
    std::optional<Scratch<T>> minus;
    if (c) {
        minus.emplace(j * ld);
        for (index_t i = 0; i < j; ++i)
            for (index_t l = 0; l < b; ++l) (*minus)[i * ld + l] = -(*c)(i, l);
    }
    const Partition rows{n, std::clamp<index_t>(n / 512, std::min<index_t>(8, n), 128), 8};
    std::optional<Scratch<T>> sums;
    if (out) sums.emplace(rows.parts * j * ld);
    const Rows first_half = out ? Rows::upper : Rows::all, second_half = c ? Rows::lower : Rows::all;
    parallel_for(rows.parts, 2.0 * static_cast<double>(n * j * b), [&](index_t part) {
        T* const sum = out ? sums->data() + part * j * ld : nullptr;
        if (out) std::fill_n(sum, j * ld, T(0));
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); i += kStrip) {
            const index_t count = std::min(kStrip, rows.begin(part + 1) - i);
            for (index_t s = 0; c && s < v.slabs(); ++s) {
                const ConstPanel<T> slab = v.slab(s);
                detail::forward_tile(slab.row(i), slab.ld, count, slab.cols, minus->data() + v.first_col(s) * ld, ld,
                                     w.row(i), w.ld, b, below(slab, i, count, first_half));
            }
            for (index_t s = 0; out && s < v.slabs(); ++s) {
                const ConstPanel<T> slab = v.slab(s);
                detail::adjoint_tile(slab.row(i), slab.ld, count, slab.cols, static_cast<const T*>(w.row(i)), w.ld,
                                     sum + v.first_col(s) * ld, ld, b, below(slab, i, count, second_half));
            }
        }
    });
    if (out) detail::add_in_order(sums->data(), rows.parts, j * ld, ld, *out);
}

}  // namespace

template <class T>
void inner(ConstColumns<T> v, ConstPanel<T> w, Panel<T> c) {
    const detail::Widened<T> wide(w);
    const detail::WidenedOutput<T> to(c);
    const ConstPanel<T> in = wide.panel();
    const Panel<T> out = to.panel();
    sweep<T>(v, nullptr, {const_cast<T*>(in.data), in.rows, in.cols, in.ld}, &out);
}

template <class T>
void subtract(ConstColumns<T> v, ConstPanel<T> c, Panel<T> w) {
    const detail::Widened<T> in(c);
    const detail::WidenedOutput<T> to(w, true);
    const ConstPanel<T> coefficients = in.panel();
    sweep<T>(v, &coefficients, to.panel(), nullptr);
}

template <class T>
void subtract_inner(ConstColumns<T> v, ConstPanel<T> c, Panel<T> w, Panel<T> d) {
    const detail::Widened<T> in(c);
    const detail::WidenedOutput<T> to(w, true), inner_to(d);
    const ConstPanel<T> coefficients = in.panel();
    const Panel<T> out = inner_to.panel();
    sweep<T>(v, &coefficients, to.panel(), &out);
}

template <class T>
void rotate(Columns<T> v, ConstPanel<T> q) {
    const detail::Widened<T> wide(q);
    const ConstPanel<T> factor = wide.panel();
    const Partition rows{v.rows, std::max<index_t>(1, v.rows / 256), 8};
    parallel_for(rows.parts, 2.0 * static_cast<double>(v.rows * q.rows * q.cols), [&](index_t part) {
        const ScratchPanel<T> tile(kStrip, factor.cols);
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); i += kStrip) {
            const index_t count = std::min(kStrip, rows.begin(part + 1) - i);
            const Panel<T> out = tile.panel().row_range(0, count);
            set_zero(out);
            for (index_t s = 0; s < v.slabs(); ++s) {
                const Panel<T> slab = v.slab(s);
                detail::forward_tile(static_cast<const T*>(slab.row(i)), slab.ld, count, slab.cols,
                                     factor.row(v.first_col(s)), factor.ld, out.data, out.ld, factor.cols);
            }
            for (index_t s = 0; v.first_col(s) < q.cols; ++s) {
                const Panel<T> slab = v.slab(s);
                const index_t first = v.first_col(s), width = std::min(slab.cols, q.cols - first);
                detail::copy_panel<T>(out.col_range(first, width), slab.row_range(i, count).col_range(0, width));
            }
        }
    });
}

// Rows of a part of a Gram matrix: fewer where they are wide, so that there is work for all threads.
index_t gram_rows(index_t width) {
    return std::clamp<index_t>(kRowsPerPart * 16 / std::max<index_t>(width, 1), 512, kRowsPerPart);
}

// The upper triangle in groups of columns: each times what stands before it and itself.
template <class T>
Block<Wide<T>> gram(ConstPanel<T> w) {
    using W = Wide<T>;
    constexpr index_t strip = 128, group = 32;
    const index_t b = w.cols, width = (b + detail::kWidthQuantum - 1) / detail::kWidthQuantum * detail::kWidthQuantum;
    const Partition rows{w.rows, std::max<index_t>(1, w.rows / gram_rows(width)), 1};
    const Scratch<W> sums(rows.parts * width * width);
    parallel_for(rows.parts, static_cast<double>(w.rows * width * (width + group)), [&](index_t part) {
        W* sum = sums.data() + part * width * width;
        std::fill_n(sum, width * width, W(0));
        const Scratch<W> wide(strip * width);
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); i += strip) {
            const index_t count = std::min(strip, rows.begin(part + 1) - i);
            for (index_t r = 0; r < count; ++r) {
                for (index_t c = 0; c < b; ++c) wide[r * width + c] = static_cast<W>(w(i + r, c));
                std::fill_n(wide.data() + r * width + b, width - b, W(0));
            }
            for (index_t c = 0; c < width; c += group) {
                const index_t cols = std::min(group, width - c);
                detail::adjoint_tile(wide.data(), width, count, c + cols, wide.data() + c, width, sum + c, width, cols);
            }
        }
    });
    Block<W> gram(b, b);
    for (index_t part = 0; part < rows.parts; ++part)
        for (index_t i = 0; i < b; ++i)
            for (index_t j = i; j < b; ++j) gram(i, j) += sums[part * width * width + i * width + j];
    for (index_t i = 0; i < b; ++i)
        for (index_t j = 0; j < i; ++j) gram(i, j) = conj(gram(j, i));
    return gram;
}

template <class T>
void column_norms(ConstPanel<T> w, double* norms) {
    const index_t b = w.cols;
    const Partition rows{w.rows, std::max<index_t>(1, w.rows / kRowsPerPart), 1};
    const Scratch<double> sums(rows.parts * b);
    parallel_for(rows.parts, 2.0 * static_cast<double>(w.rows * b), [&](index_t part) {
        double* sum = sums.data() + part * b;
        std::fill_n(sum, b, 0.0);
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i)
            for (index_t j = 0; j < b; ++j) sum[j] += abs2(static_cast<Wide<T>>(w(i, j)));
    });
    for (index_t j = 0; j < b; ++j) {
        double total = 0;
        for (index_t part = 0; part < rows.parts; ++part) total += sums[part * b + j];
        norms[j] = std::sqrt(total);
    }
}

#define INSTANTIATE(T)                                                                   \
    template void inner<T>(ConstColumns<T>, ConstPanel<T>, Panel<T>);                    \
    template void subtract<T>(ConstColumns<T>, ConstPanel<T>, Panel<T>);                 \
    template void subtract_inner<T>(ConstColumns<T>, ConstPanel<T>, Panel<T>, Panel<T>); \
    template void rotate<T>(Columns<T>, ConstPanel<T>);                                  \
    template Block<Wide<T>> gram<T>(ConstPanel<T>);                                      \
    template void column_norms<T>(ConstPanel<T>, double*);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
