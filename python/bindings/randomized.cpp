// Randomized SVD: options in, (U, s, Vh, report) out; and the random test matrices.
#include "svdkit/solver/randomized.hpp"

#include <nanobind/stl/string_view.h>

#include "bind.hpp"
#include "callback.hpp"
#include "options.hpp"
#include "svdkit/kernel/sketch.hpp"

namespace svdkit::bindings {
namespace {

constexpr std::array kSketches{Word{"gaussian", Sketch::gaussian}, Word{"sparse", Sketch::sparse},
                               Word{"srht", Sketch::srht}};

template <class T>
nb::tuple solve(const Handle<T>& a, index_t k, index_t oversample, index_t power_iterations, index_t passes,
                index_t block_size, std::string_view sketch, std::uint64_t seed, int threads, nb::object callback,
                double time_limit, double max_abs) {
    const RandomizedOptions options{.k = k,
                                    .oversample = oversample,
                                    .power_iterations = power_iterations,
                                    .passes = passes,
                                    .block_size = block_size,
                                    .sketch = parse("sketch", sketch, kSketches),
                                    .max_abs = max_abs,
                                    .seed = seed,
                                    .threads = threads};
    Monitor watch = monitor(callback, time_limit);
    Result<T> result;
    {
        const nb::gil_scoped_release release;
        result = randomized(*a.op, options, watch);
    }
    return give_triplets(std::move(result), true);
}

}  // namespace

template <class T>
void bind_randomized(HandleClass<T>& cls) {
    cls.def("randomized", &solve<T>, nb::arg("k"), nb::arg("oversample"), nb::arg("power_iterations"),
            nb::arg("passes"), nb::arg("block_size"), nb::arg("sketch"), nb::arg("seed"), nb::arg("threads"),
            nb::arg("callback").none(), nb::arg("time_limit"), nb::arg("max_abs"),
            "k singular triplets (U, s, Vh, report).");
    cls.def_static(
        "fill_sparse_sign",
        [](BlockOut<T> out, std::uint64_t seed, index_t first_row) {
            fill_sparse_sign(panel<T>(out), seed, first_row);
        },
        nb::arg("out"), nb::arg("seed"), nb::arg("first_row") = 0, "Rows of a sparse sign matrix.");
    cls.def_static(
        "fill_hadamard", [](BlockOut<T> out, std::uint64_t seed) { fill_hadamard(panel<T>(out), seed); },
        nb::arg("out"), nb::arg("seed"), "A subsampled, randomized Hadamard matrix.");
}

#define BIND(T) template void bind_randomized<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
