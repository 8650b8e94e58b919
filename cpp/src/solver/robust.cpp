#include "svdkit/solver/robust.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "robust_deflation.hpp"
#include "robust_joint.hpp"
#include "robust_scale.hpp"
#include "robust_start.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/sign.hpp"

namespace svdkit {
namespace {

using detail::JointFit;
using detail::RobustModel;
using detail::RobustStart;

constexpr double kDirectAlpha = 0.5;  // from here on: first the fit for kFirstAlpha, which starts it
constexpr double kFirstAlpha = 0.3;
constexpr double kContinued = 1e-4;  // accuracy of that fit
constexpr double kSettled = 1e-2;    // accuracy from which on a row without weight is taken for an outlier
constexpr index_t kTrialSweeps = 5;  // before one of two starts is chosen

template <class T>
void check(const PriorCells<T>& cells, const RobustOptions<T>& options) {
    const index_t p = std::min(cells.x.rows, cells.x.cols);
    if (options.k < 1 || options.k > p)
        throw InvalidArgument("k=" + std::to_string(options.k) + ": must be in 1..min(m, n) = 1.." + std::to_string(p));
    if (!(options.alpha >= 0 && options.alpha <= 1))
        throw InvalidArgument("alpha=" + std::to_string(options.alpha) + ": must be in [0, 1]; 0.3 is the default");
    if (options.scale == RobustScale::fixed && !(options.sigma > 0))
        throw InvalidArgument("sigma=" + std::to_string(options.sigma) + ": a fixed scale must be positive");
    if (options.scale == RobustScale::mdpde && options.loss != RobustLoss::dpd)
        throw InvalidArgument("scale=mdpde belongs to loss=dpd; use mad");
    if (cells.x.col_stride != 1 && cells.x.row_stride != 1)
        throw InvalidArgument("x must have contiguous rows or columns; copy it");
}

[[noreturn]] void refuse_infinite(const Observed& observed, bool flipped) {
    index_t row = observed.infinite_row, col = observed.infinite_col;
    if (flipped) std::swap(row, col);
    throw InvalidArgument("A[" + std::to_string(row) + ", " + std::to_string(col) +
                          "] is infinite, but cells must be finite or missing; set it to NaN with missing='mask'");
}

template <class T>
PriorCells<T> transposed(const PriorCells<T>& cells) {
    return {cells.x.transposed(), cells.prior.data ? cells.prior.transposed() : cells.prior};
}

// The caller's factors of X in the orientation of `cells`, times `factor`. A missing left one comes from trimmed X.
template <class T>
RobustStart<T> given_start(const PriorCells<T>& cells, const RobustOptions<T>& options, double unit, T factor,
                           bool flipped) {
    const auto copy = [](ConstView<T> from, T times) {
        Block<T> to(from.rows, from.cols);
        for (index_t i = 0; i < from.rows; ++i)
            for (index_t k = 0; k < from.cols; ++k) to(i, k) = times * from(i, k);
        return to;
    };
    RobustStart<T> start;
    start.right = copy(options.start_right, 1);
    start.left = options.start_left.data ? copy(options.start_left, factor)
                                         : detail::trimmed_product<T>(cells, unit, start.right, flipped);
    if (flipped) std::swap(start.left, start.right);
    return start;
}

// Counts sweeps, of all fits together, and tells the monitor.
class Watch {
public:
    Watch(Monitor& monitor, index_t k) : monitor_(monitor), k_(k) {}

