#include "svdkit/kernel/kronecker_product.hpp"

#include <algorithm>

#include "panels.hpp"
#include "svdkit/base/buffer.hpp"

namespace svdkit {
namespace {

constexpr index_t kWidth = 64;  // vectors multiplied at a time

// Between rows of `length` elements: a cache line more than they need, for rows a power of two apart share cache sets.
template <class T>
index_t pitch(index_t length) {
    return padded_ld<T>(length) + static_cast<index_t>(kAlignment / sizeof(T));
}

// The block between the two factors and the two blocks outside are rows of the left index, each (right index) x b.
template <class T>
struct Sum {
    const KroneckerPlan& plan;
    const KroneckerTerms<T>& left;
    const std::vector<real_t<T>>& weights;
    const KroneckerTerms<T>& right;
    index_t b;  // vectors, a width that the register tiles take

    // out += B in, for rows [first, first + rows) of B_t or B_t^H; rows of both are `width` long.
    void left_factor(index_t t, index_t first, index_t rows, const T* in, index_t in_pitch, index_t width,
                     T* out) const {
        const index_t ld = left.row_stride;
        if (plan.adjoint) {
            detail::adjoint_tile(left.term(t) + first, ld, plan.q1, rows, in, in_pitch, out, pitch<T>(width), width);
        } else {
            detail::forward_tile(left.term(t) + first * ld, ld, rows, plan.q1, in, in_pitch, out, pitch<T>(width),
                                 width);
        }
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

    void weigh(index_t t, T* block, index_t size) const {
        if (weights.empty()) return;
        const real_t<T> weight = weights[static_cast<std::size_t>(t)];
        for (index_t i = 0; i < size; ++i) block[i] *= weight;
    }

    // Rows [first, last) of the left index: H = B X for these, then C on each row of H.
    void left_then_right(const T* in, index_t first, index_t last, T* half, T* out) const {
        const index_t width = plan.q2 * b, rows = last - first, size = rows * pitch<T>(width);
        for (index_t t = 0; t < left.count; ++t) {
            std::fill_n(half, size, T(0));
            left_factor(t, first, rows, in, pitch<T>(width), width, half);
            weigh(t, half, size);
            for (index_t i = 0; i < rows; ++i)
                right_factor(t, 0, plan.p2, half + i * pitch<T>(width), out + i * pitch<T>(plan.p2 * b));
        }
    }

    // Rows [first, last) of the right index: C on every X[j] for these, then B across them.
    void right_then_left(const T* in, index_t first, index_t last, T* half, T* out) const {
        const index_t width = (last - first) * b, size = plan.q1 * pitch<T>(width);
        for (index_t t = 0; t < left.count; ++t) {
            std::fill_n(half, size, T(0));
            for (index_t j = 0; j < plan.q1; ++j)
                right_factor(t, first, last - first, in + j * pitch<T>(plan.q2 * b), half + j * pitch<T>(width));
            weigh(t, half, size);
            left_factor(t, 0, plan.p1, half, pitch<T>(width), width, out);
        }
    }

    // Both, from a part's own sum into its rows of the output.
    void part(const T* in, index_t first, index_t last, T* half, T* sum, Panel<T> out) const {
        const index_t outer = plan.left_first ? last - first : plan.p1;
        const index_t inner = plan.left_first ? plan.p2 : last - first;
        std::fill_n(sum, outer * pitch<T>(inner * b), T(0));
        if (plan.left_first) {
            left_then_right(in, first, last, half, sum);
        } else {
            right_then_left(in, first, last, half, sum);
        }
        const index_t row = plan.left_first ? first * plan.p2 : first;
        for (index_t i = 0; i < outer; ++i)
            for (index_t j = 0; j < inner; ++j)
                std::copy_n(sum + i * pitch<T>(inner * b) + j * b, out.cols, out.row(row + i * plan.p2 + j));
    }

    /// Elements of `half` and of `sum` for a part of `rows` rows.
    index_t half_size(index_t rows) const {
        return plan.left_first ? rows * pitch<T>(plan.q2 * b) : plan.q1 * pitch<T>(rows * b);
    }
    index_t sum_size(index_t rows) const {
        return plan.left_first ? rows * pitch<T>(plan.p2 * b) : plan.p1 * pitch<T>(rows * b);
    }

    // The block with its rows b long, zeros behind, as the first factor reads it.
    void gather(ConstPanel<T> from, T* to) const {
        const Partition parts{plan.q1, std::min<index_t>(plan.q1, 16), 1};
        parallel_for(parts.parts, static_cast<double>(from.rows * b) * sizeof(T), [&](index_t part) {
            for (index_t i = parts.begin(part); i < parts.begin(part + 1); ++i) {
                for (index_t j = 0; j < plan.q2; ++j) {
                    T* row = to + i * pitch<T>(plan.q2 * b) + j * b;
                    std::copy_n(from.row(i * plan.q2 + j), from.cols, row);
                    std::fill_n(row + from.cols, b - from.cols, T(0));
                }
            }
        });
    }
};

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
    if (in.rows == 0) detail::set_zero(out);
    if (in.rows == 0 || out.rows == 0 || in.cols == 0) return;
    const index_t cut = plan.left_first ? plan.p1 : plan.p2;
    const Partition parts{cut, std::clamp<index_t>(cut / 16, std::min<index_t>(4, cut), 64), 1};
    const index_t most = (cut + parts.parts - 1) / parts.parts;
    const auto sum_of = [&](index_t count) {
        constexpr index_t quantum = detail::kWidthQuantum;
        return Sum<T>{plan, left, weights, right, (count + quantum - 1) / quantum * quantum};
    };
    const Sum<T> widest = sum_of(std::min(kWidth, in.cols));
    const Scratch<T> x(plan.q1 * pitch<T>(plan.q2 * widest.b));
    const Scratch<T> halves(parts.parts * widest.half_size(most)), sums(parts.parts * widest.sum_size(most));
    for (index_t col = 0; col < in.cols; col += kWidth) {
        const index_t count = std::min(kWidth, in.cols - col);
        const Sum<T> sum = sum_of(count);
        sum.gather(in.col_range(col, count), x.data());
        parallel_for(parts.parts, plan.flops * static_cast<double>(left.count * sum.b), [&](index_t part) {
            sum.part(x.data(), parts.begin(part), parts.begin(part + 1), halves.data() + part * widest.half_size(most),
                     sums.data() + part * widest.sum_size(most), out.col_range(col, count));
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
