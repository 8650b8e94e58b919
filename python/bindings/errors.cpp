// The one funnel from C++ exceptions to Python's.
//
// InvalidArgument (a std::invalid_argument) and OutOfMemory (a std::bad_alloc) become ValueError and MemoryError by
// nanobind's own rule. A Python error that occurs while C++ runs (Ctrl-C, an exception in a callback) crosses C++ as
// nb::python_error and comes out as it was.
#include "bind.hpp"
#include "svdkit/base/error.hpp"

namespace svdkit::bindings {

void bind_errors(nb::module_&) {
    nb::register_exception_translator([](const std::exception_ptr& pointer, void*) {
        try {
            std::rethrow_exception(pointer);
        } catch (const NumericalError& error) {
            const nb::object type = nb::module_::import_("numpy.linalg").attr("LinAlgError");
            PyErr_SetString(type.ptr(), error.what());
        } catch (const Interrupted&) {
            if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
        }
    });
}

}  // namespace svdkit::bindings
