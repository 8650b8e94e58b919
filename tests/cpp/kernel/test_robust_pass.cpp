// Robust half-sweeps against loops over cells: every level, side, rank, weight function; missing and weighted cells.
#include "svdkit/kernel/robust_pass.hpp"

#include <algorithm>
#include <limits>

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/simd.hpp"
#include "svdkit/kernel/solve_packed.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

struct LevelScope {
    std::string before = simd_level();
    explicit LevelScope(const std::string& name) { set_simd_level(name); }
    ~LevelScope() { set_simd_level(before); }
};

double weight_of(const RobustSweep& options, double e) {
    const double p = static_cast<double>(options.parameter);
    if (options.shape == detail::WeightShape::huber) return std::abs(e) > p ? p / std::abs(e) : 1;
    return std::exp(-p * e * e);
}

template <class T>
struct Problem {
    Block<T> x, prior, slow, fast;

    Problem(index_t m, index_t n, index_t r)
        : x(gaussian<T>(m, n, 1)), prior(gaussian<T>(m, n, 2)), slow(gaussian<T>(m, r, 3)), fast(gaussian<T>(n, r, 4)) {
        for (index_t i = 0; i < m; ++i)
            for (index_t j = 0; j < n; ++j) {
                prior(i, j) = std::abs(prior(i, j));
                if ((3 * i + 5 * j) % 11 == 0) x(i, j) = std::numeric_limits<T>::quiet_NaN();
                if ((2 * i + 7 * j) % 13 == 0) x(i, j) += T(300);
                if ((i + j) % 17 == 0) prior(i, j) = 0;
            }
        for (Block<T>* factor : {&slow, &fast})
            for (index_t i = 0; i < factor->rows(); ++i)
                for (index_t k = 0; k < r; ++k) (*factor)(i, k) /= static_cast<T>(2 * r);
    }
    PriorCells<T> cells(bool weighted) const { return {view_of(x), weighted ? view_of(prior) : ConstView<T>{}}; }
};

struct Expected {
    Block<double> moved;
    double weight = 0, square = 0;
};

// Row by row: equations of the moving factor, solved.
template <class T>
Expected expected_step(const Problem<T>& p, bool weighted, MovingFactor side, const RobustSweep& options,
                       double max_prior) {
    const Block<T>& moving = side == MovingFactor::slow ? p.slow : p.fast;
    const Block<T>& fixed = side == MovingFactor::slow ? p.fast : p.slow;
    const index_t r = moving.cols();
    Expected out{Block<double>(moving.rows(), r)};
    for (index_t i = 0; i < moving.rows(); ++i) {
        std::vector<double> gram(static_cast<std::size_t>(r * (r + 1) / 2), 0.0), g(static_cast<std::size_t>(r), 0.0);
        double mass = 0;
        for (index_t j = 0; j < fixed.rows(); ++j) {
            const index_t row = side == MovingFactor::slow ? i : j, col = side == MovingFactor::slow ? j : i;
            auto e = static_cast<double>(p.x(row, col));
            const double q = weighted ? static_cast<double>(p.prior(row, col)) : 1;
            if (std::isnan(e) || q == 0) continue;
            for (index_t k = 0; k < r; ++k) e -= static_cast<double>(moving(i, k)) * static_cast<double>(fixed(j, k));
            const double w = q * weight_of(options, e);
            out.weight += w;
            out.square += w * e * e;
            mass += w;
            for (index_t k = 0, at = 0; k < r; ++k) {
                g[static_cast<std::size_t>(k)] += w * e * static_cast<double>(fixed(j, k));
                for (index_t l = 0; l <= k; ++l, ++at)
                    gram[static_cast<std::size_t>(at)] +=
                        w * static_cast<double>(fixed(j, k)) * static_cast<double>(fixed(j, l));
            }
        }
        if (options.majorise) {
            for (double& value : g) value /= std::max(mass / static_cast<double>(fixed.rows()), max_prior / 4);
        } else {
            double trace = 0;
            for (index_t k = 0; k < r; ++k) trace += gram[static_cast<std::size_t>(k * (k + 1) / 2 + k)];
            detail::solve_packed(gram.data(), g.data(), r, trace);
        }
        for (index_t k = 0; k < r; ++k)
            out.moved(i, k) = static_cast<double>(moving(i, k)) + g[static_cast<std::size_t>(k)];
    }
    return out;
}

template <class T>
void check_step(index_t m, index_t n, index_t r, bool weighted, MovingFactor side, RobustSweep options) {
    Problem<T> p(m, n, r);
    options.support = 0;
    options.parameter = static_cast<double>(static_cast<T>(options.parameter));
    const Observed observed = observe(p.cells(weighted));
    const Expected expected = expected_step(p, weighted, side, options, observed.max_prior);
    std::vector<std::uint8_t> lost(static_cast<std::size_t>(std::max(m, n)));
    const RobustSweepResult found =
        half_sweep<T>(p.cells(weighted), observed, side, p.slow.panel(), p.fast.panel(), options, lost.data());
    const double limit = sizeof(T) == 4 ? 2e-4 : 1e-11;
    CHECK_CLOSE(found.sums.weight, expected.weight, limit * expected.weight);
    CHECK_CLOSE(found.sums.square, expected.square, limit * expected.square);
    const Block<T>& moved = side == MovingFactor::slow ? p.slow : p.fast;
    double scale = 1;
    for (index_t i = 0; i < moved.rows(); ++i)
        for (index_t k = 0; k < r; ++k) scale = std::max(scale, std::abs(expected.moved(i, k)));
    for (index_t i = 0; i < moved.rows(); ++i)
        for (index_t k = 0; k < r; ++k)
            CHECK_CLOSE(static_cast<double>(moved(i, k)), expected.moved(i, k), 10 * limit * scale);
}

