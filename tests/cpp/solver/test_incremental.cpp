// IncrementalSvd as a C++ user calls it; the lazy factor beside its formed self.
#include <cmath>
#include <vector>

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/svdkit.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

/// Vector j has entries at j, j + 7 and j + 100, the last one given in two parts.
TallVectors some_vectors(index_t length, index_t count, double scale) {
    TallVectors e{.length = length, .count = count};
    for (index_t j = 0; j < count; ++j) {
        for (const auto& [place, value] : {std::pair<index_t, double>{j, 1.0},
                                           {j + 7, 2.0},
                                           {(j + 100) % length, 0.5},
                                           {(j + 100) % length, 0.25}}) {
            e.place.push_back(place);
            e.value.push_back(scale * value / static_cast<double>(j + 1));
        }
        e.begin.push_back(static_cast<index_t>(e.place.size()));
    }
    return e;
}

double off_identity(const Block<double>& x) {
    double most = 0;
    for (index_t a = 0; a < x.cols(); ++a) {
        for (index_t b = 0; b < x.cols(); ++b) {
            double sum = a == b ? -1 : 0;
            for (index_t i = 0; i < x.rows(); ++i) sum += x(i, a) * x(i, b);
            most = std::max(most, std::abs(sum));
        }
    }
    return most;
}

}  // namespace

TEST(incremental_svd_follows_appended_rows_and_columns) {
    const index_t n = 900;
    IncrementalSvd svd(0, n, {.k = 12});
    Monitor monitor;
    std::vector<std::pair<TallVectors, double>> seen;
    for (const double scale : {1.0, 3.0, 1e5}) {
        svd.append(Side::rows, some_vectors(n, 4, scale), 1.0, monitor);
        CHECK(off_identity(svd.left()) < 1e-13);
        CHECK(off_identity(svd.right()) < 1e-13);
    }
    CHECK(svd.rows() == 12);
    CHECK(svd.rank() == 4);  // the same four directions three times
    const Block<double> u = svd.left(), v = svd.right();
    const std::vector<double> s = svd.values();
    for (index_t block = 0; block < 3; ++block) {
        const TallVectors expected =
            some_vectors(n, 4, std::vector<double>{1.0, 3.0, 1e5}[static_cast<std::size_t>(block)]);
        const Block<double> rows = expected.written_out();
        for (index_t j = 0; j < 4; ++j) {
            for (index_t i = 0; i < n; ++i) {
                double value = 0;
                for (index_t l = 0; l < svd.rank(); ++l)
                    value += u(4 * block + j, l) * s[static_cast<std::size_t>(l)] * v(i, l);
                CHECK(std::abs(value - rows(i, j)) < 1e-12 * s[0]);
            }
        }
    }
    svd.append(Side::columns, some_vectors(12, 0, 1.0), 1.0, monitor);
    svd.append(Side::columns, some_vectors(12, 1, 1.0), 0.5, monitor);
    CHECK(svd.cols() == n + 1);
    CHECK(svd.certificate().error < 1e-6 * s[0]);
}

TEST(lazy_factor_is_what_it_stands_for) {
    const index_t n = 700, r = 5;
    LazyFactor lazy(8, true), eager(8, true);
    const Block<double> start = gaussian<double>(n, r, 3), mix = gaussian<double>(r, r, 4);
    Block<double> eye(r, r);
    for (index_t i = 0; i < r; ++i) eye(i, i) = 1;
    for (LazyFactor* factor : {&lazy, &eager}) factor->restore(start, eye, n, {});
    const TallVectors e = some_vectors(n, 3, 1.0);
    const Block<double> y = gaussian<double>(3, r, 5);
    lazy.advance(mix, {{&e, 0, y}}, 1e6);
    eager.advance(mix, {{&e, 0, y}}, 0);
    CHECK(lazy.condition() > 1);
    CHECK(eager.condition() == 1);
    CHECK(lazy.materialisations() == 0);
    const Block<double> a = lazy.formed(), b = eager.formed(), some = lazy.take({0, n - 1});
    for (index_t i = 0; i < n; ++i)
        for (index_t j = 0; j < r; ++j) CHECK(std::abs(a(i, j) - b(i, j)) < 1e-10);
    for (index_t j = 0; j < r; ++j) CHECK(std::abs(some(1, j) - b(n - 1, j)) < 1e-10);
    lazy.remove({0, 2});
    lazy.append_zero_rows(1);
    const Block<double> fewer = lazy.formed();
    CHECK(fewer.rows() == n - 1);
    for (index_t j = 0; j < r; ++j) {
        CHECK(std::abs(fewer(0, j) - b(1, j)) < 1e-10);
        CHECK(std::abs(fewer(1, j) - b(3, j)) < 1e-10);
        CHECK(fewer(n - 2, j) == 0);
    }
}

TEST(orthogonality_of_a_lazy_factor_is_followed) {
    const index_t n = 900, r = 4;
    LazyFactor factor(r, true);
    Block<double> start(n, r);
    for (index_t i = 0; i < r; ++i) start(n - 1 - i, i) = 1;
    factor.restore(start, start.panel().row_range(n - r, r), n, {});
    CHECK(factor.measured_orthogonality() < 1e-15);
    const TallVectors e = some_vectors(n, 3, 0.1);
    const Block<double> mix = gaussian<double>(r, r, 6), y = gaussian<double>(3, r, 7);
    Block<double> near(r, r);
    for (index_t i = 0; i < r; ++i)
        for (index_t j = 0; j < r; ++j) near(i, j) = (i == j ? 1.0 : 0.0) + 0.1 * mix(i, j);
    factor.append_zero_rows(3);
    factor.advance(near, {{&e, 0, y}, {nullptr, n, y}}, 1e6);
    CHECK(factor.condition() > 1);
    CHECK(factor.written() == e.entries() + 3);
    const double followed = factor.orthogonality(1e300);
    CHECK(factor.materialisations() == 1);  // by the measurement above only
    CHECK(std::abs(followed - off_identity(factor.formed())) < 1e-12);
    CHECK(std::abs(factor.orthogonality(0) - followed) < 1e-12);  // an alarm: measured
    CHECK(factor.condition() == 1);
    CHECK(factor.written() == 0);
}
