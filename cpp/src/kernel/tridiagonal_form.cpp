#include "svdkit/kernel/tridiagonal_form.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "panel_reduction.hpp"
#include "svdkit/blas/condensed.hpp"
#include "svdkit/kernel/reduction_block.hpp"
#include "svdkit/kernel/sweep.hpp"

namespace svdkit {
namespace {

using detail::round_down;

constexpr index_t kPanel = 32;        // reflectors between two updates of the trailing matrix
constexpr index_t kLast = 96;         // what LAPACK finishes
constexpr index_t kParts = 8;         // of the trailing triangle, with a private sum each
constexpr index_t kRowsOfPart = 128;  // at least, on average
constexpr index_t kChunk = 512;       // columns of the pairs at a time
constexpr index_t kQuantum = detail::kSweepQuantum;

template <class R>
class Tridiagonaliser {
public:
    Tridiagonaliser(Panel<R> a, R* d, R* e, R* tau)
        : a_(a),
          n_(a.rows),
          padded_((n_ + kQuantum - 1) / kQuantum * kQuantum),
          d_(d),
          e_(e),
          tau_(tau),
          pairs_(reduction_block<R>(2 * kPanel, n_)),
          swapped_(reduction_block<R>(2 * kPanel, n_)),
          sums_(kParts, padded_),
          y_(1, padded_),
          partial_(padded_ / kChunk + 1, 2 * kPanel) {}

    void run() {
        index_t first = 0;
        for (; n_ - first > kLast + kPanel; first += kPanel) {
            for (index_t k = 0; k < 2 * kPanel; ++k) std::fill_n(pairs_.panel().row(k), padded_, R(0));
            for (index_t j = 0; j < kPanel; ++j) step(first + j, 2 * j, j + 1 < kPanel);
            for (index_t k = 0; k < 2 * kPanel; ++k)
                std::copy_n(pairs_.panel().row(k ^ 1), padded_, swapped_.panel().row(k));
            const index_t next = first + kPanel;
            detail::rank_update<R>(a_, next, next, pairs_, swapped_, detail::Shape::upper);
        }
        lapack::sytrd(n_ - first, a_.row(first) + first, a_.ld, d_ + first, e_ + first, tau_ + first);
    }

private:
    // Reflector i of the panel, whose `count` vectors (pairs of v and w) come before; with `more` the next row is
    // brought up to date.
    void step(index_t i, index_t count, bool more) {
        d_[i] = a_(i, i);
        tau_[i] = lapack::larfg(n_ - i - 1, a_(i, i + 1), a_.row(i) + i + 2, 1);
        e_[i] = a_(i, i + 1);
        R* const v = pairs_.panel().row(count);
        v[i + 1] = R(1);
        std::copy(a_.row(i) + i + 2, a_.row(i) + n_, v + i + 2);
        multiply(i + 1, v, count);
        const R inner = correct(i + 1, v, count, more);
        R* const w = pairs_.panel().row(count + 1);
        const R t = tau_[i], shift = R(-0.5) * t * t * inner;
        for (index_t c = i + 1; c < n_; ++c) w[c] = t * y_(0, c) + shift * v[c];
        if (!more) return;
        R* const next = a_.row(i + 1);
        for (index_t c = i + 1; c < n_; ++c) next[c] -= w[c] + w[i + 1] * v[c];
    }

    // Parts of the triangle of rows from `first` on, of equal area.
    std::vector<index_t> cut(index_t first) const {
        const index_t rows = n_ - first, parts = std::clamp<index_t>(rows / kRowsOfPart, 1, kParts);
        std::vector<index_t> bounds(static_cast<std::size_t>(parts) + 1, first);
        for (index_t p = 1; p < parts; ++p) {
            const double left = std::sqrt(1 - static_cast<double>(p) / static_cast<double>(parts));
            const index_t at = n_ - static_cast<index_t>(static_cast<double>(rows) * left);
            bounds[static_cast<std::size_t>(p)] = std::max(round_down(at), bounds[static_cast<std::size_t>(p) - 1]);
        }
        bounds.back() = n_;
        return bounds;
    }

