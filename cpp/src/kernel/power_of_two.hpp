// Exact scaling, so that reductions neither overflow nor depend on the scale of their matrix.
#pragma once

#include <cmath>

#include "svdkit/kernel/scan.hpp"

namespace svdkit::detail {

/// Takes the largest power of two out of numbers, exactly; returns its exponent.
template <class R>
int normalise(Panel<R> p) {
    const double largest = scan(ConstView<R>{p.data, p.rows, p.cols, p.ld, 1}).max_abs;
    if (largest == 0) return 0;
    const int exponent = std::ilogb(largest);
    if (exponent == 0) return 0;
    for (index_t i = 0; i < p.rows; ++i)
        for (index_t j = 0; j < p.cols; ++j) p(i, j) = std::ldexp(p(i, j), -exponent);
    return exponent;
}

}  // namespace svdkit::detail
