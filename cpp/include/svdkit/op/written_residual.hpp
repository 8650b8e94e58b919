// W o (A - L N^T), the weighted residual of a fit, with its entries written down once: a sparse matrix in single
// precision that shares the columns of the cells.
//
// For many products that need few digits: 2 c b flops each for c cells, where op/cell_residual.hpp fetches the rows of
// N again for every cell of every product. Entries are computed in T and rounded: products carry 6e-8 |S|_F. Cost: one
// read of the cells, 4 c bytes.
#pragma once

#include "svdkit/kernel/cells.hpp"
#include "svdkit/op/operator.hpp"

namespace svdkit {

/// Views the cells, but not the factors. Nothing for more than 2^31 - 1 cells.
template <class T>
OwnedOperator<float> written_residual(const SparseCells<T>& cells, ConstPanel<T> left, ConstPanel<T> right);

}  // namespace svdkit
