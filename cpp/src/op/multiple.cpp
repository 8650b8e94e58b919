#include "svdkit/op/multiple.hpp"

#include <cmath>

#include "svdkit/base/scratch.hpp"

namespace svdkit {
namespace {

template <class T>
void scale(ConstPanel<T> from, int exponent, Panel<T> to) {
    const real_t<T> factor = std::ldexp(real_t<T>(1), exponent);
    for (index_t i = 0; i < from.rows; ++i)
        for (index_t j = 0; j < from.cols; ++j) to(i, j) = factor * from(i, j);
}

// product(half-scaled input), then the other half.
template <class T, class Multiply>
void multiply(int exponent, ConstPanel<T> in, Panel<T> out, const Multiply& product) {
    const ScratchPanel<T> half(in.rows, in.cols);
    scale(in, exponent / 2, half.panel());
    product(half.panel(), out);
    scale<T>(out, exponent - exponent / 2, out);
}

}  // namespace

template <class T>
void Multiple<T>::apply(ConstPanel<T> x, Panel<T> y) const {
    multiply<T>(exponent_, x, y, [&](ConstPanel<T> in, Panel<T> out) { a_.apply(in, out); });
}

template <class T>
void Multiple<T>::apply_adjoint(ConstPanel<T> y, Panel<T> z) const {
    multiply<T>(exponent_, y, z, [&](ConstPanel<T> in, Panel<T> out) { a_.apply_adjoint(in, out); });
}

#define INSTANTIATE(T) template class Multiple<T>;
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
