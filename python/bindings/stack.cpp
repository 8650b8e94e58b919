// Truncated SVD of a stack of matrices (B, m, n): one call, results stacked, reports merged.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string_view.h>

#include <algorithm>

#include "bind.hpp"
#include "callback.hpp"
#include "options.hpp"
#include "svdkit/op/dense.hpp"
#include "svdkit/solver/batched.hpp"

namespace svdkit::bindings {
namespace {

template <class T>
using StackIn = nb::ndarray<const T, nb::ndim<3>, nb::device::cpu>;

template <class T>
std::vector<Dense<T>> matrices(const StackIn<T>& stack) {
    std::vector<Dense<T>> all;
    for (index_t b = 0; b < extent(stack, 0); ++b) {
        all.emplace_back(ConstView<T>{stack.data() + b * stack.stride(0), extent(stack, 1), extent(stack, 2),
                                      stack.stride(1), stack.stride(2)});
    }
    return all;
}

/// `count` blocks of equal shape behind one another; transposed and conjugated when `adjoint`.
template <class T, class Pick>
nb::object stacked(std::vector<Result<T>>& results, bool adjoint, Pick pick) {
    const Block<T>& first = pick(results.front());
    const index_t rows = first.rows(), cols = first.cols(), size = rows * cols;
    std::vector<T> all;
    all.reserve(results.size() * static_cast<std::size_t>(size));
    for (Result<T>& result : results) {
        const Block<T> block = std::move(pick(result));
        for (index_t i = 0; i < rows; ++i) {
            std::transform(&block(i, 0), &block(i, 0) + cols, std::back_inserter(all),
                           [adjoint](T x) { return adjoint ? conj(x) : x; });
        }
    }
    auto [owner, kept] = keep(std::move(all));
    const auto count = results.size(), m = static_cast<std::size_t>(rows), k = static_cast<std::size_t>(cols);
    using Stack = nb::ndarray<nb::numpy, T, nb::ndim<3>>;
    return adjoint ? nb::cast(Stack(kept->data(), {count, k, m}, owner, {size, 1, cols}))
                   : nb::cast(Stack(kept->data(), {count, m, k}, owner));
}

template <class R>
nb::object stacked(const std::vector<R>& values, std::size_t count) {
    std::vector<R> all(values);
    auto [owner, kept] = keep(std::move(all));
    return nb::cast(Matrix<R>(kept->data(), {count, kept->size() / count}, owner));
}

/// Counts added up, notes once each, the time of the call; the rest is that of the first.
template <class T>
Report merged(const std::vector<Result<T>>& results, index_t wanted, double seconds) {
    Report all = results.front().report;
    for (std::size_t b = 1; b < results.size(); ++b) {
        const Report& one = results[b].report;
        all.converged = all.converged && one.converged;
        all.passes += one.passes;
        all.iterations += one.iterations;
        all.peak_bytes = std::max(all.peak_bytes, one.peak_bytes);
        for (const std::string& note : one.notes) {
            if (std::ranges::find(all.notes, note) == all.notes.end()) all.notes.push_back(note);
        }
    }
    all.seconds = {{"total", seconds}};
    all.reason = std::to_string(results.size()) + " matrices; " + all.reason;
    if (std::ssize(results) < wanted) {
        all.converged = false;
        all.notes.push_back("stopped early, after " + std::to_string(results.size()) + " of " + std::to_string(wanted) +
                            " matrices");
    }
    return all;
}

template <class T>
nb::tuple solve(StackIn<T> stack, index_t k, double tol, std::string_view which, std::string_view method, bool vectors,
                index_t block_size, index_t max_passes, std::uint64_t seed, int threads,
                std::optional<MatrixIn<T>> warm_start, nb::object callback, double time_limit) {
    const Options<T> options =
        options_from<T>(k, tol, which, method, block_size, max_passes, seed, threads, warm_start);
    Monitor watch = monitor(callback, time_limit);
    const std::vector<Dense<T>> operators = matrices(stack);
    if (operators.empty()) throw InvalidArgument("a stack needs at least one matrix");
    std::vector<const Operator<T>*> items;
    for (const Dense<T>& item : operators) items.push_back(&item);
    std::vector<Result<T>> results;
    {
        const nb::gil_scoped_release release;
        results = tsvd_batched<T>(items, options, watch);
    }
    std::vector<real_t<T>> s;
    std::vector<double> residuals;
    for (const Result<T>& result : results) {
        s.insert(s.end(), result.s.begin(), result.s.end());
        residuals.insert(residuals.end(), result.report.residuals.begin(), result.report.residuals.end());
    }
    const Report report = merged(results, std::ssize(items), watch.seconds());
    nb::object u = nb::none(), vh = nb::none();
    if (vectors) {
        u = stacked<T>(results, false, [](Result<T>& r) -> Block<T>& { return r.u; });
        vh = stacked<T>(results, true, [](Result<T>& r) -> Block<T>& { return r.v; });
    }
    return nb::make_tuple(u, stacked(s, results.size()), vh, describe(report, stacked(residuals, results.size())));
}

}  // namespace

template <class T>
void bind_stack(HandleClass<T>& cls) {
    cls.def_static("tsvd_stack", &solve<T>, nb::arg("stack").noconvert(), nb::arg("k"), nb::arg("tol") = 0.0,
                   nb::arg("which") = "largest", nb::arg("method") = "auto", nb::arg("vectors") = true,
                   nb::arg("block_size") = 0, nb::arg("max_passes") = 0, nb::arg("seed") = 0, nb::arg("threads") = 0,
                   nb::arg("warm_start").noconvert() = nb::none(), nb::arg("callback") = nb::none(),
                   nb::arg("time_limit") = 0.0, "k singular triplets of every matrix: stacked (U, s, Vh), one report.");
}

#define BIND(T) template void bind_stack<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
