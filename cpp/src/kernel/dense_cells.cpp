#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "normal_rows.hpp"
#include "panels.hpp"
#include "svdkit/kernel/cells.hpp"

namespace svdkit {
namespace {

using detail::Widened;
using detail::WidenedOutput;

constexpr index_t kTileRows = 48, kTileCols = 256;

// An entry that counts, in the units of the fit: weight 0 where nothing is known.
template <class T>
struct Reader {
    ConstView<T> a, weights;
    T value_unit, weight_unit;

    Reader(ConstView<T> a_, ConstView<T> weights_, CellUnits units)
        : a(a_),
          weights(weights_),
          value_unit(static_cast<T>(units.value)),
          weight_unit(static_cast<T>(units.weight)) {}
    T weight(index_t i, index_t j) const {
        if (weights.data) return weights(i, j) * weight_unit;
        return std::isnan(a(i, j)) ? T(0) : T(1);
    }
    T value(index_t i, index_t j) const { return a(i, j) * value_unit; }
};

// tile <- W o (A - fit) for rows [i0, i0 + rows) and columns [j0, j0 + cols), where tile holds current and, if there is
// momentum, `shift` holds previous. Returns the loss of current.
template <class T>
class TileResidual {
public:
    TileResidual(const Reader<T>& reader, double beta) : reader_(reader), beta_(static_cast<T>(beta)) {}

    double operator()(index_t i0, index_t j0, index_t rows, index_t cols, T* tile, const T* previous) const {
        double loss = 0;
        const bool by_rows = std::abs(reader_.a.col_stride) <= std::abs(reader_.a.row_stride);
        if (by_rows) {
            for (index_t i = 0; i < rows; ++i)
                loss += line(i0 + i, j0, 0, 1, cols, tile + i * kTileCols, 1, shifted(previous, i * kTileCols));
        } else {
            for (index_t j = 0; j < cols; ++j)
                loss += line(i0, j0 + j, 1, 0, rows, tile + j, kTileCols, shifted(previous, j));
        }
        return loss;
    }

private:
    static const T* shifted(const T* previous, index_t by) { return previous ? previous + by : nullptr; }

    double line(index_t i, index_t j, index_t di, index_t dj, index_t count, T* out, index_t step,
                const T* previous) const {
        double loss = 0;
        for (index_t c = 0; c < count; ++c, i += di, j += dj) {
            const T weight = reader_.weight(i, j), current = out[c * step];
            const T error = weight > 0 ? reader_.value(i, j) - current : T(0);
            const T shift = previous ? beta_ * (current - previous[c * step]) : T(0);
            out[c * step] = weight * (error - shift);
            loss += static_cast<double>(weight) * static_cast<double>(error) * static_cast<double>(error);
        }
        return loss;
    }

    const Reader<T>& reader_;
    T beta_;
};

// The transpose of a panel, its rows of whole cache lines: what the columns of a tile are multiplied from.
template <class T>
void transpose(ConstPanel<T> from, Panel<T> to) {
    const Partition rows{from.rows, std::max<index_t>(1, from.rows / 1024), 1};
    parallel_for(rows.parts, static_cast<double>(from.rows * from.cols), [&](index_t part) {
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i)
            for (index_t j = 0; j < from.cols; ++j) to(j, i) = from(i, j);
    });
}

}  // namespace

template <class T>
double DenseCells<T>::multiply(const Fit<T>& fit, ConstPanel<T> x, Panel<T> y) const {
    const index_t m = a_.rows, n = a_.cols, p = fit.right.cols;
    const bool momentum = fit.extrapolates();
    const Widened<T> in(x);
    const WidenedOutput<T> out(y);
    const ScratchPanel<T> right(p, n), before(momentum ? p : 0, n);
    transpose(fit.right, right.panel());
    if (momentum) transpose(fit.right_before, before.panel());
    const Reader<T> reader(a_, weights_, units_);
    const TileResidual<T> residual(reader, fit.beta);
    const index_t parts = (m + kTileRows - 1) / kTileRows;
    std::vector<double> losses(static_cast<std::size_t>(parts));
    const auto& kernels = detail::tile_kernels<T>();
    const double work = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(p + x.cols + 1);
    parallel_for(parts, work, [&](index_t part) {
        const index_t i0 = part * kTileRows, rows = std::min(kTileRows, m - i0);
        const Scratch<T> memory(2 * kTileRows * kTileCols);
        T *const tile = memory.data(), *const previous = momentum ? tile + kTileRows * kTileCols : nullptr;
        const Panel<T> sums = out.panel().row_range(i0, rows);
        detail::set_zero(sums);
        double loss = 0;
        for (index_t j0 = 0; j0 < n; j0 += kTileCols) {
            const index_t cols = std::min(kTileCols, n - j0), wide = (cols + 3) / 4 * 4;
            const auto low_rank = [&](ConstPanel<T> left, ConstPanel<T> transposed, T* to) {
                std::fill_n(to, rows * kTileCols, T(0));
                if (p > 0) {
                    kernels.forward(left.row(i0), left.ld, rows, p, transposed.data + j0, transposed.ld, to, kTileCols,
                                    wide, {});
                }
            };
            low_rank(fit.left, right.panel(), tile);
            if (momentum) low_rank(fit.left_before, before.panel(), previous);
            loss += residual(i0, j0, rows, cols, tile, previous);
            if (x.cols > 0) {
                kernels.forward(tile, kTileCols, rows, cols, in.panel().row(j0), in.panel().ld, sums.data, sums.ld,
                                sums.cols, {});
            }
        }
        losses[static_cast<std::size_t>(part)] = loss;
    });
    return std::accumulate(losses.begin(), losses.end(), 0.0);
}

template <class T>
Slope DenseCells<T>::solve(const HalfSweep<T>& half) const {
    constexpr index_t kRun = detail::NormalRow<T>::kChunk;
    const index_t m = a_.rows, n = a_.cols, r = half.right.cols;
    const Reader<T> reader(a_, weights_, units_);
    const Partition rows{m, std::clamp<index_t>(m * n / 8192, 1, std::min<index_t>(m, 128)), 1};
    std::vector<Slope> slopes(static_cast<std::size_t>(rows.parts));
    const double work = static_cast<double>(m) * static_cast<double>(n * r * r + r * r * r / 3);
    parallel_for(rows.parts, work, [&](index_t part) {
        detail::NormalSolver<T> solver(half);
        std::array<std::int32_t, kRun> columns;
        std::array<T, kRun> values, weights;
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i) {
            solver.begin(i);
            index_t count = 0;
            const auto flush = [&] {
                const index_t cells = std::exchange(count, 0);
                solver.add(columns.data(), values.data(), weights.data(), cells, cells, {});
            };
            for (index_t j = 0; j < n; ++j) {
                const T weight = reader.weight(i, j);
                if (!(weight > 0)) continue;
                const auto c = static_cast<std::size_t>(count++);
                columns[c] = static_cast<std::int32_t>(j);
                values[c] = reader.value(i, j);
                weights[c] = weight;
                if (count == kRun) flush();
            }
            flush();
            solver.end(i);
        }
        solver.finish();
        slopes[static_cast<std::size_t>(part)] = solver.slope();
    });
    return detail::total_slope(slopes);
}

template <class T>
void DenseCells<T>::totals(double* weight_sums, index_t* counts) const {
    const Reader<T> reader(a_, weights_, units_);
    const Partition rows{a_.rows, std::clamp<index_t>(a_.rows, 1, 64), 1};
    parallel_for(rows.parts, static_cast<double>(a_.rows) * static_cast<double>(a_.cols), [&](index_t part) {
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i) {
            weight_sums[i] = 0;
            counts[i] = 0;
            for (index_t j = 0; j < a_.cols; ++j) {
                const T weight = reader.weight(i, j);
                weight_sums[i] += static_cast<double>(weight);
                counts[i] += weight > 0;
            }
        }
    });
}

template class DenseCells<float>;
template class DenseCells<double>;

}  // namespace svdkit
