// Weighted fits from C++: over-relaxed sweeps beside plain ones, and the residual written down beside the one that is
// not.
#include <algorithm>
#include <cmath>

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/svdkit.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

// Four in ten cells of a matrix of rank 3 with noise; values of the factors fall fast, sweeps are slow.
struct Listed {
    index_t rows = 0, cols = 0;
    std::vector<std::int64_t> pointers{0};
    std::vector<std::int32_t> columns{};
    std::vector<double> values{}, weights{};

    CellList<double> list() const {
        return {pointers.data(), columns.data(), values.data(), weights.data(), rows, cols, {}};
    }
};

struct Problem {
    Listed by_rows{.rows = 90, .cols = 70}, by_columns{.rows = 70, .cols = 90};
    SparseCells<double> along, across;

    Problem() : along(fill(by_rows, false).list()), across(fill(by_columns, true).list()) {}

    Completion<double> fit(double longest_step, double penalty, ConstPanel<double> left, ConstPanel<double> right,
                           index_t most = 2000) const {
        Monitor monitor;
        const CompletionOptions options{
            .k = left.cols, .penalty = penalty, .tol = 1e-7, .max_iterations = most, .longest_step = longest_step};
        return complete<double>({along, across}, left, right, options, monitor);
    }

private:
    static Listed& fill(Listed& listed, bool transposed) {
        const Block<double> p = gaussian<double>(90, 3, 1), q = gaussian<double>(70, 3, 2);
        const Block<double> noise = gaussian<double>(90, 70, 3), chance = gaussian<double>(90, 70, 4);
        for (index_t a = 0; a < listed.rows; ++a) {
            for (index_t b = 0; b < listed.cols; ++b) {
                const index_t i = transposed ? b : a, j = transposed ? a : b;
                if (chance(i, j) < 0.3) continue;
                listed.columns.push_back(static_cast<std::int32_t>(b));
                double value = 0.3 * noise(i, j);
                for (index_t l = 0; l < 3; ++l) value += std::pow(0.5, static_cast<double>(l)) * p(i, l) * q(j, l);
                listed.values.push_back(value);
                listed.weights.push_back(1 / (1 + std::abs(noise(j, i % 70))));
            }
            listed.pointers.push_back(std::ssize(listed.columns));
        }
        return listed;
    }
};

bool never_rises(const std::vector<double>& history) {
    return std::ranges::adjacent_find(history, [](double a, double b) { return b > a * (1 + 1e-12); }) == history.end();
}

Block<double> times_values(const Result<double>& z, ConstPanel<double> u, double power) {
    Block<double> out(u.rows, u.cols);
    for (index_t i = 0; i < u.rows; ++i)
        for (index_t j = 0; j < u.cols; ++j) out(i, j) = u(i, j) * std::pow(z.s[static_cast<std::size_t>(j)], power);
    return out;
}

}  // namespace

TEST(overrelaxed_sweeps_descend_to_the_fit_of_plain_ones_in_fewer) {
    const Problem problem;
    const Block<double> left = gaussian<double>(90, 3, 5), right = gaussian<double>(70, 3, 6);
    for (double penalty : {0.0, 1.0}) {
        const Completion<double> plain = problem.fit(1, penalty, left, right);
        const Completion<double> relaxed = problem.fit(1.9, penalty, left, right);
        CHECK(plain.result.report.converged && relaxed.result.report.converged);
        CHECK(never_rises(plain.history) && never_rises(relaxed.history));
        CHECK_CLOSE(relaxed.history.back() / plain.history.back(), 1.0, 1e-9);
        for (std::size_t j = 0; j < plain.result.s.size(); ++j)
            CHECK_CLOSE(relaxed.result.s[j] / plain.result.s[j], 1.0, 1e-5);
        CHECK(relaxed.result.report.iterations <= plain.result.report.iterations);
        if (penalty == 0) CHECK(relaxed.result.report.iterations < plain.result.report.iterations);
    }
}

TEST(fits_of_plain_sweeps_are_fixed_points_of_overrelaxed_ones) {
    const Problem problem;
    const Block<double> left = gaussian<double>(90, 3, 5), right = gaussian<double>(70, 3, 6);
    const Result<double> z = problem.fit(1, 0, left, right).result;
    const Completion<double> again = problem.fit(1.9, 0, times_values(z, z.u, 0.5), times_values(z, z.v, 0.5));
    CHECK(again.result.report.converged && again.result.report.iterations <= 3);
    for (std::size_t j = 0; j < z.s.size(); ++j) CHECK_CLOSE(again.result.s[j] / z.s[j], 1.0, 1e-7);
    CHECK_THROWS(problem.fit(2, 0, left, right), InvalidArgument);
    CHECK_THROWS(problem.fit(0.5, 0, left, right), InvalidArgument);
}

TEST(residual_written_down_multiplies_as_the_one_that_is_not) {
    const Problem problem;
    const Block<double> left = gaussian<double>(90, 4, 7), right = gaussian<double>(70, 4, 8);
    const CellResidual<double> residual(problem.along, problem.across, {left, right, {}, {}, 0});
    const OwnedOperator<float> written =
        written_residual(problem.along, ConstPanel<double>(left), ConstPanel<double>(right));
    const Block<double> x = gaussian<double>(70, 8, 9), y(90, 8), z(70, 8);
    Block<float> narrow(70, 8), image(90, 8), back(70, 8);
    for (index_t i = 0; i < 70; ++i)
        for (index_t j = 0; j < 8; ++j) narrow(i, j) = static_cast<float>(x(i, j));
    residual.apply(x, y);
    residual.apply_adjoint(y, z);
    written.op->apply_gram(narrow, image, back);
    for (index_t i = 0; i < 90; ++i)
        for (index_t j = 0; j < 8; ++j) CHECK_CLOSE(static_cast<double>(image(i, j)), y(i, j), 1e-3);
    for (index_t i = 0; i < 70; ++i)
        for (index_t j = 0; j < 8; ++j) CHECK_CLOSE(static_cast<double>(back(i, j)), z(i, j), 1e-2);
    CHECK_THROWS(written_residual(problem.along, ConstPanel<double>(right), ConstPanel<double>(left)), InvalidArgument);
}
