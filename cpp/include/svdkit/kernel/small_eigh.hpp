// Eigenvectors of a Hermitian matrix in memory: G = Y diag(lambda) Y^H, largest first.
//
// By LAPACK where it is small or complex, else on all threads: tridiagonal form (kernel/tridiagonal_form.hpp, bound by
// n^3 / 6 numbers read), divide and conquer (kernel/tridiagonal_eigh.hpp), back-transformation, 2 n^2 k flops; the last
// two cost less where k of n vectors are wanted. QR iteration where divide and conquer fails, NumericalError where both
// do. The threaded way is checked (kernel/triplet_check.hpp): what is not right to rounding LAPACK computes again.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// G (n x n, row-major, ld = n) is destroyed; Y is n x k for the k largest values.
template <class T>
void small_eigh(Panel<T> g, real_t<T>* values, Panel<T> y);

template <class R>
using EighMethod = void (*)(ConstPanel<R> g, R* values, Panel<R> y);

/// The same by `method`, and by LAPACK, false, if that gives no eigenvectors of G.
template <class R>
bool checked_eigh(Panel<R> g, R* values, Panel<R> y, EighMethod<R> method);

/// The threaded way, which keeps G.
template <class R>
void reduced_eigh(ConstPanel<R> g, R* values, Panel<R> y);

/// The values alone, a seventh of the work.
template <class T>
void small_eigenvalues(Panel<T> g, real_t<T>* values);

}  // namespace svdkit
