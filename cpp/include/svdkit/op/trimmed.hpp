// A matrix whose far-off and missing cells are replaced by a centre, cell by cell as it is read: the start of robust
// fits (kernel/trimmed_pass.hpp). Real scalars; cost of a product as of a dense one.
#pragma once

#include "svdkit/kernel/trimmed_pass.hpp"
#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T>
class Trimmed final : public Operator<T> {
public:
    Trimmed(const PriorCells<T>& cells, Trim<T> trim) : cells_(cells), trim_(std::move(trim)) {}

    index_t rows() const override { return cells_.x.rows; }
    index_t cols() const override { return cells_.x.cols; }
    void apply(ConstPanel<T> x, Panel<T> y) const override { trimmed_forward(cells_, trim_, x, y); }
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override { trimmed_adjoint(cells_, trim_, y, z); }

private:
    PriorCells<T> cells_;
    Trim<T> trim_;
};

}  // namespace svdkit
