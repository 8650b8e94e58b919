// A B, never formed: two operators in turn.
#pragma once

#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T>
class Product final : public Operator<T> {
public:
    Product(const Operator<T>& a, const Operator<T>& b);

    index_t rows() const override { return a_.rows(); }
    index_t cols() const override { return b_.cols(); }
    void apply(ConstPanel<T> x, Panel<T> y) const override;
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override;
    OperatorCost cost() const override;
    OwnedOperator<T> rearranged(const KroneckerShape& shape) const override;
    std::string note() const override { return a_.note() + b_.note(); }

private:
    const Operator<T>& a_;
    const Operator<T>& b_;
};

}  // namespace svdkit
