#include "svdkit/kernel/bidiagonal_svd.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <vector>

#include "merge_tree.hpp"
#include "svdkit/base/buffer.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/blas/condensed.hpp"

namespace svdkit {
namespace {

using blas::Op;
using lapack::DeflatedSvd;

class Solver {
public:
    Solver(index_t n, double* d, double* e, double* u, double* vt, index_t wanted)
        : n_(n), d_(d), e_(e), u_(u), vt_(vt), wanted_(wanted), sorted_(n), room_(4 * (n + 1) * (n + 1)) {
        // A value this small is rounding; the merges divide by what they scale with.
        for (index_t i = 0; i < n; ++i)
            if (std::abs(d[i]) < epsilon<double> / 2) d[i] = std::copysign(epsilon<double> / 2, d[i]);
    }

    bool solve() {
        detail::MergeTree(n_, 1).run([&](const detail::MergeNode& leaf) { solve_leaf(leaf); },
                                     [&](const detail::MergeNode& node) { merge(node); });
        return !failed_;
    }

    // Place of the (j + 1)-th largest value.
    index_t place(index_t j) const { return sorted_[n_ - 1 - j] - 1; }

private:
    // One merge at work: the node's own corner of U and VT, and the roots as distances and sums from the poles.
    struct Merge {
        index_t above, below, extra;
        DeflatedSvd left;
        double *d, *u, *vt, *delta, *sum;
        index_t rows() const { return above + 1 + below; }
        index_t cols() const { return rows() + extra; }
    };

    void solve_leaf(const detail::MergeNode& leaf) {
        const index_t at = leaf.first;
        double *const d = d_ + at, *const u = u_ + at * (n_ + 1), *const vt = vt_ + at * (n_ + 1);
        if (lapack::lasd0(leaf.size, leaf.extra, d, e_ + at, u, n_, vt, n_) != 0) failed_ = true;
        std::int32_t* const sorted = sorted_.data() + at;
        std::iota(sorted, sorted + leaf.size, 1);
        std::stable_sort(sorted, sorted + leaf.size, [&](index_t i, index_t j) { return d[i - 1] < d[j - 1]; });
    }

    void merge(const detail::MergeNode& node) {
        if (failed_) return;
        const index_t n = node.size, corner = node.first * (n_ + 1), middle = node.first + node.left;
        Merge at{node.left,   n - node.left - 1, node.extra, {},     d_ + node.first,
                 u_ + corner, vt_ + corner,      nullptr,    nullptr};
        const index_t m = at.cols();
        std::int32_t* const sorted = sorted_.data() + node.first;
        const double alpha = d_[middle], beta = e_[middle];
        d_[middle] = 0;
        double largest = std::max(std::abs(alpha), std::abs(beta));
        for (index_t i = 0; i < n; ++i) largest = std::max(largest, at.d[i]);
        const int exponent = std::ilogb(largest);
        for (index_t i = 0; i < n; ++i) at.d[i] = std::ldexp(at.d[i], -exponent);
        double* const left = room_.data() + 4 * node.first * (n_ + 1);
        double* const right = left + n * n;
        at.delta = right + m * m;
        at.sum = at.delta + n * n;
        const Buffer<double> room(2 * n + 2);
        const Buffer<std::int32_t> work(4 * n);
        at.left =
            lapack::lasd2(at.above, at.below, at.extra, at.d, std::ldexp(alpha, -exponent), std::ldexp(beta, -exponent),
                          at.u, n_, at.vt, n_, sorted, room.data(), left, right, work.data());
        solve_secular(at);
        if (failed_) return;
        for (index_t i = 0; i < n; ++i) at.d[i] = std::ldexp(at.d[i], exponent);
        detail::merge_orders(at.d, at.left.count, n, sorted);
        const index_t k = at.left.count, wanted = n == n_ ? wanted_ : n;
        const index_t taken = std::count_if(sorted + n - wanted, sorted + n, [&](index_t i) { return i <= k; });
        turn(at, k - taken);
    }

    // Roots into d, and the weights whose exact roots those found are (Gu & Eisenstat).
    void solve_secular(Merge& at) {
        const DeflatedSvd& left = at.left;
        const index_t k = left.count;
        if (k == 1) {
            at.d[0] = std::abs(left.weights[0]);
            return;
        }
        const std::vector<double> before(left.weights, left.weights + k);
        double square = 0;
        for (const double weight : before) square += weight * weight;
        for (index_t i = 0; i < k; ++i) left.weights[i] /= std::sqrt(square);
        double *const delta = at.delta, *const sum = at.sum;
        detail::for_strips(0, k, 32, 80.0 * static_cast<double>(k), [&](index_t first, index_t last) {
            for (index_t j = first; j < last; ++j)
                if (lapack::lasd4(k, j, left.poles, left.weights, delta + j * k, square, at.d[j], sum + j * k) != 0)
                    failed_ = true;
        });
        detail::for_strips(0, k, 128, 16.0 * static_cast<double>(k), [&](index_t first, index_t last) {
            for (index_t i = first; i < last; ++i) left.weights[i] = delta[(k - 1) * k + i] * sum[(k - 1) * k + i];
            for (index_t j = 0; j < k - 1; ++j) {  // root j stands against pole j below the diagonal, else pole j + 1
                const double *const apart = delta + j * k, *const together = sum + j * k;
                const auto times = [&](index_t from, index_t to, double pole) {
                    for (index_t i = from; i < to; ++i)
                        left.weights[i] *= apart[i] * together[i] / (left.poles[i] - pole) / (left.poles[i] + pole);
                };
                times(first, std::min(last, j + 1), left.poles[j + 1]);
                times(std::max(first, j + 1), last, left.poles[j]);
            }
            for (index_t i = first; i < last; ++i)
                left.weights[i] =
                    std::copysign(std::sqrt(std::abs(left.weights[i])), before[static_cast<std::size_t>(i)]);
        });
    }

