#include "svdkit/kernel/median_pass.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "panels.hpp"
#include "svdkit/kernel/weighted_median.hpp"

namespace svdkit {
namespace {

constexpr index_t kLines = 16;  // rows or columns of a tile: whole cache lines of X
constexpr index_t kRun = 512;   // cells of a line that are formed at a time

// to = scale * from - to, or without the last term where that is `plain` memory.
template <class R>
[[gnu::always_inline]] inline void subtract_line(const R* from, index_t stride, index_t count, R scale, bool plain,
                                                 R* to) {
    if (plain) {
        for (index_t j = 0; j < count; ++j) to[j] = from[j * stride] * scale;
    } else {
        for (index_t j = 0; j < count; ++j) to[j] = from[j * stride] * scale - to[j];
    }
}

// Cells [top, top + rows) x [left, left + cols) of X - P Q^T, row-major; NaN where X is.
template <class R>
void form_tile(const MedianPass<R>& pass, index_t top, index_t left, index_t rows, index_t cols, Panel<R> out) {
    const index_t width = std::min(out.cols, pass.qt.cols - left);
    const bool plain = pass.p.cols == 0;
    if (!plain) {
        detail::set_zero(out);
        detail::forward_tile(pass.p.row(top), pass.p.ld, rows, pass.p.cols, pass.qt.data + left, pass.qt.ld, out.data,
                             out.ld, width);
    }
    for (index_t i = 0; i < rows; ++i) {
        const R* const from = pass.x.data + (top + i) * pass.x.row_stride + left * pass.x.col_stride;
        if (pass.x.col_stride == 1) {
            subtract_line(from, 1, cols, pass.scale, plain, out.row(i));
        } else {
            subtract_line(from, pass.x.col_stride, cols, pass.scale, plain, out.row(i));
        }
    }
}

// The entry of the moving factor that belongs to one line of E, and the error it had before.
template <class R>
class Line {
public:
    Line(index_t length, const R* fixed) : values_(length), weights_(length), fixed_(fixed) {
        for (index_t i = 0; fixed && i < length; ++i) largest_ = std::max(largest_, std::abs(fixed[i]));
        least_ = largest_ * epsilon<R> * epsilon<R>;
    }
    R solve(const R* cells, index_t length, R before, double& error) {
        if (fixed_) {
            detail::median_kernels<R>().ratios(cells, fixed_, length, before, least_, values_.data(), weights_.data(),
                                               error);
        } else {
            for (index_t i = 0; i < length; ++i) {
                const bool seen = cells[i] == cells[i];
                values_[i] = seen ? std::abs(cells[i]) : R(0);
                weights_[i] = seen ? R(1) : R(0);
            }
        }
        return weighted_median(values_.data(), weights_.data(), length);
    }

private:
    Scratch<R> values_, weights_;
    const R* fixed_;
    R largest_ = 0, least_ = 0;
};

template <class R>
double work_of(const MedianPass<R>& pass) {
    return static_cast<double>(pass.x.rows) * static_cast<double>(pass.x.cols) * static_cast<double>(pass.p.cols + 30);
}

double add(const std::vector<double>& parts) {
    double sum = 0;
    for (double part : parts) sum += part;
    return sum;
}

// solve(line, first, count, cells): a tile of whole lines, line by line `ld` apart.
template <class R, class Form>
double over_tiles(index_t lines, index_t length, const R* fixed, double work, R* moving, const Form& form) {
    const index_t tiles = (lines + kLines - 1) / kLines;
    std::vector<double> errors(static_cast<std::size_t>(tiles), 0.0);
    parallel_for(tiles, work, [&](index_t tile) {
        const index_t first = tile * kLines, count = std::min(kLines, lines - first);
        const ScratchPanel<R> cells(kLines, length);
        form(first, count, cells.panel());
        Line<R> line(length, fixed);
        for (index_t i = 0; i < count; ++i) {
            R& entry = moving[first + i];
            entry = line.solve(cells.panel().row(i), length, entry, errors[static_cast<std::size_t>(tile)]);
        }
    });
    return add(errors);
}

}  // namespace

template <class R>
double median_rows(const MedianPass<R>& pass, R* moving) {
    const detail::Widened<R> wide(pass.qt);
    MedianPass<R> padded = pass;
    padded.qt = wide.panel();
    const index_t n = pass.x.cols;
    return over_tiles<R>(
        pass.x.rows, n, pass.fixed, work_of(pass), moving, [&](index_t top, index_t rows, Panel<R> cells) {
            for (index_t left = 0; left < n; left += kRun) {
                const index_t cols = std::min(kRun, n - left), room = std::min(kRun, cells.ld - left);
                form_tile<R>(padded, top, left, rows, cols, {cells.row(0) + left, rows, room, cells.ld});
            }
        });
}

template <class R>
double median_columns(const MedianPass<R>& pass, R* moving) {
    const detail::Widened<R> wide(pass.qt);
    MedianPass<R> padded = pass;
    padded.qt = wide.panel();
    const index_t m = pass.x.rows;
    return over_tiles<R>(pass.x.cols, m, pass.fixed, work_of(pass), moving,
                         [&](index_t left, index_t cols, Panel<R> cells) {
                             constexpr index_t strip = 32;
                             const ScratchPanel<R> tile(strip, kLines);
                             for (index_t top = 0; top < m; top += strip) {
                                 const index_t rows = std::min(strip, m - top);
                                 form_tile<R>(padded, top, left, rows, cols, tile.panel().row_range(0, rows));
                                 for (index_t j = 0; j < cols; ++j)
                                     for (index_t i = 0; i < rows; ++i) cells(j, top + i) = tile.panel()(i, j);
                             }
                         });
}

template <class R>
double absolute_error(const MedianPass<R>& pass, const R* along_rows) {
    const detail::Widened<R> wide(pass.qt);
    MedianPass<R> padded = pass;
    padded.qt = wide.panel();
    const index_t m = pass.x.rows, n = pass.x.cols, strips = (m + kLines - 1) / kLines;
    std::vector<double> errors(static_cast<std::size_t>(strips), 0.0);
    parallel_for(strips, work_of(pass), [&](index_t strip) {
        const index_t top = strip * kLines, rows = std::min(kLines, m - top);
        const ScratchPanel<R> tile(rows, std::min(kRun, padded.qt.cols));
        double sum = 0;
        for (index_t left = 0; left < n; left += kRun) {
            const index_t cols = std::min(kRun, n - left);
            form_tile<R>(padded, top, left, rows, cols, tile.panel());
            for (index_t i = 0; i < rows; ++i) {
                for (index_t j = 0; j < cols; ++j) {
                    const R cell = tile.panel()(i, j);
                    if (cell == cell)
                        sum += static_cast<double>(std::abs(cell - along_rows[top + i] * pass.fixed[left + j]));
                }
            }
        }
        errors[static_cast<std::size_t>(strip)] = sum;
    });
    return add(errors);
}

#define INSTANTIATE(R)                                           \
    template double median_rows<R>(const MedianPass<R>&, R*);    \
    template double median_columns<R>(const MedianPass<R>&, R*); \
    template double absolute_error<R>(const MedianPass<R>&, const R*);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit
