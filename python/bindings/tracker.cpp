// The tracker of a kept matrix: operators in, (U, s, Vh, report) out.
#include "svdkit/solver/incremental/tracker.hpp"

#include "bind.hpp"
#include "callback.hpp"
#include "options.hpp"
#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/sign.hpp"

namespace svdkit::bindings {
namespace {

nb::object solve(Tracker& tracker, const Handle<double>& a, double tol, index_t budget, int threads) {
    Monitor watch = monitor(nb::none(), 0);
    std::optional<Result<double>> result;
    {
        const nb::gil_scoped_release release;
        const ThreadScope scope(threads);
        const ScratchScope scratch;
        result = tracker.solve(*a.op, tol, budget, watch);
        if (result) {
            fix_signs<double>(result->u.panel(), result->v.panel());
            result->report.threads = num_threads();
        }
    }
    if (!result) return nb::none();
    Report& report = result->report;
    report.method = "tracking";
    report.reason = "on from the basis of the last result";
    report.converged = true;
    report.tol = tol;
    report.seconds = {{"total", watch.seconds()}};
    report.peak_bytes = static_cast<std::size_t>(tracker.bytes());
    return give_triplets(std::move(*result), true);
}

}  // namespace

void bind_tracker(nb::module_& m) {
    nb::class_<Tracker> cls(m, "Tracker", "The leading triplets of a matrix that gains and loses rows.");
    cls.def(
        "__init__",
        [](Tracker* self, const Handle<double>& a, BlockIn<double> v, index_t k, std::uint64_t seed, int threads) {
            const nb::gil_scoped_release release;
            const ThreadScope scope(threads);
            new (self) Tracker(k, panel<double>(v), *a.op, seed);
        },
        nb::arg("a"), nb::arg("v").noconvert(), nb::arg("k"), nb::arg("seed"), nb::arg("threads"));
    cls.def(
        "change",
        [](Tracker& tracker, const TallVectors& rows, double sign, int threads) {
            const nb::gil_scoped_release release;
            const ThreadScope scope(threads);
            tracker.change(rows, sign);
        },
        nb::arg("rows"), nb::arg("sign"), nb::arg("threads"), "The matrix gains (+1) or loses (-1) these rows.");
    cls.def("solve", &solve, nb::arg("a"), nb::arg("tol"), nb::arg("budget"), nb::arg("threads"),
            "(U, s, Vh, report), or None.");
    cls.def_prop_ro("k", &Tracker::k);
    cls.def_prop_ro("multiplied", &Tracker::multiplied, "Vectors that the last call multiplied.");
    cls.def_prop_ro("nbytes", &Tracker::bytes);
}

}  // namespace svdkit::bindings
