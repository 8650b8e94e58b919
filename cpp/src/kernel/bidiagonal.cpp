#include "svdkit/kernel/bidiagonal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "panel_reduction.hpp"
#include "svdkit/blas/condensed.hpp"
#include "svdkit/kernel/reduction_block.hpp"
#include "svdkit/kernel/sweep.hpp"

namespace svdkit {
namespace {

using detail::round_down;

constexpr index_t kPanel = 32;   // pairs of reflectors between two updates of the trailing matrix
constexpr index_t kLast = 96;    // what LAPACK finishes
constexpr index_t kParts = 8;    // of the rows of A, with a private sum each
constexpr index_t kChunk = 512;  // columns of the pairs at a time
constexpr index_t kGroup = 8;    // rows of A that stay in cache between their two products
constexpr index_t kQuantum = detail::kSweepQuantum;

// In terms of A = M^T: A <- A - right^T left, rows of left (u and x) as long as those of A, rows of right (y and v) as
// its columns.
template <class R>
class Bidiagonaliser {
public:
    Bidiagonaliser(Panel<R> a, R* d, R* e, R* tau_q, R* tau_p)
        : a_(a),
          n_(a.rows),
          m_(a.cols),
          high_(padded(n_)),
          wide_(padded(m_)),
          d_(d),
          e_(e),
          tau_q_(tau_q),
          tau_p_(tau_p),
          left_(reduction_block<R>(2 * kPanel, m_)),
          right_(reduction_block<R>(2 * kPanel, n_)),
          columns_(reduction_block<R>(kPanel, n_)),
          sums_(kParts, wide_),
          row_(1, high_),
          correction_(1, high_),
          inner_left_(wide_ / kChunk + 1, 2 * kPanel),
          inner_right_(kParts, 2 * kPanel) {}

    void run() {
        index_t first = 0;
        for (; n_ - first > kLast + kPanel; first += kPanel) {
            for (index_t k = 0; k < 2 * kPanel; ++k) {
                std::fill_n(left_.panel().row(k), wide_, R(0));
                std::fill_n(right_.panel().row(k), high_, R(0));
            }
            for (index_t r = first; r < n_; ++r)
                for (index_t j = 0; j < kPanel; ++j) columns_(j, r) = a_(r, first + j);
            for (index_t j = 0; j < kPanel; ++j) step(first + j, j, j + 1 < kPanel);
            for (index_t r = first; r < n_; ++r)
                for (index_t j = 0; j < std::min(kPanel, r - first - 1); ++j) a_(r, first + j) = right_(2 * j + 1, r);
            const index_t next = first + kPanel;
            detail::rank_update<R>(a_, next, next, right_, left_, detail::Shape::whole);
        }
        lapack::gebrd(m_ - first, n_ - first, a_.row(first) + first, a_.ld, d_ + first, e_ + first, tau_q_ + first,
                      tau_p_ + first);
    }

private:
    static index_t padded(index_t size) { return round_down(size + kQuantum - 1); }

    // Both reflectors of column i, number j of the panel; with `more` the next row of A is brought up to date.
    void step(index_t i, index_t j, bool more) {
        R* const u = left_.panel().row(2 * j);
        tau_q_[i] = lapack::larfg(m_ - i, a_(i, i), a_.row(i) + i + 1, 1);
        d_[i] = a_(i, i);
        u[i] = R(1);
        std::copy(a_.row(i) + i + 1, a_.row(i) + m_, u + i + 1);
        prepare(i, j);
        sweep(i, j);
        R* const r = row_.data();
        R* const v = right_.panel().row(2 * j + 1);
        R norm = 0;
        for (index_t c = i + 1; c < n_; ++c) norm = std::max(norm, std::abs(r[c]));
        // So small a row is zero: its products would underflow, and A is of size one.
        if (norm < std::numeric_limits<R>::min() / (epsilon<R> * epsilon<R>)) std::fill(r + i + 1, r + n_, R(0));
        const R corner = r[i + 1];
        tau_p_[i] = lapack::larfg(n_ - i - 1, r[i + 1], r + i + 2, 1);
        e_[i] = r[i + 1];
        v[i + 1] = R(1);
        std::copy(r + i + 2, r + n_, v + i + 2);
        finish(i, j, corner - e_[i], more);
    }

    // Inner products of u with the left vectors, and row i of M as the panel has changed it.
    void prepare(index_t i, index_t j) {
        const index_t count = 2 * j, across = round_down(i), down = round_down(i + 1);
        across_ = {wide_ - across, std::max<index_t>(1, (wide_ - across) / kChunk), kQuantum};
        const Partition rows{high_ - down, std::max<index_t>(1, (high_ - down) / kChunk), kQuantum};
        const double work = static_cast<double>((m_ + n_ - 2 * i) * 2 * count);
        R entries[2 * kPanel];
        for (index_t k = 0; k < count; ++k) entries[k] = -left_(k, i);
        parallel_for(across_.parts + rows.parts, work, [&](index_t part) {
            const auto& kernels = detail::sweep_kernels<R>();
            if (part < across_.parts) {
                const index_t at = across + across_.begin(part), end = across + across_.begin(part + 1);
                R* const inner = inner_left_.panel().row(part);
                std::fill_n(inner, count, R(0));
                kernels.forward(left_.data() + at, left_.ld(), count, end - at, left_.panel().row(2 * j) + at, inner);
            } else {
                const index_t p = part - across_.parts, at = down + rows.begin(p), end = down + rows.begin(p + 1);
                std::copy(columns_.panel().row(j) + at, columns_.panel().row(j) + end, row_.data() + at);
                kernels.adjoint(right_.data() + at, right_.ld(), count, end - at, entries, row_.data() + at, 0);
            }
        });
        for (index_t k = 0; k < count; ++k) {
            factors_[k] = 0;
            for (index_t part = 0; part < across_.parts; ++part) factors_[k] -= inner_left_(part, k);
        }
    }

