// Expectation-maximisation for weighted fits (solver/completion.hpp): one block power step on the completed matrix
// M = Z + eta (W o (A - Z) - pull), from the current right vectors V:
//
//   Q = orth(M V),   Q^T M = X diag(sigma) V'^T,   Z' = Q X diag(shrunk sigma) V'^T
//
// With eta = 1, Z' is at least as near to M as the best matrix with row space V, to which Z belongs: F cannot rise.
// The accelerated iteration has momentum, and lets eta grow towards 1 / mean weight: of the directions in which eta = 1
// is needed a matrix of low rank has few. What raises F is taken back.
#include <algorithm>
#include <cmath>
#include <utility>

#include "svdkit/base/random.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/small_svd.hpp"
#include "weighted_fit.hpp"

namespace svdkit::detail {
namespace {

// Y += factor L (N^T X)
template <class T>
void add_low_rank(ConstPanel<T> left, ConstPanel<T> right, double factor, ConstPanel<T> x, Panel<T> y) {
    const Block<T> core(right.cols, x.cols);
    adjoint_pass<T>(as_view(right), x, core);
    for (index_t i = 0; i < core.rows(); ++i)
        for (index_t j = 0; j < core.cols(); ++j) core(i, j) *= static_cast<T>(factor);
    forward_pass<T>(as_view(left), core, y, true);
}

template <class T>
void add_fit(const Fit<T>& fit, ConstPanel<T> x, Panel<T> y) {
    add_low_rank(fit.left, fit.right, 1 + fit.beta, x, y);
    if (fit.extrapolates()) add_low_rank(fit.left_before, fit.right_before, -fit.beta, x, y);
}

template <class T>
void scale(Panel<T> y, double factor) {
    if (factor == 1) return;
    const Partition rows{y.rows, std::max<index_t>(1, y.rows / 4096), 1};
    parallel_for(rows.parts, static_cast<double>(y.rows * y.cols), [&](index_t part) {
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i)
            for (index_t j = 0; j < y.cols; ++j) y(i, j) *= static_cast<T>(factor);
    });
}

constexpr index_t kExtra = 4;  // vectors of the basis beyond k: block power steps converge by the gap behind them

// More right vectors, random ones, with the value zero.
template <class T>
Triplets<T> widened(Triplets<T> z, index_t width, Replacements& replacements) {
    const index_t r = z.width();
    if (width <= r) return z;
    Triplets<T> wide{Block<T>(z.u.rows(), width), Block<T>(z.v.rows(), width), std::move(z.s)};
    for (index_t i = 0; i < z.u.rows(); ++i) std::copy_n(&z.u(i, 0), r, &wide.u(i, 0));
    for (index_t i = 0; i < z.v.rows(); ++i) std::copy_n(&z.v(i, 0), r, &wide.v(i, 0));
    const Panel<T> more = wide.v.panel().col_range(r, width - r);
    fill_gaussian(more, replacements.seed, Stream::start, replacements.used++);
    const Block<T> h(r, width - r), rest(width - r, width - r);
    extend_basis<T>(wide.v.panel().col_range(0, r), more, h, rest, 0, replacements);
    wide.s.resize(static_cast<std::size_t>(width));
    return wide;
}

constexpr index_t kFewSteps = 10;  // not worth accelerating

constexpr double kGrowth = 1.3, kSlowGrowth = 1.02;  // of eta, before and after it was too large

// Widths that fill whole vectors cost nothing: rows of panels are padded with zeros to cache lines.
template <class T>
index_t whole_lines(index_t width) {
    return padded_ld<T>(width);
}

template <class T>
class Expectation {
public:
    Expectation(const WeightedFit<T>& fit, Triplets<T> z, bool accelerate)
        : fit_(fit), accelerate_(accelerate), replacements_{fit.options().seed, 1} {
        const index_t m = fit.by_rows().rows(), n = fit.by_rows().cols(), k = fit.options().k;
        now_.z = widened(std::move(z), std::min(std::min(m, n), whole_lines<T>(std::min(z.width(), k) + kExtra)),
                         replacements_);
        std::fill(now_.z.s.begin() + std::min(k, now_.z.width()), now_.z.s.end(), real_t<T>(0));
        for (State* state : {&before_, &spare_}) {
            state->z = {Block<T>(m, now_.z.width()), Block<T>(n, now_.z.width()), now_.z.s};
            state->left = Block<T>(m, now_.z.width());
        }
        now_.left = scaled_columns<T>(now_.z.u, now_.z.s, 1);
        if (accelerate_) eta_ = longest_step() / 2;
    }

    /// One step; the objective before it goes to the history. Returns the gradient's size in units of s[0].
    double step(Course& course) {
        const Panel<T> y = spare_.z.u, x = spare_.z.v;
        double loss = fit_.residual_product(extrapolated(), false, now_.z.v, y);
        double objective = fit_.objective(loss, now_.z);
        if (rises(objective, course.history)) {
            take_back();
            ++course.restarts;
            loss = fit_.residual_product(extrapolated(), false, now_.z.v, y);
            objective = fit_.objective(loss, now_.z);
        } else {
            course.history.push_back(objective);
        }
        const double gradient = slope(y);
        const Fit<T> at = extrapolated();
        scale<T>(y, eta_);
        add_fit<T>(at, now_.z.v, y);
        orthonormal_factor<T>(y, replacements_);
        fit_.residual_product(at, true, y, x);
        scale<T>(x, eta_);
        add_fit<T>(at.transposed(), y, x);
        move_to_spare();
        return gradient;
    }

