// Least absolute deviations: a matrix in, the triplets of the fit and the history of its error out.
#include "svdkit/solver/l1.hpp"

#include "bind.hpp"
#include "callback.hpp"
#include "options.hpp"

namespace svdkit::bindings {
namespace {

template <class T>
nb::tuple solve(MatrixIn<T> a, index_t k, double tol, index_t max_iterations, index_t rounds, double max_abs,
                int threads, nb::object callback, double time_limit) {
    const L1Options options{
        .k = k, .tol = tol, .max_iterations = max_iterations, .rounds = rounds, .max_abs = max_abs, .threads = threads};
    Monitor watch = monitor(callback, time_limit);
    L1Result<T> result;
    {
        const nb::gil_scoped_release release;
        result = l1(view<T>(a), options, watch);
    }
    return nb::make_tuple(give_triplets(std::move(result.fit), true), give(std::move(result.history)), result.rounds);
}

}  // namespace

template <class T>
void bind_l1(HandleClass<T>& cls) {
    if constexpr (!is_complex<T>) {
        cls.def_static("l1", &solve<T>, nb::arg("a").noconvert(), nb::arg("k"), nb::arg("tol"),
                       nb::arg("max_iterations"), nb::arg("rounds"), nb::arg("max_abs"), nb::arg("threads"),
                       nb::arg("callback").none(), nb::arg("time_limit"), "((U, s, Vh, report), history, rounds).");
    }
}

#define BIND(T) template void bind_l1<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
