#include "svdkit/kernel/trimmed_pass.hpp"

#include <algorithm>
#include <cmath>

#include "panels.hpp"
#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"
#include "tile.hpp"

namespace svdkit {
namespace {

using detail::add_in_order;
using detail::adjoint_tile;
using detail::forward_tile;
using detail::set_zero;
using detail::Widened;
using detail::WidenedOutput;

constexpr index_t kRows = 16;   // of a tile
constexpr index_t kCols = 512;  // of a tile
constexpr index_t kParts = 16;  // private sums of adjoint products

template <class T>
double work_of(const PriorCells<T>& cells, index_t width) {
    return 2.0 * static_cast<double>(cells.x.rows) * static_cast<double>(cells.x.cols) * static_cast<double>(width);
}

template <class T>
class TrimmedTile {
public:
    TrimmedTile(const PriorCells<T>& cells, const Trim<T>& trim) : cells_(cells), trim_(trim), memory_(kRows * kCols) {}

    /// The tile at (row, col), rows kCols apart.
    const T* make(index_t row, index_t rows, index_t col, index_t cols) const {
        for (index_t i = 0; i < rows; ++i) {
            const bool centered = !trim_.row_centers.empty();
            const T center = centered ? trim_.row_centers[static_cast<std::size_t>(row + i)] : T(0);
            const T* centers = centered ? trim_.col_centers.data() + col : nullptr;
            T* out = memory_.data() + i * kCols;
            detail::robust_kernels<T>().trim(&cells_.x(row + i, col), cols, center, centers,
                                             static_cast<T>(trim_.limit), out);
            if (!cells_.prior.data) continue;
            const T* prior = &cells_.prior(row + i, col);
            for (index_t j = 0; j < cols; ++j)
                if (prior[j] == 0) out[j] = center + (centers ? centers[j] : T(0));
        }
        return memory_.data();
    }

