#include "svdkit/solver/pcp.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "svdkit/base/error.hpp"
#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/scan.hpp"
#include "svdkit/kernel/shrink_pass.hpp"
#include "svdkit/kernel/sign.hpp"
#include "svdkit/op/dense.hpp"
#include "svdkit/solver/factored.hpp"
#include "svdkit/solver/residual.hpp"
#include "svdkit/solver/tsvd.hpp"
#include "value_threshold.hpp"

namespace svdkit {
namespace {

constexpr double kFirstPenalty = 5;     // mu |M|_2 at the start
constexpr double kFirstGrowing = 1.25;  // the same of the growing penalty, its growth and its largest value
constexpr double kGrowth = 1.5;
constexpr double kLargestPenalty = 1.25e7;
constexpr index_t kSettled = 40;               // iterations after which the balanced penalty moves at every tenth only
constexpr double kUpper = 0.2, kLower = 0.02;  // primal over dual residual that moves it: small, for the SVD is dear

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

template <class T>
ConstView<T> view_of(const Block<T>& block) {
    return {block.data(), block.rows(), block.cols(), block.ld(), 1};
}

// Runs body(i) for all rows, in parallel.
template <class Body>
void for_rows(index_t rows, index_t cols, const Body& body) {
    const Partition part{rows, std::clamp<index_t>(rows * cols / 65536, 1, rows), 1};
    parallel_for(part.parts, static_cast<double>(rows * cols), [&](index_t q) {
        for (index_t i = part.begin(q); i < part.begin(q + 1); ++i) body(i);
    });
}

template <class T>
class Pursuit {
public:
    Pursuit(ConstView<T> m, const PcpOptions& options, Monitor& monitor, double max_abs)
        : m_(m), options_(options), monitor_(monitor), w_(m.rows, m.cols), y_(m.rows, m.cols) {
        exponent_ = -std::ilogb(max_abs);
        lambda_ = options.lambda > 0 ? options.lambda : 1 / std::sqrt(static_cast<double>(std::max(m.rows, m.cols)));
        tol_ = options.tol > 0 ? options.tol : sizeof(T) == 4 ? 1e-4 : 1e-5;
        start(max_abs);
    }

    PcpResult<T> solve() {
        bool converged = false, stopped = false;
        while (!converged && !stopped && iterations_ < options_.max_iterations) {
            if (!threshold()) break;
            shrink();
            ++iterations_;
            converged = primal_ <= tol_ && (options_.penalty == Penalty::growing || optimal());
            const double seen[] = {primal_, estimate_.gap()};
            stopped =
                monitor_.poll({.iteration = iterations_, .wanted = rank_, .residuals = seen, .passes = iterations_});
        }
        return finish(converged);
    }

private:
    // W = M (zero where nothing was observed), its norms; then Y and the first W.
    void start(double max_abs) {
        const T scale = std::ldexp(T(1), exponent_);
        for_rows(m_.rows, m_.cols, [&](index_t i) {
            for (index_t j = 0; j < m_.cols; ++j) w_(i, j) = m_(i, j) == m_(i, j) ? m_(i, j) * scale : T(0);
        });
        norm_ = *Dense<T>(view_of(w_)).norm_fro();
        spectral_ = spectral_norm(w_, 1e-3, {});
        mu_ = (options_.penalty == Penalty::growing ? kFirstGrowing : kFirstPenalty) / spectral_;
        const double dual = 1 / std::max(spectral_, std::ldexp(max_abs, exponent_) / lambda_);
        const T factor = static_cast<T>(dual), grow = static_cast<T>(1 + dual / mu_);
        for_rows(m_.rows, m_.cols, [&](index_t i) {
            for (index_t j = 0; j < m_.cols; ++j) {
                y_(i, j) = factor * w_(i, j);
                w_(i, j) *= grow;
            }
        });
    }

    Options<T> svd_options(index_t k, double tol) const {
        return {.k = k, .tol = tol, .max_abs = 1, .seed = options_.seed, .threads = options_.threads};
    }
    Monitor part() const {
        Monitor inner;
        inner.check_interrupt = monitor_.check_interrupt;
        if (monitor_.time_limit > 0) inner.time_limit = std::max(monitor_.time_limit - monitor_.seconds(), 1e-9);
        return inner;
    }
    // Not below |A|_2; `near` leads to right vectors that may belong to it.
    double spectral_norm(const Block<T>& a, double tol, const Block<T>& near) {
        Monitor inner = part();
        const auto begin = Clock::now();
        Options<T> options = svd_options(1, tol);
        if (near.cols() > 0) options.warm_start = view_of(near);
        const Result<T> top = tsvd(Dense<T>(view_of(a)), options, inner);
        svd_seconds_ += since(begin);
        return static_cast<double>(top.s[0]) + top.report.residuals[0];
    }

