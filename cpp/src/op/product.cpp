#include "svdkit/op/product.hpp"

#include <string>

#include "svdkit/base/error.hpp"
#include "svdkit/base/scratch.hpp"
#include "svdkit/op/kronecker.hpp"

namespace svdkit {

template <class T>
Product<T>::Product(const Operator<T>& a, const Operator<T>& b) : a_(a), b_(b) {
    if (a.cols() != b.rows()) {
        throw InvalidArgument("Product: inner extents differ: " + std::to_string(a.cols()) + " and " +
                              std::to_string(b.rows()));
    }
}

template <class T>
void Product<T>::apply(ConstPanel<T> x, Panel<T> y) const {
    const ScratchPanel<T> inner(b_.rows(), x.cols);
    b_.apply(x, inner.panel());
    a_.apply(inner.panel(), y);
}

template <class T>
void Product<T>::apply_adjoint(ConstPanel<T> y, Panel<T> z) const {
    const ScratchPanel<T> inner(a_.cols(), y.cols);
    a_.apply_adjoint(y, inner.panel());
    b_.apply_adjoint(inner.panel(), z);
}

// Of two matrices in memory: sum over the inner index of column times row.
template <class T>
OwnedOperator<T> Product<T>::rearranged(const KroneckerShape& shape) const {
    const auto p = a_.dense_view(), q = b_.dense_view();
    return p && q ? rearranged_low_rank<T>(*p, {}, q->transposed(), false, shape) : OwnedOperator<T>{};
}

template <class T>
OperatorCost Product<T>::cost() const {
    const OperatorCost a = a_.cost(), b = b_.cost();
    return {a.flops_per_vector + b.flops_per_vector, a.bytes_per_pass + b.bytes_per_pass};
}

#define INSTANTIATE(T) template class Product<T>;
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
