#include "svdkit/solver/randomized.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "svdkit/base/error.hpp"
#include "svdkit/base/random.hpp"
#include "svdkit/kernel/orth.hpp"
#include "svdkit/kernel/sketch.hpp"
#include "svdkit/kernel/small_svd.hpp"
#include "svdkit/solver/in_range.hpp"
#include "svdkit/solver/residual.hpp"

namespace svdkit {
namespace {

constexpr index_t kMaxIterations = 30;  // of the automatic stop

template <class T>
Block<T> test_matrix(index_t n, index_t l, const RandomizedOptions& options) {
    Block<T> omega(n, l);
    if (options.sketch == Sketch::gaussian) fill_gaussian(omega.panel(), options.seed, Stream::sketch);
    if (options.sketch == Sketch::sparse) fill_sparse_sign(omega.panel(), options.seed);
    if (options.sketch == Sketch::srht) fill_hadamard(omega.panel(), options.seed);
    return omega;
}

// W <- an orthonormal basis whose i-th vector belongs to the i-th singular value of W; those values.
template <class T>
std::vector<real_t<T>> orthonormalise(Panel<T> w, Replacements& replacements) {
    const index_t l = w.cols;
    const Block<T> none(0, l), r(l, l), x(l, l), y(l, l);
    std::vector<double> norms(static_cast<std::size_t>(l));
    column_norms<T>(w, norms.data());
    const double floor = 2 * static_cast<double>(epsilon<T>) * *std::ranges::max_element(norms);
    extend_basis<T>(w.col_range(0, 0), w, none, r, floor, replacements);
    std::vector<real_t<T>> s(static_cast<std::size_t>(l));
    small_svd_wide<T>(r, x.panel(), s.data(), y.panel());
    rotate<T>(w, x);
    return s;
}

// Whether the estimates of the k leading squared values stand still, by the rate at which their change falls.
class Stop {
public:
    Stop(index_t k, double accuracy, double rounding)
        : k_(static_cast<std::size_t>(k)), accuracy_(accuracy), rounding_(rounding) {}

