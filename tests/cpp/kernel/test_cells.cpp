// Cells against loops, at every instruction-set level: residual products with and without momentum, and half-sweeps.
#include "svdkit/kernel/cells.hpp"

#include <cmath>
#include <limits>

#include "check.hpp"
#include "svdkit/base/buffer.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/base/random.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/simd.hpp"

using namespace svdkit;

namespace {

// A, W and the same cells as a list; a third of the cells is missing, row 1 has none.
template <class T>
struct Problem {
    Block<T> a, w;
    std::vector<std::int64_t> pointers{0};
    std::vector<std::int32_t> columns;
    std::vector<T> values, weights;
    CellUnits units{0.5, 0.25};

    Problem(index_t m, index_t n, bool weighted) : a(m, n), w(m, n) {
        fill_gaussian(a.panel(), 1, Stream::start);
        fill_gaussian(w.panel(), 2, Stream::start);
        for (index_t i = 0; i < m; ++i) {
            for (index_t j = 0; j < n; ++j) {
                const bool seen = i != 1 && w(i, j) > T(-0.4);
                w(i, j) = seen ? (weighted ? std::abs(w(i, j)) + T(0.1) : T(1)) : T(0);
                if (!seen) a(i, j) = std::numeric_limits<T>::quiet_NaN();
                if (!seen) continue;
                columns.push_back(static_cast<std::int32_t>(j));
                values.push_back(a(i, j));
                weights.push_back(w(i, j));
            }
            pointers.push_back(std::ssize(columns));
        }
    }

    CellList<T> list(bool weighted) const {
        return {pointers.data(), columns.data(), values.data(), weighted ? weights.data() : nullptr,
                a.rows(),        a.cols(),       units};
    }
    ConstView<T> view(const Block<T>& block) const { return {block.data(), block.rows(), block.cols(), block.ld(), 1}; }
    double weight(index_t i, index_t j) const { return static_cast<double>(w(i, j)) * units.weight; }
    double value(index_t i, index_t j) const { return static_cast<double>(a(i, j)) * units.value; }
};

template <class T>
Block<T> gaussian(index_t rows, index_t cols, std::uint64_t seed) {
    Block<T> block(rows, cols);
    fill_gaussian(block.panel(), seed, Stream::start);
    return block;
}

template <class T>
double at(ConstPanel<T> left, ConstPanel<T> right, index_t i, index_t j) {
    double sum = 0;
    for (index_t l = 0; l < left.cols; ++l) sum += static_cast<double>(left(i, l)) * static_cast<double>(right(j, l));
    return sum;
}

template <class T>
void check_multiply(const Problem<T>& problem, const Cells<T>& cells, const Fit<T>& fit, index_t b) {
    const index_t m = cells.rows(), n = cells.cols();
    const Block<T> x = gaussian<T>(n, b, 9), y(m, b);
    const double loss = cells.multiply(fit, x, y);
    const double allowed = 20 * static_cast<double>(epsilon<T>);
    double expected = 0, worst = 0;
    for (index_t i = 0; i < m; ++i) {
        std::vector<double> row(static_cast<std::size_t>(b)), size(row);  // sums, and sums of magnitudes
        for (index_t j = 0; j < n; ++j) {
            if (problem.w(i, j) == 0) continue;
            const double current = at<T>(fit.left, fit.right, i, j), error = problem.value(i, j) - current;
            const double previous = fit.extrapolates() ? at<T>(fit.left_before, fit.right_before, i, j) : current;
            expected += problem.weight(i, j) * error * error;
            for (std::size_t l = 0; l < row.size(); ++l) {
                const double factor = problem.weight(i, j) * static_cast<double>(x(j, static_cast<index_t>(l)));
                row[l] += factor * (error - fit.beta * (current - previous));
                size[l] += std::abs(factor) * (1 + std::abs(error) + std::abs(current - previous));
            }
        }
        for (std::size_t l = 0; l < row.size(); ++l)
            worst = std::max(
                worst, std::abs(row[l] - static_cast<double>(y(i, static_cast<index_t>(l)))) / std::max(size[l], 1.0));
    }
    CHECK(std::abs(loss - expected) <= 10 * allowed * expected);
    CHECK(worst <= allowed);
}

// The step that a half-sweep takes leaves no gradient, but for the term that keeps it near its start.
template <class T>
void check_solve(const Problem<T>& problem, const Cells<T>& cells, index_t r) {
    const index_t m = cells.rows(), n = cells.cols();
    const Block<T> right = gaussian<T>(n, r, 3), left = gaussian<T>(m, r, 4), before = gaussian<T>(m, r, 4);
    std::vector<double> ridge(static_cast<std::size_t>(m)), shared(static_cast<std::size_t>(r * r));
    for (std::size_t i = 0; i < ridge.size(); ++i) ridge[i] = i % 3 == 0 ? 0.3 : 0.0;
    for (index_t l = 0; l < r; ++l) shared[static_cast<std::size_t>(l * r + l)] = 0.01;
    const Slope slope = cells.solve({right, left, ridge.data(), shared.data()});
    double loss = 0, before_squared = 0, after = 0;
    for (index_t i = 0; i < m; ++i) {
        const bool pulled = ridge[static_cast<std::size_t>(i)] > 0;
        for (index_t l = 0; l < r; ++l) {
            double start = 0, end = 0;
            for (index_t j = 0; j < n; ++j) {
                if (problem.w(i, j) == 0) continue;
                const double q = problem.weight(i, j) * static_cast<double>(right(j, l));
                start += q * (problem.value(i, j) - at<T>(before, right, i, j));
                end += q * (problem.value(i, j) - at<T>(left, right, i, j));
            }
            const double pull = ridge[static_cast<std::size_t>(i)] + 0.01;
            if (i == 1 && !pulled) {
                CHECK(left(i, l) == 0);
                continue;
            }
            start -= pull * static_cast<double>(before(i, l));
            end -= pull * static_cast<double>(left(i, l));
            before_squared += start * start;
            after = std::max(after, std::abs(end));
        }
        for (index_t j = 0; j < n; ++j) {
            if (problem.w(i, j) == 0) continue;
            const double error = problem.value(i, j) - at<T>(before, right, i, j);
            loss += problem.weight(i, j) * error * error;
        }
    }
    CHECK(std::abs(slope.loss - loss) <= 100 * static_cast<double>(epsilon<T>) * loss);
    CHECK(std::abs(slope.gradient - std::sqrt(before_squared)) <= 1e-4 * slope.gradient);
    CHECK(after <= (sizeof(T) == 4 ? 1e-4 : 1e-5) * slope.gradient);
}

template <class T>
void check_all() {
    const index_t m = 61, n = 301;
    for (bool weighted : {false, true}) {
        const Problem<T> problem(m, n, weighted);
        const SparseCells<T> sparse(problem.list(weighted));
        // Without weights the dense form takes NaN for missing; its unit of weight is then one.
        Problem<T> plain(m, n, weighted);
        if (!weighted) plain.units.weight = 1;
        const DenseCells<T> dense(plain.view(plain.a), weighted ? plain.view(plain.w) : ConstView<T>{}, plain.units);
        for (index_t p : {0, 1, 4, 7, 20}) {
            const Block<T> left = gaussian<T>(m, p, 5), right = gaussian<T>(n, p, 6);
            const Block<T> left_before = gaussian<T>(m, p, 7), right_before = gaussian<T>(n, p, 8);
            for (double beta : {0.0, 0.7}) {
                const Fit<T> fit{left, right, left_before, right_before, beta};
                for (index_t b : {1, 4, 11, 24}) {
                    if (weighted) check_multiply<T>(problem, sparse, fit, b);
                    check_multiply<T>(plain, dense, fit, b);
                }
            }
        }
        for (index_t r : {1, 3, 8, 13, 30}) {
            if (weighted) check_solve<T>(problem, sparse, r);
            check_solve<T>(plain, dense, r);
        }
    }
}

}  // namespace

