// tsvd as a C++ user calls it: through svdkit.hpp, results by value, no Python anywhere.
#include <cmath>
#include <limits>
#include <vector>

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/solver/counted.hpp"
#include "svdkit/solver/residual.hpp"
#include "svdkit/svdkit.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

/// diag(s) between two random orthogonal reflections: singular values `s`.
template <class T>
Block<T> with_values(index_t m, index_t n, const std::vector<double>& s) {
    const Block<T> u = gaussian<T>(m, 1, 1), v = gaussian<T>(n, 1, 2);
    double nu = 0, nv = 0;
    for (index_t i = 0; i < m; ++i) nu += static_cast<double>(abs2(u(i, 0)));
    for (index_t j = 0; j < n; ++j) nv += static_cast<double>(abs2(v(j, 0)));
    const auto reflect = [](const Block<T>& w, double norm, index_t i, index_t j) {
        return (i == j ? T(1) : T(0)) - w(i, 0) * conj(w(j, 0)) * static_cast<real_t<T>>(2 / norm);
    };
    Block<T> a(m, n);
    for (std::size_t l = 0; l < s.size(); ++l)
        for (index_t i = 0; i < m; ++i) {
            const index_t at = static_cast<index_t>(l);
            const T left = reflect(u, nu, i, at) * static_cast<real_t<T>>(s[l]);
            for (index_t j = 0; j < n; ++j) a(i, j) += left * conj(reflect(v, nv, j, at));
        }
    return a;
}

template <class T>
void both_methods() {
    std::vector<double> s(90);
    for (std::size_t i = 0; i < s.size(); ++i) s[i] = 1.0 / (1.0 + static_cast<double>(i));
    for (const auto& [m, n] : {std::pair<index_t, index_t>{120, 90}, {90, 120}}) {
        const Block<T> a = with_values<T>(m, n, s);
        for (const Method method : {Method::lanczos, Method::full, Method::automatic}) {
            const Dense<T> op(view_of(a));
            const auto [u, values, v, report] = tsvd<T>(op, {.k = 6, .method = method});
            CHECK(report.converged && report.residuals.size() == 6 && !report.reason.empty());
            CHECK(u.rows() == m && u.cols() == 6 && v.rows() == n && v.cols() == 6);
            CHECK(orthonormality<T>(u, 6) <= tolerance<T>(100) && orthonormality<T>(v, 6) <= tolerance<T>(100));
            const Block<T> av = multiply<T>(view_of(a), v);
            for (index_t i = 0; i < 6; ++i) {
                const auto at = static_cast<std::size_t>(i);
                CHECK_CLOSE(static_cast<double>(values[at]), s[at], tolerance<T>(50));
                double squares = 0;
                for (index_t r = 0; r < m; ++r) squares += static_cast<double>(abs2(av(r, i) - u(r, i) * values[at]));
                CHECK(std::sqrt(squares) <= 2 * report.tol * s[0]);
            }
        }
    }
}

}  // namespace

// A v = u is small beside A^T u: a subspace that misses what is large must not pass for a good one.
TEST(rayleigh_ritz_residuals_are_not_capped) {
    const Block<double> a(2, 2);
    a(0, 0) = a(1, 1) = 1;
    a(0, 1) = 100;
    const Dense<double> dense(view_of(a));
    const auto start = [] {
        Block<double> v(2, 1);
        v(0, 0) = 1;
        return v;
    };
    for (const double slack : {0.0, std::numeric_limits<double>::infinity()}) {
        Counted<double> counted(dense);
        const Result<double> result = rayleigh_ritz<double>(counted, start(), {.slack = slack});
        CHECK(std::abs(result.report.residuals[0] - 100) < 1e-12);
    }
}

TEST(tsvd_both_methods) { FOR_EACH_SCALAR(both_methods); }

TEST(tsvd_of_composed_operators) {
    const Block<double> a = with_values<double>(60, 40, {3, 2, 1}), p = gaussian<double>(60, 2, 8),
                        q = gaussian<double>(40, 2, 9);
    const Dense<double> dense(view_of(a));
    const LowRank<double> correction(view_of(p), {}, view_of(q));
    const Block<double> explicit_sum(60, 40);
    for (index_t i = 0; i < 60; ++i)
        for (index_t j = 0; j < 40; ++j) explicit_sum(i, j) = a(i, j) + p(i, 0) * q(j, 0) + p(i, 1) * q(j, 1);
    const auto composed = tsvd<double>(Sum<double>(dense, correction), {.k = 4, .method = Method::lanczos});
    const auto direct = tsvd<double>(Dense<double>(view_of(explicit_sum)), {.k = 4, .method = Method::full});
    for (std::size_t i = 0; i < 4; ++i) CHECK_CLOSE(composed.s[i], direct.s[i], 1e-12 * direct.s[0]);
}

