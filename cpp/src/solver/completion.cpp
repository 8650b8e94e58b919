#include "svdkit/solver/completion.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "svdkit/base/error.hpp"
#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "svdkit/kernel/sign.hpp"
#include "svdkit/solver/options.hpp"
#include "weighted_fit.hpp"

namespace svdkit {
namespace {

using detail::Course;
using detail::Triplets;
using detail::WeightedFit;

constexpr double kTightest =
    1e-4;  // of the tolerance: an iteration stops by half of the gradient and may have to go on

constexpr index_t kNoLimit = std::numeric_limits<index_t>::max();

constexpr index_t kShrinkSteps = 2;  // after alternation with a penalty: values that belong to zero become zero

template <class T>
Block<T> copy(ConstPanel<T> panel) {
    Block<T> block(panel.rows, panel.cols);
    detail::copy_panel<T>(panel, block);
    return block;
}

template <class T>
void check(const TwoSidedCells<T>& cells, ConstPanel<T> left, ConstPanel<T> right, const CompletionOptions& options) {
    const index_t m = cells.by_rows.rows(), n = cells.by_rows.cols();
    if (cells.by_columns.rows() != n || cells.by_columns.cols() != m)
        throw InvalidArgument("complete: the cells by rows and by columns have different shapes");
    if (options.k < 1 || options.k > std::min(m, n))
        throw InvalidArgument("k=" + std::to_string(options.k) + ": must be in 1..min(m, n)");
    if (left.rows != m || right.rows != n || left.cols != right.cols || left.cols < 1 || left.cols > std::min(m, n))
        throw InvalidArgument("complete: the start must be m x r and n x r, r in 1..min(m, n)");
    if (!(options.longest_step >= 1 && options.longest_step < 2))
        throw InvalidArgument("complete: longest_step must be in [1, 2)");
    if (!(options.penalty >= 0)) throw InvalidArgument("complete: penalty must not be negative");
}

// The vectors whose values count: all k of them without penalty, those that are not zero with one.
template <class T>
Triplets<T> answer(Triplets<T> z, const CompletionOptions& options) {
    index_t count = std::min(options.k, z.width());
    while (options.penalty > 0 && count > 0 && z.s[static_cast<std::size_t>(count - 1)] == 0) --count;
    return leading_triplets(std::move(z), count);
}

template <class T>
Block<T> unpadded(const Block<T>& block) {
    Block<T> plain(block.rows(), block.cols(), std::max<index_t>(block.cols(), 1));
    detail::copy_panel<T>(block, plain);
    return plain;
}

// The triplets that count, with their residuals and loss in `out`; whether they are stationary in its report.
template <class T>
Triplets<T> judged(const WeightedFit<T>& fit, Triplets<T> z, Completion<T>& out) {
    Report& report = out.result.report;
    Triplets<T> best = answer(std::move(z), fit.options());
    report.converged = best.width() == 0;
    if (report.converged) return best;
    report.residuals = fit.residuals(best, out.loss);
    report.converged = *std::ranges::max_element(report.residuals) <= report.tol * static_cast<double>(best.s[0]);
    return best;
}

// Alternation, and with a penalty, where its fit is not stationary, a few steps that shrink values to zero: those that
// belong there.
template <class T>
Triplets<T> alternated(const WeightedFit<T>& fit, Triplets<T> z, double tol, Course& course, Completion<T>& out,
                       Monitor& monitor) {
    z = judged(fit, alternate(fit, leading_triplets(std::move(z), fit.options().k), tol, course, monitor), out);
    if (out.result.report.converged || fit.options().penalty == 0) return z;
    z = expectation_maximisation(fit, std::move(z), 0, kShrinkSteps, course, monitor);
    if (course.stalled) z = expectation_maximisation(fit, std::move(z), tol, kNoLimit, course, monitor);
    return judged(fit, std::move(z), out);
}

template <class T>
Triplets<T> solve(const WeightedFit<T>& fit, Triplets<T> z, Course& course, Completion<T>& out, Monitor& monitor) {
    const CompletionOptions& options = fit.options();
    const Report& report = out.result.report;
    if (options.max_iterations == 0) {
        course.halted = true;
        return judged(fit, std::move(z), out);
    }
    for (double tol = report.tol / 2; !report.converged && !course.halted && tol >= kTightest * report.tol; tol /= 8)
        z = options.method == CompletionMethod::als
                ? alternated(fit, std::move(z), tol, course, out, monitor)
                : judged(fit, expectation_maximisation(fit, std::move(z), tol, kNoLimit, course, monitor), out);
    return z;
}

}  // namespace

template <class T>
Completion<T> complete(const TwoSidedCells<T>& cells, ConstPanel<T> left, ConstPanel<T> right,
                       const CompletionOptions& options, Monitor& monitor) {
    check(cells, left, right, options);
    const ThreadScope threads(options.threads);
    const ScratchScope scratch;
    const MemoryMeter memory;
    const WeightedFit<T> fit(cells, options);
    Completion<T> out;
    Report& report = out.result.report;
    report.tol = effective_tolerance<T>(options.tol, left.rows, right.rows);
    Course course;
    Triplets<T> z = solve(fit, detail::triplets_of<T>(copy(left), copy(right), options.seed), course, out, monitor);
    if (z.width() == 0) {  // the loss of zero
        const Block<T> nothing(left.rows, 0), vectors(right.rows, 0);
        out.loss = cells.by_rows.multiply({nothing, vectors, {}, {}, 0}, vectors, nothing);
    }
    fix_signs(z.u.panel(), z.v.panel());
    course.history.push_back(fit.objective(out.loss, z));
    out.history = std::move(course.history);
    out.restarts = course.restarts;
    out.mean_weight = fit.mean_weight();
    out.pulled_rows = fit.pulled_rows();
    out.pulled_cols = fit.pulled_cols();
    report.iterations = course.iterations;
    report.passes = 2 * course.iterations + course.restarts + 2;
    report.seconds = {{"total", monitor.seconds()}};
    report.peak_bytes = memory.peak_bytes();
    report.threads = num_threads();
    report.seed = options.seed;
    if (!report.converged && options.max_iterations > 0) {
        report.notes.push_back("stopped early: " + (monitor.stop_reason().empty()
                                                        ? std::to_string(course.iterations) + " steps"
                                                        : monitor.stop_reason()));
    }
    out.result.u = unpadded(z.u);
    out.result.v = unpadded(z.v);
    out.result.s = std::move(z.s);
    return out;
}

#define INSTANTIATE(T)                                                                        \
    template Completion<T> complete<T>(const TwoSidedCells<T>&, ConstPanel<T>, ConstPanel<T>, \
                                       const CompletionOptions&, Monitor&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit
