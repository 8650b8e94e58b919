// A - 1 c^T: column means (or any row vector c) subtracted without densifying.
//
// A' x = A x - 1 (c^T x),  A'^H y = A^H y - conj(c) (1^T y). Cost: that of A, and O((m + n) b).
#pragma once

#include <vector>

#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T>
class Centered final : public Operator<T> {
public:
    Centered(const Operator<T>& a, std::vector<T> offsets);

    index_t rows() const override { return a_.rows(); }
    index_t cols() const override { return a_.cols(); }
    void apply(ConstPanel<T> x, Panel<T> y) const override;
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override;
    OperatorCost cost() const override { return a_.cost(); }
    std::string note() const override { return a_.note(); }

private:
    const Operator<T>& a_;
    std::vector<T> offsets_;
};

/// Column means of A: A^H 1 / m, one pass.
template <class T>
std::vector<T> column_means(const Operator<T>& a);

}  // namespace svdkit
