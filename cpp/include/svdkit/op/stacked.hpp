// Several operators below one another (vertical) or side by side (horizontal).
#pragma once

#include <vector>

#include "svdkit/op/operator.hpp"

namespace svdkit {

enum class Axis { vertical, horizontal };

template <class T>
class Stacked final : public Operator<T> {
public:
    Stacked(std::vector<const Operator<T>*> parts, Axis axis);

    index_t rows() const override { return rows_; }
    index_t cols() const override { return cols_; }
    void apply(ConstPanel<T> x, Panel<T> y) const override { multiply(axis_, false, x, y); }
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override {
        multiply(axis_ == Axis::vertical ? Axis::horizontal : Axis::vertical, true, y, z);
    }
    OperatorCost cost() const override;
    std::string note() const override;

private:
    void multiply(Axis axis, bool adjoint, ConstPanel<T> in, Panel<T> out) const;

    std::vector<const Operator<T>*> parts_;
    Axis axis_;
    index_t rows_ = 0;
    index_t cols_ = 0;
};

}  // namespace svdkit
