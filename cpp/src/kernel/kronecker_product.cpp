#include "svdkit/kernel/kronecker_product.hpp"

#include <algorithm>

#include "panels.hpp"
#include "svdkit/blas/blas.hpp"

namespace svdkit {
namespace {

constexpr index_t kWidth = 64;  // vectors multiplied at a time

template <class T>
struct Sum {
    const KroneckerPlan& plan;
    const KroneckerTerms<T>& left;
    const std::vector<real_t<T>>& weights;
    const KroneckerTerms<T>& right;
    index_t b;  // vectors, a width that the register tiles take

    T weight(index_t t) const { return weights.empty() ? T(1) : T(weights[static_cast<std::size_t>(t)]); }

    // out (rows x width, row-major) = alpha B in + beta out, for rows [first, first + rows) of B_t or B_t^H.
    void left_factor(index_t t, index_t first, index_t rows, T alpha, const T* in, index_t width, T beta, T* out,
                     index_t out_ld) const {
        const index_t ld = left.row_stride;
        const T* from = left.term(t) + (plan.adjoint ? first : first * ld);
        blas::gemm(blas::Op::none, plan.adjoint ? blas::Op::adjoint : blas::Op::none, width, rows, plan.q1, alpha, in,
                   width, from, ld, beta, out, out_ld);
    }

    // out (rows x b) += C in, for rows [first, first + rows) of C_t or C_t^H.
    void right_factor(index_t t, index_t first, index_t rows, const T* in, T* out) const {
        const index_t ld = right.row_stride;
        if (plan.adjoint) {
            detail::adjoint_tile(right.term(t) + first, ld, plan.q2, rows, in, b, out, b, b);
        } else {
            detail::forward_tile(right.term(t) + first * ld, ld, rows, plan.q2, in, b, out, b, b);
        }
    }

    // Rows [first, last) of the left index: H = B X for these, then C on each row of H.
    void left_then_right(const T* in, index_t first, index_t last, T* out) const {
        const index_t width = plan.q2 * b, rows = last - first;
        const Scratch<T> half(rows * width);
        for (index_t t = 0; t < left.count; ++t) {
            left_factor(t, first, rows, weight(t), in, width, T(0), half.data(), width);
            for (index_t i = 0; i < rows; ++i)
                right_factor(t, 0, plan.p2, half.data() + i * width, out + i * plan.p2 * b);
        }
    }

    // Rows [first, last) of the right index: C on every X[j] for these, then B across them.
    void right_then_left(const T* in, index_t first, index_t last, T* out) const {
        const index_t width = (last - first) * b;
        const Scratch<T> half(plan.q1 * width);
        for (index_t t = 0; t < left.count; ++t) {
            std::fill_n(half.data(), plan.q1 * width, T(0));
            for (index_t j = 0; j < plan.q1; ++j)
                right_factor(t, first, last - first, in + j * plan.q2 * b, half.data() + j * width);
            left_factor(t, 0, plan.p1, weight(t), half.data(), width, T(1), out, width);
        }
    }

    // Both, from a part's own sum into its rows of the output.
    void part(const T* in, index_t first, index_t last, Panel<T> out) const {
        const index_t outer = plan.left_first ? last - first : plan.p1;
        const index_t inner = plan.left_first ? plan.p2 : last - first;
        const Scratch<T> sum(outer * inner * b);
        std::fill_n(sum.data(), outer * inner * b, T(0));
        if (plan.left_first) {
            left_then_right(in, first, last, sum.data());
        } else {
            right_then_left(in, first, last, sum.data());
        }
        const index_t row = plan.left_first ? first * plan.p2 : first;
        for (index_t i = 0; i < outer; ++i)
            for (index_t j = 0; j < inner; ++j)
                std::copy_n(sum.data() + (i * inner + j) * b, out.cols, out.row(row + i * plan.p2 + j));
    }
};

// The block without gaps between its rows, which are `width` long, zeros behind.
template <class T>
void compact(ConstPanel<T> from, index_t width, T* to) {
    const Partition parts{from.rows, std::max<index_t>(1, from.rows / 256), 1};
    parallel_for(parts.parts, static_cast<double>(from.rows * width) * sizeof(T), [&](index_t part) {
        for (index_t i = parts.begin(part); i < parts.begin(part + 1); ++i) {
            std::copy_n(from.row(i), from.cols, to + i * width);
            std::fill_n(to + i * width + from.cols, width - from.cols, T(0));
        }
    });
}

}  // namespace

template <class T>
KroneckerPlan kronecker_plan(const KroneckerTerms<T>& left, const KroneckerTerms<T>& right, bool adjoint) {
    const index_t p1 = adjoint ? left.cols : left.rows, q1 = adjoint ? left.rows : left.cols;
    const index_t p2 = adjoint ? right.cols : right.rows, q2 = adjoint ? right.rows : right.cols;
    const auto cost = [](index_t a, index_t b, index_t c) {
        return 2.0 * static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
    };
    const double left_first = cost(p1, q2, q1 + p2), right_first = cost(q1, p2, q2 + p1);
    return {adjoint, left_first <= right_first, p1, p2, q1, q2, std::min(left_first, right_first)};
}

template <class T>
void kronecker_multiply(const KroneckerPlan& plan, const KroneckerTerms<T>& left, const std::vector<real_t<T>>& weights,
                        const KroneckerTerms<T>& right, ConstPanel<T> in, Panel<T> out) {
    const index_t cut = plan.left_first ? plan.p1 : plan.p2;
    const Partition parts{cut, std::clamp<index_t>(cut / 16, std::min<index_t>(4, cut), 64), 1};
    for (index_t col = 0; col < in.cols; col += kWidth) {
        const index_t count = std::min(kWidth, in.cols - col);
        const index_t b = (count + detail::kWidthQuantum - 1) / detail::kWidthQuantum * detail::kWidthQuantum;
        const Scratch<T> x(in.rows * b);
        compact(in.col_range(col, count), b, x.data());
        const Sum<T> sum{plan, left, weights, right, b};
        parallel_for(parts.parts, plan.flops * static_cast<double>(left.count * b), [&](index_t part) {
            sum.part(x.data(), parts.begin(part), parts.begin(part + 1), out.col_range(col, count));
        });
    }
}

#define INSTANTIATE(T)                                                                                                 \
    template KroneckerPlan kronecker_plan<T>(const KroneckerTerms<T>&, const KroneckerTerms<T>&, bool);                \
    template void kronecker_multiply<T>(const KroneckerPlan&, const KroneckerTerms<T>&, const std::vector<real_t<T>>&, \
                                        const KroneckerTerms<T>&, ConstPanel<T>, Panel<T>);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
