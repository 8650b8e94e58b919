// W o (A - L N^T), the weighted residual of a fit on its cells (kernel/cells.hpp), never formed. With empty panels: W o
// A.
//
// Cost of a product with b vectors: 2 c (p + b) flops for c cells and a fit of rank p, one read of the cells.
#pragma once

#include "svdkit/kernel/cells.hpp"
#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T>
class CellResidual final : public Operator<T> {
public:
    /// `by_columns`: the same cells, transposed.
    CellResidual(const Cells<T>& by_rows, const Cells<T>& by_columns, Fit<T> fit)
        : by_rows_(by_rows), by_columns_(by_columns), fit_(fit) {}

    index_t rows() const override { return by_rows_.rows(); }
    index_t cols() const override { return by_rows_.cols(); }
    void apply(ConstPanel<T> x, Panel<T> y) const override { by_rows_.multiply(fit_, x, y); }
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override { by_columns_.multiply(fit_.transposed(), y, z); }

private:
    const Cells<T>& by_rows_;
    const Cells<T>& by_columns_;
    Fit<T> fit_;
};

}  // namespace svdkit
