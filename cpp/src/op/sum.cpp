#include "svdkit/op/sum.hpp"

#include <utility>

#include "svdkit/base/error.hpp"
#include "svdkit/base/scratch.hpp"

namespace svdkit {
namespace {

template <class T>
void combine(T alpha, Panel<T> y, T beta, ConstPanel<T> other) {
    for (index_t i = 0; i < y.rows; ++i)
        for (index_t j = 0; j < y.cols; ++j) y(i, j) = alpha * y(i, j) + beta * other(i, j);
}

}  // namespace

template <class T>
Sum<T>::Sum(const Operator<T>& a, const Operator<T>& b, T alpha, T beta) : a_(a), b_(b), alpha_(alpha), beta_(beta) {
    if (a.rows() != b.rows() || a.cols() != b.cols()) throw InvalidArgument("Sum: the two shapes differ");
}

template <class T>
void Sum<T>::apply(ConstPanel<T> x, Panel<T> y) const {
    const ScratchPanel<T> other(y.rows, y.cols);
    a_.apply(x, y);
    b_.apply(x, other.panel());
    combine<T>(alpha_, y, beta_, other.panel());
}

template <class T>
void Sum<T>::apply_adjoint(ConstPanel<T> y, Panel<T> z) const {
    const ScratchPanel<T> other(z.rows, z.cols);
    a_.apply_adjoint(y, z);
    b_.apply_adjoint(y, other.panel());
    combine<T>(conj(alpha_), z, conj(beta_), other.panel());
}

// Linear: the sum of the rearranged terms.
template <class T>
OwnedOperator<T> Sum<T>::rearranged(const KroneckerShape& shape) const {
    auto parts =
        std::make_shared<std::pair<OwnedOperator<T>, OwnedOperator<T>>>(a_.rearranged(shape), b_.rearranged(shape));
    const auto& [a, b] = *parts;
    if (!a.op || !b.op) return {};
    std::string note = a.note + (a.note.empty() || b.note.empty() ? "" : "; ") + b.note;
    return {parts, std::make_unique<Sum>(*a.op, *b.op, alpha_, beta_), std::move(note)};
}

template <class T>
OperatorCost Sum<T>::cost() const {
    const OperatorCost a = a_.cost(), b = b_.cost();
    return {a.flops_per_vector + b.flops_per_vector, a.bytes_per_pass + b.bytes_per_pass};
}

#define INSTANTIATE(T) template class Sum<T>;
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
