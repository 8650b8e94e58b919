// Handle: what Python holds of an operator.
//
// C++ operators view their data and their parts without owning them; a handle keeps all of it alive. Parts that can
// lead back to the handle (other handles, Python functions) are shown to Python's cycle collector.
#pragma once

#include <memory>
#include <vector>

#include "arrays.hpp"
#include "svdkit/op/operator.hpp"

namespace svdkit::bindings {

template <class T>
struct Handle {
    std::vector<nb::ndarray<>> arrays;
    std::vector<nb::object> parts;
    std::shared_ptr<void> memory;
    std::unique_ptr<Operator<T>> op;  // last, so that it goes first

    Handle() = default;
    Handle(Handle&&) noexcept = default;
    Handle& operator=(Handle&&) noexcept = default;

    template <class... Args>
    Handle& views(const nb::ndarray<Args...>& array) {
        arrays.emplace_back(array);
        return *this;
    }
    Handle& needs(nb::handle part) {
        parts.push_back(nb::borrow(part));
        return *this;
    }

    static int traverse(PyObject* self, visitproc visit, void* arg) {
#if PY_VERSION_HEX >= 0x03090000
        Py_VISIT(Py_TYPE(self));
#endif
        if (!nb::inst_ready(self)) return 0;
        for (const nb::object& part : nb::inst_ptr<Handle>(self)->parts) Py_VISIT(part.ptr());
        return 0;
    }
    static int clear(PyObject* self) {
        Handle released;
        if (nb::inst_ready(self)) std::swap(released, *nb::inst_ptr<Handle>(self));
        return 0;
    }
    static inline PyType_Slot slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(traverse)},
                                         {Py_tp_clear, reinterpret_cast<void*>(clear)},
                                         {0, nullptr}};
};

template <class T>
using HandleClass = nb::class_<Handle<T>>;

/// The operator of a Python object that is (or should be) a handle.
template <class T>
const Operator<T>& operator_of(nb::handle object) {
    return *nb::cast<const Handle<T>&>(object).op;
}

}  // namespace svdkit::bindings
