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
        for (const index_t n : {1, 2, 17, 60}) {
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
