// P diag(s) Q^H, never formed: P is m x r, Q is n x r.
//
// Cost of a product with b vectors: 2 (m + n) r b flops.
#pragma once

#include <vector>

#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T>
class LowRank final : public Operator<T> {
public:
    /// `s` may be empty: all ones.
    LowRank(ConstView<T> p, std::vector<real_t<T>> s, ConstView<T> q);

    index_t rows() const override { return p_.rows; }
    index_t cols() const override { return q_.rows; }
    void apply(ConstPanel<T> x, Panel<T> y) const override;
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override;
    OperatorCost cost() const override;
    OwnedOperator<T> rearranged(const KroneckerShape& shape) const override;

private:
    void multiply(ConstView<T> left, ConstView<T> right, ConstPanel<T> in, Panel<T> out) const;

    ConstView<T> p_;
    std::vector<real_t<T>> s_;
    ConstView<T> q_;
};

}  // namespace svdkit
