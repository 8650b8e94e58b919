#include "svdkit/kernel/block_pass.hpp"

#include <algorithm>

#include "block_tiles.hpp"

namespace svdkit {
namespace {

using detail::add_in_order;
using detail::adjoint_range;
using detail::Cut;
using detail::Fetch;
using detail::forward_range;
using detail::kRowTile;
using detail::kStripRows;
using detail::set_zero;
using detail::Widened;
using detail::WidenedOutput;

// Row parts that keep a private n x b sum each: few enough that the sums are a small share of the work.
index_t private_parts(index_t rows, index_t b) {
    return std::clamp<index_t>(rows / (64 * b), std::min<index_t>(8, rows), 128);
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
        const Partition rows{m, std::max<index_t>(1, m / (4 * kStripRows)), kStripRows};
        parallel_for(rows.parts, product_work(a, b), [&](index_t part) {
            const index_t first = rows.begin(part), count = rows.begin(part + 1) - first;
            const Panel<T> out = y.row_range(first, count);
            if (!accumulate) set_zero(out);
            const Partition panels{n, detail::panel_parts<T>(n, b), 16};
            for (index_t p = 0; p < panels.parts; ++p) {
                const index_t col = panels.begin(p), cols = panels.begin(p + 1) - col;
                forward_range(a, first, col, x.row_range(col, cols), out, detail::product_cut<T>(b), Fetch::next);
            }
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
        forward_range(a, 0, first, x.row_range(first, count), sum, detail::product_cut<T>(b), Fetch::next);
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
        // Parts as wide as the threads and the cache allow, for long runs along the rows of A. No sum crosses parts, so
        // their number shows in no bit, unless BLAS multiplies the tiles.
        const index_t threads = is_complex<T> ? 8 : num_threads();
        const Partition cols{n, std::max(detail::panel_parts<T>(n, b), std::min(2 * threads, n / 128)), 16};
        parallel_for(cols.parts, product_work(a, b), [&](index_t part) {
            const index_t first = cols.begin(part), count = cols.begin(part + 1) - first;
            set_zero(z.row_range(first, count));
            adjoint_range(a, 0, first, y, z.row_range(first, count), detail::product_cut<T>(b), Fetch::next);
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
        adjoint_range(a, first, 0, y.row_range(first, count), sum, detail::product_cut<T>(b), Fetch::next);
    });
    add_in_order(sums.data(), rows.parts, n * ld, ld, z);
}

template <class T, class S>
void gram_rows(ConstView<S> a, ConstPanel<T> x, Panel<T> y, Panel<T> z) {
    const index_t m = a.rows, n = a.cols, b = x.cols;
    if (!detail::panels_fit<T>(n, b)) {
        forward_rows(a, x, y, false);
        adjoint_rows(a, ConstPanel<T>(y), z);
        return;
    }
    const Cut cut = detail::fused_cut<T>(n, b);
    const Partition rows{m, private_parts(m, b), kRowTile};
    const index_t ld = padded_ld<T>(b);
    const Scratch<T> sums(rows.parts * n * ld);
    parallel_for(rows.parts, product_work(a, b), [&](index_t part) {
        const index_t begin = rows.begin(part), end = rows.begin(part + 1);
        const Panel<T> sum{sums.data() + part * n * ld, n, b, ld};
        set_zero(sum);
        for (index_t i = begin; i < end; i += cut.rows) {
            const Panel<T> out = y.row_range(i, std::min(cut.rows, end - i));
            set_zero(out);
            forward_range(a, i, 0, x, out, cut, Fetch::below_upper);
            adjoint_range(a, i, 0, ConstPanel<T>(out), sum, cut, Fetch::below_lower);
        }
    });
    add_in_order(sums.data(), rows.parts, n * ld, ld, z);
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
    adjoint_rows(a.transposed(), start.panel(), out_y.panel());
    forward_rows(a.transposed(), ConstPanel<T>(out_y.panel()), out_z.panel(), false);
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
    return !is_column_major(a) && detail::panels_fit<T>(a.cols, detail::kWidthQuantum);
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
