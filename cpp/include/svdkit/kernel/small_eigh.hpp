// Eigenvectors of a Hermitian matrix that fits in cache: G = Y diag(lambda) Y^H, largest first.
//
// Cost: about 9 n^3 flops in LAPACK's divide and conquer. NumericalError when it fails.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// G (n x n, row-major, ld = n) is destroyed; Y is n x k for the k largest values.
template <class T>
void small_eigh(Panel<T> g, real_t<T>* values, Panel<T> y);

/// The values alone, a seventh of the work.
template <class T>
void small_eigenvalues(Panel<T> g, real_t<T>* values);

}  // namespace svdkit
