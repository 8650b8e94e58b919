// Operators made of operators. C++ composes by reference; each handle keeps the handles of its parts.
#include <nanobind/stl/complex.h>

#include "bind.hpp"
#include "svdkit/op/adjoint.hpp"
#include "svdkit/op/centered.hpp"
#include "svdkit/op/product.hpp"
#include "svdkit/op/scaled.hpp"
#include "svdkit/op/stacked.hpp"
#include "svdkit/op/sum.hpp"

namespace svdkit::bindings {
namespace {

template <class T>
Handle<T> adjoint(nb::handle part) {
    Handle<T> a;
    a.needs(part).op = std::make_unique<Adjoint<T>>(operator_of<T>(part));
    return a;
}

template <class T>
Handle<T> scaled(nb::handle part, VectorIn<real_t<T>> rows, VectorIn<real_t<T>> cols) {
    Handle<T> a;
    a.needs(part).op = std::make_unique<Scaled<T>>(operator_of<T>(part), copy<real_t<T>>(rows), copy<real_t<T>>(cols));
    return a;
}

template <class T>
Handle<T> centered(nb::handle part, VectorIn<T> offsets) {
    Handle<T> a;
    a.needs(part).op = std::make_unique<Centered<T>>(operator_of<T>(part), copy<T>(offsets));
    return a;
}

template <class T>
Handle<T> product(nb::handle left, nb::handle right) {
    Handle<T> a;
    a.needs(left).needs(right).op = std::make_unique<Product<T>>(operator_of<T>(left), operator_of<T>(right));
    return a;
}

template <class T>
Handle<T> sum(nb::handle left, nb::handle right, T alpha, T beta) {
    Handle<T> a;
    a.needs(left).needs(right).op = std::make_unique<Sum<T>>(operator_of<T>(left), operator_of<T>(right), alpha, beta);
    return a;
}

template <class T>
Handle<T> stacked(nb::list parts, bool vertical) {
    Handle<T> a;
    std::vector<const Operator<T>*> operators;
    for (nb::handle part : parts) {
        a.needs(part);
        operators.push_back(&operator_of<T>(part));
    }
    a.op = std::make_unique<Stacked<T>>(std::move(operators), vertical ? Axis::vertical : Axis::horizontal);
    return a;
}

}  // namespace

template <class T>
void bind_compositions(HandleClass<T>& cls) {
    cls.def_static("adjoint", &adjoint<T>, nb::arg("part"), "A^H");
    cls.def_static("scaled", &scaled<T>, nb::arg("part"), nb::arg("rows").noconvert(), nb::arg("cols").noconvert(),
                   "diag(rows) A diag(cols); either may be empty for ones.");
    cls.def_static("centered", &centered<T>, nb::arg("part"), nb::arg("offsets").noconvert(), "A - 1 offsets^T");
    cls.def_static("product", &product<T>, nb::arg("left"), nb::arg("right"), "A B");
    cls.def_static("sum", &sum<T>, nb::arg("left"), nb::arg("right"), nb::arg("alpha"), nb::arg("beta"),
                   "alpha A + beta B");
    cls.def_static("stacked", &stacked<T>, nb::arg("parts"), nb::arg("vertical"), "Below one another or side by side.");
}

#define BIND(T) template void bind_compositions<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
