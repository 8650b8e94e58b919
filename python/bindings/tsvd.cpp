// Truncated SVD of one matrix: options in, (U, s, Vh, report) out.
#include "svdkit/solver/tsvd.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string_view.h>

#include "bind.hpp"
#include "callback.hpp"
#include "options.hpp"

namespace svdkit::bindings {
namespace {

template <class T>
nb::tuple solve(const Handle<T>& a, index_t k, double tol, std::string_view which, std::string_view method,
                bool vectors, index_t block_size, index_t max_passes, std::uint64_t seed, int threads,
                std::optional<MatrixIn<T>> warm_start, nb::object callback, double time_limit, double max_abs,
                bool one_sided) {
    Options<T> options = options_from<T>(k, tol, which, method, block_size, max_passes, seed, threads, warm_start);
    options.max_abs = max_abs;
    options.one_sided = one_sided;
    Monitor watch = monitor(callback, time_limit);
    Result<T> result;
    {
        const nb::gil_scoped_release release;
        result = tsvd(*a.op, options, watch);
    }
    return give_triplets(std::move(result), vectors);
}

}  // namespace

template <class T>
void bind_tsvd(HandleClass<T>& cls) {
    cls.def("tsvd", &solve<T>, nb::arg("k"), nb::arg("tol") = 0.0, nb::arg("which") = "largest",
            nb::arg("method") = "auto", nb::arg("vectors") = true, nb::arg("block_size") = 0, nb::arg("max_passes") = 0,
            nb::arg("seed") = 0, nb::arg("threads") = 0, nb::arg("warm_start").noconvert() = nb::none(),
            nb::arg("callback") = nb::none(), nb::arg("time_limit") = 0.0, nb::arg("max_abs") = 0.0,
            nb::arg("one_sided") = true, "k singular triplets (U, s, Vh, report).");
}

#define BIND(T) template void bind_tsvd<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
