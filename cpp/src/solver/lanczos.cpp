#include "svdkit/solver/lanczos.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "golub_kahan.hpp"
#include "gram_lanczos.hpp"
#include "start.hpp"
#include "svdkit/base/random.hpp"
#include "svdkit/solver/residual.hpp"

namespace svdkit {
namespace {

using detail::make_start, detail::Start;

constexpr index_t kMaxCycles = 300;
constexpr index_t kProbeSteps = 8;  // block steps of a search for missed copies
constexpr int kMaxSearches = 16;
constexpr index_t kRandomBeside = 4;  // random vectors that join a given start

// Sizes of a run, from the sizes of the problem.
struct Plan {
    index_t width;         // vectors multiplied at a time
    index_t capacity;      // basis vectors before a restart
    index_t check_every;   // fewest block steps between looks at the Ritz values
    index_t longest_wait;  // and most
};

// Counted in vectors, not in seconds, full precision costs least with narrow blocks: a slow spectrum (i^-0.5, n = 4000,
// k = 64) takes 220, 272 and 370 vectors for width 4, 8 and 16. The width that fills a cache line (8 doubles, 16
// floats) is the narrowest that also fills the registers, and a safe one for repeated values. A basis beyond 2.5 k
// gains nothing at width 8, below k + 96 it costs up to a third; at width 16 (noise, n = 4000, k = 64) k + 96 takes 59
// reads, k + 128 takes 49.
template <class T>
Plan make_plan(const Counted<T>& a, const Options<T>& options, index_t start_width) {
    const index_t n = a.cols(), k = options.k;
    const auto line = static_cast<index_t>(64 / sizeof(real_t<T>));
    index_t width = options.block_size > 0 ? options.block_size : (k >= 8 ? line : line / 2);
    width = std::min(std::max(width, start_width), n);
    const index_t wanted = std::max({5 * k / 2, k + std::max<index_t>(96, 8 * line), k + 3 * width, 3 * start_width});
    const index_t capacity = std::min((wanted + width - 1) / width * width, n);
    // Looking costs the eigenvectors of a basis-sized matrix, not looking on average half the steps in between.
    const OperatorCost cost = a.original().cost();
    const double step = std::max(2 * cost.flops_per_vector * static_cast<double>(width) / 1.2e11,
                                 a.gram_passes() * cost.bytes_per_pass / 2.5e10) +
                        16.0 * static_cast<double>(n * k * width) / 5e10;
    const double look = 25.0 * std::pow(static_cast<double>(2 * k + 32), 3) / 1.5e10;
    const auto every = static_cast<index_t>(std::lround(std::sqrt(2 * look / step)));
    if (start_width > 0) return {width, capacity, 1, 2};  // a good start ends early
    return {width, capacity, std::clamp<index_t>(every, 1, 8), 100};
}

// (I - U U^H) A (I - V V^H): what is left of A beside known triplets.
template <class T>
class Deflated final : public Operator<T> {
public:
    Deflated(Counted<T>& a, ConstPanel<T> u, ConstPanel<T> v) : a_(a), u_(u), v_(v) {}

    index_t rows() const override { return a_.rows(); }
    index_t cols() const override { return a_.cols(); }
    void apply(ConstPanel<T> x, Panel<T> y) const override {
        const Block<T> in(x.rows, x.cols);
        detail::copy_panel<T>(x, in);
        remove(v_, in);
        a_.apply(in, y);
        remove(u_, y);
    }
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override {
        const Block<T> in(y.rows, y.cols);
        detail::copy_panel<T>(y, in);
        remove(u_, in);
        a_.apply_adjoint(in, z);
        remove(v_, z);
    }

private:
    static void remove(ConstPanel<T> basis, Panel<T> x) {
        const Block<T> part(basis.cols, x.cols);
        for (int repeat = 0; repeat < 2; ++repeat) {
            adjoint_pass<T>(as_view(basis), x, part);
            for (index_t i = 0; i < part.rows(); ++i)
                for (index_t j = 0; j < part.cols(); ++j) part(i, j) = -part(i, j);
            forward_pass<T>(as_view(basis), part, x, true);
        }
    }

