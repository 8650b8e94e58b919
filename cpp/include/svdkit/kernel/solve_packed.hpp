// A small positive semidefinite system, packed by rows of its lower triangle: (G + ridge I) x = g, by Cholesky.
//
// The ridge, 1e-10 of the mean diagonal, only damps steps along directions without weight: iterations that stop where
// g = 0 do not see it. Cost: r^3 / 3 flops; for r of a few, thousands of times.
#pragma once

#include <algorithm>
#include <cmath>

#include "svdkit/base/types.hpp"

namespace svdkit::detail {

/// G is destroyed, g becomes x; `trace` is that of G.
inline void solve_packed(double* gram, double* g, index_t r, double trace) {
    const double ridge = 1e-10 * trace / static_cast<double>(r);
    for (index_t k = 0; k < r; ++k) {
        double* row = gram + k * (k + 1) / 2;
        for (index_t l = 0; l <= k; ++l) {
            const double* other = gram + l * (l + 1) / 2;
            double sum = row[l];
            for (index_t q = 0; q < l; ++q) sum -= row[q] * other[q];
            row[l] = l < k ? sum / other[l] : std::sqrt(std::max(sum + ridge, ridge));
        }
    }
    for (index_t k = 0; k < r; ++k) {
        const double* row = gram + k * (k + 1) / 2;
        for (index_t q = 0; q < k; ++q) g[k] -= row[q] * g[q];
        g[k] /= row[k];
    }
    for (index_t k = r; k-- > 0;) {
        for (index_t q = k + 1; q < r; ++q) g[k] -= gram[q * (q + 1) / 2 + k] * g[q];
        g[k] /= gram[k * (k + 1) / 2 + k];
    }
}

}  // namespace svdkit::detail
