// What both Lanczos processes do with a basis: copy blocks in and out, and combine it into Ritz vectors.
#pragma once

#include <algorithm>

#include "svdkit/base/buffer.hpp"
#include "svdkit/kernel/block_pass.hpp"

namespace svdkit::detail {

template <class T>
void copy_block(ConstPanel<T> from, Panel<T> to) {
    for (index_t i = 0; i < from.rows; ++i) std::copy_n(from.row(i), from.cols, to.row(i));
}

/// The first `size` vectors of the basis times columns [first, first + count) of `factors`.
template <class T>
Block<T> ritz_vectors(const Block<T>& basis, index_t size, const Block<T>& factors, index_t first, index_t count) {
    Block<T> result(basis.rows(), count, count);
    forward_pass<T>(as_view(ConstPanel<T>(basis.panel().col_range(0, size))),
                    factors.panel().row_range(0, size).col_range(first, count), result);
    return result;
}

}  // namespace svdkit::detail
