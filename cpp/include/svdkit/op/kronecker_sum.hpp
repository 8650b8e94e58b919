// sum_t s_t B_t kron C_t, never formed (kernel/kronecker_product.hpp): B_t is m1 x n1, C_t is m2 x n2.
//
// The cheapest order of the two factors is chosen once for each direction. A product pays against a dense matrix below
// about m2 n1 / (n1 + m2) terms. A matrix of low rank has such a sum as its rearrangement, and the other way round.
// Cost for b vectors and r terms: 2 r b min(m1 n2 (n1 + m2), n1 m2 (m1 + n2)) flops.
#pragma once

#include <vector>

#include "svdkit/base/buffer.hpp"
#include "svdkit/kernel/kronecker_product.hpp"
#include "svdkit/op/kronecker_shape.hpp"
#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T>
class KroneckerSum final : public Operator<T> {
public:
    /// `weights` may be empty: all ones. Factors whose rows are not contiguous are copied, and conj(right) is.
    KroneckerSum(const KroneckerTerms<T>& left, std::vector<real_t<T>> weights, const KroneckerTerms<T>& right,
                 bool conjugate_right = false);

    KroneckerShape shape() const { return {left_.rows, left_.cols, right_.rows, right_.cols}; }
    index_t rows() const override { return left_.rows * right_.rows; }
    index_t cols() const override { return left_.cols * right_.cols; }
    void apply(ConstPanel<T> x, Panel<T> y) const override {
        kronecker_multiply(forward_, left_, weights_, right_, x, y);
    }
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override {
        kronecker_multiply(adjoint_, left_, weights_, right_, y, z);
    }
    std::optional<double> norm_fro() const override;
    OperatorCost cost() const override;
    std::string note() const override;
    /// Of low rank, for factors of the shapes it has; null for others.
    OwnedOperator<T> rearranged(const KroneckerShape& shape) const override;

private:
    Buffer<T> left_copy_, right_copy_;
    KroneckerTerms<T> left_, right_;
    std::vector<real_t<T>> weights_;
    KroneckerPlan forward_, adjoint_;
};

}  // namespace svdkit
