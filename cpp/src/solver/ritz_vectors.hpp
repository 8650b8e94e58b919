// What both Lanczos processes do with blocks and bases: copy, and combine into Ritz vectors.
#pragma once

#include <algorithm>

#include "svdkit/kernel/basis.hpp"
#include "svdkit/kernel/block_pass.hpp"

namespace svdkit::detail {

template <class T>
void copy_block(ConstPanel<T> from, Panel<T> to) {
    for (index_t i = 0; i < from.rows; ++i) std::copy_n(from.row(i), from.cols, to.row(i));
}

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

}  // namespace svdkit::detail