    Counted<T>& a_;
    ConstPanel<T> u_, v_;
};

// Whether as many returned values agree as one block can hold copies: only then can copies have been missed.
template <class T>
bool may_miss_copies(const std::vector<real_t<T>>& s, index_t width, double tol) {
    const double slack = 4 * tol * static_cast<double>(s.front());
    for (std::size_t i = 0; i + static_cast<std::size_t>(width) <= s.size(); ++i) {
        const double high = static_cast<double>(s[i]);
        const double low = static_cast<double>(s[i + static_cast<std::size_t>(width) - 1]);
        if (high > slack && high - low <= slack) return true;
    }
    return false;
}

// Right vectors with larger values than s_k that the returned triplets lack, on the evidence of a short run
// on what is left of A. None: an empty block.
template <class T>
Block<T> find_missed(Counted<T>& a, const Result<T>& result, index_t width, const Options<T>& options, int search) {
    const Deflated<T> rest(a, result.u, result.v);
    Counted<T> counted(rest);
    const index_t rest_size = std::min(a.rows(), a.cols()) - options.k;
    width = std::min(std::max<index_t>(width, 8), rest_size);
    if (width <= 0) return {};
    const index_t capacity = std::min(kProbeSteps * width, rest_size);
    GolubKahan<T> probe(counted, capacity, width, options.seed);
    const Block<T> start(a.cols(), width);
    fill_gaussian(start.panel(), options.seed, Stream::verification, static_cast<std::uint32_t>(search));
    probe.start(start);
    while (probe.next() > 0 && probe.size() + probe.next() <= capacity) probe.step();
    probe.ritz();
    const double bound = static_cast<double>(result.s.back()) + options.tol * static_cast<double>(result.s.front());
    index_t found = 0;
    while (found < std::min(probe.size(), width) &&
           static_cast<double>(probe.theta()[static_cast<std::size_t>(found)]) > bound) {
        ++found;
    }
    return probe.right(0, found);
}

// One run to convergence of either process.
template <class T, template <class> class Process>
class Run {
public:
    Run(Counted<T>& a, const Options<T>& options, Monitor& monitor, const Start<T>& start)
        : a_(a),
          options_(options),
          monitor_(monitor),
          plan_(make_plan(a, options, start.close ? start.block.cols() + kRandomBeside : 0)),
          process_(a, plan_.capacity, plan_.width, options.seed),
          tol_(options.tol) {
        const Block<T> block(a.cols(), plan_.width);
        fill_gaussian(block.panel(), options.seed, Stream::start);
        if (start.block.cols() > 0) detail::copy_panel<T>(start.block, block.panel().col_range(0, start.block.cols()));
        process_.start(block);
    }

    Result<T> solve() {
        for (index_t cycle = 0; cycle < kMaxCycles; ++cycle) {
            fill();
            const bool stop = stopped_;
            if (converged_ == wanted() || process_.next() == 0 || stop || unresolvable()) {
                Result<T> result = form();
                if (result.report.converged || process_.next() == 0 || stop || unresolvable() || safety_ < 1e-2)
                    return result;
                safety_ /= 5;
            }
            if (process_.size() + process_.next() > plan_.capacity) contract(converged_);
        }
        Result<T> result = form();
        result.report.notes.emplace_back("gave up after " + std::to_string(kMaxCycles) + " restarts");
        return result;
    }

    /// Whether a wanted value is too small for this process to be resolved to the tolerance.
    bool unresolvable() const {
        if (process_.size() < options_.k || estimates_.empty()) return false;
        // A Ritz value is a lower bound; with its residual added it is (nearly) an upper one.
        const auto last = static_cast<std::size_t>(first(wanted()) + wanted() - 1);
        const double smallest = static_cast<double>(process_.theta()[last]) + estimates_.back();
        return smallest < Process<T>::resolution(tol_) * process_.norm();
    }

    bool stopped() const { return stopped_; }

private:
    index_t wanted() const { return std::min(options_.k, process_.size()); }
    index_t first(index_t count) const { return options_.which == Which::largest ? 0 : process_.size() - count; }

    // Block steps until the bases are full, or enough; then the Ritz values.
    void fill() {
        bool stepped = false;
        while (process_.next() > 0 && process_.size() + process_.next() <= plan_.capacity) {
            process_.step();
            ++iterations_;
            stepped = true;
            stopped_ = poll(converged_);
            if (out_of_passes()) {
                monitor_note_ = "max_passes was reached";
                stopped_ = true;
            }
            if (stopped_) break;
            if (process_.size() >= options_.k + plan_.width && iterations_ >= next_check_) {
                check();
                if (converged_ == wanted() || unresolvable()) return;
                stepped = false;
            }
        }
        if (stepped || process_.theta().empty()) check();
    }

    bool out_of_passes() const { return options_.max_passes > 0 && a_.passes() + 4 > options_.max_passes; }

    bool poll(index_t converged) {
        if (monitor_.poll({.iteration = iterations_,
                           .converged = converged,
                           .wanted = options_.k,
                           .residuals = estimates_,
                           .passes = a_.passes()})) {
            monitor_note_ = monitor_.stop_reason();
            return true;
        }
        return false;
    }

    // Ritz values, and how many wanted ones have an estimated residual that is small enough.
    void check() {
        process_.ritz();
        const index_t count = wanted(), from = first(count);
        estimates_.assign(process_.residuals().begin() + from, process_.residuals().begin() + from + count);
        const double bound = safety_ * tol_ * process_.norm();
        converged_ = std::ranges::count_if(estimates_, [&](double r) { return r <= bound; });
        schedule(*std::ranges::max_element(estimates_), bound);
    }

    // The next look: most of the way to where the residuals will be small enough if they go on falling as they did.
    void schedule(double worst, double bound) {
        index_t wait = plan_.check_every;
        if (worst > bound && worst < last_worst_ && last_check_ > 0) {
            const double rate = std::log(last_worst_ / worst) / static_cast<double>(iterations_ - last_check_);
            const double most = static_cast<double>(plan_.longest_wait);
            wait = std::max(wait, static_cast<index_t>(std::min(most, 0.7 * std::log(worst / bound) / rate)));
        }
        last_worst_ = worst;
        last_check_ = iterations_;
        next_check_ = iterations_ + wait;
    }

