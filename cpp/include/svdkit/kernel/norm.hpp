// Frobenius norm, without overflow or underflow, in a fixed order of summation.
//
//   |A|_F = (sum |a_ij|^2)^(1/2), squares taken of 2^-e A with 2^e the magnitude of the largest entry
//
// Sums in double for every type. Cost: two reads of A.
#pragma once

#include "svdkit/base/view.hpp"
#include "svdkit/kernel/spmm.hpp"

namespace svdkit {

/// T: a scalar, Float16 or BFloat16. Entries must be finite.
template <class T>
double norm_fro(ConstView<T> a);

/// Entries given more than once add up first.
template <class T, class Index>
double norm_fro(const CsrView<T, Index>& a);

}  // namespace svdkit
