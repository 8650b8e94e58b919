#include "svdkit/solver/randomized.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "gram_lanczos.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/base/random.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "svdkit/kernel/orth.hpp"
#include "svdkit/kernel/sketch.hpp"
#include "svdkit/kernel/small_svd.hpp"
#include "svdkit/solver/in_range.hpp"
#include "svdkit/solver/residual.hpp"

namespace svdkit {
namespace {

constexpr index_t kMaxIterations = 30;  // of the automatic stop
constexpr index_t kMaxBlocks = 6;       // kept by the block Krylov method before it restarts
constexpr index_t kNarrow = 16;         // columns of a block where reads are not counted
constexpr double kFreeBytes = 64e6;     // that they may take beyond twice the bytes of A
constexpr double kSlack = 0.1;          // share of a residual that rounding may add, lest A is read again to measure it
constexpr double kNoRead = std::numeric_limits<double>::infinity();

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

// Whether the estimates of the k leading squared values stand still: what is left to come, by the rate at which their
// change falls.
class Stop {
public:
    Stop(index_t k, double accuracy, double rounding)
        : k_(static_cast<std::size_t>(k)), accuracy_(accuracy), rounding_(rounding) {}

    bool operator()(const std::vector<double>& squares) {
        if (squares.empty()) return false;  // not looked at this time
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

// What an iteration is given, and what it says.
template <class T>
struct Iteration {
    Counted<T>& a;
    const RandomizedOptions& options;
    Monitor& monitor;
    index_t most;
    bool automatic;
    Stop stop = {options.k, options.accuracy, 4 * static_cast<double>(epsilon<T>)};
    index_t done = 0;

    // After a product; whether to end, given a way to the squared values.
    template <class Squares>
    bool ends(const Squares& squares) {
        ++done;
        const bool halted = monitor.poll({.iteration = done, .wanted = options.k, .passes = a.passes()});
        return (automatic && stop(squares())) || halted || done >= most;
    }
};

// V <- orth((A^H A - shift I) V), again and again.
template <class T>
Block<T> shifted_power(Iteration<T>& iteration, Block<T> v, Replacements& replacements) {
    Counted<T>& a = iteration.a;
    const index_t l = v.cols();
    orthonormalise<T>(v, replacements);
    const Block<T> image(a.rows(), l), next(a.cols(), l);
    double shift = 0;
    for (bool ended = iteration.most == 0; !ended;) {
        a.apply_gram(v, image, next);
        detail::for_each_row(v.panel(), [&](index_t i) {
            for (index_t j = 0; j < l; ++j) v(i, j) = next(i, j) - static_cast<real_t<T>>(shift) * v(i, j);
        });
        const std::vector<real_t<T>> s = orthonormalise<T>(v, replacements);
        const double before = shift, smallest = static_cast<double>(s.back());
        if (shift < smallest && smallest > 1e-14 * static_cast<double>(s.front())) shift = (shift + smallest) / 2;
        ended = iteration.ends([&] {
            std::vector<double> squares(s.begin(), s.end());
            for (double& square : squares) square += before;
            return squares;
        });
    }
    return v;
}

// Columns of a block: all l where products are counted, and narrow where they are not: that takes more products and
// fewer flops. Never so few that all blocks together are less than k.
template <class T>
index_t block_width(const Iteration<T>& iteration, index_t l) {
    const RandomizedOptions& options = iteration.options;
    const index_t asked = options.block_size > 0 ? options.block_size : iteration.automatic ? kNarrow : l;
    const index_t least = (options.k + iteration.most - 1) / iteration.most;
    return std::clamp(asked, std::min(least, l), l);
}

// Vectors that the block Krylov method may keep, multiplied `width` at a time; 0: so few that it is not worth it.
template <class T>
index_t kept_vectors(const Iteration<T>& iteration, index_t l, index_t width) {
    const double vector = static_cast<double>(iteration.a.rows() + iteration.a.cols()) * sizeof(T);
    const double bytes = 2 * iteration.a.original().cost().bytes_per_pass + kFreeBytes;
    const index_t useful = std::min(kMaxBlocks * l, iteration.most * width);
    const index_t room = std::min({static_cast<index_t>(bytes / vector), iteration.a.rows(), iteration.a.cols()});
    const index_t capacity = std::min(useful, room) / width * width;
    return capacity >= std::min(useful, 3 * l) ? capacity : 0;
}

// All blocks (A^H A)^i V at once, with A times them, so that the triplets cost no further read. The basis is cut back
// to `wanted` vectors when it is full.
template <class T>
Result<T> block_krylov(Iteration<T>& iteration, ConstPanel<T> start, index_t wanted, index_t capacity,
                       const RayleighRitz& last) {
    GramLanczos<T> process(iteration.a, capacity, start.cols, iteration.options.seed, true);
    process.start(start);
    index_t next_look = wanted;  // size of the basis at which they are looked at
    for (bool ended = false; !ended && process.next() > 0;) {
        if (process.size() + process.next() > capacity) {
            process.ritz();
            process.restart(0, std::min(wanted, process.size()));
            next_look = 0;
        }
        process.step();
        ended = iteration.ends([&]() -> std::vector<double> {
            if (process.size() < next_look) return {};
            next_look = process.size() + process.size() / 8;
            return process.squares();
        });
    }
    process.ritz();
    // Small Ritz values have lost digits to the squares, and their vectors direction: then all vectors are kept.
    const index_t k = iteration.options.k;
    const double smallest =
        process.size() < k ? 0 : static_cast<double>(process.theta()[static_cast<std::size_t>(k - 1)]);
    const bool resolved = smallest > 10 * std::sqrt(static_cast<double>(epsilon<T>)) * process.norm();
    return rayleigh_ritz<T>(iteration.a, process.products(resolved ? k : process.size()), last);
}

// Two reads of an operator without fused products: Q = orth(A Omega), then the SVD of Q^H A. What is left of A bounds
// the residuals, if its norm is known.
template <class T>
Result<T> in_two_reads(Counted<T>& a, Block<T> omega, index_t k, Replacements& replacements) {
    const index_t l = omega.cols();
    Block<T> u(a.rows(), l, l), v(a.cols(), l, l);
    a.apply(omega, u);
    orthonormalise<T>(u, replacements);
    a.apply_adjoint(u, v);
    const Block<T> none(0, l), r(l, l), x(l, l), y(l, l);
    extend_basis<T>(v.panel().col_range(0, 0), v, none, r, 0, replacements);
    Result<T> result;
    result.s.resize(static_cast<std::size_t>(l));
    small_svd_wide<T>(r, x.panel(), result.s.data(), y.panel());
    const auto norm = a.original().norm_fro();
    double rest = norm ? *norm * *norm : std::numeric_limits<double>::infinity();
    for (real_t<T> s : result.s) rest -= static_cast<double>(s) * static_cast<double>(s);
    result.s.resize(static_cast<std::size_t>(k));
    rotate<T>(v, x.panel().col_range(0, k));
    rotate<T>(u, y.panel().col_range(0, k));
    result.u = detail::leading_columns(std::move(u), k);
    result.v = detail::leading_columns(std::move(v), k);
    result.report.residuals.assign(static_cast<std::size_t>(k), std::sqrt(std::max(rest, 0.0)));
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
    Result<T> result;
    index_t iterations = 0;
    if (options.passes == 2 && each == 2) {
        result = in_two_reads(a, test_matrix<T>(a.cols(), l, options), options.k, replacements);
    } else {
        const bool automatic = options.passes == 0 && options.power_iterations < 0;
        const index_t most = automatic            ? kMaxIterations
                             : options.passes > 0 ? options.passes / each
                                                  : options.power_iterations + 1;
        Iteration<T> iteration{a, options, monitor, most, automatic};
        index_t width = block_width<T>(iteration, l);
        if (automatic) iteration.most = most * (l / width);
        const index_t capacity = iteration.most > 1 ? kept_vectors(iteration, l, width) : 0;
        if (capacity == 0) width = l, iteration.most = most;
        Block<T> v = test_matrix<T>(a.cols(), width, options);
        if (options.passes % 2 == 1 && each == 2) {  // the odd read: start from A^H Omega
            const Block<T> left = test_matrix<T>(a.rows(), width, options);
            a.apply_adjoint(left, v);
        }
        const RayleighRitz last{options.seed, options.k, options.passes > 0 ? kNoRead : kSlack};
        if (capacity > 0) {
            result = block_krylov<T>(iteration, v, l, capacity, last);
        } else {
            --iteration.most;  // the last product is that of the Rayleigh-Ritz step
            v = shifted_power<T>(iteration, std::move(v), replacements);
            result = rayleigh_ritz<T>(a, std::move(v), last);
        }
        iterations = iteration.done;
    }
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