TEST(cells_match_loops) {
    check_all<float>();
    check_all<double>();
}

template <class T>
void check_residuals(bool weighted) {
    const Problem<T> problem(61, 301, weighted);
    const CellList<T> list = problem.list(weighted);
    const SparseCells<T> cells(list);
    for (index_t p : {0, 1, 7, 20}) {
        const Block<T> left = gaussian<T>(61, p, 5), right = gaussian<T>(301, p, 6);
        std::vector<float> out(problem.values.size());
        cells.residuals(left, right, out.data());
        for (index_t i = 0; i < 61; ++i) {
            for (std::int64_t p_at = list.pointers[i]; p_at < list.pointers[i + 1]; ++p_at) {
                const index_t j = list.columns[p_at];
                const double weight = weighted ? problem.weight(i, j) : 1.0;
                const double expected = weight * (problem.value(i, j) - at<T>(left, right, i, j));
                CHECK(std::abs(static_cast<double>(out[static_cast<std::size_t>(p_at)]) - expected) <=
                      1e-5 * (1 + std::abs(expected)));
            }
        }
    }
}

TEST(residuals_of_listed_cells_written_down) {
    for (bool weighted : {false, true}) {
        check_residuals<float>(weighted);
        check_residuals<double>(weighted);
    }
}

TEST(cells_without_weights_count_one) {
    const Problem<double> problem(30, 40, false);
    CellList<double> list = problem.list(false);
    list.units = {};
    const SparseCells<double> sparse(list);
    const DenseCells<double> dense(problem.view(problem.a), {}, {});
    std::vector<double> sums(30), more(30);
    std::vector<index_t> counts(30), as_many(30);
    sparse.totals(sums.data(), counts.data());
    dense.totals(more.data(), as_many.data());
    CHECK(sums == more);
    CHECK(counts == as_many);
    CHECK(counts[1] == 0 && sums[2] == static_cast<double>(counts[2]));
}

TEST(cells_of_transposed_views_are_the_transposed_cells) {
    const Problem<double> problem(50, 330, true);
    const DenseCells<double> cells(problem.view(problem.a).transposed(), problem.view(problem.w).transposed(), {});
    Problem<double> flipped(50, 330, true);
    flipped.units = {};
    flipped.a = Block<double>(330, 50);
    flipped.w = Block<double>(330, 50);
    for (index_t i = 0; i < 50; ++i)
        for (index_t j = 0; j < 330; ++j) {
            flipped.a(j, i) = problem.a(i, j);
            flipped.w(j, i) = problem.w(i, j);
        }
    const Block<double> left = gaussian<double>(330, 5, 1), right = gaussian<double>(50, 5, 2);
    check_multiply<double>(flipped, cells, {left, right, {}, {}, 0}, 8);
}

TEST(cells_refuse_broken_lists) {
    const std::vector<std::int64_t> pointers{0, 1, 2}, falling{0, 2, 1};
    const std::vector<std::int32_t> columns{0, 7};
    const std::vector<double> values{1, 2};
    const auto make = [&](const std::vector<std::int64_t>& p, index_t cols) {
        SparseCells<double>({p.data(), columns.data(), values.data(), nullptr, 2, cols, {}});
    };
    make(pointers, 8);
    CHECK_THROWS(make(pointers, 7), InvalidArgument);
    CHECK_THROWS(make(falling, 8), InvalidArgument);
}
