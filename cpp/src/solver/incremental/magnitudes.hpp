// Magnitudes of the entries of a batch: their squares, the largest, and a change of unit.
#pragma once

#include <algorithm>
#include <cmath>

#include "svdkit/solver/incremental/tall_vectors.hpp"

namespace svdkit::detail {

inline double square(double x) { return x * x; }

/// function(entry) of every entry of TallVectors, which may be const.
template <class Vectors, class Function>
void for_values(Vectors& vectors, const Function& function) {
    for (auto& v : vectors.value) function(v);
    for (index_t i = 0; !vectors.sparse && i < vectors.length && vectors.count > 0; ++i) {
        auto* const row = &vectors.dense(i, 0);
        for (index_t j = 0; j < vectors.count; ++j) function(row[j]);
    }
}

inline double sum_of_squares(const TallVectors& vectors) {
    double sum = 0;
    for_values(vectors, [&](double v) { sum += square(v); });
    return sum;
}

inline double largest(const TallVectors& vectors) {
    double most = 0;
    for_values(vectors, [&](double v) { most = std::max(most, std::abs(v)); });
    return most;
}

/// In two steps, for exponents beyond the range of one factor.
inline void multiply_by_power(TallVectors& vectors, int exponent) {
    if (exponent == 0) return;
    const double half = std::ldexp(1.0, exponent / 2), rest = std::ldexp(1.0, exponent - exponent / 2);
    for_values(vectors, [&](double& v) { v = v * half * rest; });
}

}  // namespace svdkit::detail
