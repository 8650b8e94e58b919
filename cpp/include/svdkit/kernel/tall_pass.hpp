// Products with many tall vectors: the kernels of orthogonalisation, where BLAS is weak.
//
//   inner            C = V^H W                      reads V once
//   subtract         W <- W - V C                   reads V once
//   subtract_inner   W <- W - V C, then D = V^H W   reads V once for both
//   rotate           V <- V Q in place
//   gram             G = W^H W, products and sums in double precision
//   column_norms     squares summed in double precision
//
// V is n x j, W n x b. Strips of rows of all of V stay in the second-level cache; partial sums belong to fixed parts of
// the rows and are added in order, so the bits do not depend on the number of threads. Cost: 2 n j b flops a product.
#pragma once

#include <complex>
#include <type_traits>

#include "svdkit/base/buffer.hpp"
#include "svdkit/base/view.hpp"

namespace svdkit {

/// Small matrices are factored in double precision whatever the panel's.
template <class T>
using Wide = std::conditional_t<is_complex<T>, std::complex<double>, double>;

template <class T>
void inner(ConstColumns<T> v, ConstPanel<T> w, Panel<T> c);

template <class T>
void subtract(ConstColumns<T> v, ConstPanel<T> c, Panel<T> w);

template <class T>
void subtract_inner(ConstColumns<T> v, ConstPanel<T> c, Panel<T> w, Panel<T> d);

/// The first q.cols columns of V become V Q (Q is V.cols x q.cols).
template <class T>
void rotate(Columns<T> v, ConstPanel<T> q);

/// b x b, both triangles.
template <class T>
Block<Wide<T>> gram(ConstPanel<T> w);

template <class T>
void column_norms(ConstPanel<T> w, double* norms);

}  // namespace svdkit
