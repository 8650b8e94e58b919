// Dense block pass: a matrix times a block of vectors, its adjoint, and both in one read of A.
//
//   forward  Y = A X        adjoint  Z = A^H Y        gram  Y = A X, Z = A^H Y
//
// A is read in place (row- or column-major; other strides through packed tiles) and cut into tiles whose panels stay in
// cache; the innermost loops are those of kernel/simd.hpp for real scalars and BLAS for complex ones. What is summed in
// parts is cut by the problem alone and added in a fixed order: the bits do not depend on the number of threads.
// Cost: 2 m n b flops a product (complex: 8); one read of A for gram while X and Z fit in cache beside a strip of it
// (gram_is_fused), two, which then take less time, for wider blocks.
// A may be stored shorter (S = Float16 or BFloat16 for T = float, float for double): widened a tile at a time, in
// cache. The same loops serve tall bases: V^H W is an adjoint pass, W - V H a forward one.
#pragma once

#include "svdkit/base/half.hpp"
#include "svdkit/base/view.hpp"

namespace svdkit {

/// Y = A X, or Y += A X when `accumulate`.
template <class T, class S = T>
void forward_pass(ConstView<S> a, ConstPanel<T> x, Panel<T> y, bool accumulate = false);

/// Z = A^H Y.
template <class T, class S = T>
void adjoint_pass(ConstView<S> a, ConstPanel<T> y, Panel<T> z);

/// Y = A X and Z = A^H Y.
template <class T, class S = T>
void gram_pass(ConstView<S> a, ConstPanel<T> x, Panel<T> y, Panel<T> z);

/// Z = A^H Y and W = A Z: gram_pass of A^H, fused when gram_is_fused of the transposed view says so.
template <class T, class S = T>
void outer_pass(ConstView<S> a, ConstPanel<T> y, Panel<T> z, Panel<T> w);

/// Whether gram_pass reads A once, for blocks that are narrow enough.
template <class T, class S = T>
bool gram_is_fused(ConstView<S> a);

/// The row-major panel as a matrix, to be the A of a pass.
template <class T>
ConstView<T> as_view(ConstPanel<T> p) {
    return {p.data, p.rows, p.cols, p.ld, 1};
}

}  // namespace svdkit
