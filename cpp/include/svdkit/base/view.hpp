// Views: matrices that somebody else owns.
//
//   View<T>   any strided matrix (a NumPy array as it is), strides in elements
//   Panel<T>  a block of vectors, n x b, row-major with leading dimension ld: what operators multiply
//
// Both are cheap values; const-ness of the data is in T.
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
using ConstView = View<const T>;
template <class T>
using ConstPanel = Panel<const T>;

}  // namespace svdkit