    // Thick restart: the more triplets have converged, the more of the others are kept.
    void contract(index_t converged) {
        const index_t size = process_.size(), k = options_.k;
        const index_t most = std::max<index_t>(1, size - 2 * plan_.width);
        const index_t keep = std::clamp<index_t>(k + converged / 2 + (size - k) / 3, std::min(k, most), most);
        process_.restart(first(keep), keep);
    }

    Result<T> form() {
        const index_t count = wanted(), from = first(count);
        Block<T> vectors = process_.right(from, count);
        if (count < options_.k) vectors = completed(vectors);
        Result<T> result = rayleigh_ritz<T>(a_, std::move(vectors), {.seed = options_.seed});
        Report& report = result.report;
        report.iterations = iterations_;
        const bool resolved = static_cast<double>(result.s.back()) >= Process<T>::resolution(tol_) * process_.norm();
        report.converged = count == options_.k && resolved &&
                           std::ranges::all_of(report.residuals, [&](double r) { return r <= tol_ * process_.norm(); });
        if (!monitor_note_.empty() && !report.converged) report.notes.push_back("stopped early: " + monitor_note_);
        return result;
    }

    // A run that was stopped before its basis held k vectors: the waiting block and random vectors make up k.
    Block<T> completed(const Block<T>& some) const {
        Block<T> all(some.rows(), options_.k, options_.k);
        fill_gaussian(all.panel(), options_.seed, Stream::replacement);
        const Block<T> next = process_.waiting();
        const index_t more = std::min(next.cols(), options_.k - some.cols());
        detail::copy_panel<T>(some, all.panel().col_range(0, some.cols()));
        detail::copy_panel<T>(next.panel().col_range(0, more), all.panel().col_range(some.cols(), more));
        return all;
    }

    Counted<T>& a_;
    const Options<T>& options_;
    Monitor& monitor_;
    Plan plan_;
    Process<T> process_;
    double tol_;
    double safety_ = 0.5;  // estimates must be this far below the tolerance before residuals are measured
    index_t iterations_ = 0, converged_ = 0, last_check_ = 0, next_check_ = 0;
    double last_worst_ = 0;
    bool stopped_ = false;
    std::string monitor_note_;
    std::vector<double> estimates_;
};

// Whether A A^H is the better operator for the one-sided process: the smaller side, unless the sizes are near and only
// the other side's products share one read of A.
template <class T>
bool outer_is_cheaper(Counted<T>& a) {
    const index_t m = a.rows(), n = a.cols();
    if (m > 2 * n || n > 2 * m) return m < n;
    const int gram = a.original().gram_passes(), outer = a.original().outer_passes();
    return gram != outer ? outer < gram : m < n;
}

}  // namespace

template <class T>
Result<T> lanczos(Counted<T>& a, const Options<T>& options, Monitor& monitor) {
    bool one_sided = options.one_sided && options.which == Which::largest;
    const bool flip = one_sided ? outer_is_cheaper(a) : a.rows() < a.cols();
    if (flip) a.flip();
    const index_t width = make_plan(a, options, 0).width;
    Start<T> start = make_start(a, options, width);
    // Random vectors in the first start block: so many copies of a repeated value are seen for certain.
    const index_t generic = start.close ? kRandomBeside : width;
    Result<T> result;
    index_t iterations = 0;
    std::string switched;
    for (int search = 0; search < kMaxSearches; ++search) {
        const auto solve = [&]<template <class> class Process>() {
            Run<T, Process> run(a, options, monitor, start);
            result = run.solve();
            iterations += result.report.iterations;
            return run.stopped();
        };
        const bool stopped =
            one_sided ? solve.template operator()<GramLanczos>() : solve.template operator()<GolubKahan>();
        if (one_sided && !stopped && !result.report.converged) {
            one_sided = false;
            switched = "went on two-sided: values too small for products with A^H A";
            if (a.rows() < a.cols()) {
                a.flip();
                start = make_start(a, options, width);
            }
            --search;
            continue;
        }
        const bool search_again = result.report.converged && options.which == Which::largest &&
                                  may_miss_copies<T>(result.s, generic, options.tol);
        if (!search_again) break;
        const Block<T> missed = find_missed(a, result, generic, options, search);
        if (missed.cols() == 0) {
            result.report.notes.emplace_back("repeated values: a search for missed copies found none");
            break;
        }
        start = {detail::beside<T>(result.v, missed), true};
    }
    result.report.iterations = iterations;
    if (!switched.empty()) result.report.notes.push_back(switched);
    if (a.flipped()) {
        a.flip();
        std::swap(result.u, result.v);
    }
    return result;
}

#define INSTANTIATE(T) template Result<T> lanczos<T>(Counted<T>&, const Options<T>&, Monitor&);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
