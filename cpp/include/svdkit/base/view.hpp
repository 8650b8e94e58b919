// Views: matrices that somebody else owns.
//
//   View<T>   any strided matrix (a NumPy array as it is), strides in elements
//   Panel<T>  a block of vectors, n x b, row-major with leading dimension ld: what operators multiply
//   Columns<T>  many vectors, n x j, cut into slabs of neighbouring columns, each a panel of its own: a growing basis
//
// All are cheap values; const-ness of the data is in T.
#pragma once

#include <type_traits>

#include "svdkit/base/types.hpp"

namespace svdkit {

template <class T>
struct View {
    T* data = nullptr;
    index_t rows = 0;
    index_t cols = 0;
    index_t row_stride = 0;
    index_t col_stride = 1;

    T& operator()(index_t i, index_t j) const { return data[i * row_stride + j * col_stride]; }
    View transposed() const { return {data, cols, rows, col_stride, row_stride}; }
    operator View<const T>() const
        requires(!std::is_const_v<T>)
    {
        return {data, rows, cols, row_stride, col_stride};
    }
};

template <class T>
struct Panel {
    T* data = nullptr;
    index_t rows = 0;
    index_t cols = 0;
    index_t ld = 0;

    T* row(index_t i) const { return data + i * ld; }
    T& operator()(index_t i, index_t j) const { return data[i * ld + j]; }
    Panel row_range(index_t first, index_t count) const { return {data + first * ld, count, cols, ld}; }
    Panel col_range(index_t first, index_t count) const { return {data + first, rows, count, ld}; }
    operator Panel<const T>() const
        requires(!std::is_const_v<T>)
    {
        return {data, rows, cols, ld};
    }
};

template <class T>
struct Columns {
    T* data = nullptr;
    index_t rows = 0;
    index_t cols = 0;
    index_t slab_cols = 1;  ///< of every slab but the last
    index_t slab_stride = 0;
    index_t ld = 0;

    Columns() = default;
    Columns(T* data_, index_t rows_, index_t cols_, index_t slab_cols_, index_t slab_stride_, index_t ld_)
        : data(data_), rows(rows_), cols(cols_), slab_cols(slab_cols_), slab_stride(slab_stride_), ld(ld_) {}
    /// A panel is one slab.
    Columns(Panel<T> p) : Columns(p.data, p.rows, p.cols, p.cols > 0 ? p.cols : 1, 0, p.ld) {}
    Columns(Panel<std::remove_const_t<T>> p)
        requires(std::is_const_v<T>)
        : Columns(Panel<T>(p)) {}
    operator Columns<const T>() const
        requires(!std::is_const_v<T>)
    {
        return {data, rows, cols, slab_cols, slab_stride, ld};
    }

    /// The last columns, whole slabs: `count` of them or a few more.
    Columns last(index_t count) const {
        const index_t skip = count < cols ? (cols - count) / slab_cols : 0;
        return {data + skip * slab_stride, rows, cols - skip * slab_cols, slab_cols, slab_stride, ld};
    }
    index_t slabs() const { return (cols + slab_cols - 1) / slab_cols; }
    index_t first_col(index_t slab) const { return slab * slab_cols; }
    Panel<T> slab(index_t slab) const {
        const index_t left = cols - first_col(slab);
        return {data + slab * slab_stride, rows, left < slab_cols ? left : slab_cols, ld};
    }
};

template <class T>
using ConstColumns = Columns<const T>;
template <class T>
using ConstView = View<const T>;
template <class T>
using ConstPanel = Panel<const T>;

}  // namespace svdkit
