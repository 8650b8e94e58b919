#include "svdkit/solver/metric_lanczos.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "metric_basis.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/base/random.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "svdkit/solver/in_range.hpp"

namespace svdkit {
namespace {

using detail::KrylovBasis, detail::Weighted;

// When to look at the Ritz values next: a look costs about half a step, and residuals fall by a nearly steady factor.
class Looks {
public:
    bool due(index_t step, bool enough) const { return enough && step >= next_; }

    /// Near the goal and hardly nearer than at the last look: rounding.
    bool stalled(double worst) const { return last_ > 0 && worst < kNear && worst > before_ / 2; }

    /// `worst`: the largest residual over its tolerance.
    void seen(index_t step, double worst) {
        index_t wait = 2;
        if (last_ > 0 && worst < before_) {
            const double rate = std::log(before_ / worst) / static_cast<double>(step - last_);
            wait = static_cast<index_t>(std::clamp(std::ceil(std::log(worst) / rate), 1.0, double{kMost}));
        }
        last_ = step;
        before_ = worst;
        next_ = step + wait;
    }

private:
    static constexpr index_t kMost = 4;
    static constexpr double kNear = 100;
    index_t next_ = 1, last_ = 0;
    double before_ = 0;
};

// A start of b vectors sees at most b copies of a value. Where so many of the values found agree, a fresh block looks
// for more, until it changes none of them.
class Copies {
public:
    bool may_be_missing(const std::vector<double>& theta, index_t real, index_t b, double tol) {
        std::vector<double> now(theta.begin(), theta.begin() + real);
        for (double& value : now) value = std::sqrt(value);
        bool crowded = false, same = now.size() == seen_.size();
        for (index_t j = b - 1; j < real && !crowded; ++j) {
            const auto at = static_cast<std::size_t>(j), first = static_cast<std::size_t>(j - b + 1);
            crowded = now[first] - now[at] <= 4 * tol * now[0];
        }
        for (std::size_t j = 0; j < now.size() && same; ++j) same = std::abs(now[j] - seen_[j]) <= tol * now[0];
        seen_ = std::move(now);
        return crowded && !same;
    }

private:
    std::vector<double> seen_;
};

// How many vectors are multiplied together. Wide blocks are cheaper a vector, but more vectors are needed: the narrower
// the numbers, the wider the block that a read of A feeds.
template <class T>
index_t block_width(index_t k) {
    if constexpr (sizeof(real_t<T>) == 4) {
        return k <= 8 ? 16 : 32;
    } else {
        return k <= 8 ? 8 : k <= 96 ? 16 : 32;
    }
}

// Triplets for the left vectors U, with fresh products for V and the residuals.
template <class T>
Result<T> finish(Weighted<T>& problem, Counted<T>& a, Block<T> u, const std::vector<double>& theta) {
    const index_t k = u.cols();
    Block<T> v(a.cols(), k), image(a.rows(), k);
    std::vector<real_t<T>> s(static_cast<std::size_t>(k));
    for (std::size_t j = 0; j < s.size(); ++j) s[j] = static_cast<real_t<T>>(std::sqrt(theta[j]));
    problem.reserve(k);
    problem.backward(u, v);
    for (index_t i = 0; i < v.rows(); ++i)
        for (index_t j = 0; j < k; ++j) v(i, j) /= s[static_cast<std::size_t>(j)];
    problem.forward(v, image);
    for (index_t i = 0; i < u.rows(); ++i)
        for (index_t j = 0; j < k; ++j) image(i, j) -= s[static_cast<std::size_t>(j)] * u(i, j);
    Result<T> result;
    result.report.residuals = problem.norms(image);
    result.u = detail::leading_columns(std::move(u), k);
    result.v = detail::leading_columns(std::move(v), k);
    result.s = std::move(s);
    return result;
}

template <class T>
bool all_below(const Result<T>& result, double tol) {
    const double bound = result.s.empty() ? 0 : tol * static_cast<double>(result.s.front());
    return std::ranges::all_of(result.report.residuals, [&](double residual) { return residual <= bound; });
}

// What a look at the Ritz values shows.
template <class T>
struct Look {
    Block<T> y;  // coordinates of all Ritz vectors
    std::vector<double> theta, residuals;
    index_t real = 0, good = 0;  // leading values above the noise, and those of them that have converged
    double worst = 0;            // largest residual over its tolerance

