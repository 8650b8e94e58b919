// Triplets between metrics known by their products: options in, (U, s, Vh, report) out.
#include "svdkit/solver/metric_lanczos.hpp"

#include <nanobind/stl/optional.h>

#include "bind.hpp"
#include "callback.hpp"
#include "options.hpp"

namespace svdkit::bindings {
namespace {

template <class T, auto kSolve>
nb::tuple solve(const Handle<T>& a, nb::object rows, nb::object cols, index_t k, double tol, index_t max_passes,
                std::uint64_t seed, int threads, nb::object callback, double time_limit, double max_abs) {
    Metrics<T> metrics;
    if (!rows.is_none()) metrics.rows = &operator_of<T>(rows);
    if (!cols.is_none()) metrics.cols = &operator_of<T>(cols);
    const Options<T> options{
        .k = k, .tol = tol, .max_passes = max_passes, .max_abs = max_abs, .seed = seed, .threads = threads};
    Monitor watch = monitor(callback, time_limit);
    Result<T> result;
    {
        const nb::gil_scoped_release release;
        result = kSolve(*a.op, metrics, options, watch);
    }
    return give_triplets(std::move(result), true);
}

}  // namespace

template <class T>
void bind_metric_lanczos(HandleClass<T>& cls) {
    const auto define = [&](const char* name, auto function, const char* what) {
        cls.def(name, function, nb::arg("rows").none(), nb::arg("cols").none(), nb::arg("k"), nb::arg("tol"),
                nb::arg("max_passes"), nb::arg("seed"), nb::arg("threads"), nb::arg("callback").none(),
                nb::arg("time_limit"), nb::arg("max_abs"), what);
    };
    define("metric_lanczos", &solve<T, &metric_lanczos<T>>, "k triplets (U, s, Vh, report) between two metrics.");
    define("metric_search", &solve<T, &metric_search<T>>, "Their U and s as the iteration sees them, Vh empty.");
}

#define BIND(T) template void bind_metric_lanczos<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
