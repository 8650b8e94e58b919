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

/// A panel as the register tiles need it: width a multiple of kWidthQuantum. Copies only when it is not.
template <class T>
class Widened {
public:
    Widened(ConstPanel<T> in) : panel_(in) {
        if (is_complex<T> || in.cols % kWidthQuantum == 0) return;
        const index_t width = (in.cols + kWidthQuantum - 1) / kWidthQuantum * kWidthQuantum;
        copy_.emplace(in.rows, width);
        Panel<T> wide = copy_->panel();
        for (index_t i = 0; i < in.rows; ++i) {
            std::copy_n(in.row(i), in.cols, wide.row(i));
            std::fill_n(wide.row(i) + in.cols, width - in.cols, T(0));
        }
        panel_ = wide;
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
    WidenedOutput(Panel<T> out, bool keep_content = false) : out_(out), panel_(out) {
        if (is_complex<T> || out.cols % kWidthQuantum == 0) return;
        copy_.emplace(out.rows, (out.cols + kWidthQuantum - 1) / kWidthQuantum * kWidthQuantum);
        panel_ = copy_->panel();
        if (keep_content) {
            for (index_t i = 0; i < out.rows; ++i) {
                std::copy_n(out.row(i), out.cols, panel_.row(i));
                std::fill_n(panel_.row(i) + out.cols, panel_.cols - out.cols, T(0));
            }
        }
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