    // L from W; false if that was interrupted by the time limit.
    bool threshold() {
        const auto begin = Clock::now();
        Options<T> options =
            svd_options(iterations_ == 0 ? index_t(8) : rank_ + 1 + rank_ / 16, std::clamp(0.1 * primal_, 1e-10, 1e-4));
        if (l_.q.cols() > 0) options.warm_start = view_of(l_.q);
        Monitor inner = part();
        Thresholded<T> found = threshold_values(view_of(w_), 1 / mu_, options, inner);
        svd_seconds_ += since(begin);
        stop_reason_ = inner.stop_reason();
        if (!stop_reason_.empty()) return false;
        l_ = std::move(found);
        rank_ = l_.p.cols();
        return true;
    }

    // S and Y from L, and the next W.
    void shrink() {
        const auto begin = Clock::now();
        const Block<T> qt(rank_, m_.cols);
        for (index_t j = 0; j < m_.cols; ++j)
            for (index_t r = 0; r < rank_; ++r) qt(r, j) = l_.q(j, r);
        const double next = next_penalty();
        step_ = {std::ldexp(T(1), exponent_), static_cast<T>(mu_), static_cast<T>(lambda_ / mu_), static_cast<T>(next)};
        const detail::ShrinkSums sums = shrink_pass<T>(m_, l_.p, qt, step_, w_, y_);
        primal_ = std::sqrt(sums.primal) / (mu_ * norm_);
        dual_ = std::sqrt(sums.dual) / std::sqrt(std::max(sums.square, std::numeric_limits<double>::min()));
        estimate_ = {primal_, l_.nuclear + lambda_ * sums.rest, sums.inner};
        mu_ = next;
        shrink_seconds_ += since(begin);
    }

    // From the residuals of the last step: the one after this is what W is made for.
    double next_penalty() const {
        if (options_.penalty == Penalty::growing) return std::min(mu_ * kGrowth, kLargestPenalty / spectral_);
        if (iterations_ == 0 || (iterations_ > kSettled && iterations_ % 10 != 0)) return mu_;
        if (primal_ > kUpper * dual_) return 2 * mu_;
        return primal_ < kLower * dual_ ? mu_ / 2 : mu_;
    }

    // The bound needs |Y|_2, which is measured where the estimate without it promises an end.
    bool optimal() {
        if (estimate_.gap() > tol_ || iterations_ < next_proof_) return false;
        next_proof_ = iterations_ + 3;
        return prove() <= tol_;
    }
    double prove() {
        certificate_ = estimate_;
        certificate_.bound /= std::max({1.0, spectral_norm(y_, 0.1 * tol_, l_.q), 1e-300});
        return certificate_.gap();
    }

    PcpResult<T> finish(bool converged) {
        PcpResult<T> result;
        result.lambda = lambda_;
        if (iterations_ == 0) {
            l_.p = Block<T>(m_.rows, 0);
            l_.q = Block<T>(m_.cols, 0);
            result.sparse = Block<T>(m_.rows, m_.cols, std::max<index_t>(m_.cols, 1));
        } else {
            if (!converged || options_.penalty == Penalty::growing) prove();
            write_sparse(result);
        }
        result.low_rank = svd_of_factors(l_.p, l_.q, options_.seed);
        measure(result.low_rank);
        for (T& s : result.low_rank.s) s = std::ldexp(s, -exponent_);
        result.certificate = certificate_;
        result.certificate.objective = std::ldexp(certificate_.objective, -exponent_);
        result.certificate.bound = std::ldexp(certificate_.bound, -exponent_);
        describe(result.low_rank.report, converged);
        return result;
    }

    // max(|Y v - u|, |Y^T u - v|)
    void measure(Result<T>& low_rank) {
        if (low_rank.s.empty()) return;
        const Dense<T> dual(view_of(y_));
        Counted<T> counted(dual);
        const std::vector<T> ones(low_rank.s.size(), T(1));
        low_rank.report.residuals = measure_residuals<T>(counted, low_rank.u, ones, low_rank.v);
    }