    /// The last state; the one before where the last step raised F.
    Triplets<T> triplets(const std::vector<double>& history) {
        if (bold_) {
            const Block<T> none(fit_.by_rows().cols(), 0), nothing(fit_.by_rows().rows(), 0);
            beta_ = 0;
            const double loss = fit_.by_rows().multiply(extrapolated(), none, nothing);
            if (rises(fit_.objective(loss, now_.z), history)) take_back();
        }
        return std::move(now_.z);
    }

private:
    struct State {
        Triplets<T> z;
        Block<T> left;  // U diag(s)
    };

    // Columns of zeros beyond the last value are not multiplied.
    Fit<T> extrapolated() const {
        const auto live = [](const Triplets<T>& z) {
            return std::find(z.s.begin(), z.s.end(), real_t<T>(0)) - z.s.begin();
        };
        const index_t width = whole_lines<T>(beta_ == 0 ? live(now_.z) : std::max(live(now_.z), live(before_.z)));
        const auto part = [width](const Block<T>& block) {
            return ConstPanel<T>{block.data(), block.rows(), width, block.ld()};
        };
        if (beta_ == 0) return {part(now_.left), part(now_.z.v), {}, {}, 0};
        return {part(now_.left), part(now_.z.v), part(before_.left), part(before_.z.v), beta_};
    }

    double longest_step() const { return std::max(2.0, 1 / fit_.mean_weight()); }

    bool rises(double objective, const std::vector<double>& history) const {
        if (!bold_ || history.empty()) return false;
        return objective > history.back() * (1 + 4 * epsilon<double> + static_cast<double>(epsilon<T>) / 16);
    }

    // Back to the state before, for a step that cannot fail, or is half as long.
    void take_back() {
        std::swap(now_, before_);
        momentum_ = 1;
        beta_ = 0;
        eta_ = std::max(1.0, eta_ / 2);
        growth_ = kSlowGrowth;
        bold_ = false;
    }

    // |S v - penalty u| over the triplets with s > 0.
    double slope(ConstPanel<T> y) const {
        const std::vector<double> squares = misfits<T>(y, now_.z.u, fit_.options().penalty);
        double sum = 0;
        for (std::size_t j = 0; j < now_.z.s.size() && now_.z.s[j] > 0; ++j) sum += squares[j];
        const double size = fit_.mean_weight() * static_cast<double>(now_.z.s[0]);
        return std::sqrt(sum) / (size > 0 ? size : fit_.mean_weight());
    }

    // The spare state holds Q and X = M^T Q; the SVD of Q X^T, shrunk and cut, is the next one.
    void move_to_spare() {
        Triplets<T>& next = spare_.z;
        const index_t width = next.width();
        const Block<T> r = orthonormal_factor<T>(next.v, replacements_), left(width, width), right(width, width);
        small_svd_wide<T>(r, left.panel(), next.s.data(), right.panel());
        rotate<T>(next.v, left);
        rotate<T>(next.u, right);
        const auto shrink = static_cast<real_t<T>>(eta_ * fit_.options().penalty);
        for (index_t j = 0; j < width; ++j) {
            real_t<T>& s = next.s[static_cast<std::size_t>(j)];
            s = j < fit_.options().k ? std::max(s - shrink, real_t<T>(0)) : 0;
        }
        scale_columns<T>(next.u, next.s, 1, spare_.left);
        std::swap(before_, now_);
        std::swap(now_, spare_);
        if (!accelerate_) return;
        bold_ = beta_ > 0 || eta_ > 1;
        eta_ = std::min(eta_ * growth_, longest_step());
        const double grown = (1 + std::sqrt(1 + 4 * momentum_ * momentum_)) / 2;
        beta_ = (momentum_ - 1) / grown;
        momentum_ = grown;
    }

    const WeightedFit<T>& fit_;
    bool accelerate_;
    Replacements replacements_;
    State now_, before_, spare_;
    double momentum_ = 1, beta_ = 0;
    double eta_ = 1, growth_ = kGrowth;
    bool bold_ = false;  // whether the last step could raise F
};

}  // namespace

template <class T>
Triplets<T> expectation_maximisation(const WeightedFit<T>& fit, Triplets<T> z, double tol, index_t max_steps,
                                     Course& course, Monitor& monitor) {
    const bool accelerate = fit.options().method != CompletionMethod::em && max_steps > kFewSteps;
    Expectation<T> expectation(fit, std::move(z), accelerate);
    double gradient = 2 * tol + 1;
    for (index_t step = 0; step < max_steps && gradient > tol && !course.halted; ++step) {
        gradient = expectation.step(course);
        ++course.iterations;
        course.halted = monitor.poll({.iteration = course.iterations,
                                      .wanted = fit.options().k,
                                      .residuals = {&gradient, 1},
                                      .passes = 2 * course.iterations}) ||
                        course.iterations >= fit.options().max_iterations;
    }
    return expectation.triplets(course.history);
}

#define INSTANTIATE(T)                                                                                             \
    template Triplets<T> expectation_maximisation<T>(const WeightedFit<T>&, Triplets<T>, double, index_t, Course&, \
                                                     Monitor&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit::detail
