#include "svdkit/op/dense.hpp"

#include <cmath>
#include <cstdlib>

#include "svdkit/base/buffer.hpp"
#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/norm.hpp"
#include "svdkit/kernel/scan.hpp"

namespace svdkit {

template <class T, class S>
void Dense<T, S>::apply(ConstPanel<T> x, Panel<T> y) const {
    forward_pass(a_, x, y);
}
template <class T, class S>
void Dense<T, S>::apply_adjoint(ConstPanel<T> y, Panel<T> z) const {
    adjoint_pass(a_, y, z);
}
template <class T, class S>
void Dense<T, S>::apply_gram(ConstPanel<T> x, Panel<T> y, Panel<T> z) const {
    gram_pass(a_, x, y, z);
}
template <class T, class S>
void Dense<T, S>::apply_outer(ConstPanel<T> y, Panel<T> z, Panel<T> w) const {
    outer_pass(a_, y, z, w);
}
template <class T, class S>
int Dense<T, S>::gram_passes() const {
    return gram_is_fused<T>(a_) ? 1 : 2;
}
template <class T, class S>
int Dense<T, S>::outer_passes() const {
    return gram_is_fused<T>(a_.transposed()) ? 1 : 2;
}
template <class T, class S>
OwnedOperator<T> Dense<T, S>::scaled_copy(int exponent) const {
    // The copy keeps the direction in which A is contiguous: the path through the kernels depends on it.
    const bool by_columns = std::abs(a_.row_stride) < std::abs(a_.col_stride);
    const ConstView<S> from = by_columns ? a_.transposed() : a_;
    auto memory = std::make_shared<Buffer<T>>(detail::checked_product(from.rows, from.cols));
    // In two steps, neither of which leaves the range of the type.
    const auto half = std::ldexp(real_t<T>(1), exponent / 2), rest = std::ldexp(real_t<T>(1), exponent - exponent / 2);
    for (index_t i = 0; i < from.rows; ++i) {
        for (index_t j = 0; j < from.cols; ++j) {
            if constexpr (std::is_same_v<S, T>) {
                (*memory)[i * from.cols + j] = from(i, j) * half * rest;
            } else {
                (*memory)[i * from.cols + j] = widen(from(i, j)) * half * rest;
            }
        }
    }
    const ConstView<T> copy{memory->data(), from.rows, from.cols, from.cols, 1};
    return {memory, std::make_unique<Dense<T>>(by_columns ? copy.transposed() : copy)};
}
template <class T, class S>
std::optional<double> Dense<T, S>::max_abs() const {
    return scan(a_).max_abs;
}
template <class T, class S>
std::optional<double> Dense<T, S>::norm_fro() const {
    return svdkit::norm_fro(a_);
}
template <class T, class S>
OperatorCost Dense<T, S>::cost() const {
    const double entries = static_cast<double>(a_.rows) * static_cast<double>(a_.cols);
    return {(is_complex<T> ? 8 : 2) * entries, entries * sizeof(S)};
}

#define INSTANTIATE(T) template class Dense<T>;
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE
template class Dense<float, Float16>;
template class Dense<float, BFloat16>;
template class Dense<double, float>;

}  // namespace svdkit
