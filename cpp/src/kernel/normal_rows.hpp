// One row of a half-sweep of alternating least squares, whatever holds its cells.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "svdkit/base/scratch.hpp"
#include "svdkit/kernel/cells.hpp"
#include "svdkit/kernel/simd.hpp"

namespace svdkit::detail {

/// What one part of the rows needs; made once a part. Rows move kSystems at a time, the last by finish().
template <class T>
class NormalSolver {
public:
    explicit NormalSolver(const HalfSweep<T>& half)
        : half_(half),
          r_(half.right.cols),
          ld_((r_ + 7) / 8 * 8),
          memory_(ld_ * (NormalRow<T>::kChunk + ld_ + 2) + kSystems * (r_ * (r_ + 3) / 2 + 4 * r_)),
          panel_(memory_.data()),
          gram_(panel_ + NormalRow<T>::kChunk * ld_),
          g_(gram_ + ld_ * ld_),
          start_(g_ + ld_),
          systems_(start_ + ld_),
          starts_(systems_ + kSystems * (r_ * (r_ + 3) / 2)),
          steps_(starts_ + kSystems * r_),
          scratch_(steps_ + kSystems * r_) {
        std::fill(systems_, starts_, 0.0);
    }

    /// Before the cells of a row.
    void begin(index_t i) {
        std::fill_n(gram_, ld_ * (ld_ + 2), 0.0);
        std::copy_n(half_.left.row(i), r_, start_);
        any_ = false;
    }

    /// Some cells of the row; of `readable` columns the first `count` are theirs.
    void add(const std::int32_t* columns, const T* values, const T* weights, index_t count, index_t readable,
             CellUnits units) {
        if (count == 0) return;
        any_ = true;
        loss_ += cell_kernels<T>().add_normal({columns, values, weights, count, readable, units, half_.right.data,
                                               half_.right.ld, start_, r_, ld_, panel_, gram_, g_});
    }

    /// After them: the row moves, now or soon. A row without cells and without a pull is zero.
    void end(index_t i) {
        const double ridge = half_.ridge ? half_.ridge[i] : 0.0;
        if (!any_ && ridge == 0) {
            std::fill_n(half_.left.row(i), r_, T(0));
            return;
        }
        pull(ridge);
        double trace = 0;
        for (index_t a = 0; a < r_; ++a) {
            gradient_ += g_[a] * g_[a];
            trace += gram_[a * ld_ + a];
        }
        const double nearness = kNearness * trace / static_cast<double>(r_);
        for (index_t a = 0; a < r_; ++a) gram_[a * ld_ + a] += nearness;
        file(i);
        if (waiting_ == kSystems) finish();
    }

    /// The rows that wait move.
    void finish() {
        const unsigned solved = cell_kernels<T>().solve_normal(systems_, r_, scratch_, steps_);
        const index_t count = std::exchange(waiting_, 0);
        for (index_t lane = 0; lane < count; ++lane) {
            if (!(solved >> lane & 1)) continue;  // all rows of N that it sees are zero
            for (index_t a = 0; a < r_; ++a) {
                const index_t at = a * kSystems + lane;
                half_.left(rows_[static_cast<std::size_t>(lane)], a) =
                    static_cast<T>(starts_[at] + half_.omega * steps_[at]);
            }
        }
    }

    /// Of the rows so far; the gradient squared.
    Slope slope() const { return {loss_, gradient_}; }

private:
    static constexpr double kNearness = 1e-8;

    void pull(double ridge) {
        for (index_t a = 0; a < r_; ++a) {
            gram_[a * ld_ + a] += ridge;
            g_[a] -= ridge * start_[a];
        }
        if (!half_.shared) return;
        for (index_t a = 0; a < r_; ++a) {
            const double* const row = half_.shared + a * r_;
            for (index_t b = 0; b < r_; ++b) {
                gram_[a * ld_ + b] += row[b];
                g_[a] -= row[b] * start_[b];
            }
        }
    }

    // The system of row i takes the next lane.
    void file(index_t i) {
        double* to = systems_ + waiting_;
        for (index_t a = 0; a < r_; ++a) {
            starts_[a * kSystems + waiting_] = start_[a];
            for (index_t b = a; b < r_; ++b, to += kSystems) *to = gram_[b * ld_ + a];
            *to = g_[a];
            to += kSystems;
        }
        rows_[static_cast<std::size_t>(waiting_++)] = i;
    }

    const HalfSweep<T>& half_;
    index_t r_, ld_;
    Scratch<double> memory_;
    double *panel_, *gram_, *g_, *start_;
    double *systems_, *starts_, *steps_, *scratch_;
    std::array<index_t, kSystems> rows_;
    index_t waiting_ = 0;
    bool any_ = false;
    double loss_ = 0, gradient_ = 0;
};

/// The slopes of all parts, added in order.
inline Slope total_slope(const std::vector<Slope>& parts) {
    Slope total;
    for (const Slope& part : parts) {
        total.loss += part.loss;
        total.gradient += part.gradient;
    }
    return {total.loss, std::sqrt(total.gradient)};
}

}  // namespace svdkit::detail
