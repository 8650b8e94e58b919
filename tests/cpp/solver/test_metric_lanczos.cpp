// metric_lanczos as a C++ user calls it: generalised triplets of a matrix between two metrics given as operators.
#include "svdkit/solver/metric_lanczos.hpp"

#include <vector>

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/svdkit.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

/// X X^H, rows of X scaled by i^-1/2.
template <class T>
Block<T> moment(index_t n, index_t samples, std::uint64_t seed) {
    Block<T> x = gaussian<T>(n, samples, seed), adjoint(samples, n);
    for (index_t i = 0; i < n; ++i)
        for (index_t j = 0; j < samples; ++j) {
            x(i, j) /= static_cast<real_t<T>>(std::sqrt(static_cast<double>((i + 1) * samples)));
            adjoint(j, i) = conj(x(i, j));
        }
    return multiply<T>(view_of(x), adjoint);
}

template <class T>
double worst_of_triplets(const Block<T>& a, const Block<T>* r, const Block<T>* c, const Result<T>& found) {
    const auto times = [](const Block<T>* metric, const Block<T>& x) {
        return metric ? multiply<T>(view_of(*metric), x) : multiply<T>(view_of(x), [&] {
            Block<T> unit(x.cols(), x.cols());
            for (index_t i = 0; i < x.cols(); ++i) unit(i, i) = T(1);
            return unit;
        }());
    };
    const Block<T> ru = times(r, found.u), cv = times(c, found.v);
    const Block<T> forward = multiply<T>(view_of(a), cv), backward = multiply_adjoint<T>(view_of(a), ru);
    double worst = 0;
    const index_t k = found.u.cols();
    for (index_t j = 0; j < k; ++j) {
        const real_t<T> s = found.s[static_cast<std::size_t>(j)];
        for (index_t i = 0; i < a.rows(); ++i)
            worst = std::max(worst, static_cast<double>(std::abs(forward(i, j) - s * found.u(i, j))));
        for (index_t i = 0; i < a.cols(); ++i)
            worst = std::max(worst, static_cast<double>(std::abs(backward(i, j) - s * found.v(i, j))));
    }
    const Block<T> uu = multiply_adjoint<T>(view_of(found.u), ru), vv = multiply_adjoint<T>(view_of(found.v), cv);
    for (index_t i = 0; i < k; ++i)
        for (index_t j = 0; j < k; ++j) {
            const T unit = i == j ? T(1) : T(0);
            worst = std::max({worst, static_cast<double>(std::abs(uu(i, j) - unit)),
                              static_cast<double>(std::abs(vv(i, j) - unit))});
        }
    return worst;
}

template <class T>
void triplets() {
    for (const auto& [m, n] : {std::pair<index_t, index_t>{90, 120}, {120, 90}}) {
        const Block<T> a = gaussian<T>(m, n, 1), r = moment<T>(m, 2 * m, 2), c = moment<T>(n, 2 * n, 3);
        const Dense<T> op(view_of(a)), rows(view_of(r)), cols(view_of(c));
        for (int given = 0; given < 4; ++given) {
            const Metrics<T> metrics{given & 1 ? &rows : nullptr, given & 2 ? &cols : nullptr};
            std::vector<Result<T>> found;
            for (int threads : {1, 3}) {
                Monitor monitor;
                found.push_back(metric_lanczos<T>(op, metrics, {.k = 5, .seed = 4, .threads = threads}, monitor));
            }
            CHECK(found[0].report.converged && found[0].s.size() == 5);
            CHECK(found[0].s == found[1].s && distance(found[0].u, found[1].u) == 0);
            const double worst = worst_of_triplets<T>(a, given & 1 ? &r : nullptr, given & 2 ? &c : nullptr, found[0]);
            CHECK(worst <= 20 * found[0].report.tol * static_cast<double>(found[0].s[0]));
            if (given == 0) {
                const Result<T> plain = tsvd<T>(op, {.k = 5});
                for (std::size_t i = 0; i < 5; ++i) CHECK_CLOSE(found[0].s[i], plain.s[i], tolerance<T>(200));
            }
        }
    }
}

}  // namespace

TEST(metric_lanczos_gives_generalised_triplets_with_the_same_bits_for_any_number_of_threads) {
    FOR_EACH_SCALAR(triplets);
}