    // Triplets from `first` on: vectors of the secular equation, times those of the halves.
    void turn(const Merge& at, index_t first) {
        const DeflatedSvd& left = at.left;
        const index_t k = left.count, n = at.rows(), m = at.cols();
        if (k == 1) {
            const double sign = left.weights[0] > 0 ? 1.0 : -1.0;
            for (index_t c = 0; c < m; ++c) at.vt[c * n_] = left.right[c * m];
            for (index_t r = 0; r < n; ++r) at.u[r] = sign * left.left[r];
            return;
        }
        const double column = 2.0 * static_cast<double>(n) * static_cast<double>(k);
        detail::for_strips(first, k, detail::strip_width(k - first), column, [&](index_t from, index_t to) {
            const index_t cols = to - from;
            const Buffer<double> u(k * cols), v(k * cols), room(2 * k);
            for (index_t j = 0; j < cols; ++j)
                secular_vectors(at, from + j, room.data(), u.data() + j * k, v.data() + j * k);
            turn_left(at, from, cols, u.data());
            turn_right(at, from, cols, v.data());
        });
    }

    static void secular_vectors(const Merge& at, index_t j, double* room, double* u_out, double* v_out) {
        const DeflatedSvd& left = at.left;
        const index_t k = left.count;
        const double *const delta = at.delta + j * k, *const sum = at.sum + j * k;
        double *const u = room, *const v = room + k;
        double u_square = 0, v_square = 0;
        for (index_t i = 0; i < k; ++i) {
            v[i] = left.weights[i] / delta[i] / sum[i];
            u[i] = i == 0 ? -1.0 : left.poles[i] * v[i];
            u_square += u[i] * u[i];
            v_square += v[i] * v[i];
        }
        const double u_norm = std::sqrt(u_square), v_norm = std::sqrt(v_square);
        for (index_t i = 0; i < k; ++i) {
            const index_t from = i == 0 ? 0 : left.order[i] - 1;
            u_out[i] = u[from] / u_norm;
            v_out[i] = v[from] / v_norm;
        }
    }

    // Packed vectors: the middle row's, those above, those below, those in both halves.
    void turn_left(const Merge& at, index_t from, index_t cols, const double* u) {
        const DeflatedSvd& left = at.left;
        const index_t k = left.count, n = at.rows(), nl = at.above;
        const index_t above = left.kinds[0], below = left.kinds[1], both = left.kinds[2], dense = 1 + above + below;
        double* const out = at.u + from * n_;
        blas::gemm(Op::none, Op::none, nl, cols, above, 1.0, left.left + n, n, u + 1, k, 0.0, out, n_);
        blas::gemm(Op::none, Op::none, nl, cols, both, 1.0, left.left + dense * n, n, u + dense, k, 1.0, out, n_);
        for (index_t j = 0; j < cols; ++j) out[j * n_ + nl] = u[j * k];
        blas::gemm(Op::none, Op::none, at.below, cols, below + both, 1.0, left.left + (1 + above) * n + nl + 1, n,
                   u + 1 + above, k, 0.0, out + nl + 1, n_);
    }

    void turn_right(const Merge& at, index_t from, index_t cols, const double* v) {
        const DeflatedSvd& left = at.left;
        const index_t k = left.count, m = at.cols(), width = at.above + 1, rest = m - width;
        const index_t above = left.kinds[0], below = left.kinds[1], both = left.kinds[2], dense = 1 + above + below;
        double *const out = at.vt + from, *const beyond = out + width * n_;
        const double* const right = left.right + width * m;
        blas::gemm(Op::transpose, Op::none, cols, width, 1 + above, 1.0, v, k, left.right, m, 0.0, out, n_);
        blas::gemm(Op::transpose, Op::none, cols, width, both, 1.0, v + dense, k, left.right + dense, m, 1.0, out, n_);
        blas::gemm(Op::transpose, Op::none, cols, rest, 1, 1.0, v, k, right, m, 0.0, beyond, n_);
        blas::gemm(Op::transpose, Op::none, cols, rest, below + both, 1.0, v + 1 + above, k, right + 1 + above, m, 1.0,
                   beyond, n_);
    }

    index_t n_;
    double *d_, *e_, *u_, *vt_;
    index_t wanted_;
    Buffer<std::int32_t> sorted_;
    Buffer<double> room_;  // of all merges: one of s rows needs four squares of s + 1, and its first row says where
    std::atomic<bool> failed_{false};
};

}  // namespace

bool bidiagonal_svd(index_t n, double* d, double* e, double* u, double* vt, index_t wanted, index_t* order) {
    Solver solver(n, d, e, u, vt, wanted);
    if (!solver.solve()) return false;
    for (index_t j = 0; j < n; ++j) order[j] = solver.place(j);
    return true;
}

}  // namespace svdkit
