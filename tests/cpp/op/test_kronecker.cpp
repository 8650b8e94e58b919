// Rearrangements and sums of Kronecker products against their definition, in every layout and path of the kernels.
#include <algorithm>
#include <cmath>
#include <vector>

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/svdkit.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

// Extents all different; thin and thick tiles, R long and not.
constexpr KroneckerShape kShapes[] = {{2, 3, 5, 7}, {9, 16, 17, 8}, {66, 3, 8, 29}, {21, 5, 7, 19}, {1, 5, 4, 3}};

template <class T>
Block<T> rearranged(ConstView<T> a, const KroneckerShape& s) {
    Block<T> r(s.left_size(), s.right_size());
    for (index_t i = 0; i < a.rows; ++i)
        for (index_t j = 0; j < a.cols; ++j) r(i / s.m2 * s.n1 + j / s.n2, i % s.m2 * s.n2 + j % s.n2) = a(i, j);
    return r;
}

template <class T>
Block<T> kronecker(const KroneckerTerms<T>& left, const KroneckerTerms<T>& right) {
    Block<T> sum(left.rows * right.rows, left.cols * right.cols);
    for (index_t t = 0; t < left.count; ++t)
        for (index_t i = 0; i < sum.rows(); ++i)
            for (index_t j = 0; j < sum.cols(); ++j)
                sum(i, j) +=
                    left.view(t)(i / right.rows, j / right.cols) * right.view(t)(i % right.rows, j % right.cols);
    return sum;
}

template <class T>
void dense() {
    for (const KroneckerShape& s : kShapes) {
        const Block<T> a = gaussian<T>(s.rows(), s.cols(), 1), by_columns = gaussian<T>(s.cols(), s.rows(), 2);
        for (const ConstView<T> view : {view_of(a), view_of(by_columns).transposed()}) {
            const Block<T> expected = rearranged(view, s);
            const OwnedOperator<T> r = Dense<T>(view).rearranged(s);
            CHECK(agrees<T>(*r.op, view_of(expected), 13));
            CHECK(agrees<T>(KroneckerDense<T>(view, s), view_of(expected), 8));
            CHECK(agrees<T>(*KroneckerDense<T>(view, s).scaled_copy(0).op, view_of(expected)));
        }
    }
}

template <class T>
void products_and_sums() {
    for (const KroneckerShape& s : kShapes) {
        const Block<T> p = gaussian<T>(s.rows(), 3, 3), q = gaussian<T>(s.cols(), 3, 4),
                       a = gaussian<T>(s.rows(), s.cols(), 5);
        const LowRank<T> low(view_of(p), {1, 2, 3}, view_of(q));
        const Dense<T> da(view_of(a));
        const Sum<T> sum(da, low, T(2), T(-1));
        Block<T> entries(s.rows(), s.cols());
        for (index_t i = 0; i < s.rows(); ++i)
            for (index_t j = 0; j < s.cols(); ++j) {
                entries(i, j) = T(2) * a(i, j);
                for (index_t t = 0; t < 3; ++t)
                    entries(i, j) -= p(i, t) * real_t<T>(static_cast<double>(t + 1)) * conj(q(j, t));
            }
        CHECK(agrees<T>(*sum.rearranged(s).op, view_of(rearranged(view_of(entries), s)), 5, 1e4));
    }
}

template <class T>
void kronecker_sums() {
    for (const KroneckerShape& s : kShapes) {
        const Block<T> b = gaussian<T>(3 * s.m1, s.n1, 6), c = gaussian<T>(3 * s.m2, s.n2, 7);
        const KroneckerTerms<T> left{b.data(), 3, s.m1, s.n1, s.m1 * b.ld(), b.ld(), 1};
        const KroneckerTerms<T> right{c.data(), 3, s.m2, s.n2, s.m2 * c.ld(), c.ld(), 1};
        const Block<T> expected = kronecker(left, right);
        const KroneckerSum<T> sum(left, {}, right);
        CHECK(agrees<T>(sum, view_of(expected), 70, 1e4));
        CHECK(agrees<T>(*sum.rearranged(s).op, view_of(rearranged(view_of(expected), s)), 5, 1e4));
        CHECK(!sum.rearranged({s.m2, s.n2, s.m1, s.n1}).op || s == KroneckerShape{s.m2, s.n2, s.m1, s.n1});
    }
}

}  // namespace

TEST(kronecker_dense_is_its_definition) { FOR_EACH_SCALAR(dense); }

TEST(kronecker_products_and_sums_are_rearranged) { FOR_EACH_SCALAR(products_and_sums); }

TEST(kronecker_sums_are_the_matrices_they_stand_for) { FOR_EACH_SCALAR(kronecker_sums); }

TEST(kronecker_columns_of_a_block_are_left_alone) {
    const Block<double> b = gaussian<double>(3, 4, 1), c = gaussian<double>(5, 6, 2), x = gaussian<double>(24, 8, 3);
    const KroneckerTerms<double> left{b.data(), 1, 3, 4, 0, b.ld(), 1}, right{c.data(), 1, 5, 6, 0, c.ld(), 1};
    const Block<double> y(15, 8);
    for (index_t i = 0; i < 15; ++i)
        for (index_t j = 0; j < 8; ++j) y(i, j) = -1;
    KroneckerSum<double>(left, {}, right).apply(x.panel().col_range(2, 3), y.panel().col_range(2, 3));
    for (index_t i = 0; i < 15; ++i) CHECK(y(i, 1) == -1 && y(i, 5) == -1 && y(i, 3) != -1);
}

TEST(kronecker_best_sum_from_cpp) {
    const KroneckerShape s{12, 13, 11, 14};
    const Block<double> b = gaussian<double>(12, 13, 1), c = gaussian<double>(11, 14, 2);
    const KroneckerTerms<double> left{b.data(), 1, 12, 13, 0, b.ld(), 1}, right{c.data(), 1, 11, 14, 0, c.ld(), 1};
    const Block<double> a = kronecker(left, right);
    const OwnedOperator<double> r = Dense<double>(view_of(a)).rearranged(s);
    const Result<double> result = tsvd<double>(*r.op, {.k = 2});
    CHECK(result.report.converged && result.s[1] <= 1e-12 * result.s[0]);
    const Block<double> expected = rearranged(view_of(a), s);
    double largest = 0;
    for (index_t i = 0; i < expected.rows(); ++i)
        for (index_t j = 0; j < expected.cols(); ++j)
            largest = std::max(largest, std::abs(expected(i, j) - result.s[0] * result.u(i, 0) * result.v(j, 0)));
    CHECK(largest <= 1e-11);
}

TEST(kronecker_shapes_are_checked) {
    const Block<double> a = gaussian<double>(6, 6, 1);
    CHECK_THROWS(Dense<double>(view_of(a)).rearranged({2, 2, 2, 2}), InvalidArgument);
    CHECK_THROWS(KroneckerDense<double>({a.data(), 3, 3, 2 * a.ld(), 2}, {3, 1, 1, 3}), InvalidArgument);
    const Dense<double> dense(view_of(a));
    const Scaled<double> scaled(dense, std::vector<double>(6, 1.0), {});
    CHECK(!scaled.rearranged({2, 2, 3, 3}).op);
}
