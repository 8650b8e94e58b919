// Truncated SVD: the k leading (or trailing) singular triplets to a guaranteed residual.
//
//   max(|A v_i - s_i u_i|, |A^H u_i - s_i v_i|) <= tol * s_1
//
// Chooses a solver and says why (choose_method), scales A exactly by a power of two when its magnitude calls for it,
// measures every residual with fresh products and fixes the signs.
#pragma once

#include <string>

#include "svdkit/base/monitor.hpp"
#include "svdkit/op/operator.hpp"
#include "svdkit/solver/options.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

template <class T>
Result<T> tsvd(const Operator<T>& a, const Options<T>& options, Monitor& monitor);

template <class T>
Result<T> tsvd(const Operator<T>& a, const Options<T>& options) {
    Monitor monitor;
    return tsvd(a, options, monitor);
}

struct Choice {
    Method method;
    std::string reason;
};

/// The one place where a method is chosen.
template <class T>
Choice choose_method(const Operator<T>& a, const Options<T>& options);

}  // namespace svdkit