    // S = M - W + Y / mu where the threshold cut, exactly zero elsewhere; written over W.
    void write_sparse(PcpResult<T>& result) {
        const T scale = std::ldexp(T(1), exponent_), back = std::ldexp(T(1), -exponent_);
        const T cut = step_.mu * step_.threshold, next = 1 / step_.next_mu;
        result.sparse = Block<T>(m_.rows, m_.cols, m_.cols);
        std::vector<index_t> counts(static_cast<std::size_t>(m_.rows));
        for_rows(m_.rows, m_.cols, [&](index_t i) {
            for (index_t j = 0; j < m_.cols; ++j) {
                if (std::abs(y_(i, j)) < cut) continue;
                const T s = m_(i, j) * scale - w_(i, j) + y_(i, j) * next;
                result.sparse(i, j) = s * back;
                counts[static_cast<std::size_t>(i)] += s != T(0);
            }
        });
        for (index_t count : counts) result.nonzeros += count;
    }

    void describe(Report& report, bool converged) {
        report.method = options_.penalty == Penalty::growing ? "inexact alm" : "alm";
        report.reason = options_.penalty == Penalty::growing ? "growing penalty" : "balanced penalty";
        if (!l_.method.empty()) report.reason += "; singular values by " + l_.method;
        report.converged = converged;
        report.tol = tol_;
        report.iterations = iterations_;
        report.passes = iterations_ + 1;
        report.seconds = {{"svd", svd_seconds_}, {"shrink", shrink_seconds_}, {"total", monitor_.seconds()}};
        if (exponent_ != 0) report.notes.push_back("computed on 2^" + std::to_string(exponent_) + " A (exact)");
        if (stop_reason_.empty()) stop_reason_ = monitor_.stop_reason();
        if (!stop_reason_.empty()) report.notes.push_back("stopped early: " + stop_reason_);
    }

    ConstView<T> m_;
    PcpOptions options_;
    Monitor& monitor_;
    Block<T> w_, y_;
    Thresholded<T> l_;
    detail::ShrinkStep<T> step_{1, 1, 1, 1};
    int exponent_ = 0;
    double lambda_ = 0, tol_ = 0, mu_ = 0, norm_ = 0, spectral_ = 0;
    double primal_ = 1, dual_ = 1;
    index_t rank_ = 0, iterations_ = 0, next_proof_ = 0;
    PcpCertificate estimate_, certificate_;
    double svd_seconds_ = 0, shrink_seconds_ = 0;
    std::string stop_reason_;
};

// M = 0, or nothing of it observed.
template <class T>
PcpResult<T> zero_split(ConstView<T> m) {
    PcpResult<T> result;
    result.low_rank.u = Block<T>(m.rows, 0, 1);
    result.low_rank.v = Block<T>(m.cols, 0, 1);
    result.sparse = Block<T>(m.rows, m.cols, m.cols);
    result.low_rank.report.method = "alm";
    result.low_rank.report.converged = true;
    result.low_rank.report.notes.emplace_back("A is zero where it is observed");
    return result;
}

}  // namespace

template <class T>
PcpResult<T> pcp(ConstView<T> m, const PcpOptions& options, Monitor& monitor) {
    if (m.rows < 1 || m.cols < 1) throw InvalidArgument("M is empty; give a matrix with rows and columns");
    const ThreadScope threads(options.threads);
    const ScratchScope scratch;
    const MemoryMeter memory;
    const bool flip = m.rows < m.cols;
    const ConstView<T> tall = flip ? m.transposed() : m;
    const double max_abs = options.max_abs > 0 ? options.max_abs : largest_observed(m);
    PcpResult<T> result = max_abs > 0 ? Pursuit<T>(tall, options, monitor, max_abs).solve() : zero_split(tall);
    if (flip) {
        std::swap(result.low_rank.u, result.low_rank.v);
        result.transposed = true;
    }
    fix_signs(result.low_rank.u.panel(), result.low_rank.v.panel());  // again where they were exchanged
    result.low_rank.report.peak_bytes = memory.peak_bytes();
    result.low_rank.report.threads = num_threads();
    result.low_rank.report.seed = options.seed;
    return result;
}

template PcpResult<float> pcp<float>(ConstView<float>, const PcpOptions&, Monitor&);
template PcpResult<double> pcp<double>(ConstView<double>, const PcpOptions&, Monitor&);

}  // namespace svdkit
