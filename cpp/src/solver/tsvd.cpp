#include "svdkit/solver/tsvd.hpp"

#include <algorithm>
#include <cmath>

#include "svdkit/base/error.hpp"
#include "svdkit/solver/full.hpp"
#include "svdkit/solver/gram.hpp"
#include "svdkit/solver/in_range.hpp"
#include "svdkit/solver/lanczos.hpp"

namespace svdkit {
namespace {

// Where one method takes over from another. Derived from bench/ on the machines named there.
constexpr index_t kAlwaysFull = 64;    // min(m, n) up to which LAPACK is never slower,
constexpr double kQuickEntries = 1e6;  // for as many entries
constexpr double kMaxDensified =
    1024.0 * 1024 * 1024;  // bytes of an operator that may be written out as a dense matrix
constexpr double kSmallestDensified = 256.0 * 1024 * 1024;

template <class T>
void check(const Operator<T>& a, const Options<T>& options) {
    const index_t p = std::min(a.rows(), a.cols());
    if (options.k < 1 || options.k > p) {
        throw InvalidArgument("k=" + std::to_string(options.k) + ": must be in 1..min(m, n) = 1.." + std::to_string(p));
    }
    if (std::isnan(options.tol)) throw InvalidArgument("tol=nan: must be a number >= 0, relative to s[0]");
    if (options.block_size < 0 || options.max_passes < 0) {
        throw InvalidArgument("block_size=" + std::to_string(options.block_size) + ", max_passes=" +
                              std::to_string(options.max_passes) + ": must be positive, or 0 for the default");
    }
    if (options.warm_start.cols > 0 && options.warm_start.rows != a.cols()) {
        throw InvalidArgument("warm_start: has " + std::to_string(options.warm_start.rows) + " rows, A has " +
                              std::to_string(a.cols()) + " columns; give right singular vectors (n x j)");
    }
}

template <class T>
Result<T> solve(Method method, Counted<T>& a, const Options<T>& options, Monitor& monitor) {
    if (method == Method::full) return full(a, options, monitor);
    if (method == Method::lanczos) return lanczos(a, options, monitor);
    Result<T> result = gram(a, options, monitor);
    if (result.report.converged || !monitor.stop_reason().empty()) return result;
    // Values too small for the Gram matrix: on from what it found.
    Options<T> warm = options;
    const Block<T> start = std::move(result.v);
    warm.warm_start = {start.data(), start.rows(), start.cols(), start.ld(), 1};
    warm.one_sided = false;
    result = lanczos(a, warm, monitor);
    result.report.notes.emplace_back("went on with lanczos: values too small for the Gram matrix");
    return result;
}

const char* name(Method method) {
    return method == Method::full ? "full" : method == Method::gram ? "gram" : "lanczos";
}

// Seconds that the methods take, roughly: fitted to runs on two cores from 64 x 64 to 200000 x 256 (bench/), random
// matrices, whose flat spectra are the hardest for lanczos. Only the order counts. Complex matrices have no reductions
// of our own; the Rayleigh-Ritz steps of gram are in double precision whatever T.
struct Estimate {
    double full, gram, lanczos;
};

template <class T>
Estimate estimate(index_t rows, index_t cols, index_t wanted) {
    const double m = static_cast<double>(std::max(rows, cols)), n = static_cast<double>(std::min(rows, cols));
    const double k = static_cast<double>(wanted), vectors = 5 * k + 80;
    const double slowness = (sizeof(real_t<T>) == 4 ? 0.5 : 1.0) * (is_complex<T> ? 4.0 : 1.0);
    const double square = is_complex<T> ? slowness * 3.6e-10 * n * n * n : slowness * 1.1e-10 * n * n * (n + k);
    const double tall = is_complex<T> ? 5e-8 * m * n + 1.5e-10 * m * n * n : m * n * (2.2e-8 + 1e-11 * n + 6e-11 * k);
    return {
        .full = square + 4e-8 * n * n + (m > 1.5 * n ? slowness * tall : 0),
        .gram =
            slowness * (m * n * (n + 4 * k) / 1.2e11 + 3e-9 * m * n + (is_complex<T> ? 1.5e-10 : 5e-11) * n * n * n) +
            2.5e-8 * n * n + 9e-11 * m * k * k + 3.3e-10 * n * n * k + 1e-9 * k * k * k,
        .lanczos = slowness * 4 * m * n * vectors / 1e11 + (2e-5 + 1e-7 * n) * vectors,
    };
}

}  // namespace

template <class T>
Choice choose_method(const Operator<T>& a, const Options<T>& options) {
    const index_t p = std::min(a.rows(), a.cols());
    if (options.method != Method::automatic) return {options.method, "asked for"};
    const double bytes = static_cast<double>(a.rows()) * static_cast<double>(a.cols()) * sizeof(T);
    const bool dense = a.dense_view().has_value();
    if (p <= kAlwaysFull && bytes <= kQuickEntries * sizeof(T)) {
        return {Method::full, "min(m, n) = " + std::to_string(p) + " <= " + std::to_string(kAlwaysFull)};
    }
    if (dense && options.which == Which::largest) {
        const Estimate cost = estimate<T>(a.rows(), a.cols(), options.k);
        if (cost.gram <= std::min(cost.full, cost.lanczos))
            return {Method::gram, "long and narrow: the Gram matrix is cheapest"};
        if (cost.full <= cost.lanczos)
            return {Method::full,
                    "min(m, n) = " + std::to_string(p) + " is small for k = " + std::to_string(options.k)};
    }
    if (2 * options.k > p && (dense || bytes <= kMaxDensified)) {
        return {Method::full, "more than half of the min(m, n) = " + std::to_string(p) + " triplets are wanted"};
    }
    if (options.which == Which::smallest && (dense || bytes <= kSmallestDensified)) {
        return {Method::full, "the smallest triplets of a matrix that can be factorised"};
    }
    return {Method::lanczos, "k = " + std::to_string(options.k) + " of min(m, n) = " + std::to_string(p) + " triplets"};
}

template <class T>
Result<T> tsvd(const Operator<T>& a, const Options<T>& options, Monitor& monitor) {
    check(a, options);
    const Choice choice = choose_method(a, options);
    Options<T> used = options;
    used.tol = effective_tolerance<T>(options.tol, a.rows(), a.cols());
    const Setting setting{options.k, options.max_abs, options.seed, options.threads};
    Result<T> result = in_range<T>(a, setting, monitor, [&](Counted<T>& counted, index_t looks) {
        if (used.max_passes > 0) used.max_passes = std::max<index_t>(1, used.max_passes - looks);
        return solve(choice.method, counted, used, monitor);
    });
    Report& report = result.report;
    report.method = name(choice.method);
    report.reason = choice.reason;
    report.tol = used.tol;
    if (choice.method == Method::full && !a.dense_view())
        report.notes.emplace_back("A was written out as a dense matrix");
    return result;
}

#define INSTANTIATE(T)                                                       \
    template Choice choose_method<T>(const Operator<T>&, const Options<T>&); \
    template Result<T> tsvd<T>(const Operator<T>&, const Options<T>&, Monitor&);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
