#include "svdkit/op/dense.hpp"

#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/scan.hpp"

namespace svdkit {

template <class T>
void Dense<T>::apply(ConstPanel<T> x, Panel<T> y) const {
    forward_pass(a_, x, y);
}
template <class T>
void Dense<T>::apply_adjoint(ConstPanel<T> y, Panel<T> z) const {
    adjoint_pass(a_, y, z);
}
template <class T>
void Dense<T>::apply_gram(ConstPanel<T> x, Panel<T> y, Panel<T> z) const {
    gram_pass(a_, x, y, z);
}
template <class T>
int Dense<T>::gram_passes() const {
    return gram_is_fused(a_) ? 1 : 2;
}
template <class T>
void Dense<T>::apply_outer(ConstPanel<T> y, Panel<T> z, Panel<T> w) const {
    outer_pass(a_, y, z, w);
}
template <class T>
int Dense<T>::outer_passes() const {
    return gram_is_fused(a_.transposed()) ? 1 : 2;
}
template <class T>
std::optional<double> Dense<T>::max_abs() const {
    return scan(a_).max_abs;
}
template <class T>
std::optional<double> Dense<T>::squared_norm() const {
    return scan(a_).sum_squares;
}
template <class T>
OperatorCost Dense<T>::cost() const {
    const double entries = static_cast<double>(a_.rows) * static_cast<double>(a_.cols);
    return {(is_complex<T> ? 8 : 2) * entries, entries * sizeof(T)};
}

#define INSTANTIATE(T) template class Dense<T>;
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
