// alpha A + beta B, never formed.
#pragma once

#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T>
class Sum final : public Operator<T> {
public:
    Sum(const Operator<T>& a, const Operator<T>& b, T alpha = T(1), T beta = T(1));

    index_t rows() const override { return a_.rows(); }
    index_t cols() const override { return a_.cols(); }
    void apply(ConstPanel<T> x, Panel<T> y) const override;
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override;
    OperatorCost cost() const override;
    OwnedOperator<T> rearranged(const KroneckerShape& shape) const override;
    std::string note() const override { return a_.note() + b_.note(); }

private:
    const Operator<T>& a_;
    const Operator<T>& b_;
    T alpha_, beta_;
};

}  // namespace svdkit
