// pcp and l1 as a C++ user calls them: planted low-rank matrices with wrong and missing cells, tall, wide and strided.
#include <cmath>
#include <limits>

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/svdkit.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

template <class T>
struct Planted {
    Block<T> low, a;
};

/// One cell in 20 off by 8, one in 30 missing.
template <class T>
Planted<T> planted(index_t m, index_t n, index_t rank) {
    const Block<T> p = gaussian<T>(m, rank, 1), qt = gaussian<T>(rank, n, 2);
    Planted<T> out{multiply<T>(view_of(p), qt), Block<T>(m, n)};
    for (index_t i = 0; i < m; ++i)
        for (index_t j = 0; j < n; ++j) {
            const index_t at = (i * 7919 + j * 104729 + i * j) % 60;
            out.a(i, j) = out.low(i, j) + (at < 3 ? T(at % 2 == 0 ? 8 : -8) : T(0));
            if (at == 11 || at == 12) out.a(i, j) = std::numeric_limits<T>::quiet_NaN();
        }
    return out;
}

template <class T>
double error_of(const Result<T>& fit, const Block<T>& low) {
    double largest = 0;
    for (index_t i = 0; i < low.rows(); ++i)
        for (index_t j = 0; j < low.cols(); ++j) {
            double sum = static_cast<double>(low(i, j));
            for (std::size_t r = 0; r < fit.s.size(); ++r) {
                const index_t c = static_cast<index_t>(r);
                sum -= static_cast<double>(fit.u(i, c) * fit.s[r] * fit.v(j, c));
            }
            largest = std::max(largest, std::abs(sum));
        }
    return largest;
}

template <class T>
void pursue(index_t m, index_t n) {
    const Planted<T> given = planted<T>(m, n, 2);
    for (const Penalty penalty : {Penalty::balanced, Penalty::growing}) {
        Monitor monitor;
        const PcpResult<T> result = pcp(view_of(given.a), {.penalty = penalty, .threads = 2}, monitor);
        CHECK(result.low_rank.report.converged);
        CHECK(result.low_rank.s.size() == 2);
        CHECK(error_of(result.low_rank, given.low) < 5e-2);
        CHECK(result.certificate.bound <= result.certificate.objective * (1 + 1e-6));
        CHECK(result.transposed == (m < n));
        CHECK(result.sparse.rows() == std::max(m, n));
        CHECK(result.nonzeros > m * n / 40);
    }
}

}  // namespace

TEST(pcp_splits_a_matrix_with_missing_cells) {
    pursue<double>(90, 60);
    pursue<double>(60, 90);
    pursue<float>(90, 60);
    pursue<double>(264, 258);  // by truncated SVDs
}

TEST(pcp_refuses_an_empty_matrix) {
    Monitor monitor;
    CHECK_THROWS(pcp(ConstView<double>{nullptr, 0, 3, 3, 1}, {}, monitor), InvalidArgument);
}

TEST(l1_fits_a_matrix_with_missing_cells) {
    const Planted<double> given = planted<double>(70, 50, 1);
    Monitor monitor;
    const auto plain = l1(view_of(given.a), {.k = 1, .threads = 2}, monitor);
    CHECK(error_of(plain.fit, given.low) < 1e-12);
    const Block<double> turned(50, 70);
    for (index_t i = 0; i < 70; ++i)
        for (index_t j = 0; j < 50; ++j) turned(j, i) = given.a(i, j);
    const auto flipped = l1(view_of(turned).transposed(), {.k = 1, .threads = 2}, monitor);
    CHECK(error_of(flipped.fit, given.low) < 1e-12);
    const auto single = l1(view_of(planted<float>(40, 45, 2).a), {.k = 2}, monitor);
    for (std::size_t i = 1; i < single.history.size(); ++i)
        CHECK(single.history[i] <= single.history[i - 1] + 1e-4 * single.history[0]);
    CHECK_THROWS(l1(view_of(given.a), {.k = 51}, monitor), InvalidArgument);
    CHECK_THROWS(l1(view_of(given.a), {.k = 0}, monitor), InvalidArgument);
}
