// The sign rule: in every column of U the entry of largest magnitude is real and positive, the first one on ties.
//
// Multiplying u_i and v_i by the same unit scalar leaves U diag(s) V^H as it is. Cost: one read of U and V.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

template <class T>
void fix_signs(Panel<T> u, Panel<T> v);

}  // namespace svdkit