    bool stopped() const { return !monitor_.stop_reason().empty(); }
    index_t sweeps() const { return sweeps_; }
    void swept(double change) {
        ++sweeps_;
        monitor_.poll({.iteration = sweeps_, .wanted = k_, .residuals = {&change, 1}, .passes = 2 * sweeps_});
    }

private:
    Monitor& monitor_;
    index_t k_, sweeps_ = 0;
};

// The fit that goes on: of two starts the one with the smaller objective after a few sweeps.
template <class T>
JointFit<T> chosen_fit(std::vector<JointFit<T>> fits, const RobustModel& model, double tol, Watch& watch) {
    if (fits.size() == 1) return std::move(fits.front());
    for (JointFit<T>& fit : fits)
        for (index_t sweep = 0; sweep < kTrialSweeps && !watch.stopped(); ++sweep) {
            fit.sweep(model, tol);
            watch.swept(fit.change());
        }
    const bool both = fits[1].sweeps() > 0;
    return std::move(both && fits[1].objective() < fits[0].objective() ? fits[1] : fits[0]);
}

template <class T>
RobustResult<T> fit_jointly(const PriorCells<T>& cells, const Observed& observed, const RobustOptions<T>& options,
                            double unit, double tol, T factor, bool flipped, Monitor& monitor) {
    std::vector<JointFit<T>> fits;
    const auto add = [&](RobustStart<T> start) { fits.emplace_back(cells, observed, options, unit, std::move(start)); };
    if (options.start_right.data) {
        add(given_start(cells, options, unit, factor, flipped));
    } else {
        for (RobustStart<T>& start : detail::trimmed_starts(cells, unit, options.k)) add(std::move(start));
    }
    const bool continued = options.loss == RobustLoss::dpd && options.alpha >= kDirectAlpha &&
                           options.scale == RobustScale::mdpde && !options.start_right.data;
    const RobustModel first(options.loss, continued ? kFirstAlpha : options.alpha);
    const RobustModel model(options.loss, options.alpha);
    Watch watch(monitor, options.k);
    JointFit<T> fit = chosen_fit(std::move(fits), first, tol, watch);
    const auto run = [&](const RobustModel& now, double near) {
        while (fit.sweeps() < options.max_iterations && !watch.stopped()) {
            const bool still = fit.sweep(now, near);
            watch.swept(fit.change());
            if (still) return true;
        }
        return false;
    };
    run(first, std::max(tol, kSettled));
    fit.settle(first);
    if (continued) {
        run(first, std::max(tol, kContinued));
        fit.settle(model);
    }
    bool converged = run(model, tol);
    if (converged && fit.has_lost() && fit.settle(model) > 0) converged = run(model, tol);
    RobustResult<T> result = fit.finish(model);
    result.svd.report.converged = converged;
    result.svd.report.iterations = watch.sweeps();
    if (continued) result.svd.report.notes.emplace_back("started from the fit for alpha = 0.3");
    return result;
}

// X = 0 wherever it was seen.
template <class T>
RobustResult<T> zero_result(index_t m, index_t n, index_t k) {
    RobustResult<T> result;
    result.svd.u = Block<T>(m, k, k);
    result.svd.v = Block<T>(n, k, k);
    for (index_t i = 0; i < k; ++i) result.svd.u(i, i) = result.svd.v(i, i) = T(1);
    result.svd.s.assign(static_cast<std::size_t>(k), T(0));
    result.svd.report.residuals.assign(static_cast<std::size_t>(k), 0.0);
    result.svd.report.converged = true;
    result.sigma.assign(static_cast<std::size_t>(k), 0.0);
    result.svd.report.notes.emplace_back("every observed cell is zero");
    return result;
}

// 2^exponent X where squares of its typical cell would leave the range of the type; else X as it is.
template <class T>
class InRange {
public:
    InRange(const PriorCells<T>& cells, double unit) : cells_(cells) {
        const int size = unit > 0 ? std::ilogb(unit) : 0;
        if (std::abs(size) <= (sizeof(T) == 4 ? 30 : 200)) return;
        exponent_ = -size;
        const index_t m = cells.x.rows, n = cells.x.cols;
        copy_ = Block<T>(m, n, n);
        const T half = std::ldexp(T(1), exponent_ / 2), rest = std::ldexp(T(1), exponent_ - exponent_ / 2);
        for (index_t i = 0; i < m; ++i)
            for (index_t j = 0; j < n; ++j) copy_(i, j) = cells.x(i, j) * half * rest;
        cells_.x = {copy_.data(), m, n, n, 1};
    }
    const PriorCells<T>& cells() const { return cells_; }
    int exponent() const { return exponent_; }

private:
    PriorCells<T> cells_;
    Block<T> copy_;
    int exponent_ = 0;
};

template <class T>
void scale_back(RobustResult<T>& result, int exponent) {
    if (exponent == 0) return;
    for (T& s : result.svd.s) s = std::ldexp(s, -exponent);
    for (double& sigma : result.sigma) sigma = std::ldexp(sigma, -exponent);
    for (double& residual : result.svd.report.residuals) residual = std::ldexp(residual, -exponent);
    result.svd.report.notes.push_back("computed on a copy, 2^" + std::to_string(exponent) + " A");
}

}  // namespace

template <class T>
RobustResult<T> robust_svd(const PriorCells<T>& given, const RobustOptions<T>& options, Monitor& monitor) {
    check(given, options);
    const ThreadScope threads(options.threads);
    const ScratchScope scratch;
    const MemoryMeter memory;
    // Joint fits read X along its contiguous side; deflation, whose fixed points know rows from columns, copies X.
    const bool flipped = given.x.col_stride != 1 && options.method == RobustMethod::joint;
    const PriorCells<T> seen = flipped ? transposed(given) : given;
    const Observed observed = observe(seen);
    if (observed.infinite_row >= 0) refuse_infinite(observed, flipped);
    const double size = detail::typical_size(seen, observed);
    const InRange<T> range(seen, size);
    const PriorCells<T>& cells = range.cells();
    const double unit = std::ldexp(size, range.exponent());
    const double tol = options.tol > 0 ? options.tol : (sizeof(T) == 4 ? 1e-4 : 1e-6);
    RobustOptions<T> own = options;
    own.sigma = std::ldexp(options.sigma, range.exponent());

    RobustResult<T> result;
    if (size == 0) {
        result = zero_result<T>(cells.x.rows, cells.x.cols, options.k);
    } else if (options.method == RobustMethod::joint) {
        result = fit_jointly(cells, observed, own, unit, tol, std::ldexp(T(1), range.exponent()), flipped, monitor);
    } else {
        result = detail::deflate(cells, observed, own, unit, tol, monitor);
    }
    scale_back(result, range.exponent());
    if (flipped) {
        std::swap(result.svd.u, result.svd.v);
        std::swap(result.unsupported_rows, result.unsupported_cols);
    }
    fix_signs(result.svd.u.panel(), result.svd.v.panel());
    Report& report = result.svd.report;
    report.method = options.method == RobustMethod::joint ? "joint" : "deflation";
    report.tol = tol;
    report.passes = 2 * report.iterations + 2;
    report.seconds = {{"total", monitor.seconds()}};
    report.peak_bytes = memory.peak_bytes();
    report.threads = num_threads();
    report.seed = options.seed;
    if (!monitor.stop_reason().empty()) report.notes.push_back("stopped early: " + monitor.stop_reason());
    return result;
}

template RobustResult<float> robust_svd<float>(const PriorCells<float>&, const RobustOptions<float>&, Monitor&);
template RobustResult<double> robust_svd<double>(const PriorCells<double>&, const RobustOptions<double>&, Monitor&);

}  // namespace svdkit
