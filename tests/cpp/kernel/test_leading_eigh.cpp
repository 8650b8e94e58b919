// Leading eigenvectors at every instruction-set level: residuals, orthogonality, order; a matrix that falls apart.
#include <cmath>
#include <vector>

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/kernel/leading_eigh.hpp"
#include "svdkit/kernel/simd.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

void check_vectors(const Block<double>& g, index_t count) {
    const index_t n = g.rows();
    const Block<double> copy(n, n), z(count, n);
    for (index_t i = 0; i < n; ++i)
        for (index_t j = 0; j < n; ++j) copy(i, j) = g(i, j);
    std::vector<double> values(static_cast<std::size_t>(count));
    CHECK(leading_eigenvectors(copy, values.data(), z));
    for (index_t a = 0; a < count; ++a) {
        const double value = values[static_cast<std::size_t>(a)];
        CHECK(a == 0 || value <= values[static_cast<std::size_t>(a) - 1]);
        double residual = 0;
        for (index_t i = 0; i < n; ++i) {
            double sum = -value * z(a, i);
            for (index_t j = 0; j < n; ++j) sum += g(i, j) * z(a, j);
            residual = std::max(residual, std::abs(sum));
        }
        CHECK(residual <= 1e-13 * values.front());
        for (index_t b = 0; b <= a; ++b) {
            double sum = a == b ? -1 : 0;
            for (index_t i = 0; i < n; ++i) sum += z(a, i) * z(b, i);
            CHECK(std::abs(sum) <= 1e-10);
        }
    }
}

}  // namespace

TEST(leading_eigenvectors_at_every_level) {
    const std::string before = simd_level();
    for (const std::string& level : simd_levels()) {
        set_simd_level(level);
        for (const index_t n : {1, 2, 3, 8, 9, 17, 60, 104}) {
            const Block<double> a = gaussian<double>(n, n, 3), g(n, n);
            for (index_t i = 0; i < n; ++i)
                for (index_t j = 0; j < n; ++j)
                    for (index_t c = 0; c < n; ++c) g(i, j) += a(i, c) * a(j, c);
            for (const index_t count : {index_t{1}, (n + 1) / 2, n}) check_vectors(g, count);
        }
        const Block<double> apart(20, 20);  // diagonal, of distinct values
        for (index_t i = 0; i < 20; ++i) apart(i, i) = static_cast<double>((7 * i) % 20 + 1);
        check_vectors(apart, 12);
    }
    set_simd_level(before);
}

TEST(leading_eigenvectors_of_any_scale_and_of_none) {
    const index_t n = 23;
    const Block<double> a = gaussian<double>(n, n, 5), g(n, n), large(n, n), z(5, n), same(5, n);
    for (index_t i = 0; i < n; ++i)
        for (index_t j = 0; j < n; ++j)
            for (index_t c = 0; c < n; ++c) g(i, j) += a(i, c) * a(j, c);
    std::vector<double> values(5), expected(5);
    CHECK(leading_eigenvectors(g, expected.data(), same));
    for (const int exponent : {-900, 900}) {
        for (index_t i = 0; i < n; ++i)
            for (index_t j = 0; j < n; ++j) large(i, j) = std::ldexp(g(i, j), exponent);
        CHECK(leading_eigenvectors(large, values.data(), z));
        for (index_t i = 0; i < 5; ++i) {
            const auto at = static_cast<std::size_t>(i);
            CHECK(values[at] == std::ldexp(expected[at], exponent));
            for (index_t j = 0; j < n; ++j) CHECK(z(i, j) == same(i, j));
        }
    }
    large(3, 4) = std::nan("");
    CHECK(!leading_eigenvectors(large, values.data(), z));
    large(3, 4) = large(4, 3) = INFINITY;
    CHECK(!leading_eigenvectors(large, values.data(), z));
    CHECK(!leading_eigenvectors(Block<double>(n, n), values.data(), z));
}
