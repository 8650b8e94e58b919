// Ritz vectors of both Lanczos processes, and blocks put side by side.
#pragma once

#include "svdkit/kernel/basis.hpp"
#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/elementwise.hpp"

namespace svdkit::detail {

/// `out` = the first `size` vectors of the basis times columns [first, first + out.cols) of `factors`.
template <class T>
void ritz_vectors(const Basis<T>& basis, index_t size, const Block<T>& factors, index_t first, Panel<T> out) {
    const ConstColumns<T> columns = basis.columns(size);
    for (index_t s = 0; s < columns.slabs(); ++s) {
        const ConstPanel<T> slab = columns.slab(s);
        forward_pass<T>(as_view(slab),
                        factors.panel().row_range(columns.first_col(s), slab.cols).col_range(first, out.cols), out,
                        s > 0);
    }
}

template <class T>
Block<T> ritz_vectors(const Basis<T>& basis, index_t size, const Block<T>& factors, index_t first, index_t count) {
    Block<T> result(basis.rows(), count, count);
    ritz_vectors<T>(basis, size, factors, first, result);
    return result;
}

/// Columns of two panels side by side.
template <class T>
Block<T> beside(ConstPanel<T> left, ConstPanel<T> right) {
    Block<T> both(left.rows, left.cols + right.cols);
    copy_panel<T>(left, both.panel().col_range(0, left.cols));
    copy_panel<T>(right, both.panel().col_range(left.cols, right.cols));
    return both;
}

}  // namespace svdkit::detail