    bool operator()(const std::vector<double>& squares) {
        const std::vector<double> before = std::exchange(last_, squares);
        if (before.empty()) return false;
        double change = 0;
        for (std::size_t j = 0; j < k_; ++j) change = std::max(change, std::abs(squares[j] - before[j]));
        if (change <= rounding_ * squares[0]) return true;
        const double unit = squares[std::min(k_, squares.size() - 1)];
        const double rate = last_change_ > 0 ? std::clamp(change / last_change_, 0.05, 0.99) : 0.9;
        last_change_ = change;
        return change * rate / (1 - rate) <= accuracy_ * unit;
    }

private:
    std::size_t k_;
    double accuracy_, rounding_, last_change_ = 0;
    std::vector<double> last_;
};

// The first k triplets of a result with more.
template <class T>
Result<T> leading(Result<T> all, index_t k) {
    Result<T> result;
    result.u = Block<T>(all.u.rows(), k, k);
    result.v = Block<T>(all.v.rows(), k, k);
    for (index_t i = 0; i < all.u.rows(); ++i) std::copy_n(&all.u(i, 0), k, &result.u(i, 0));
    for (index_t i = 0; i < all.v.rows(); ++i) std::copy_n(&all.v(i, 0), k, &result.v(i, 0));
    all.s.resize(static_cast<std::size_t>(k));
    all.report.residuals.resize(static_cast<std::size_t>(k));
    result.s = std::move(all.s);
    result.report = std::move(all.report);
    return result;
}

// Two reads of an operator without fused products: Q = orth(A Omega), then the SVD of Q^H A. What is left of A bounds
// the residuals, if its norm is known.
template <class T>
Result<T> in_two_reads(Counted<T>& a, Block<T> omega, Replacements& replacements) {
    const index_t l = omega.cols();
    Result<T> result;
    result.u = Block<T>(a.rows(), l, l);
    a.apply(omega, result.u);
    orthonormalise<T>(result.u, replacements);
    result.v = Block<T>(a.cols(), l, l);
    a.apply_adjoint(result.u, result.v);
    const Block<T> none(0, l), r(l, l), x(l, l), y(l, l);
    result.s.resize(static_cast<std::size_t>(l));
    extend_basis<T>(result.v.panel().col_range(0, 0), result.v, none, r, 0, replacements);
    small_svd_wide<T>(r, x.panel(), result.s.data(), y.panel());
    rotate<T>(result.v, x);
    rotate<T>(result.u, y);
    const auto norm = a.original().norm_fro();
    double rest = norm ? *norm * *norm : std::numeric_limits<double>::infinity();
    for (real_t<T> s : result.s) rest -= static_cast<double>(s) * static_cast<double>(s);
    result.report.residuals.assign(static_cast<std::size_t>(l), std::sqrt(std::max(rest, 0.0)));
    result.report.notes.emplace_back("residuals are bounds: two reads of A leave none to measure them");
    return result;
}

template <class T>
Result<T> solve(Counted<T>& a, const RandomizedOptions& options, Monitor& monitor) {
    const bool fused = a.gram_passes() == 1 || a.original().outer_passes() == 1;
    const bool flip =
        fused && a.gram_passes() != a.original().outer_passes() ? a.gram_passes() != 1 : a.rows() < a.cols();
    if (flip) a.flip();
    const index_t l = std::min(padded_ld<T>(options.k + options.oversample), a.cols());  // whole cache lines: free
    const index_t each = a.gram_passes();
    Replacements replacements{options.seed, 0};
    Block<T> v = test_matrix<T>(a.cols(), l, options);
    Result<T> result;
    index_t iterations = 0;
    if (options.passes == 2 && each == 2) {
        result = in_two_reads(a, std::move(v), replacements);
    } else {
        if (options.passes % 2 == 1 && each == 2) {  // the odd read: start from A^H Omega
            const Block<T> left = test_matrix<T>(a.rows(), l, options);
            a.apply_adjoint(left, v);
        }
        orthonormalise<T>(v, replacements);
        const bool automatic = options.passes == 0 && options.power_iterations < 0;
        const index_t most = automatic            ? kMaxIterations
                             : options.passes > 0 ? options.passes / each - 1
                                                  : options.power_iterations;
        Stop stop(options.k, options.accuracy, 64 * static_cast<double>(epsilon<T>));
        const Block<T> image(a.rows(), l), next(a.cols(), l);
        double shift = 0;
        bool halted = false;
        for (; iterations < most && !halted; ++iterations) {
            a.apply_gram(v, image, next);
            for (index_t i = 0; i < next.rows(); ++i)
                for (index_t j = 0; j < l; ++j) v(i, j) = next(i, j) - static_cast<real_t<T>>(shift) * v(i, j);
            const std::vector<real_t<T>> s = orthonormalise<T>(v, replacements);
            std::vector<double> squares(s.begin(), s.end());
            for (double& square : squares) square += shift;
            const double smallest = static_cast<double>(s.back());
            if (shift < smallest && smallest > 1e-14 * static_cast<double>(s.front())) shift = (shift + smallest) / 2;
            halted = monitor.poll({.iteration = iterations + 1, .wanted = options.k, .passes = a.passes()});
            if (automatic && stop(squares)) halted = true;
        }
        result = rayleigh_ritz<T>(a, std::move(v), options.seed);
    }
    result = leading(std::move(result), options.k);
    result.report.iterations = iterations;
    result.report.converged = monitor.stop_reason().empty();
    if (!result.report.converged) result.report.notes.push_back("stopped early: " + monitor.stop_reason());
    if (flip) {
        a.flip();
        std::swap(result.u, result.v);
    }
    return result;
}

}  // namespace

template <class T>
Result<T> randomized(const Operator<T>& a, const RandomizedOptions& options, Monitor& monitor) {
    const index_t p = std::min(a.rows(), a.cols());
    if (options.k < 1 || options.k > p) {
        throw InvalidArgument("k=" + std::to_string(options.k) + ": must be in 1..min(m, n) = 1.." + std::to_string(p));
    }
    if (options.passes == 1) throw InvalidArgument("passes=1: power iterations read A at least twice");
    // Where reads are counted, none is spent to learn the magnitude of an operator's entries.
    const bool unknown = options.passes > 0 && options.max_abs == 0 && !a.max_abs();
    const Setting setting{options.k, unknown ? 1 : options.max_abs, options.seed, options.threads};
    Result<T> result = in_range<T>(a, setting, monitor,
                                   [&](Counted<T>& counted, index_t) { return solve(counted, options, monitor); });
    result.report.method = "randomized";
    result.report.reason = options.passes > 0              ? "reads of A were given"
                           : options.power_iterations >= 0 ? "power iterations were given"
                                                           : "until the squared values stand still";
    result.report.tol = options.accuracy;
    return result;
}

#define INSTANTIATE(T) template Result<T> randomized<T>(const Operator<T>&, const RandomizedOptions&, Monitor&);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
