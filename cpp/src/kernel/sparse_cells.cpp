#include <cmath>
#include <numeric>
#include <string>

#include "normal_rows.hpp"
#include "panels.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/kernel/cells.hpp"

namespace svdkit {
namespace {

template <class T>
void check_structure(const CellList<T>& list) {
    if (list.pointers[0] != 0) throw InvalidArgument("cells: pointers must start at 0");
    for (index_t i = 0; i < list.rows; ++i) {
        if (list.pointers[i + 1] < list.pointers[i]) {
            throw InvalidArgument("cells: pointers decrease after entry " + std::to_string(i));
        }
    }
    for (index_t p = 0; p < list.count(); ++p) {
        if (list.columns[p] < 0 || list.columns[p] >= list.cols) {
            throw InvalidArgument("cells: column " + std::to_string(list.columns[p]) + " at position " +
                                  std::to_string(p) + " is outside 0.." + std::to_string(list.cols - 1));
        }
    }
}

// Parts of about equal work: a row costs its cells, and a little by itself.
template <class T>
std::vector<index_t> cut(const CellList<T>& list) {
    constexpr index_t kRow = 8;
    const index_t total = list.count() + kRow * list.rows;
    const index_t parts = std::clamp<index_t>(std::min(list.rows, total / 8192), 1, 128);
    std::vector<index_t> first(static_cast<std::size_t>(parts) + 1, list.rows);
    first[0] = 0;
    index_t row = 0;
    for (index_t part = 1; part < parts; ++part) {
        while (row < list.rows && list.pointers[row] + kRow * row < total * part / parts) ++row;
        first[static_cast<std::size_t>(part)] = row;
    }
    return first;
}

}  // namespace

template <class T>
SparseCells<T>::SparseCells(CellList<T> list) : list_(list) {
    check_structure(list_);
    parts_ = cut(list_);
}

template <class T>
double SparseCells<T>::multiply(const Fit<T>& fit, ConstPanel<T> x, Panel<T> y) const {
    constexpr index_t kLine = padded_ld<T>(1);
    const index_t quantum = x.cols > detail::kWidthQuantum ? kLine : detail::kWidthQuantum;
    const bool momentum = fit.extrapolates();
    const ConstPanel<T> none;
    const detail::Widened<T> in(x, quantum), left(fit.left, kLine), right(fit.right, kLine);
    const detail::Widened<T> left_before(momentum ? fit.left_before : none, kLine);
    const detail::Widened<T> right_before(momentum ? fit.right_before : none, kLine);
    const detail::WidenedOutput<T> out(y, false, quantum);
    const detail::CellRowsIn<T> rows{&list_,
                                     left.panel().data,
                                     right.panel().data,
                                     momentum ? left_before.panel().data : nullptr,
                                     momentum ? right_before.panel().data : nullptr,
                                     left.panel().ld,
                                     right.panel().ld,
                                     left_before.panel().ld,
                                     right_before.panel().ld,
                                     right.panel().cols,
                                     static_cast<T>(fit.beta),
                                     in.panel().data,
                                     in.panel().ld,
                                     out.panel().data,
                                     out.panel().ld,
                                     out.panel().cols};
    const index_t parts = std::ssize(parts_) - 1;
    std::vector<double> losses(static_cast<std::size_t>(parts));
    const double work = 2.0 * static_cast<double>(list_.count()) * static_cast<double>(x.cols + fit.right.cols);
    parallel_for(parts, work, [&](index_t part) {
        const auto p = static_cast<std::size_t>(part);
        losses[p] = detail::cell_kernels<T>().multiply(rows, parts_[p], parts_[p + 1]);
    });
    return std::accumulate(losses.begin(), losses.end(), 0.0);
}

template <class T>
void SparseCells<T>::residuals(ConstPanel<T> left, ConstPanel<T> right, float* out) const {
    const detail::Widened<T> rows(left, padded_ld<T>(1)), columns(right, padded_ld<T>(1));
    detail::CellRowsIn<T> in{};
    in.cells = &list_;
    in.left = rows.panel().data;
    in.right = columns.panel().data;
    in.ld_left = rows.panel().ld;
    in.ld_right = columns.panel().ld;
    in.width = columns.panel().cols;
    const double work = 2.0 * static_cast<double>(list_.count() * (1 + right.cols));
    parallel_for(std::ssize(parts_) - 1, work, [&](index_t part) {
        const auto p = static_cast<std::size_t>(part);
        detail::cell_kernels<T>().residuals(in, parts_[p], parts_[p + 1], out);
    });
}

template <class T>
Slope SparseCells<T>::solve(const HalfSweep<T>& half) const {
    const index_t parts = std::ssize(parts_) - 1, r = half.right.cols;
    std::vector<Slope> slopes(static_cast<std::size_t>(parts));
    const double work = static_cast<double>(list_.count() * r * r + list_.rows * r * r * r / 3);
    parallel_for(parts, work, [&](index_t part) {
        const auto p = static_cast<std::size_t>(part);
        detail::NormalSolver<T> solver(half);
        for (index_t i = parts_[p]; i < parts_[p + 1]; ++i) {
            const index_t first = list_.pointers[i], count = list_.pointers[i + 1] - first;
            solver.begin(i);
            solver.add(list_.columns + first, list_.values + first, list_.weights ? list_.weights + first : nullptr,
                       count, list_.count() - first, list_.units);
            solver.end(i);
        }
        solver.finish();
        slopes[p] = solver.slope();
    });
    return detail::total_slope(slopes);
}

template <class T>
void SparseCells<T>::totals(double* weight_sums, index_t* counts) const {
    for (index_t i = 0; i < list_.rows; ++i) {
        counts[i] = list_.pointers[i + 1] - list_.pointers[i];
        weight_sums[i] = static_cast<double>(counts[i]);
        if (!list_.weights) continue;
        weight_sums[i] = 0;
        for (index_t p = list_.pointers[i]; p < list_.pointers[i + 1]; ++p)
            weight_sums[i] += list_.units.weight * static_cast<double>(list_.weights[p]);
    }
}

template class SparseCells<float>;
template class SparseCells<double>;

}  // namespace svdkit
