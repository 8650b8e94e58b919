#include "svdkit/kernel/robust_pass.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "robust_moments.hpp"
#include "robust_step.hpp"
#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/scan.hpp"

namespace svdkit {
namespace {

using detail::FactorStep;
using detail::MomentTile;
using detail::RobustSums;
using detail::StepSums;

constexpr index_t kTasks = 64;           // enough for any number of threads to share evenly
constexpr index_t kLeastReduced = 2048;  // cells of a row (column) that a task adds up at least

// Blocks of the factor that moves, times parts of the cells that each of its rows adds up.
struct Grid {
    index_t block, blocks, parts;
    Partition reduced;

    Grid(index_t moving, index_t fixed, index_t block_, index_t grain) : block(block_) {
        blocks = (moving + block - 1) / block;
        parts = blocks >= kTasks ? 1 : std::clamp<index_t>(fixed / kLeastReduced, 1, (kTasks + blocks - 1) / blocks);
        reduced = {fixed, parts, grain};
    }
};

}  // namespace

template <class T>
RobustSweepResult half_sweep(const PriorCells<T>& cells, const Observed& observed, MovingFactor side, Panel<T> slow,
                             Panel<T> fast, const RobustSweep& options, std::uint8_t* unsupported) {
    const index_t r = slow.cols;
    const MomentTile<T> tile(cells, slow, fast, options, side);
    const Panel<T> moving = side == MovingFactor::slow ? slow : fast;
    const index_t fixed = side == MovingFactor::slow ? cells.x.cols : cells.x.rows;
    const Grid grid(moving.rows, fixed, tile.block(), tile.grain());
    const FactorStep<T> step(moving, observed, side, fixed, options, unsupported);

    const index_t size = grid.block * tile.moments();
    std::vector<RobustSums> sums(static_cast<std::size_t>(grid.blocks * grid.parts));
    std::vector<StepSums> moves(static_cast<std::size_t>(grid.blocks), StepSums(r));
    const auto rows_of = [&](index_t block) { return std::min(grid.block, moving.rows - block * grid.block); };
    const double work = static_cast<double>(cells.x.rows) * static_cast<double>(cells.x.cols) * 8;
    const auto accumulate = [&](index_t block, index_t part, double* moments) {
        std::fill_n(moments, size, 0.0);
        const index_t first = grid.reduced.begin(part), count = grid.reduced.begin(part + 1) - first;
        tile.accumulate(block * grid.block, rows_of(block), first, count, moments,
                        sums[static_cast<std::size_t>(block * grid.parts + part)]);
    };
    const auto finish = [&](index_t block, const double* moments) {
        step.apply(block * grid.block, rows_of(block), moments, tile.strides(), moves[static_cast<std::size_t>(block)]);
    };

    if (grid.parts == 1) {
        const Partition tasks{grid.blocks, std::min<index_t>(grid.blocks, 4 * kTasks), 1};
        parallel_for(tasks.parts, work, [&](index_t task) {
            const ScratchScope scope;
            const Scratch<double> moments(size);
            for (index_t block = tasks.begin(task); block < tasks.begin(task + 1); ++block) {
                accumulate(block, 0, moments.data());
                finish(block, moments.data());
            }
        });
    } else {
        const Scratch<double> moments(grid.blocks * grid.parts * size);
        parallel_for(grid.blocks * grid.parts, work, [&](index_t task) {
            accumulate(task / grid.parts, task % grid.parts, moments.data() + task * size);
        });
        parallel_for(grid.blocks, static_cast<double>(grid.blocks * grid.parts * size), [&](index_t block) {
            double* total = moments.data() + block * grid.parts * size;
            for (index_t part = 1; part < grid.parts; ++part)
                for (index_t l = 0; l < size; ++l) total[l] += total[part * size + l];
            finish(block, total);
        });
    }

    RobustSweepResult result;
    for (const RobustSums& part : sums) result.sums.add(part);
    StepSums total(r);
    for (const StepSums& part : moves) total.add(part);
    result.change = std::sqrt(total.change);
    for (double square : total.gradient) result.gradient.push_back(std::sqrt(square));
    return result;
}

namespace {

// All cells of a finite matrix without prior weights.
Observed all_cells(index_t m, index_t n, double max_abs) {
    const auto fill = [](index_t size, auto value) { return std::vector(static_cast<std::size_t>(size), value); };
    return {max_abs,
            1,
            static_cast<double>(m) * static_cast<double>(n),
            fill(m, static_cast<double>(n)),
            fill(n, static_cast<double>(m)),
            fill(m, static_cast<std::int32_t>(n)),
            fill(n, static_cast<std::int32_t>(m))};
}

template <class T>
void observe_rows(const PriorCells<T>& cells, index_t first, index_t last, Observed& out) {
    for (index_t i = first; i < last; ++i) {
        const auto row = static_cast<std::size_t>(i);
        for (index_t j = 0; j < cells.x.cols; ++j) {
            const auto x = static_cast<double>(cells.x(i, j));
            const double q = cells.prior.data ? static_cast<double>(cells.prior(i, j)) : 1.0;
            if (std::isnan(x) || q == 0) continue;
            if (std::isinf(x) && out.infinite_row < 0) out.infinite_row = i, out.infinite_col = j;
            out.max_abs = std::max(out.max_abs, std::abs(x));
            out.max_prior = std::max(out.max_prior, q);
            out.row_mass[row] += q;
            out.col_mass[static_cast<std::size_t>(j)] += q;
            ++out.row_cells[row];
            ++out.col_cells[static_cast<std::size_t>(j)];
        }
    }
}

void add_parts(const Observed& part, Observed& out) {
    const auto add = [](auto& to, const auto& from) {
        for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
    };
    out.max_abs = std::max(out.max_abs, part.max_abs);
    out.max_prior = std::max(out.max_prior, part.max_prior);
    if (out.infinite_row < 0) out.infinite_row = part.infinite_row, out.infinite_col = part.infinite_col;
    add(out.row_mass, part.row_mass);
    add(out.col_mass, part.col_mass);
    add(out.row_cells, part.row_cells);
    add(out.col_cells, part.col_cells);
}

}  // namespace

template <class T>
Observed observe(const PriorCells<T>& cells) {
    const index_t m = cells.x.rows, n = cells.x.cols;
    if (!cells.prior.data) {
        const Scan seen = scan(cells.x);
        if (seen.first_bad_row < 0) return all_cells(m, n, seen.max_abs);
    }
    Observed empty = all_cells(m, n, 0);
    empty.max_prior = empty.cells = 0;
    for (auto* mass : {&empty.row_mass, &empty.col_mass}) std::ranges::fill(*mass, 0.0);
    for (auto* count : {&empty.row_cells, &empty.col_cells}) std::ranges::fill(*count, 0);
    const Partition parts{m, std::clamp<index_t>(m / 64, 1, 8), 1};
    std::vector<Observed> found(static_cast<std::size_t>(parts.parts), empty);
    parallel_for(parts.parts, 8 * static_cast<double>(m) * static_cast<double>(n), [&](index_t part) {
        observe_rows(cells, parts.begin(part), parts.begin(part + 1), found[static_cast<std::size_t>(part)]);
    });
    for (const Observed& part : found) add_parts(part, empty);
    for (double mass : empty.row_mass) empty.cells += mass;
    return empty;
}

index_t even_stride(index_t rows, index_t cols, index_t most) {
    index_t stride = std::max<index_t>(1, (rows * cols + most - 1) / most);
    while (std::gcd(stride, cols) > 1) ++stride;
    return stride;
}

template <class T>
std::vector<double> sample_residuals(const PriorCells<T>& cells, ConstPanel<T> slow, ConstPanel<T> fast, index_t most) {
    const index_t m = cells.x.rows, n = cells.x.cols;
    const index_t stride = even_stride(m, n, most);
    std::vector<double> sample;
    sample.reserve(static_cast<std::size_t>(m * n / stride + 1));
    for (index_t at = 0; at < m * n; at += stride) {
        const index_t i = at / n, j = at % n;
        auto e = static_cast<double>(cells.x(i, j));
        if (std::isnan(e) || (cells.prior.data && cells.prior(i, j) == 0)) continue;
        for (index_t k = 0; k < slow.cols; ++k) e -= static_cast<double>(slow(i, k)) * static_cast<double>(fast(j, k));
        sample.push_back(std::abs(e));
    }
    return sample;
}

#define INSTANTIATE(T)                                                                                                \
    template RobustSweepResult half_sweep<T>(const PriorCells<T>&, const Observed&, MovingFactor, Panel<T>, Panel<T>, \
                                             const RobustSweep&, std::uint8_t*);                                      \
    template Observed observe<T>(const PriorCells<T>&);                                                               \
    template std::vector<double> sample_residuals<T>(const PriorCells<T>&, ConstPanel<T>, ConstPanel<T>, index_t);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit
