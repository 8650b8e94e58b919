// Sums of Kronecker products, and the rearrangement of any operator that knows its entries.
#include "svdkit/op/kronecker.hpp"

#include <nanobind/stl/string.h>

#include "bind.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/op/kronecker_sum.hpp"

namespace svdkit::bindings {
namespace {

template <class T>
using StackIn = nb::ndarray<const T, nb::ndim<3>, nb::device::cpu>;

template <class T>
KroneckerTerms<T> terms(const StackIn<T>& a) {
    return {a.data(), extent(a, 0), extent(a, 1), extent(a, 2), a.stride(0), a.stride(1), a.stride(2)};
}

template <class T>
Handle<T> kronecker_sum(StackIn<T> left, VectorIn<real_t<T>> weights, StackIn<T> right) {
    Handle<T> a;
    a.views(left).views(weights).views(right);
    a.op = std::make_unique<KroneckerSum<T>>(terms<T>(left), copy<real_t<T>>(weights), terms<T>(right));
    return a;
}

template <class T>
nb::object rearranged(nb::handle part, index_t m1, index_t n1, index_t m2, index_t n2) {
    OwnedOperator<T> owned;
    {
        const Operator<T>& op = operator_of<T>(part);
        const nb::gil_scoped_release release;
        owned = op.rearranged({m1, n1, m2, n2});
    }
    if (!owned.op) return nb::none();
    Handle<T> a;
    a.needs(part).memory = std::move(owned.memory);
    a.op = std::move(owned.op);
    return nb::make_tuple(nb::cast(std::move(a)), owned.note);
}

}  // namespace

template <class T>
void bind_kronecker(HandleClass<T>& cls) {
    cls.def_static("kronecker_sum", &kronecker_sum<T>, nb::arg("left").noconvert(), nb::arg("weights").noconvert(),
                   nb::arg("right").noconvert(), "sum_t weights_t left_t kron right_t, in place.");
    cls.def_static("rearranged", &rearranged<T>, nb::arg("part"), nb::arg("m1"), nb::arg("n1"), nb::arg("m2"),
                   nb::arg("n2"), "(R(A), note), or None where A shows no entries.");
}

#define BIND(T) template void bind_kronecker<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
