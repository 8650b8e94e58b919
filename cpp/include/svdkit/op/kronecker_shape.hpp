// The shapes of the two factors of a Kronecker product: (m1 x n1) kron (m2 x n2) is (m1 m2) x (n1 n2).
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit {

struct KroneckerShape {
    index_t m1 = 1, n1 = 1;  ///< left factor
    index_t m2 = 1, n2 = 1;  ///< right factor

    index_t rows() const { return m1 * m2; }
    index_t cols() const { return n1 * n2; }
    /// Of the rearrangement, one row for every entry of the left factor.
    index_t left_size() const { return m1 * n1; }
    index_t right_size() const { return m2 * n2; }
    bool operator==(const KroneckerShape&) const = default;
};

}  // namespace svdkit