    // Private sums of A v over the rows from `first` on, and the inner products of v with the pairs.
    void multiply(index_t first, const R* v, index_t count) {
        bounds_ = cut(first);
        const index_t parts = static_cast<index_t>(bounds_.size()) - 1, from = round_down(first);
        chunks_ = {padded_ - from, std::max<index_t>(1, (padded_ - from) / kChunk), kQuantum};
        const double rows = static_cast<double>(n_ - first);
        parallel_for(parts + chunks_.parts, 2 * rows * rows + 4 * rows * static_cast<double>(count), [&](index_t p) {
            if (p < parts) return triangle(p, v);
            const index_t chunk = p - parts, at = from + chunks_.begin(chunk);
            R* const inner = partial_.panel().row(chunk);
            std::fill_n(inner, count, R(0));
            detail::sweep_kernels<R>().forward(pairs_.data() + at, pairs_.ld(), count,
                                               from + chunks_.begin(chunk + 1) - at, v + at, inner);
        });
    }

    void triangle(index_t part, const R* v) {
        const index_t first = bounds_[static_cast<std::size_t>(part)],
                      last = bounds_[static_cast<std::size_t>(part) + 1];
        R* const sum = sums_.panel().row(part);
        std::fill(sum + round_down(first), sum + padded_, R(0));
        for (index_t r = first; r < last;) {
            const index_t end = std::min(round_down(r) + kQuantum, n_);
            for (index_t i = r; i < end; ++i) {  // the triangle on the diagonal
                const R* const row = a_.row(i);
                R own = row[i] * v[i];
                for (index_t c = i + 1; c < end; ++c) {
                    own += row[c] * v[c];
                    sum[c] += row[c] * v[i];
                }
                sum[i] += own;
            }
            if (end < n_) {
                detail::sweep_kernels<R>().both(a_.row(r) + end, a_.ld, end - r, padded_ - end, v + end, sum + r, v + r,
                                                sum + end);
            }
            r = end;
        }
    }

    // y = A v less what the pairs take away, and the same for the next row of A; returns v^T y.
    R correct(index_t first, const R* v, index_t count, bool more) {
        const index_t parts = static_cast<index_t>(bounds_.size()) - 1, from = round_down(first);
        R inner[2 * kPanel] = {}, entries[2 * kPanel];
        for (index_t k = 0; k < count; ++k) {
            for (index_t chunk = 0; chunk < chunks_.parts; ++chunk) inner[k ^ 1] -= partial_(chunk, k);
            entries[k] = -pairs_(k ^ 1, first);
        }
        const double work = static_cast<double>((padded_ - from) * (4 * count + parts));
        parallel_for(chunks_.parts, work, [&](index_t chunk) {
            const index_t at = from + chunks_.begin(chunk), end = from + chunks_.begin(chunk + 1);
            R* const y = y_.data();
            std::fill(y + at, y + end, R(0));
            for (index_t p = 0; p < parts; ++p) {
                const R* const sum = sums_.panel().row(p);
                for (index_t c = std::max(at, round_down(bounds_[static_cast<std::size_t>(p)])); c < end; ++c)
                    y[c] += sum[c];
            }
            const auto& sweep = detail::sweep_kernels<R>();
            sweep.adjoint(pairs_.data() + at, pairs_.ld(), count, end - at, inner, y + at, 0);
            if (more) sweep.adjoint(pairs_.data() + at, pairs_.ld(), count, end - at, entries, a_.row(first) + at, 0);
            R sum = 0;
            for (index_t c = std::max(at, first); c < std::min(end, n_); ++c) sum += v[c] * y[c];
            partial_(chunk, 0) = sum;
        });
        R sum = 0;
        for (index_t chunk = 0; chunk < chunks_.parts; ++chunk) sum += partial_(chunk, 0);
        return sum;
    }

    Panel<R> a_;
    index_t n_, padded_;
    R *d_, *e_, *tau_;
    Block<R> pairs_, swapped_, sums_, y_, partial_;
    std::vector<index_t> bounds_;
    Partition chunks_;
};

}  // namespace

template <class R>
void tridiagonal_form(Panel<R> a, R* d, R* e, R* tau) {
    with_team([&] { Tridiagonaliser<R>(a, d, e, tau).run(); });
}

#define INSTANTIATE(R) template void tridiagonal_form<R>(Panel<R>, R*, R*, R*);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit
