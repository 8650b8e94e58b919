// Result: k singular triplets, A ~ U diag(s) V^H, and the report.
#pragma once

#include <vector>

#include "svdkit/base/buffer.hpp"
#include "svdkit/solver/report.hpp"

namespace svdkit {

template <class T>
struct Result {
    Block<T> u;                ///< m x k, row-major, ld = k
    std::vector<real_t<T>> s;  ///< k, descending
    Block<T> v;                ///< n x k, row-major, ld = k: columns are right singular vectors
    Report report;
};

}  // namespace svdkit
