// A matrix given by two functions of its user's: Y = A X and Z = A^H Y.
//
// check_adjoint() tests the pair with one random vector each: |<y, A x> - <A^H y, x>| against the size of the terms.
#pragma once

#include <functional>

#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T>
class Callback final : public Operator<T> {
public:
    using Multiply = std::function<void(ConstPanel<T>, Panel<T>)>;

    Callback(index_t rows, index_t cols, Multiply apply, Multiply apply_adjoint)
        : rows_(rows), cols_(cols), apply_(std::move(apply)), apply_adjoint_(std::move(apply_adjoint)) {}

    index_t rows() const override { return rows_; }
    index_t cols() const override { return cols_; }
    void apply(ConstPanel<T> x, Panel<T> y) const override { apply_(x, y); }
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override { apply_adjoint_(y, z); }

private:
    index_t rows_, cols_;
    Multiply apply_, apply_adjoint_;
};

/// |<y, A x> - <A^H y, x>| / (|y| |A x| + |A^H y| |x|) for one random pair: about epsilon when the two products belong
/// to one matrix. Cost: one product each.
template <class T>
double adjoint_mismatch(const Operator<T>& a, std::uint64_t seed);

}  // namespace svdkit