template <class T>
void every_kernel() {
    for (const auto& level : simd_levels()) {
        const LevelScope scope(level);
        for (const MovingFactor side : {MovingFactor::slow, MovingFactor::fast}) {
            for (index_t r = 1; r <= detail::kFusedRank; ++r)
                check_step<T>(45, 37, r, r % 2 == 0, side, {.parameter = 0.2});
            check_step<T>(45, 37, 3, true, side, {.shape = detail::WeightShape::huber, .parameter = 0.7});
            check_step<T>(70, 61, 11, true, side, {.parameter = 0.05, .majorise = true});
            check_step<T>(70, 61, 9, false, side,
                          {.shape = detail::WeightShape::huber, .parameter = 3, .majorise = true});
        }
    }
}

template <class T>
void every_shape() {
    for (const MovingFactor side : {MovingFactor::slow, MovingFactor::fast}) {
        check_step<T>(7, 9000, 2, true, side, {.parameter = 0.3});  // cut along the rows
        check_step<T>(9000, 7, 2, true, side, {.parameter = 0.3});
        check_step<T>(1030, 1030, 1, false, side, {.parameter = 0.3});
    }
}

template <class T>
double weight_at(T y) {  // e^-y as the kernel has it
    T x = 1, zero = 0;
    std::vector<std::uint8_t> lost(1);
    const PriorCells<T> cells{{&x, 1, 1, 1, 1}, {}};
    const RobustSweep look{.parameter = static_cast<double>(y), .move = false};
    T fast[64] = {};
    return half_sweep<T>(cells, observe(cells), MovingFactor::slow, {&zero, 1, 1, 1}, {fast, 1, 1, 1}, look,
                         lost.data())
        .sums.weight;
}

template <class T>
void exponential_is_accurate(double allowed) {
    for (const auto& level : simd_levels()) {
        const LevelScope scope(level);
        double worst = 0;
        for (double y = 0; y < (sizeof(T) == 4 ? 85 : 699); y += 0.0371) {
            const T at = static_cast<T>(y);
            worst = std::max(worst, std::abs(weight_at(at) / std::exp(-static_cast<double>(at)) - 1));
        }
        CHECK(worst < allowed);
        CHECK(weight_at(T(0)) == 1.0);
        CHECK(weight_at(T(1e4)) == 0.0);
    }
}

template <class T>
void bits_without_threads(index_t m, index_t n, index_t r) {
    for (const MovingFactor side : {MovingFactor::slow, MovingFactor::fast}) {
        std::vector<T> factors[2];
        double sums[2] = {};
        for (int run : {0, 1}) {
            const ThreadScope threads(run == 0 ? 1 : 4);
            Problem<T> p(m, n, r);
            std::vector<std::uint8_t> lost(static_cast<std::size_t>(std::max(m, n)));
            const RobustSweep options{.parameter = 0.2, .majorise = r > detail::kFusedRank};
            sums[run] = half_sweep<T>(p.cells(false), observe(p.cells(false)), side, p.slow.panel(), p.fast.panel(),
                                      options, lost.data())
                            .sums.square;
            const Block<T>& moved = side == MovingFactor::slow ? p.slow : p.fast;
            factors[run].assign(moved.data(), moved.data() + moved.rows() * moved.ld());
        }
        CHECK(factors[0] == factors[1]);
        CHECK(sums[0] == sums[1]);
    }
}

}  // namespace

TEST(robust_pass_every_level_side_and_rank) {
    every_kernel<float>();
    every_kernel<double>();
}

TEST(robust_pass_every_shape) {
    every_shape<float>();
    every_shape<double>();
}

TEST(robust_pass_exponential_is_accurate) {
    exponential_is_accurate<float>(2e-7);
    exponential_is_accurate<double>(2e-15);
}

TEST(robust_pass_bits_do_not_depend_on_threads) {
    bits_without_threads<float>(700, 600, 2);
    bits_without_threads<double>(700, 600, 5);
    bits_without_threads<double>(300, 500, 12);
    bits_without_threads<float>(5, 20000, 1);
}

TEST(robust_pass_row_without_support) {
    Problem<double> p(60, 50, 2);
    for (index_t j = 0; j < 50; ++j) p.x(4, j) = 1e6 * (1 + static_cast<double>(j % 7));
    for (index_t j = 0; j < 50; ++j) p.x(9, j) = std::nan("");
    std::vector<std::uint8_t> lost(60);
    const auto cells = p.cells(false);
    half_sweep<double>(cells, observe(cells), MovingFactor::slow, p.slow.panel(), p.fast.panel(), {.parameter = 0.2},
                       lost.data());
    CHECK(lost[4] == 1 && lost[9] == 1 && lost[3] == 0);
    CHECK(p.slow(4, 0) == 0.0 && p.slow(9, 1) == 0.0);
}