    // y and r in place of the row, and private sums of A^T r, in one read of the rows of A from i + 1 on.
    void sweep(index_t i, index_t j) {
        const index_t from = round_down(i + 1);
        parts_ = {high_ - from, std::clamp<index_t>((n_ - i) / 64, 1, kParts), kQuantum};
        const double work = 4.0 * static_cast<double>(n_ - i) * static_cast<double>(m_ - i);
        parallel_for(parts_.parts, work, [&](index_t part) {
            const auto& kernels = detail::sweep_kernels<R>();
            const index_t count = 2 * j, left = round_down(i);
            const index_t at = from + parts_.begin(part), end = from + parts_.begin(part + 1);
            R *const sum = sums_.panel().row(part), *const take = correction_.data(), *const r = row_.data();
            R *const y = right_.panel().row(count), *const inner = inner_right_.panel().row(part);
            const R* const u = left_.panel().row(count);
            std::fill(sum + left, sum + wide_, R(0));
            std::fill(take + at, take + end, R(0));
            kernels.adjoint(right_.data() + at, right_.ld(), count, end - at, factors_, take + at, 0);
            for (index_t row = std::max(at, i + 1); row < std::min(end, n_);) {
                const index_t rows = std::min({round_down(row) + kGroup, end, n_}) - row;
                kernels.forward(a_.row(row) + left, a_.ld, rows, wide_ - left, u + left, take + row);
                for (index_t k = row; k < row + rows; ++k) {
                    y[k] = tau_q_[i] * take[k];
                    r[k] -= y[k];
                }
                kernels.adjoint(a_.row(row) + left, a_.ld, rows, wide_ - left, r + row, sum + left,
                                row + 2 * kGroup <= n_ ? kGroup : 0);
                row += rows;
            }
            std::fill(r + at, r + std::max(at, i + 1), R(0));
            std::fill(r + std::min(end, n_), r + end, R(0));
            std::fill_n(inner, count + 1, R(0));
            kernels.forward(right_.data() + at, right_.ld(), count + 1, end - at, r + at, inner);
        });
    }

    // x = tau (M - U Y^T - X V^T) v from what the same makes of r = (r - beta e_1) + beta e_1, and the next row of A.
    void finish(index_t i, index_t j, R divisor, bool more) {
        const index_t count = 2 * j + 1, from = round_down(i + 1);
        const R beta = e_[i], tau = tau_p_[i], scale = tau == 0 ? R(0) : tau / divisor;
        R factors[2 * kPanel], entries[2 * kPanel];
        for (index_t k = 0; k < count; ++k) {
            R inner = -beta * right_(k, i + 1);
            for (index_t part = 0; part < parts_.parts; ++part) inner += inner_right_(part, k);
            factors[k] = -scale * inner;
            entries[k] = -right_(k, i + 1);
        }
        const Partition chunks{wide_ - from, std::max<index_t>(1, (wide_ - from) / kChunk), kQuantum};
        const double work = static_cast<double>((wide_ - from) * (4 * count + parts_.parts));
        parallel_for(chunks.parts, work, [&](index_t chunk) {
            const auto& kernels = detail::sweep_kernels<R>();
            const index_t at = from + chunks.begin(chunk), end = from + chunks.begin(chunk + 1);
            R *const x = left_.panel().row(count), *const next = a_.row(i + 1);
            for (index_t c = at; c < end; ++c) x[c] = -beta * next[c];
            for (index_t part = 0; part < parts_.parts; ++part) {
                const R* const sum = sums_.panel().row(part);
                for (index_t c = at; c < end; ++c) x[c] += sum[c];
            }
            for (index_t c = at; c < end; ++c) x[c] *= scale;
            kernels.adjoint(left_.data() + at, left_.ld(), count, end - at, factors, x + at, 0);
            std::fill(x + at, x + std::max(at, i + 1), R(0));
            if (!more) return;
            kernels.adjoint(left_.data() + at, left_.ld(), count, end - at, entries, next + at, 0);
            for (index_t c = at; c < end; ++c) next[c] -= x[c];
        });
    }

    Panel<R> a_;
    index_t n_, m_, high_, wide_;
    R *d_, *e_, *tau_q_, *tau_p_;
    Block<R> left_, right_;      // u, x, u, x, ... and y, v, y, v, ...
    Block<R> columns_;           // of the panel, as they were
    Block<R> sums_;              // private, of A^T r
    Block<R> row_, correction_;  // r; what the pairs take from M^T u
    Block<R> inner_left_, inner_right_;
    R factors_[2 * kPanel];
    Partition across_, parts_;
};

}  // namespace

template <class R>
void bidiagonalise(Panel<R> a, R* d, R* e, R* tau_q, R* tau_p) {
    with_team([&] { Bidiagonaliser<R>(a, d, e, tau_q, tau_p).run(); });
}

template void bidiagonalise<float>(Panel<float>, float*, float*, float*, float*);
template void bidiagonalise<double>(Panel<double>, double*, double*, double*, double*);

}  // namespace svdkit
