#include "svdkit/op/kronecker.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>

#include "svdkit/base/buffer.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/norm.hpp"
#include "svdkit/kernel/scan.hpp"
#include "svdkit/op/dense.hpp"
#include "svdkit/op/kronecker_sum.hpp"

namespace svdkit {
namespace {

constexpr index_t kThinCols = 8, kThinRows = 4;  // tiles narrower than this are slower than a copy
constexpr index_t kSmall = 64, kNarrow = 512;    // min(m1 n1, m2 n2) up to which solvers want R itself: always, and
constexpr index_t kLong = 16;                    // from this aspect on, for its Gram matrix

template <class S>
ConstView<S> checked(ConstView<S> a, const KroneckerShape& shape) {
    if (a.rows != shape.rows() || a.cols != shape.cols()) {
        throw InvalidArgument("rearranged: A is " + std::to_string(a.rows) + " x " + std::to_string(a.cols) +
                              ", the factors make " + std::to_string(shape.rows()) + " x " +
                              std::to_string(shape.cols()));
    }
    return a;
}

template <class T>
KroneckerTiles<T> tiles_of(ConstView<T> a, const KroneckerShape& s) {
    if (a.col_stride == 1) {
        return {a.data, {s.m1, s.n1, s.m2 * a.row_stride, s.n1, 1}, {s.m2, s.n2, a.row_stride, s.n2, 1}, s.n2};
    }
    return {a.data, {s.n1, s.m1, s.n2 * a.col_stride, 1, s.n1}, {s.n2, s.m2, a.col_stride, 1, s.n2}, s.m2};
}

// The stride of two axes as one, if they are one.
std::optional<index_t> merged(index_t outer, index_t outer_stride, index_t inner, index_t inner_stride) {
    if (outer == 1) return inner_stride;
    if (inner == 1 || outer_stride == inner * inner_stride) return inner == 1 ? outer_stride : inner_stride;
    return std::nullopt;
}

// R(A) where it is A under other strides: factors that are vectors, mostly.
template <class S>
std::optional<ConstView<S>> strided(ConstView<S> a, const KroneckerShape& s) {
    const auto rows = merged(s.m1, s.m2 * a.row_stride, s.n1, s.n2 * a.col_stride);
    const auto cols = merged(s.m2, a.row_stride, s.n2, a.col_stride);
    if (!rows || !cols) return std::nullopt;
    return ConstView<S>{a.data, s.left_size(), s.right_size(), *rows, *cols};
}

template <class S>
bool tiles_are_fast(ConstView<S> a, const KroneckerShape& s) {
    const auto [least, most] = std::minmax({s.left_size(), s.right_size()});
    if (least <= kSmall || (least <= kNarrow && most >= kLong * least)) return false;
    if (a.col_stride == 1) return s.n2 >= kThinCols && s.n1 >= kThinRows;
    return a.row_stride == 1 && s.m2 >= kThinCols && s.m1 >= kThinRows;
}

template <class T, class S>
T entry(S x) {
    if constexpr (std::is_same_v<T, S>) {
        return x;
    } else {
        return widen(x);
    }
}

template <class T, class S>
OwnedOperator<T> copied(ConstView<S> a, const KroneckerShape& s) {
    const index_t width = s.right_size();
    auto memory = std::make_shared<Buffer<T>>(detail::checked_product(s.left_size(), width));
    const bool by_columns = std::abs(a.row_stride) < std::abs(a.col_stride);
    parallel_for(s.left_size(), static_cast<double>(memory->size()) * sizeof(T), [&](index_t row) {
        const S* from = &a(row / s.n1 * s.m2, row % s.n1 * s.n2);
        T* to = memory->data() + row * width;
        if (by_columns) {
            for (index_t j = 0; j < s.n2; ++j)
                for (index_t i = 0; i < s.m2; ++i)
                    to[i * s.n2 + j] = entry<T>(from[i * a.row_stride + j * a.col_stride]);
        } else {
            for (index_t i = 0; i < s.m2; ++i)
                for (index_t j = 0; j < s.n2; ++j)
                    to[i * s.n2 + j] = entry<T>(from[i * a.row_stride + j * a.col_stride]);
        }
    });
    auto op = std::make_unique<Dense<T>>(ConstView<T>{memory->data(), s.left_size(), width, width, 1});
    const index_t megabytes = (memory->size() * static_cast<index_t>(sizeof(T)) + 500000) / 1000000;
    return {memory, std::move(op),
            "A was copied into the order of its rearrangement (" + std::to_string(megabytes) + " MB)"};
}

}  // namespace

template <class T>
KroneckerDense<T>::KroneckerDense(ConstView<T> a, const KroneckerShape& shape)
    : a_(checked(a, shape)), shape_(shape), tiles_(tiles_of(a, shape)) {
    if (a.col_stride != 1 && a.row_stride != 1) throw InvalidArgument("KroneckerDense: A needs a unit stride");
}

template <class T>
void KroneckerDense<T>::apply_gram(ConstPanel<T> x, Panel<T> y, Panel<T> z) const {
    if (gram_is_fused(tiles_)) return kronecker_gram(tiles_, x, y, z);
    kronecker_forward(tiles_, x, y);
    kronecker_adjoint<T>(tiles_, y, z);
}

template <class T>
void KroneckerDense<T>::apply_outer(ConstPanel<T> y, Panel<T> z, Panel<T> w) const {
    if (outer_is_fused(tiles_)) return kronecker_outer(tiles_, y, z, w);
    kronecker_adjoint(tiles_, y, z);
    kronecker_forward<T>(tiles_, z, w);
}

// The copy is contiguous along the same axis, so that its tiles are cut alike.
template <class T>
OwnedOperator<T> KroneckerDense<T>::scaled_copy(int exponent) const {
    OwnedOperator<T> copy = Dense<T>(a_).scaled_copy(exponent);
    copy.op = std::make_unique<KroneckerDense>(*copy.op->dense_view(), shape_);
    return copy;
}

template <class T>
std::optional<double> KroneckerDense<T>::max_abs() const {
    return scan(a_).max_abs;
}

template <class T>
std::optional<double> KroneckerDense<T>::norm_fro() const {
    return svdkit::norm_fro(a_);
}

template <class T>
OperatorCost KroneckerDense<T>::cost() const {
    const double entries = static_cast<double>(a_.rows) * static_cast<double>(a_.cols);
    return {(is_complex<T> ? 8 : 2) * entries, entries * sizeof(T)};
}

template <class T, class S>
OwnedOperator<T> rearranged_dense(ConstView<S> a, const KroneckerShape& shape) {
    checked(a, shape);
    if (const auto view = strided(a, shape)) return {nullptr, std::make_unique<Dense<T, S>>(*view)};
    if constexpr (std::is_same_v<T, S>) {
        if (tiles_are_fast(a, shape)) return {nullptr, std::make_unique<KroneckerDense<T>>(a, shape)};
    }
    return copied<T>(a, shape);
}

template <class T, class Index>
OwnedOperator<T> rearranged_sparse(const CsrView<T, Index>& a, Layout layout, const KroneckerShape& s) {
    const bool by_rows = layout == Layout::csr;
    checked(ConstView<T>{nullptr, by_rows ? a.rows : a.cols, by_rows ? a.cols : a.rows}, s);
    struct Copy {
        Buffer<std::int64_t> pointers, columns;
        Buffer<T> values;
    };
    auto copy = std::make_shared<Copy>(
        Copy{Buffer<std::int64_t>(s.left_size() + 1), Buffer<std::int64_t>(a.nnz()), Buffer<T>(a.nnz())});
    const auto for_each_entry = [&](const auto& body) {
        for (index_t line = 0; line < a.rows; ++line) {
            for (Index e = a.row_pointers[line]; e < a.row_pointers[line + 1]; ++e) {
                const index_t other = a.columns[e], i = by_rows ? line : other, j = by_rows ? other : line;
                body(i / s.m2 * s.n1 + j / s.n2, i % s.m2 * s.n2 + j % s.n2, a.values[e]);
            }
        }
    };
    // Counted, then placed: one row of R after the other, in the order of A.
    std::fill(copy->pointers.begin(), copy->pointers.end(), 0);
    for_each_entry([&](index_t row, index_t, T) { ++copy->pointers[row]; });
    for (index_t row = 0, sum = 0; row <= s.left_size(); ++row) {
        const index_t count = copy->pointers[row];
        copy->pointers[row] = sum;
        sum += count;
    }
    for_each_entry([&](index_t row, index_t col, T value) {
        const index_t at = copy->pointers[row]++;
        copy->columns[at] = col;
        copy->values[at] = value;
    });
    std::copy_backward(copy->pointers.begin(), copy->pointers.end() - 1, copy->pointers.end());
    copy->pointers[0] = 0;
    const CsrView<T, std::int64_t> view{copy->pointers.data(), copy->columns.data(), copy->values.data(), s.left_size(),
                                        s.right_size()};
    const index_t megabytes = (a.nnz() * static_cast<index_t>(sizeof(T) + sizeof(std::int64_t)) + 500000) / 1000000;
    return {copy, std::make_unique<Sparse<T, std::int64_t>>(view, Layout::csr),
            "the entries of A were copied into the order of its rearrangement (" + std::to_string(megabytes) + " MB)"};
}

template <class T>
OwnedOperator<T> rearranged_low_rank(ConstView<T> p, const std::vector<real_t<T>>& s, ConstView<T> q, bool conjugate_q,
                                     const KroneckerShape& shape) {
    checked(ConstView<T>{nullptr, p.rows, q.rows}, shape);
    const KroneckerTerms<T> left{p.data,      p.cols, shape.m1, shape.m2, p.col_stride, shape.m2 * p.row_stride,
                                 p.row_stride};
    const KroneckerTerms<T> right{q.data,      q.cols, shape.n1, shape.n2, q.col_stride, shape.n2 * q.row_stride,
                                  q.row_stride};
    auto op = std::make_unique<KroneckerSum<T>>(left, s, right, conjugate_q);
    std::string note = op->note();
    return {nullptr, std::move(op), std::move(note)};
}

#define INSTANTIATE_STORED(T, S) template OwnedOperator<T> rearranged_dense<T, S>(ConstView<S>, const KroneckerShape&);
#define INSTANTIATE_SPARSE(T, Index) \
    template OwnedOperator<T> rearranged_sparse<T, Index>(const CsrView<T, Index>&, Layout, const KroneckerShape&);
#define INSTANTIATE(T)                                                                                                \
    template class KroneckerDense<T>;                                                                                 \
    INSTANTIATE_STORED(T, T)                                                                                          \
    INSTANTIATE_SPARSE(T, std::int32_t)                                                                               \
    INSTANTIATE_SPARSE(T, std::int64_t)                                                                               \
    template OwnedOperator<T> rearranged_low_rank<T>(ConstView<T>, const std::vector<real_t<T>>&, ConstView<T>, bool, \
                                                     const KroneckerShape&);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
INSTANTIATE_STORED(float, Float16)
INSTANTIATE_STORED(float, BFloat16)
INSTANTIATE_STORED(double, float)
#undef INSTANTIATE
#undef INSTANTIATE_SPARSE
#undef INSTANTIATE_STORED

}  // namespace svdkit
