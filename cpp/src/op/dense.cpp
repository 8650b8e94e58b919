#include "svdkit/op/dense.hpp"

#include "svdkit/kernel/block_pass.hpp"
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
std::optional<double> Dense<T, S>::max_abs() const {
    return scan(a_).max_abs;
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

}  // namespace svdkit