    ConstPanel<T> leading() const { return y.panel().col_range(0, real); }
};

constexpr double kRounding = 4;  // epsilons of H that a residual of its vectors does not fall below

template <class T>
Look<T> look_at(const KrylovBasis<T>& basis, index_t k, double tol) {
    // Values appear squared, and rounding is relative to the largest.
    const double noise = std::max(1e-7, std::sqrt(static_cast<double>(epsilon<T>)));
    Look<T> look;
    look.theta = basis.ritz(look.y);
    const double top = look.theta.empty() ? 0 : std::sqrt(look.theta[0]);
    while (look.real < std::min(k, basis.count()) &&
           std::sqrt(look.theta[static_cast<std::size_t>(look.real)]) > noise * top)
        ++look.real;
    look.residuals = basis.residual_norms(look.leading(), look.theta);
    for (std::size_t j = 0; j < look.residuals.size(); ++j) {
        const double value = std::sqrt(look.theta[j]);
        look.residuals[j] /= value;
        const double bound = top * std::max(tol, kRounding * static_cast<double>(epsilon<T>) * top / value);
        look.good += look.residuals[j] <= bound;
        look.worst = std::max(look.worst, look.residuals[j] / bound);
    }
    return look;
}

// The left vectors as the iteration left them, with the residuals that it saw.
template <class T>
Result<T> found(Block<T> u, const Look<T>& look) {
    Result<T> result;
    const index_t k = u.cols();
    for (index_t j = 0; j < k; ++j)
        result.s.push_back(static_cast<real_t<T>>(std::sqrt(look.theta[static_cast<std::size_t>(j)])));
    result.report.residuals = look.residuals;
    result.u = detail::leading_columns(std::move(u), k);
    result.v = Block<T>(0, k);
    return result;
}

enum class Wanted { left, triplets };

template <class T>
Result<T> solve(Counted<T>& a, const Metrics<T>& metrics, const Options<T>& options, Wanted wanted, Monitor& monitor) {
    const index_t m = a.rows(), k = options.k;
    const index_t b = std::min(m, options.block_size > 0 ? options.block_size : block_width<T>(k));
    const index_t room = std::min(m, std::max(2 * k + 6 * b, k + 12 * b));
    const index_t most = options.max_passes > 0 ? std::max<index_t>(1, options.max_passes / 2) : 40 + 20 * (k / b + 1);
    Weighted<T> problem(a, metrics, b);
    KrylovBasis<T> basis(problem, room + b, b);
    const Block<T> block(m, b), start(m, b);
    const auto random_block = [&](index_t index) {
        fill_gaussian(start.panel(), options.seed, Stream::start, static_cast<std::uint32_t>(index));
        problem.apply(start, block);
        return block.panel();
    };
    Look<T> look;
    Looks looks;
    Copies copies;
    Panel<T> w = random_block(0);
    for (index_t step = 1;; ++step) {
        const bool grew = basis.extend(w) > 0 || basis.extend(random_block(step)) > 0;
        const bool full = basis.count() >= room;
        bool again = false;
        if (full || !grew || looks.due(step, basis.count() >= k + b)) {
            look = look_at(basis, k, options.tol);
            const bool enough = wanted == Wanted::left && looks.stalled(look.worst);
            looks.seen(step, look.worst);
            const bool complete = (basis.count() >= k || !grew) && (look.good == look.real || enough);
            const bool stop = monitor.poll({.iteration = step,
                                            .converged = look.good,
                                            .wanted = k,
                                            .residuals = look.residuals,
                                            .passes = a.passes()});
            again = complete && !enough && grew && copies.may_be_missing(look.theta, look.real, b, options.tol);
            if ((complete && !again) || !grew || stop || step >= most) {
                Block<T> u = basis.vectors(look.leading());
                const bool finished = wanted == Wanted::triplets;
                Result<T> result = finished ? finish(problem, a, std::move(u), look.theta) : found(std::move(u), look);
                result.report.iterations = step;
                result.report.converged = complete && (!finished || all_below(result, 2 * options.tol));
                if (stop && !complete) result.report.notes.push_back("stopped early: " + monitor.stop_reason());
                return result;
            }
        }
        w = block.panel();
        if (again) {
            w = random_block(step);
        } else {
            basis.next(w);
        }
        if (full) {
            basis.take_outside(w);  // also of what goes now
            basis.cut(look.y.panel().col_range(0, k + std::max(b, k / 4)), look.theta);
        }
    }
}

template <class T>
void check(const Operator<T>& a, const Metrics<T>& metrics, const Options<T>& options) {
    const auto square = [](const Operator<T>* metric, index_t size, const char* name) {
        if (metric && (metric->rows() != size || metric->cols() != size)) {
            throw InvalidArgument(std::string(name) + ": the metric is " + std::to_string(metric->rows()) + " x " +
                                  std::to_string(metric->cols()) + ", but must be square of size " +
                                  std::to_string(size));
        }
    };
    square(metrics.rows, a.rows(), "rows");
    square(metrics.cols, a.cols(), "cols");
    const index_t p = std::min(a.rows(), a.cols());
    if (options.k < 1 || options.k > p) {
        throw InvalidArgument("k=" + std::to_string(options.k) + ": must be in 1..min(m, n) = 1.." + std::to_string(p));
    }
    if (options.which != Which::largest)
        throw InvalidArgument("which: only the largest triplets are found by products");
}

template <class T>
Result<T> run(const Operator<T>& a, const Metrics<T>& metrics, const Options<T>& options, Wanted wanted,
              Monitor& monitor) {
    check(a, metrics, options);
    Options<T> used = options;
    used.tol = effective_tolerance<T>(options.tol, a.rows(), a.cols());
    const Setting setting{options.k, options.max_abs, options.seed, options.threads};
    Result<T> result = in_range<T>(a, setting, monitor, [&](Counted<T>& counted, index_t) {
        return solve(counted, metrics, used, wanted, monitor);
    });
    result.report.method = "products";
    result.report.reason = "metrics by their products";
    result.report.tol = used.tol;
    return result;
}

}  // namespace

template <class T>
Result<T> metric_lanczos(const Operator<T>& a, const Metrics<T>& metrics, const Options<T>& options, Monitor& monitor) {
    return run(a, metrics, options, Wanted::triplets, monitor);
}

template <class T>
Result<T> metric_search(const Operator<T>& a, const Metrics<T>& metrics, const Options<T>& options, Monitor& monitor) {
    return run(a, metrics, options, Wanted::left, monitor);
}

#define INSTANTIATE(T)                                                                                        \
    template Result<T> metric_lanczos<T>(const Operator<T>&, const Metrics<T>&, const Options<T>&, Monitor&); \
    template Result<T> metric_search<T>(const Operator<T>&, const Metrics<T>&, const Options<T>&, Monitor&);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
