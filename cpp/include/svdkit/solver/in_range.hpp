// What every solver of singular triplets needs around it: threads, scratch memory, a scale, signs and the report.
//
// A is multiplied by a power of two, exactly, when squares of its entries could leave the range of the type; the result
// is scaled back. A zero matrix is answered here. In every column of U the entry of largest magnitude is made positive.
#pragma once

#include <functional>

#include "svdkit/base/monitor.hpp"
#include "svdkit/solver/counted.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

/// What in_range has to know of a solver's options.
struct Setting {
    index_t k = 1;
    double max_abs = 0;  ///< largest |a_ij| if the caller knows it; 0: looked up
    std::uint64_t seed = 0;
    int threads = 0;  ///< 0: the default
};

/// solve(a, looks): k triplets of `a`, which is A or 2^e A; A was read `looks` times before.
template <class T>
using Solve = std::function<Result<T>(Counted<T>& a, index_t looks)>;

template <class T>
Result<T> in_range(const Operator<T>& a, const Setting& setting, Monitor& monitor, const Solve<T>& solve);

}  // namespace svdkit