    /// body(tile, row, rows, col, cols) over rows [begin, end).
    template <class Body>
    void for_each(index_t begin, index_t end, const Body& body) const {
        for (index_t row = begin; row < end; row += kRows) {
            const index_t rows = std::min(kRows, end - row);
            for (index_t col = 0; col < cells_.x.cols; col += kCols) {
                const index_t cols = std::min(kCols, cells_.x.cols - col);
                body(make(row, rows, col, cols), row, rows, col, cols);
            }
        }
    }

private:
    const PriorCells<T>& cells_;
    const Trim<T>& trim_;
    Scratch<T> memory_;
};

Partition row_parts(index_t rows, index_t most) {
    return {rows, std::clamp<index_t>(rows / (4 * kRows), 1, most), kRows};
}

}  // namespace

template <class T>
void trimmed_forward(const PriorCells<T>& cells, const Trim<T>& trim, ConstPanel<T> b, Panel<T> y) {
    const Widened<T> in(b);
    const WidenedOutput<T> out(y);
    const ConstPanel<T> x = in.panel();
    const Panel<T> to = out.panel();
    set_zero(to);
    const Partition parts = row_parts(cells.x.rows, 256);
    parallel_for(parts.parts, work_of(cells, x.cols), [&](index_t part) {
        const TrimmedTile<T> tiles(cells, trim);
        tiles.for_each(parts.begin(part), parts.begin(part + 1),
                       [&](const T* tile, index_t row, index_t rows, index_t col, index_t cols) {
                           forward_tile<T>(tile, kCols, rows, cols, x.row(col), x.ld, to.row(row), to.ld, x.cols);
                       });
    });
}

template <class T>
void trimmed_adjoint(const PriorCells<T>& cells, const Trim<T>& trim, ConstPanel<T> b, Panel<T> z) {
    const Widened<T> in(b);
    const WidenedOutput<T> out(z);
    const ConstPanel<T> y = in.panel();
    const Panel<T> to = out.panel();
    const Partition parts = row_parts(cells.x.rows, kParts);
    const index_t stride = to.rows * to.ld;
    const Scratch<T> sums(parts.parts * stride);
    parallel_for(parts.parts, work_of(cells, y.cols), [&](index_t part) {
        const TrimmedTile<T> tiles(cells, trim);
        T* own = sums.data() + part * stride;
        std::fill_n(own, stride, T(0));
        tiles.for_each(parts.begin(part), parts.begin(part + 1),
                       [&](const T* tile, index_t row, index_t rows, index_t col, index_t cols) {
                           adjoint_tile<T>(tile, kCols, rows, cols, y.row(row), y.ld, own + col * to.ld, to.ld, y.cols);
                       });
    });
    add_in_order<T>(sums.data(), parts.parts, stride, to.ld, to);
}

std::vector<double> damping(const std::vector<double>& norms) {
    std::vector<double> sorted;
    std::ranges::copy_if(norms, std::back_inserter(sorted), [](double norm) { return norm > 0; });
    std::vector<double> factors(norms.size(), 1.0);
    if (sorted.empty()) return factors;
    const auto middle = sorted.begin() + std::ssize(sorted) / 2;
    std::ranges::nth_element(sorted, middle);
    for (std::size_t i = 0; i < norms.size(); ++i)
        if (norms[i] > *middle) factors[i] = *middle / norms[i];
    return factors;
}

template <class T>
TrimmedNorms trimmed_norms(const PriorCells<T>& cells, const Trim<T>& trim) {
    const index_t m = cells.x.rows, n = cells.x.cols;
    TrimmedNorms norms{std::vector<double>(static_cast<std::size_t>(m), 0.0),
                       std::vector<double>(static_cast<std::size_t>(n), 0.0)};
    const Partition parts = row_parts(m, kParts);
    const auto sweep = [&](const auto& add) {
        parallel_for(parts.parts, work_of(cells, 2), [&](index_t part) {
            const TrimmedTile<T> tiles(cells, trim);
            tiles.for_each(parts.begin(part), parts.begin(part + 1),
                           [&](const T* tile, index_t row, index_t rows, index_t col, index_t cols) {
                               for (index_t i = 0; i < rows; ++i) add(part, tile + i * kCols, row + i, col, cols);
                           });
        });
    };
    sweep([&](index_t, const T* y, index_t row, index_t, index_t cols) {
        double sum = 0;
        for (index_t j = 0; j < cols; ++j) sum += static_cast<double>(y[j]) * static_cast<double>(y[j]);
        norms.rows[static_cast<std::size_t>(row)] += sum;
    });
    for (double& norm : norms.rows) norm = std::sqrt(norm);
    const std::vector<double> factors = damping(norms.rows);
    const Scratch<double> sums(parts.parts * n);
    std::fill_n(sums.data(), parts.parts * n, 0.0);
    sweep([&](index_t part, const T* y, index_t row, index_t col, index_t cols) {
        const double factor = factors[static_cast<std::size_t>(row)];
        double* own = sums.data() + part * n + col;
        for (index_t j = 0; j < cols; ++j) {
            const double value = factor * static_cast<double>(y[j]);
            own[j] += value * value;
        }
    });
    for (index_t part = 0; part < parts.parts; ++part)
        for (index_t j = 0; j < n; ++j) norms.cols[static_cast<std::size_t>(j)] += sums[part * n + j];
    for (double& norm : norms.cols) norm = std::sqrt(norm);
    return norms;
}

#define INSTANTIATE(T)                                                                               \
    template void trimmed_forward<T>(const PriorCells<T>&, const Trim<T>&, ConstPanel<T>, Panel<T>); \
    template void trimmed_adjoint<T>(const PriorCells<T>&, const Trim<T>&, ConstPanel<T>, Panel<T>); \
    template TrimmedNorms trimmed_norms<T>(const PriorCells<T>&, const Trim<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit
