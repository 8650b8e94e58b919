// Triangular matrices that fit in cache, by rows, so that the inner loops are contiguous.
//
// Cost: b^3 / 3 flops. Paper: Golub & Van Loan, Matrix Computations (4th ed.), sections 3.1 and 4.2.
#pragma once

#include "svdkit/base/buffer.hpp"

namespace svdkit {

/// R^-1 of an upper triangular R without zeros on its diagonal.
template <class T>
Block<T> upper_inverse(const Block<T>& r) {
    const index_t b = r.rows();
    Block<T> inverse(b, b);
    for (index_t i = b - 1; i >= 0; --i) {
        T* const row = &inverse(i, 0);
        for (index_t p = i + 1; p < b; ++p) {
            const T factor = r(i, p);
            const T* const known = &inverse(p, 0);
            for (index_t j = p; j < b; ++j) row[j] -= factor * known[j];
        }
        const T scale = T(1) / r(i, i);
        row[i] = T(1);
        for (index_t j = i; j < b; ++j) row[j] *= scale;
    }
    return inverse;
}

}  // namespace svdkit
