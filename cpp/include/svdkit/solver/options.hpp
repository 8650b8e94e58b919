// Options of the truncated solvers. Constants during a call.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "svdkit/base/view.hpp"

namespace svdkit {

enum class Which { largest, smallest };
enum class Method { automatic, lanczos, gram, full };

template <class T>
struct Options {
    index_t k = 1;
    double tol = 0;  ///< residual bound relative to s[0]; 0: 1e-10 in double, 1e-5 in single precision
    Which which = Which::largest;
    Method method = Method::automatic;
    index_t block_size = 0;  ///< vectors multiplied at a time; 0: chosen
    bool one_sided = true;   ///< lanczos may begin with products by A^H A (certified; falls back when it must)
    index_t max_passes = 0;  ///< times A may be read; 0: generous
    double max_abs = 0;      ///< largest |a_ij| if the caller knows it; 0: looked up
    std::uint64_t seed = 0;
    int threads = 0;               ///< 0: the default
    ConstView<T> warm_start = {};  ///< n x j right vectors near the wanted ones; empty: random
};

/// tol as used for an m x n matrix: the default of the type, or what was asked, but not below what a measured residual
/// is made of: the rounding errors of products of length max(m, n).
template <class T>
double effective_tolerance(double tol, index_t m, index_t n) {
    const double length = std::sqrt(static_cast<double>(std::max(m, n)));
    const double floor = static_cast<double>(epsilon<T>) * (4 + std::min(2 * length, 28.0));
    return std::max(tol > 0 ? tol : (sizeof(real_t<T>) == 4 ? 1e-5 : 1e-10), floor);
}

}  // namespace svdkit
