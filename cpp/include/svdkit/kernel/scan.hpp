// One look at the entries of a matrix: the largest magnitude, and the first entry that is not finite.
//
// Cost: one read of A.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

struct Scan {
    double max_abs = 0;
    index_t first_bad_row = -1;  ///< -1: all finite
    index_t first_bad_col = -1;
};

/// T: a scalar, Float16 or BFloat16.
template <class T>
Scan scan(ConstView<T> a);

/// The same for `size` values in a row; the position of the first bad one is first_bad_col.
template <class T>
Scan scan_values(const T* values, index_t size) {
    return scan(ConstView<T>{values, 1, size, size, 1});
}

/// Largest magnitude of the cells that are not NaN; InvalidArgument says where one is infinite. Real scalars.
template <class R>
double largest_observed(ConstView<R> a);

}  // namespace svdkit
