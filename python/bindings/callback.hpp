// Python functions called from C++: operators given by two functions, progress reports, Ctrl-C.
//
// C++ runs without the GIL and takes it here only. Blocks are copied both ways, so that Python never holds memory of
// the solver.
#pragma once

#include <algorithm>

#include "handle.hpp"
#include "svdkit/base/monitor.hpp"
#include "svdkit/op/callback.hpp"

namespace svdkit::bindings {

template <class T>
Matrix<T> copy_of(ConstPanel<T> x) {
    Block<T> block(x.rows, x.cols, std::max<index_t>(x.cols, 1));
    for (index_t i = 0; i < x.rows; ++i) std::copy_n(x.row(i), x.cols, block.data() + i * block.ld());
    return give(std::move(block));
}

/// The function must return a C-contiguous array of T with the shape of the output; the operator's handle owns it.
template <class T>
typename Callback<T>::Multiply multiply_by(nb::handle function) {
    return [function](ConstPanel<T> x, Panel<T> y) {
        const nb::gil_scoped_acquire acquire;
        const nb::object product = function(copy_of<T>(x));
        BlockIn<T> result;
        if (!nb::try_cast(product, result, false) || extent(result, 0) != y.rows || extent(result, 1) != y.cols) {
            throw nb::type_error("a product returned something else than a C-contiguous block of the right shape");
        }
        for (index_t i = 0; i < y.rows; ++i) std::copy_n(result.data() + i * y.cols, y.cols, y.row(i));
    };
}

/// Calls `callback(iteration, converged, wanted, residuals, passes, seconds)` unless it is None, looks for signals
/// at most every 50 ms, and stops at the time limit.
Monitor monitor(nb::handle callback, double time_limit);

}  // namespace svdkit::bindings
