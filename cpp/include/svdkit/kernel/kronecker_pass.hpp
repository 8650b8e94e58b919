// Block passes over a matrix made of equal tiles that lie elsewhere in memory: the rearrangement R(A) of a dense A.
//
//   forward  Y = R X        adjoint  Z = R^H Y        gram  Y = R X, Z = R^H Y        outer  Z = R^H Y, W = R Z
//
// R[(i1,j1),(i2,j2)] = A[i1 m2 + i2, j1 n2 + j2]. For fixed (i1, i2) the (j1, j2) are a row-major n1 x n2 tile of a
// row-major A, with leading dimension n2; for a column-major A the (i1, i2) are one for fixed (j1, j2), and the rows of
// the panels that belong to a tile are n1 apart. So the register tiles of kernel/simd.hpp read A in place. Strips of R
// stay in cache between the two products of gram and outer, where gram_is_fused and outer_is_fused say so.
// Cost: 2 m n b flops a product (complex: 8), one read of A; that of a dense R of the same size while tiles have 8
// columns or more. Cuts depend on the problem alone and sums have a fixed order: the same bits for any threads.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

template <class T>
struct KroneckerTiles {
    /// One axis of R: index (outer, inner) lies in row outer * outer_step + inner * inner_step of a panel.
    struct Axis {
        index_t outer = 1, inner = 1;
        index_t stride = 0;  ///< elements of A from one tile to the next
        index_t outer_step = 1, inner_step = 1;

        index_t size() const { return outer * inner; }
        index_t panel_row(index_t o, index_t i) const { return o * outer_step + i * inner_step; }
    };

    const T* data = nullptr;
    Axis rows, cols;
    index_t ld = 1;  ///< between the rows of a tile; its columns are neighbours

    const T* at(index_t row_tile, index_t row, index_t col_tile, index_t col) const {
        return data + row_tile * rows.stride + col_tile * cols.stride + row * ld + col;
    }
};

template <class T>
void kronecker_forward(const KroneckerTiles<T>& r, ConstPanel<T> x, Panel<T> y);
template <class T>
void kronecker_adjoint(const KroneckerTiles<T>& r, ConstPanel<T> y, Panel<T> z);
template <class T>
void kronecker_gram(const KroneckerTiles<T>& r, ConstPanel<T> x, Panel<T> y, Panel<T> z);
template <class T>
void kronecker_outer(const KroneckerTiles<T>& r, ConstPanel<T> y, Panel<T> z, Panel<T> w);

/// Whether A is read once.
template <class T>
bool gram_is_fused(const KroneckerTiles<T>& r);
template <class T>
bool outer_is_fused(const KroneckerTiles<T>& r);

}  // namespace svdkit