TEST(metric_search_finds_the_left_vectors_and_ends_where_rounding_holds_residuals) {
    const Block<float> a = gaussian<float>(200, 260, 1), c = moment<float>(260, 520, 3);
    const Dense<float> op(view_of(a)), cols(view_of(c));
    Monitor monitor;
    const Result<float> whole = metric_lanczos<float>(op, {nullptr, &cols}, {.k = 12, .seed = 4}, monitor);
    std::vector<Result<float>> found;
    for (int threads : {1, 3}) {
        const Options<float> options{.k = 12, .tol = 1e-9, .seed = 4, .threads = threads};
        found.push_back(metric_search<float>(op, {nullptr, &cols}, options, monitor));
    }
    CHECK(found[0].report.converged && found[0].report.iterations < 40);
    CHECK(found[0].u.cols() == 12 && found[0].v.rows() == 0 && found[0].report.residuals.size() == 12);
    CHECK(found[0].s == found[1].s && distance(found[0].u, found[1].u) == 0);
    for (std::size_t i = 0; i < 12; ++i) CHECK_CLOSE(found[0].s[i], whole.s[i], 1e-5);
}

TEST(metric_lanczos_stops_at_the_rank_of_a_singular_metric) {
    const Block<double> a = gaussian<double>(60, 50, 1), c = moment<double>(50, 7, 2), r = moment<double>(60, 9, 3);
    const Dense<double> op(view_of(a)), rows(view_of(r)), cols(view_of(c));
    for (int given = 1; given < 4; ++given) {
        for (index_t k : {4, 20}) {
            const Metrics<double> metrics{given & 1 ? &rows : nullptr, given & 2 ? &cols : nullptr};
            Monitor monitor;
            const Result<double> found = metric_lanczos<double>(op, metrics, {.k = k}, monitor);
            CHECK(found.report.converged);
            CHECK(static_cast<index_t>(found.s.size()) == std::min<index_t>(k, given & 2 ? 7 : 9));
            CHECK(worst_of_triplets<double>(a, given & 1 ? &r : nullptr, given & 2 ? &c : nullptr, found) <= 1e-7);
        }
    }
}

TEST(metric_lanczos_finds_repeated_values_beyond_its_block) {
    for (const bool spread : {false, true}) {
        const auto value = [&](index_t i) { return i < 30 ? 2.0 : spread ? 1.0 / static_cast<double>(i) : 1.0; };
        Block<double> a(300, 300);
        for (index_t i = 0; i < 300; ++i) a(i, i) = value(i);
        const Dense<double> op(view_of(a));
        Monitor monitor;
        const Result<double> found = metric_lanczos<double>(op, {}, {.k = 40}, monitor);
        CHECK(found.s.size() == 40);
        for (index_t i = 0; i < 40; ++i) CHECK_CLOSE(found.s[static_cast<std::size_t>(i)], value(i), 1e-9);
    }
}

TEST(metric_lanczos_refuses_metrics_of_another_size) {
    const Block<double> a = gaussian<double>(6, 5, 1);
    const Dense<double> op(view_of(a));
    Monitor monitor;
    CHECK_THROWS(metric_lanczos<double>(op, {&op, nullptr}, {.k = 2}, monitor), InvalidArgument);
    CHECK_THROWS(metric_lanczos<double>(op, {}, {.k = 6}, monitor), InvalidArgument);
    CHECK_THROWS(metric_lanczos<double>(op, {}, {.k = 2, .which = Which::smallest}, monitor), InvalidArgument);
}

TEST(single_precision_entries_are_multiplied_in_double_precision) {
    for (const auto& [m, n] : {std::pair<index_t, index_t>{45, 37}, {400, 9}, {9, 400}, {1, 1}}) {
        const Block<float> a = gaussian<float>(m, n, 1);
        Block<double> wide(m, n);
        for (index_t i = 0; i < m; ++i)
            for (index_t j = 0; j < n; ++j) wide(i, j) = static_cast<double>(a(i, j));
        for (const bool turned : {false, true}) {
            const Dense<double, float> op(turned ? view_of(a).transposed() : view_of(a));
            const Dense<double> expected(turned ? view_of(wide).transposed() : view_of(wide));
            const Block<double> x = gaussian<double>(op.cols(), 5, 2), w = gaussian<double>(op.rows(), 5, 3);
            Block<double> y(op.rows(), 5), z(op.cols(), 5), y0(op.rows(), 5), z0(op.cols(), 5);
            op.apply(x, y);
            expected.apply(x, y0);
            op.apply_adjoint(w, z);
            expected.apply_adjoint(w, z0);
            CHECK(distance(y, y0) <= 1e-12 && distance(z, z0) <= 1e-12);
            op.apply_gram(x, y, z);
            expected.apply_gram(x, y0, z0);
            CHECK(distance(y, y0) <= 1e-12 && distance(z, z0) <= 1e-10);
            CHECK_CLOSE(*op.norm_fro(), *expected.norm_fro(), 1e-12);
        }
    }
}
