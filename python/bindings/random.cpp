// The random generator, for tests: known answers, and the numbers of a stream.
#include <nanobind/stl/array.h>

#include "bind.hpp"
#include "svdkit/base/random.hpp"

namespace svdkit::bindings {
namespace {

template <class T>
void bind_gaussian(nb::module_& m) {
    m.def(
        "fill_gaussian",
        [](BlockOut<T> out, std::uint64_t seed, std::uint32_t stream, std::uint32_t index, index_t first_row,
           index_t first_col) {
            const nb::gil_scoped_release release;
            fill_gaussian<T>(panel<T>(out), seed, static_cast<Stream>(stream), index, first_row, first_col);
        },
        nb::arg("out").noconvert(), nb::arg("seed"), nb::arg("stream") = 0, nb::arg("index") = 0,
        nb::arg("first_row") = 0, nb::arg("first_col") = 0, "Independent standard normal entries of one stream.");
}

}  // namespace

void bind_random(nb::module_& m) {
    m.def("philox", &philox, nb::arg("counter"), nb::arg("key"), "Philox4x32-10 of one counter.");
#define BIND(T) bind_gaussian<T>(m);
    SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND
}

}  // namespace svdkit::bindings
