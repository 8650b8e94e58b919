#include "svdkit/op/low_rank.hpp"

#include "svdkit/base/error.hpp"
#include "svdkit/base/scratch.hpp"
#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/op/kronecker.hpp"

namespace svdkit {

template <class T>
LowRank<T>::LowRank(ConstView<T> p, std::vector<real_t<T>> s, ConstView<T> q) : p_(p), s_(std::move(s)), q_(q) {
    if (p.cols != q.cols || (!s_.empty() && std::ssize(s_) != p.cols)) {
        throw InvalidArgument("LowRank: P (m x r), s (r) and Q (n x r) must share r");
    }
}

template <class T>
void LowRank<T>::multiply(ConstView<T> left, ConstView<T> right, ConstPanel<T> in, Panel<T> out) const {
    const ScratchPanel<T> core(left.cols, in.cols);
    adjoint_pass(right, in, core.panel());
    for (index_t i = 0; i < std::ssize(s_); ++i)
        for (index_t j = 0; j < in.cols; ++j) core.panel()(i, j) *= s_[static_cast<std::size_t>(i)];
    forward_pass<T>(left, core.panel(), out);
}

template <class T>
void LowRank<T>::apply(ConstPanel<T> x, Panel<T> y) const {
    multiply(p_, q_, x, y);
}

template <class T>
void LowRank<T>::apply_adjoint(ConstPanel<T> y, Panel<T> z) const {
    multiply(q_, p_, y, z);
}

template <class T>
OwnedOperator<T> LowRank<T>::rearranged(const KroneckerShape& shape) const {
    return rearranged_low_rank(p_, s_, q_, true, shape);
}

template <class T>
OperatorCost LowRank<T>::cost() const {
    const double entries = static_cast<double>(p_.rows + q_.rows) * static_cast<double>(p_.cols);
    return {(is_complex<T> ? 8 : 2) * entries, entries * sizeof(T)};
}

#define INSTANTIATE(T) template class LowRank<T>;
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
