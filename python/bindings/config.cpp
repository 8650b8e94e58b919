// Threads, SIMD level, BLAS and version.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bind.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/blas/blas.hpp"
#include "svdkit/kernel/simd.hpp"

namespace svdkit::bindings {

void bind_config(nb::module_& m) {
    m.attr("version") = SVDKIT_VERSION;
    m.def("get_num_threads", &default_num_threads, "Threads that a call uses by default.");
    m.def("set_num_threads", &set_default_num_threads, nb::arg("threads"), "0: back to the environment's choice.");
    m.def("blas_config", &blas::config);
    m.def("simd_level", &simd_level);
    m.def("simd_levels", &simd_levels, "Levels that this processor can run, lowest first.");
    m.def("set_simd_level", &set_simd_level, nb::arg("name"), "For tests and benchmarks.");
}

}  // namespace svdkit::bindings
