#include "svdkit/kernel/tridiagonal_eigh.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "merge_tree.hpp"
#include "svdkit/base/buffer.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/blas/condensed.hpp"

namespace svdkit {
namespace {

using lapack::Deflated;

template <class R>
class Solver {
public:
    Solver(index_t n, R* d, R* e, R* q, index_t wanted) : n_(n), d_(d), e_(e), q_(q), wanted_(wanted), sorted_(n) {}

    bool solve() {
        const detail::MergeTree tree(n_, 0);
        for (const detail::MergeNode& leaf : tree.leaves()) {
            if (leaf.first == 0) continue;
            const R rho = std::abs(e_[leaf.first - 1]);
            d_[leaf.first - 1] -= rho;
            d_[leaf.first] -= rho;
        }
        tree.run([&](const detail::MergeNode& leaf) { solve_leaf(leaf); },
                 [&](const detail::MergeNode& node) { merge(node); });
        return !failed_;
    }

    // Place of the (j + 1)-th largest value.
    index_t place(index_t j) const { return sorted_[n_ - 1 - j] - 1; }

private:
    void solve_leaf(const detail::MergeNode& leaf) {
        const index_t at = leaf.first;
        if (lapack::stedc(leaf.size, d_ + at, e_ + at, q_ + at * (n_ + 1), n_) != 0) failed_ = true;
        for (index_t i = 0; i < leaf.size; ++i) sorted_[at + i] = static_cast<std::int32_t>(i + 1);
    }

    void merge(const detail::MergeNode& node) {
        if (failed_) return;
        const index_t n = node.size, n1 = node.left, n2 = n - n1;
        R *const d = d_ + node.first, *const q = q_ + node.first * (n_ + 1);
        std::int32_t* const sorted = sorted_.data() + node.first;
        const Buffer<R> z(n), room(2 * n), packed(n * n);
        const Buffer<std::int32_t> work(4 * n + 1);
        for (index_t c = 0; c < n; ++c) z[c] = q[c * n_ + (c < n1 ? n1 - 1 : n1)];
        const Deflated<R> left = lapack::laed2(n, n1, d, q, n_, sorted, e_[node.first + n1 - 1], z.data(), room.data(),
                                               packed.data(), work.data());
        if (left.count == 0) {
            for (index_t i = 0; i < n; ++i) sorted[i] = static_cast<std::int32_t>(i + 1);
            return;
        }
        find_roots(left, d, q);
        if (failed_) return;
        detail::merge_orders(d, left.count, n, sorted);
        const index_t wanted = n == n_ ? wanted_ : n;
        const index_t taken =
            std::count_if(sorted + n - wanted, sorted + n, [&](index_t i) { return i <= left.count; });
        if (left.count > 2) correct_weights(left, q);
        turn(left, q, n1, n2, packed.data(), left.count - taken);
    }

    // Column j of Q receives pole_i - root_j.
    void find_roots(const Deflated<R>& left, R* d, R* q) {
        const index_t k = left.count;
        detail::for_strips(0, k, 32, 60.0 * static_cast<double>(k), [&](index_t first, index_t last) {
            for (index_t j = first; j < last; ++j)
                if (lapack::laed4(k, j, left.poles, left.weights, q + j * n_, left.rho, d[j]) != 0) failed_ = true;
        });
    }

    // The weights whose exact roots those found are (Gu & Eisenstat).
    void correct_weights(const Deflated<R>& left, const R* q) {
        const index_t k = left.count;
        detail::for_strips(0, k, 128, 8.0 * static_cast<double>(k), [&](index_t first, index_t last) {
            std::vector<R> product(static_cast<std::size_t>(last - first), R(-1));
            R* const out = product.data() - first;
            for (index_t j = 0; j < k; ++j) {
                const R* const delta = q + j * n_;
                const R pole = left.poles[j];
                for (index_t i = first; i < std::min(j, last); ++i) out[i] *= delta[i] / (left.poles[i] - pole);
                if (j >= first && j < last) out[j] *= delta[j];
                for (index_t i = std::max(first, j + 1); i < last; ++i) out[i] *= delta[i] / (left.poles[i] - pole);
            }
            for (index_t i = first; i < last; ++i)
                left.weights[i] = std::copysign(std::sqrt(std::max(out[i], R(0))), left.weights[i]);
        });
    }

    // Columns from `first` on: vectors of the secular equation, times those of the halves.
    void turn(const Deflated<R>& left, R* q, index_t n1, index_t n2, const R* packed, index_t first) {
        const index_t k = left.count, above = left.kinds[0] + left.kinds[1], below = left.kinds[1] + left.kinds[2];
        const double column = 2.0 * static_cast<double>(n1 * above + n2 * below);
        detail::for_strips(first, k, detail::strip_width(k - first), column, [&](index_t from, index_t to) {
            const index_t cols = to - from;
            const Buffer<R> turned(k * cols), vector(k);
            for (index_t j = 0; j < cols; ++j)
                secular_vector(left, q + (from + j) * n_, vector.data(), turned.data() + j * k);
            blas::gemm(blas::Op::none, blas::Op::none, n1, cols, above, R(1), packed, n1, turned.data(), k, R(0),
                       q + from * n_, n_);
            blas::gemm(blas::Op::none, blas::Op::none, n2, cols, below, R(1), packed + n1 * above, n2,
                       turned.data() + left.kinds[0], k, R(0), q + from * n_ + n1, n_);
        });
    }

    static void secular_vector(const Deflated<R>& left, const R* delta, R* vector, R* out) {
        const index_t k = left.count;
        double sum = 0;  // in single precision it could leave the range
        for (index_t i = 0; i < k; ++i) {
            vector[i] = k > 2 ? left.weights[i] / delta[i] : delta[i];  // laed4 solves the smallest cases whole
            sum += static_cast<double>(vector[i]) * static_cast<double>(vector[i]);
        }
        const R scale = k > 2 ? static_cast<R>(1 / std::sqrt(sum)) : R(1);
        for (index_t i = 0; i < k; ++i) out[i] = vector[left.order[i] - 1] * scale;
    }

    index_t n_;
    R *d_, *e_, *q_;
    index_t wanted_;
    Buffer<std::int32_t> sorted_;
    std::atomic<bool> failed_{false};
};

}  // namespace

template <class R>
bool tridiagonal_eigh(index_t n, R* d, R* e, R* q, index_t wanted, index_t* order) {
    Solver<R> solver(n, d, e, q, wanted);
    if (!solver.solve()) return false;
    for (index_t j = 0; j < n; ++j) order[j] = solver.place(j);
    return true;
}

template bool tridiagonal_eigh<float>(index_t, float*, float*, float*, index_t, index_t*);
template bool tridiagonal_eigh<double>(index_t, double*, double*, double*, index_t, index_t*);

}  // namespace svdkit
