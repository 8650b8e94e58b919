// Principal component pursuit: a matrix in, its low-rank part as triplets, the sparse part and the certificate out.
#include "svdkit/solver/pcp.hpp"

#include <nanobind/stl/string_view.h>

#include "bind.hpp"
#include "callback.hpp"
#include "options.hpp"

namespace svdkit::bindings {
namespace {

constexpr std::array kPenalties{Word{"balanced", Penalty::balanced}, Word{"growing", Penalty::growing}};

template <class T>
nb::tuple solve(MatrixIn<T> a, double lambda, std::string_view penalty, double tol, index_t max_iterations,
                double max_abs, int threads, nb::object callback, double time_limit) {
    const PcpOptions options{.lambda = lambda,
                             .penalty = parse("penalty", penalty, kPenalties),
                             .tol = tol,
                             .max_iterations = max_iterations,
                             .max_abs = max_abs,
                             .threads = threads};
    Monitor watch = monitor(callback, time_limit);
    PcpResult<T> result;
    {
        const nb::gil_scoped_release release;
        result = pcp(view<T>(a), options, watch);
    }
    const bool flip = result.transposed;
    const nb::object sparse = nb::cast(flip ? give_adjoint(std::move(result.sparse)) : give(std::move(result.sparse)));
    nb::dict facts;
    facts["lam"] = result.lambda;
    facts["nonzeros"] = result.nonzeros;
    facts["primal_residual"] = result.certificate.primal_residual;
    facts["objective"] = result.certificate.objective;
    facts["bound"] = result.certificate.bound;
    return nb::make_tuple(give_triplets(std::move(result.low_rank), true), sparse, facts);
}

}  // namespace

template <class T>
void bind_pcp(HandleClass<T>& cls) {
    if constexpr (!is_complex<T>) {
        cls.def_static("pcp", &solve<T>, nb::arg("a").noconvert(), nb::arg("lam"), nb::arg("penalty"), nb::arg("tol"),
                       nb::arg("max_iterations"), nb::arg("max_abs"), nb::arg("threads"), nb::arg("callback").none(),
                       nb::arg("time_limit"), "((U, s, Vh, report), S, certificate).");
    }
}

#define BIND(T) template void bind_pcp<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
