#include "svdkit/solver/l1.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "svdkit/base/error.hpp"
#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/median_pass.hpp"
#include "svdkit/kernel/scan.hpp"
#include "svdkit/kernel/sign.hpp"
#include "svdkit/solver/factored.hpp"

namespace svdkit {
namespace {

constexpr index_t kSweeps = 5;                       // of a component in a round
constexpr double kCut = 2;                           // entries of a starting row, over its median magnitude
constexpr double kPlaces[] = {0.5, 0.75, 0.9, 1.0};  // of the starting rows, by the median of their magnitude

template <class T>
class Fit {
public:
    Fit(ConstView<T> x, const L1Options& options, Monitor& monitor, double max_abs)
        : x_(x), options_(options), monitor_(monitor), exponent_(-std::ilogb(max_abs)) {
        a_.assign(size(options.k), std::vector<T>(size(x.rows), T(0)));
        b_.assign(size(options.k), std::vector<T>(size(x.cols), T(0)));
        falls_.assign(size(options.k), 0.0);
    }

    L1Result<T> solve() {
        double before = 0;
        index_t rounds = 0;
        bool settled = false;
        while (!settled && !stopped_ && rounds < std::max<index_t>(options_.rounds, 1)) {
            for (index_t q = 0; q < options_.k && !stopped_; ++q) visit(q, rounds == 0);
            settled = options_.k == 1 || (rounds > 0 && before - error_ <= options_.tol * before);
            before = error_;
            ++rounds;
        }
        L1Result<T> result = decompose();
        result.rounds = rounds;
        describe(result, (settled || options_.rounds <= 1) && !stopped_ && !exhausted_);
        return result;
    }

private:
    static std::size_t size(index_t n) { return static_cast<std::size_t>(n); }

    // Component q to what the others leave.
    void visit(index_t q, bool first) {
        const index_t others = first ? q : options_.k - 1;
        const Block<T> p(x_.rows, others), qt(others, x_.cols);
        for (index_t r = 0, from = 0; r < others; ++r, ++from) {
            if (from == q) ++from;
            for (index_t i = 0; i < x_.rows; ++i) p(i, r) = a_[size(from)][size(i)];
            std::ranges::copy(b_[size(from)], &qt(r, 0));
        }
        pass_ = {x_, std::ldexp(T(1), exponent_), p, qt, nullptr};
        if (first) start(a_[size(q)], b_[size(q)]);
        // Refined fits come back to every component: the rounds, not the sweeps, bring them to rest.
        const bool refined = options_.k > 1 && options_.rounds > 1;
        const index_t sweeps = refined ? std::min(options_.max_iterations, kSweeps) : options_.max_iterations;
        double last = 0;
        for (index_t sweep = 0;; ++sweep) {
            const double now = move_columns(a_[size(q)], b_[size(q)]);
            falls_[size(q)] = sweep == 0 ? 1 : last > 0 ? (last - now) / last : 0;
            last = now;
            move_rows(a_[size(q)], b_[size(q)]);
            if (falls_[size(q)] <= options_.tol || stopped_) break;
            if (sweep + 1 >= sweeps) {
                exhausted_ = !refined;
                break;
            }
        }
        pass_.fixed = b_[size(q)].data();
        error_ = absolute_error(pass_, a_[size(q)].data());
        ++reads_;
    }

    double move_columns(std::vector<T>& a, std::vector<T>& b) {
        pass_.fixed = a.data();
        return note(median_columns(pass_, b.data()));
    }
    double move_rows(std::vector<T>& a, std::vector<T>& b) {
        pass_.fixed = b.data();
        const double error = note(median_rows(pass_, a.data()));
        const T largest = std::abs(*std::ranges::max_element(a, {}, [](T t) { return std::abs(t); }));
        if (largest > T(0)) {  // exact: by a power of two
            const int e = std::ilogb(largest);
            for (T& t : a) t = std::ldexp(t, -e);
            for (T& t : b) t = std::ldexp(t, e);
        }
        return error;
    }
    double note(double error) {
        history_.push_back(error);
        ++reads_;
        const double fall[] = {falls_[0]};
        const Progress progress{
            .iteration = std::ssize(history_), .wanted = options_.k, .residuals = fall, .passes = reads_};
        if (!stopped_) stopped_ = monitor_.poll(progress);
        return error;
    }

