// The fused splitting step against its formulas, written out cell by cell.
#include "svdkit/kernel/shrink_pass.hpp"

#include <cmath>
#include <limits>

#include "check.hpp"
#include "dense_reference.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

template <class R>
void step_on(index_t m, index_t n, index_t r, bool strided) {
    const Block<R> a = gaussian<R>(m, 2 * n, 1), p = gaussian<R>(m, r, 2), qt = gaussian<R>(r, n, 3);
    const ConstView<R> view{a.data(), m, n, a.ld(), strided ? 2 : 1};
    for (index_t i = 0; i < m; ++i)
        if (i % 3 == 0) a(i, (i % n) * view.col_stride) = std::numeric_limits<R>::quiet_NaN();
    const Block<R> w = gaussian<R>(m, n, 4), y = gaussian<R>(m, n, 5);
    const detail::ShrinkStep<R> step{R(0.5), R(2), R(0.4), R(3)};
    detail::ShrinkSums expected;
    Block<R> new_w(m, n), new_y(m, n);
    for (index_t i = 0; i < m; ++i)
        for (index_t j = 0; j < n; ++j) {
            R l = 0;
            for (index_t q = 0; q < r; ++q) l += p(i, q) * qt(q, j);
            const bool seen = !std::isnan(view(i, j));
            if (!seen) y(i, j) = 0;
            const R from = seen ? view(i, j) * step.scale : R(0);
            const R x = from - l + y(i, j) / step.mu;
            const R s = !seen ? -l : std::abs(x) > step.threshold ? x - std::copysign(step.threshold, x) : R(0);
            new_y(i, j) = y(i, j) + step.mu * (from - l - s);
            new_w(i, j) = from - s + new_y(i, j) / step.next_mu;
            const double moved = static_cast<double>(new_y(i, j) - y(i, j));
            const double apart = static_cast<double>(step.mu * (w(i, j) - l) - new_y(i, j));
            expected.add({static_cast<double>(from * new_y(i, j)), seen ? std::abs(static_cast<double>(from - l)) : 0.0,
                          moved * moved, apart * apart, std::pow(static_cast<double>(new_y(i, j)), 2)});
        }
    const detail::ShrinkSums sums = shrink_pass<R>(view, p, qt, step, w, y);
    const double tol = sizeof(R) == 4 ? 2e-5 : 1e-13;
    CHECK(distance<R>(w, new_w) <= tol * std::sqrt(static_cast<double>(m * n)) * 4);
    CHECK(distance<R>(y, new_y) <= tol * std::sqrt(static_cast<double>(m * n)) * 4);
    const double size = static_cast<double>(m * n);
    CHECK_CLOSE(sums.inner / size, expected.inner / size, 10 * tol);
    CHECK_CLOSE(sums.rest / size, expected.rest / size, 10 * tol);
    CHECK_CLOSE(sums.primal / size, expected.primal / size, 10 * tol);
    CHECK_CLOSE(sums.dual / size, expected.dual / size, 40 * tol);
    CHECK_CLOSE(sums.square / size, expected.square / size, 10 * tol);
}

}  // namespace

TEST(shrink_pass_is_its_formulas) {
    for (index_t n : {1, 4, 13, 512, 515})
        for (index_t r : {0, 1, 5})
            for (bool strided : {false, true}) {
                step_on<double>(49, n, r, strided);
                step_on<float>(50, n, r, strided);
            }
}
