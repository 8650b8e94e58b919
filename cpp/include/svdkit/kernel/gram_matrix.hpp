// The Gram matrix G = A^H A of a tall matrix, in one read of A.
//
// Rows are cut into parts with an n x n sum each; only the lower block triangle of 64-wide block columns is computed.
// Cost: m n (n + 64) flops (complex: 4 times that), one read of A, parts x n^2 numbers.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// G (n x n) in full, Hermitian to the bit.
template <class T>
void gram_matrix(ConstView<T> a, Panel<T> g);

}  // namespace svdkit