    // The best of a few after one sweep, which does not count for the history.
    void start(std::vector<T>& a, std::vector<T>& b) {
        std::vector<double> kept = history_;
        std::vector<T> medians(a.size(), T(0)), best_a, best_b;
        pass_.fixed = nullptr;
        median_rows(pass_, medians.data());
        ++reads_;
        std::vector<index_t> order(a.size());
        std::iota(order.begin(), order.end(), index_t(0));
        std::ranges::stable_sort(order, {}, [&](index_t i) { return medians[size(i)]; });
        double least = -1;
        for (int candidate = -1; candidate < std::ssize(kPlaces) && !stopped_; ++candidate) {
            std::ranges::fill(b, T(0));
            a = medians;
            if (candidate >= 0) {
                const double place = kPlaces[candidate] * static_cast<double>(x_.rows - 1);
                const index_t row = order[size(static_cast<index_t>(place))];
                cut_row(row, static_cast<T>(kCut) * medians[size(row)], b);
                move_rows(a, b);
            }
            move_columns(a, b);
            const double error = move_rows(a, b);
            if (least >= 0 && error >= least) continue;
            least = error;
            best_a = a;
            best_b = b;
        }
        if (least >= 0) {
            a = std::move(best_a);
            b = std::move(best_b);
        }
        history_ = std::move(kept);
    }
    void cut_row(index_t i, T most, std::vector<T>& b) const {
        for (index_t j = 0; j < x_.cols; ++j) {
            T e = x_(i, j) * pass_.scale;
            for (index_t r = 0; r < pass_.p.cols; ++r) e -= pass_.p(i, r) * pass_.qt(r, j);
            b[size(j)] = e == e ? std::clamp(e, -most, most) : T(0);
        }
    }

    L1Result<T> decompose() {
        const index_t k = options_.k;
        const Block<T> a(x_.rows, k), b(x_.cols, k);
        for (index_t q = 0; q < k; ++q) {
            for (index_t i = 0; i < x_.rows; ++i) a(i, q) = a_[size(q)][size(i)];
            for (index_t j = 0; j < x_.cols; ++j) b(j, q) = b_[size(q)][size(j)];
        }
        L1Result<T> result;
        result.fit = svd_of_factors(a, b, options_.seed);
        for (T& s : result.fit.s) s = std::ldexp(s, -exponent_);
        return result;
    }

    void describe(L1Result<T>& result, bool converged) {
        history_.push_back(error_);
        for (double error : history_) result.history.push_back(std::ldexp(error, -exponent_));
        Report& report = result.fit.report;
        report.method = "l1";
        report.reason = "alternating weighted medians";
        report.converged = converged;
        report.residuals = falls_;
        report.tol = options_.tol;
        report.passes = reads_;
        report.iterations = std::ssize(history_) - 1;
        report.seconds = {{"total", monitor_.seconds()}};
        if (!monitor_.stop_reason().empty()) report.notes.push_back("stopped early: " + monitor_.stop_reason());
        if (exponent_ != 0) report.notes.push_back("computed on 2^" + std::to_string(exponent_) + " A (exact)");
    }

    ConstView<T> x_;
    L1Options options_;
    Monitor& monitor_;
    int exponent_;
    std::vector<std::vector<T>> a_, b_;
    MedianPass<T> pass_;
    std::vector<double> history_, falls_;
    double error_ = 0;
    index_t reads_ = 0;
    bool stopped_ = false, exhausted_ = false;
};

}  // namespace

template <class T>
L1Result<T> l1(ConstView<T> x, const L1Options& options, Monitor& monitor) {
    if (options.k < 1 || options.k > std::min(x.rows, x.cols)) {
        throw InvalidArgument("k=" + std::to_string(options.k) + ": must be in 1..min(m, n)");
    }
    const ThreadScope threads(options.threads);
    const ScratchScope scratch;
    const MemoryMeter memory;
    const bool flip = std::abs(x.row_stride) < std::abs(x.col_stride);
    const ConstView<T> by_rows = flip ? x.transposed() : x;
    const double max_abs = options.max_abs > 0 ? options.max_abs : largest_observed(x);
    Fit<T> fit(by_rows, options, monitor, max_abs > 0 ? max_abs : 1);
    L1Result<T> result = fit.solve();
    if (flip) std::swap(result.fit.u, result.fit.v);
    fix_signs(result.fit.u.panel(), result.fit.v.panel());
    Report& report = result.fit.report;
    report.peak_bytes = memory.peak_bytes();
    report.threads = num_threads();
    report.seed = options.seed;
    return result;
}

template L1Result<float> l1<float>(ConstView<float>, const L1Options&, Monitor&);
template L1Result<double> l1<double>(ConstView<double>, const L1Options&, Monitor&);

}  // namespace svdkit
