// A^H as an operator: the two products trade places.
#pragma once

#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T>
class Adjoint final : public Operator<T> {
public:
    explicit Adjoint(const Operator<T>& a) : a_(a) {}

    index_t rows() const override { return a_.cols(); }
    index_t cols() const override { return a_.rows(); }
    void apply(ConstPanel<T> x, Panel<T> y) const override { a_.apply_adjoint(x, y); }
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override { a_.apply(y, z); }
    void apply_gram(ConstPanel<T> x, Panel<T> y, Panel<T> z) const override { a_.apply_outer(x, y, z); }
    void apply_outer(ConstPanel<T> y, Panel<T> z, Panel<T> w) const override { a_.apply_gram(y, z, w); }
    int gram_passes() const override { return a_.outer_passes(); }
    int outer_passes() const override { return a_.gram_passes(); }
    std::optional<double> max_abs() const override { return a_.max_abs(); }
    std::optional<double> norm_fro() const override { return a_.norm_fro(); }
    OperatorCost cost() const override { return a_.cost(); }
    std::string note() const override { return a_.note(); }

private:
    const Operator<T>& a_;
};

}  // namespace svdkit
