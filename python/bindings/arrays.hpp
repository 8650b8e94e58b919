// NumPy arrays in, as views; results out, without a copy.
//
// An argument is refused unless it can be viewed as it is: dtype, device and order are in the type. What has to be
// converted is converted, and reported, by the Python input layer.
#pragma once

#include <nanobind/ndarray.h>

#include <memory>
#include <utility>
#include <vector>

#include "svdkit/base/buffer.hpp"
#include "svdkit/base/half.hpp"

namespace svdkit::bindings {

namespace nb = nanobind;

/// Any strides, also negative or zero.
template <class T>
using MatrixIn = nb::ndarray<const T, nb::ndim<2>, nb::device::cpu>;
/// A block of vectors: C-contiguous.
template <class T>
using BlockIn = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using BlockOut = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using VectorIn = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <class T>
using Matrix = nb::ndarray<nb::numpy, T, nb::ndim<2>>;
template <class T>
using Vector = nb::ndarray<nb::numpy, T, nb::ndim<1>>;

template <class A>
index_t extent(const A& a, std::size_t axis) {
    return static_cast<index_t>(a.shape(axis));
}

template <class T>
ConstView<T> view(const MatrixIn<T>& a) {
    return {a.data(), extent(a, 0), extent(a, 1), a.stride(0), a.stride(1)};
}

/// Bits of float16 or bfloat16, as NumPy lends them.
template <class S>
ConstView<S> view_16(const MatrixIn<std::uint16_t>& a) {
    static_assert(sizeof(S) == sizeof(std::uint16_t));
    return {reinterpret_cast<const S*>(a.data()), extent(a, 0), extent(a, 1), a.stride(0), a.stride(1)};
}

template <class T>
ConstPanel<T> panel(const BlockIn<T>& a) {
    return {a.data(), extent(a, 0), extent(a, 1), extent(a, 1)};
}

template <class T>
Panel<T> panel(const BlockOut<T>& a) {
    return {a.data(), extent(a, 0), extent(a, 1), extent(a, 1)};
}

template <class T>
std::vector<T> copy(const VectorIn<T>& a) {
    return std::vector<T>(a.data(), a.data() + a.shape(0));
}

/// Moves `value` to the heap; the capsule that owns it there, and a pointer to it.
template <class Value>
std::pair<nb::capsule, Value*> keep(Value&& value) {
    auto owned = std::make_unique<Value>(std::move(value));
    nb::capsule owner(owned.get(), [](void* pointer) noexcept { delete static_cast<Value*>(pointer); });
    return {std::move(owner), owned.release()};
}

template <class T>
Vector<T> give(std::vector<T> values) {
    auto [owner, kept] = keep(std::move(values));
    return Vector<T>(kept->data(), {kept->size()}, owner);
}

/// The block as a C-ordered array.
template <class T>
Matrix<T> give(Block<T> block) {
    auto [owner, kept] = keep(std::move(block));
    const auto rows = static_cast<std::size_t>(kept->rows()), cols = static_cast<std::size_t>(kept->cols());
    return Matrix<T>(kept->data(), {rows, cols}, owner, {kept->ld(), 1});
}

/// The conjugate transpose of the block: its entries conjugated in place, its strides exchanged.
template <class T>
Matrix<T> give_adjoint(Block<T> block) {
    if constexpr (is_complex<T>) {
        T* const data = block.data();
        for (index_t i = 0; i < block.rows() * block.ld(); ++i) data[i] = std::conj(data[i]);
    }
    auto [owner, kept] = keep(std::move(block));
    const auto rows = static_cast<std::size_t>(kept->rows()), cols = static_cast<std::size_t>(kept->cols());
    return Matrix<T>(kept->data(), {cols, rows}, owner, {1, kept->ld()});
}

}  // namespace svdkit::bindings
