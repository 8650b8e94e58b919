// Dense matrix, in place: any strides, row- or column-major at full speed, others through small packed tiles.
//
// Entries stored as S = T, or shorter (S = Float16 or BFloat16 for T = float, float for double) and widened in cache.
// Cost of a product with b vectors: 2 m n b flops, one read of A. apply_gram reads A once when a strip of A fits
// in cache (kernel/block_pass.hpp).
#pragma once

#include <type_traits>

#include "svdkit/base/half.hpp"
#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T, class S = T>
class Dense final : public Operator<T> {
public:
    explicit Dense(ConstView<S> a) : a_(a) {}

    index_t rows() const override { return a_.rows; }
    index_t cols() const override { return a_.cols; }
    void apply(ConstPanel<T> x, Panel<T> y) const override;
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override;
    void apply_gram(ConstPanel<T> x, Panel<T> y, Panel<T> z) const override;
    void apply_outer(ConstPanel<T> y, Panel<T> z, Panel<T> w) const override;
    int gram_passes() const override;
    int outer_passes() const override;
    std::optional<ConstView<T>> dense_view() const override {
        if constexpr (std::is_same_v<S, T>) {
            return a_;
        } else {
            return std::nullopt;
        }
    }
    OwnedOperator<T> scaled_copy(int exponent) const override;
    std::optional<double> max_abs() const override;
    std::optional<double> norm_fro() const override;
    OperatorCost cost() const override;

private:
    ConstView<S> a_;
};

}  // namespace svdkit
