// Helpers of the block passes: private sums added, panels of any width made wide enough for the register tiles.
#pragma once

#include <algorithm>
#include <optional>

#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "tile.hpp"

namespace svdkit::detail {

/// `sum` = the panels of `parts` added in order; part q starts at parts + q * stride and has sum's shape and `ld`.
template <class T>
void add_in_order(const T* parts, index_t count, index_t stride, index_t ld, Panel<T> sum) {
    const Partition rows{sum.rows, std::max<index_t>(1, sum.rows * sum.cols / 8192), 1};
    parallel_for(rows.parts, static_cast<double>(sum.rows * sum.cols * count), [&](index_t part) {
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i) {
            T* out = sum.row(i);
            std::copy_n(parts + i * ld, sum.cols, out);
            for (index_t q = 1; q < count; ++q) {
                const T* in = parts + q * stride + i * ld;
                for (index_t j = 0; j < sum.cols; ++j) out[j] += in[j];
            }
        }
    });
}

/// `to` = `from`, and zeros in the columns beyond.
template <class T>
void copy_widened(ConstPanel<T> from, Panel<T> to) {
    parallel_rows(to.rows, static_cast<double>(to.rows * to.cols), [&](index_t first, index_t last) {
        for (index_t i = first; i < last; ++i) {
            std::copy_n(from.row(i), from.cols, to.row(i));
            std::fill_n(to.row(i) + from.cols, to.cols - from.cols, T(0));
        }
    });
}

/// A panel as the register tiles need it: width a multiple of `quantum`. Copies only when it is not.
template <class T>
class Widened {
public:
    Widened(ConstPanel<T> in, index_t quantum = kWidthQuantum) : panel_(in) {
        if (is_complex<T> || in.cols % quantum == 0) return;
        copy_.emplace(in.rows, (in.cols + quantum - 1) / quantum * quantum);
        copy_widened<T>(in, copy_->panel());
        panel_ = copy_->panel();
    }
    ConstPanel<T> panel() const { return panel_; }

private:
    std::optional<ScratchPanel<T>> copy_;
    ConstPanel<T> panel_;
};

/// An output panel of the same kind: written back when it had to be widened.
template <class T>
class WidenedOutput {
public:
    WidenedOutput(Panel<T> out, bool keep_content = false, index_t quantum = kWidthQuantum) : out_(out), panel_(out) {
        if (is_complex<T> || out.cols % quantum == 0) return;
        copy_.emplace(out.rows, (out.cols + quantum - 1) / quantum * quantum);
        panel_ = copy_->panel();
        if (keep_content) copy_widened<T>(out, panel_);
    }
    ~WidenedOutput() {
        if (copy_) copy_panel<T>(panel_.col_range(0, out_.cols), out_);
    }
    WidenedOutput(const WidenedOutput&) = delete;
    WidenedOutput& operator=(const WidenedOutput&) = delete;
    Panel<T> panel() const { return panel_; }

private:
    Panel<T> out_;
    std::optional<ScratchPanel<T>> copy_;
    Panel<T> panel_;
};

}  // namespace svdkit::detail
