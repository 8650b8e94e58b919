#include "svdkit/op/kronecker_sum.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "svdkit/base/error.hpp"
#include "svdkit/blas/blas.hpp"
#include "svdkit/op/low_rank.hpp"

namespace svdkit {
namespace {

constexpr index_t kCheapNorm = 1024;  // terms up to which two Gram matrices of them are cheap

// The terms one after the other, by rows.
template <class T>
Buffer<T> contiguous(const KroneckerTerms<T>& from, bool conjugate) {
    Buffer<T> copy(detail::checked_product(from.count, from.rows * from.cols));
    T* to = copy.data();
    for (index_t t = 0; t < from.count; ++t) {
        const ConstView<T> term = from.view(t);
        for (index_t i = 0; i < term.rows; ++i)
            for (index_t j = 0; j < term.cols; ++j) *to++ = conjugate ? conj(term(i, j)) : term(i, j);
    }
    return copy;
}

// The terms with contiguous rows: as they are, or a copy.
template <class T>
KroneckerTerms<T> packed(const KroneckerTerms<T>& from, bool conjugate, Buffer<T>& copy) {
    if (!conjugate && from.col_stride == 1 && from.row_stride >= from.cols) return from;
    copy = contiguous(from, conjugate);
    return {copy.data(), from.count, from.rows, from.cols, from.rows * from.cols, from.cols, 1};
}

// <B_k, B_l> for all pairs.
template <class T>
Buffer<T> inner_products(const KroneckerTerms<T>& terms) {
    const Buffer<T> vectors = contiguous(terms, false);
    const index_t r = terms.count, size = terms.rows * terms.cols;
    Buffer<T> gram(r * r);
    blas::gemm(blas::Op::adjoint, blas::Op::none, r, r, size, T(1), vectors.data(), size, vectors.data(), size, T(0),
               gram.data(), r);
    return gram;
}

}  // namespace

template <class T>
KroneckerSum<T>::KroneckerSum(const KroneckerTerms<T>& left, std::vector<real_t<T>> weights,
                              const KroneckerTerms<T>& right, bool conjugate_right)
    : left_(packed(left, false, left_copy_)),
      right_(packed(right, is_complex<T> && conjugate_right, right_copy_)),
      weights_(std::move(weights)),
      forward_(kronecker_plan(left_, right_, false)),
      adjoint_(kronecker_plan(left_, right_, true)) {
    if (left.count != right.count || (!weights_.empty() && std::ssize(weights_) != left.count)) {
        throw InvalidArgument("KroneckerSum: left, weights and right must share the number of terms");
    }
}

// |K|^2 = sum_kl s_k s_l <B_k, B_l> <C_k, C_l>.
template <class T>
std::optional<double> KroneckerSum<T>::norm_fro() const {
    const index_t r = left_.count;
    if (r > kCheapNorm || r == 0) return std::nullopt;
    const Buffer<T> left = inner_products(left_), right = inner_products(right_);
    const auto weight = [&](index_t t) {
        return weights_.empty() ? 1.0 : static_cast<double>(weights_[static_cast<std::size_t>(t)]);
    };
    double sum = 0;
    for (index_t k = 0; k < r; ++k)
        for (index_t l = 0; l < r; ++l)
            sum += weight(k) * weight(l) * static_cast<double>(std::real(left[k * r + l] * right[k * r + l]));
    return std::sqrt(std::max(sum, 0.0));
}

template <class T>
OperatorCost KroneckerSum<T>::cost() const {
    const double terms = static_cast<double>(left_.count);
    const double entries = terms * static_cast<double>(left_.rows * left_.cols + right_.rows * right_.cols);
    return {(is_complex<T> ? 4 : 1) * terms * forward_.flops, entries * sizeof(T)};
}

template <class T>
std::string KroneckerSum<T>::note() const {
    const index_t megabytes = (left_copy_.size() + right_copy_.size()) * static_cast<index_t>(sizeof(T)) / 1000000;
    if (megabytes == 0) return {};
    return "factors were copied to make their rows contiguous (" + std::to_string(megabytes) + " MB)";
}

// R(sum s_t B_t kron C_t) = sum s_t vec(B_t) vec(C_t)^T.
template <class T>
OwnedOperator<T> KroneckerSum<T>::rearranged(const KroneckerShape& wanted) const {
    if (!(wanted == shape())) return {};
    struct Vectors {
        Buffer<T> left, right;
    };
    auto memory = std::make_shared<Vectors>(Vectors{contiguous(left_, false), contiguous(right_, true)});
    const index_t r = left_.count, p = wanted.left_size(), q = wanted.right_size();
    auto op = std::make_unique<LowRank<T>>(ConstView<T>{memory->left.data(), p, r, 1, p}, weights_,
                                           ConstView<T>{memory->right.data(), q, r, 1, q});
    return {memory, std::move(op), {}};
}

#define INSTANTIATE(T) template class KroneckerSum<T>;
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
