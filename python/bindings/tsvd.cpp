// Truncated SVD: options in, (U, s, Vh, report) out.
#include "svdkit/solver/tsvd.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <string_view>

#include "bind.hpp"
#include "callback.hpp"
#include "svdkit/base/error.hpp"

namespace svdkit::bindings {
namespace {

template <class Value>
struct Name {
    std::string_view name;
    Value value;
};

constexpr std::array kMethods{Name{"auto", Method::automatic}, Name{"lanczos", Method::lanczos},
                              Name{"full", Method::full}};
constexpr std::array kEnds{Name{"largest", Which::largest}, Name{"smallest", Which::smallest}};

template <class Value, std::size_t N>
Value parse(const char* argument, const std::string& word, const std::array<Name<Value>, N>& names) {
    for (const auto& [name, value] : names) {
        if (word == name) return value;
    }
    throw InvalidArgument(std::string(argument) + " = '" + word + "' is not known");
}

nb::dict describe(Report&& report) {
    nb::dict seconds;
    for (const auto& [phase, value] : report.seconds) seconds[phase.c_str()] = value;
    nb::dict out;
    out["method"] = report.method;
    out["reason"] = report.reason;
    out["converged"] = report.converged;
    out["residuals"] = give(std::move(report.residuals));
    out["tol"] = report.tol;
    out["passes"] = report.passes;
    out["iterations"] = report.iterations;
    out["seconds"] = seconds;
    out["peak_bytes"] = report.peak_bytes;
    out["threads"] = report.threads;
    out["seed"] = report.seed;
    out["notes"] = report.notes;
    return out;
}

template <class T>
nb::tuple solve(const Handle<T>& a, index_t k, double tol, const std::string& which, const std::string& method,
                bool vectors, index_t block_size, index_t max_passes, std::uint64_t seed, int threads,
                std::optional<MatrixIn<T>> warm_start, nb::object callback, double time_limit) {
    const Options<T> options{
        .k = k,
        .tol = tol,
        .which = parse("which", which, kEnds),
        .method = parse("method", method, kMethods),
        .vectors = vectors,
        .block_size = block_size,
        .max_passes = max_passes,
        .seed = seed,
        .threads = threads,
        .warm_start = warm_start ? view<T>(*warm_start) : ConstView<T>{},
    };
    Monitor watch = monitor(callback, time_limit);
    Result<T> result;
    {
        const nb::gil_scoped_release release;
        result = tsvd(*a.op, options, watch);
    }
    nb::object u = nb::none(), vh = nb::none();
    if (vectors) {
        u = nb::cast(give(std::move(result.u)));
        vh = nb::cast(give_adjoint(std::move(result.v)));
    }
    return nb::make_tuple(u, give(std::move(result.s)), vh, describe(std::move(result.report)));
}

}  // namespace

template <class T>
void bind_tsvd(HandleClass<T>& cls) {
    cls.def("tsvd", &solve<T>, nb::arg("k"), nb::arg("tol") = 0.0, nb::arg("which") = "largest",
            nb::arg("method") = "auto", nb::arg("vectors") = true, nb::arg("block_size") = 0,
            nb::arg("max_passes") = 0, nb::arg("seed") = 0, nb::arg("threads") = 0,
            nb::arg("warm_start").noconvert() = nb::none(), nb::arg("callback") = nb::none(),
            nb::arg("time_limit") = 0.0, "k singular triplets (U, s, Vh, report).");
}

#define BIND(T) template void bind_tsvd<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