TEST(tsvd_known_values_of_low_rank) {
    const Block<double> a = with_values<double>(50, 40, {3, 2, 1});
    const auto result = tsvd<double>(Dense<double>(view_of(a)), {.k = 3});
    CHECK_CLOSE(result.s[2], 1.0, 1e-13);
    CHECK(result.report.residuals.size() == 3);
}

TEST(tsvd_smallest) {
    std::vector<double> s(30);
    for (std::size_t i = 0; i < s.size(); ++i) s[i] = static_cast<double>(30 - i);
    const Block<double> a = with_values<double>(45, 30, s);
    const auto result = tsvd<double>(Dense<double>(view_of(a)), {.k = 2, .which = Which::smallest});
    CHECK_CLOSE(result.s[0], 2.0, 1e-12);
    CHECK_CLOSE(result.s[1], 1.0, 1e-12);
}

TEST(tsvd_stops_when_the_monitor_says_so) {
    std::vector<double> s(150);
    for (std::size_t i = 0; i < s.size(); ++i) s[i] = 1 - 0.002 * static_cast<double>(i);
    const Block<double> a = with_values<double>(200, 150, s);
    Monitor monitor;
    int polls = 0;
    monitor.callback = [&](const Progress& progress) {
        CHECK(progress.wanted == 10);
        return ++polls == 2;
    };
    const Options<double> options{.k = 10, .tol = 1e-14, .method = Method::lanczos, .block_size = 4};
    const auto result = tsvd<double>(Dense<double>(view_of(a)), options, monitor);
    CHECK(polls == 2 && !result.report.converged && result.s.size() == 10);
    CHECK(!monitor.stop_reason().empty() && !result.report.notes.empty());
    CHECK(orthonormality<double>(result.u, 10) <= 1e-12);
}

TEST(tsvd_interrupted) {
    const Block<double> a = with_values<double>(80, 60, {2, 1});
    Monitor monitor;
    monitor.check_interrupt = [] { throw Interrupted(); };
    CHECK_THROWS(tsvd<double>(Dense<double>(view_of(a)), {.k = 2, .method = Method::lanczos}, monitor), Interrupted);
}

TEST(tsvd_bad_options) {
    const Block<double> a = gaussian<double>(8, 5, 1);
    const Dense<double> op(view_of(a));
    CHECK_THROWS(tsvd<double>(op, {.k = 0}), InvalidArgument);
    CHECK(CHECK_THROWS(tsvd<double>(op, {.k = 6}), InvalidArgument).find("6") != std::string::npos);
    CHECK_THROWS(tsvd<double>(op, {.k = 1, .tol = std::nan("")}), InvalidArgument);
    CHECK_THROWS(tsvd<double>(op, {.k = 1, .block_size = -1}), InvalidArgument);
    const Block<double> start = gaussian<double>(6, 2, 2);
    CHECK_THROWS(tsvd<double>(op, {.k = 1, .warm_start = view_of(start)}), InvalidArgument);
}

TEST(tsvd_memory_that_cannot_be_had) {
    bool called = false;
    const auto product = [&](ConstPanel<double>, Panel<double>) { called = true; };
    const Callback<double> huge(index_t{1} << 47, index_t{1} << 47, product, product);
    CHECK_THROWS(tsvd<double>(huge, {.k = 1}), OutOfMemory);
    CHECK(!called);
}

TEST(tsvd_reports_its_memory) {
    const Block<double> a = with_values<double>(400, 300, {3, 2, 1, 0.5});
    const MemoryMeter meter;
    const auto result = tsvd<double>(Dense<double>(view_of(a)), {.k = 2, .method = Method::lanczos});
    CHECK(result.report.peak_bytes >= 700 * 2 * sizeof(double));
    CHECK(result.report.peak_bytes <= meter.peak_bytes());
}

TEST(tsvd_choice_has_a_reason) {
    const Block<double> a = gaussian<double>(30, 20, 1);
    const Choice choice = choose_method<double>(Dense<double>(view_of(a)), {.k = 20});
    CHECK(choice.method == Method::full && !choice.reason.empty());
}
