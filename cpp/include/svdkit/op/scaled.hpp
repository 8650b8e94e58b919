// diag(r) A diag(c): weights on rows and columns, A itself untouched.
//
// Either weight vector may be empty (all ones). Cost: that of A, and one pass over the panels.
#pragma once

#include <vector>

#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T>
class Scaled final : public Operator<T> {
public:
    Scaled(const Operator<T>& a, std::vector<real_t<T>> row_weights, std::vector<real_t<T>> col_weights);

    index_t rows() const override { return a_.rows(); }
    index_t cols() const override { return a_.cols(); }
    void apply(ConstPanel<T> x, Panel<T> y) const override;
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override;
    OperatorCost cost() const override { return a_.cost(); }
    std::string note() const override { return a_.note(); }

private:
    const Operator<T>& a_;
    std::vector<real_t<T>> row_weights_, col_weights_;
};

}  // namespace svdkit
