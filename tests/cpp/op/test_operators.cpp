// Operators composed in C++, each against the dense matrix it stands for.
#include <vector>

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/svdkit.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

constexpr index_t m = 23, n = 17;

template <class T>
Block<T> transformed(const Block<T>& a, auto&& entry) {
    Block<T> out(a.rows(), a.cols());
    for (index_t i = 0; i < a.rows(); ++i)
        for (index_t j = 0; j < a.cols(); ++j) out(i, j) = entry(i, j, a(i, j));
    return out;
}

template <class T>
std::vector<real_t<T>> ramp(index_t size) {
    std::vector<real_t<T>> out(static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = real_t<T>(0.5) + static_cast<real_t<T>>(i) / 8;
    return out;
}

template <class T>
void every_operator() {
    const Block<T> a = gaussian<T>(m, n, 1), b = gaussian<T>(m, n, 2), c = gaussian<T>(n, 9, 3);
    const Dense<T> da(view_of(a)), db(view_of(b)), dc(view_of(c));
    CHECK(agrees<T>(da, view_of(a)));

    const Block<T> adjoint = [&] {
        Block<T> t(n, m);
        for (index_t i = 0; i < m; ++i)
            for (index_t j = 0; j < n; ++j) t(j, i) = conj(a(i, j));
        return t;
    }();
    CHECK(agrees<T>(Adjoint<T>(da), view_of(adjoint)));

    const auto rows = ramp<T>(m), cols = ramp<T>(n);
    const auto at = [](const auto& x, index_t i) { return x[static_cast<std::size_t>(i)]; };
    const Block<T> both = transformed(a, [&](index_t i, index_t j, T x) { return at(rows, i) * x * at(cols, j); });
    CHECK(agrees<T>(Scaled<T>(da, rows, cols), view_of(both)));
    const Block<T> only = transformed(a, [&](index_t, index_t j, T x) { return x * at(cols, j); });
    CHECK(agrees<T>(Scaled<T>(da, {}, cols), view_of(only)));

    std::vector<T> offsets(n);
    for (index_t j = 0; j < n; ++j) offsets[static_cast<std::size_t>(j)] = c(j, 0);
    const Block<T> centered = transformed(a, [&](index_t, index_t j, T x) { return x - c(j, 0); });
    CHECK(agrees<T>(Centered<T>(da, offsets), view_of(centered)));

    const Block<T> product = multiply<T>(view_of(a), c);
    CHECK(agrees<T>(Product<T>(da, dc), view_of(product)));
    const Block<T> sum = transformed(a, [&](index_t i, index_t j, T x) { return T(2) * x - T(3) * b(i, j); });
    CHECK(agrees<T>(Sum<T>(da, db, T(2), T(-3)), view_of(sum)));

    const Block<T> below(2 * m, n), beside(m, 2 * n);
    for (index_t i = 0; i < m; ++i)
        for (index_t j = 0; j < n; ++j) {
            below(i, j) = beside(i, j) = a(i, j);
            below(m + i, j) = beside(i, n + j) = b(i, j);
        }
    CHECK(agrees<T>(Stacked<T>({&da, &db}, Axis::vertical), view_of(below)));
    CHECK(agrees<T>(Stacked<T>({&da, &db}, Axis::horizontal), view_of(beside)));

    const auto weights = ramp<T>(9);
    const Block<T> p = gaussian<T>(m, 9, 5);
    const Block<T> low_rank(m, n);
    for (index_t i = 0; i < m; ++i)
        for (index_t j = 0; j < n; ++j)
            for (index_t l = 0; l < 9; ++l) low_rank(i, j) += p(i, l) * at(weights, l) * conj(c(j, l));
    CHECK(agrees<T>(LowRank<T>(view_of(p), weights, view_of(c)), view_of(low_rank)));

    const Block<T> multiple = transformed(a, [](index_t, index_t, T x) { return x * real_t<T>(8); });
    CHECK(agrees<T>(Multiple<T>(da, 3), view_of(multiple)));

    const Callback<T> callback(
        m, n, [&](ConstPanel<T> x, Panel<T> y) { da.apply(x, y); },
        [&](ConstPanel<T> y, Panel<T> z) { da.apply_adjoint(y, z); });
    CHECK(agrees<T>(callback, view_of(a)));
    CHECK(adjoint_mismatch<T>(callback, 0) <= tolerance<T>(50));
    const Callback<T> wrong(
        m, n, [&](ConstPanel<T> x, Panel<T> y) { da.apply(x, y); },
        [&](ConstPanel<T> y, Panel<T> z) { db.apply_adjoint(y, z); });
    CHECK(adjoint_mismatch<T>(wrong, 0) > 1e-3);

    // All at once: ((2 A - 3 B) diag(cols) C)^H
    const Sum<T> difference(da, db, T(2), T(-3));
    const Scaled<T> weighted(difference, {}, cols);
    const Product<T> deep(weighted, dc);
    const Block<T> inner = transformed(sum, [&](index_t, index_t j, T x) { return x * at(cols, j); });
    CHECK(agrees<T>(deep, view_of(multiply<T>(view_of(inner), c)), 5, 1e5));
    CHECK(adjoint_mismatch<T>(Adjoint<T>(deep), 1) <= tolerance<T>(100));
}

template <class T, class Index>
void sparse() {
    // Unsorted columns, a duplicate entry, an explicit zero and an empty row.
    const std::vector<Index> pointers{0, 3, 3, 5, 8}, columns{4, 0, 4, 2, 1, 3, 3, 0};
    const std::vector<T> values{T(1), T(2), T(3), T(0), T(5), T(-6), T(7), T(8)};
    const Block<T> a(4, 5), t(5, 4);
    for (index_t i = 0; i < 4; ++i)
        for (Index e = pointers[static_cast<std::size_t>(i)]; e < pointers[static_cast<std::size_t>(i) + 1]; ++e) {
            const auto at = static_cast<std::size_t>(e);
            a(i, columns[at]) += values[at];
            t(columns[at], i) += values[at];
        }
    const CsrView<T, Index> csr{pointers.data(), columns.data(), values.data(), 4, 5};
    CHECK(agrees<T>(Sparse<T, Index>(csr, Layout::csr), view_of(a)));
    CHECK(agrees<T>(Sparse<T, Index>(csr, Layout::csc), view_of(t)));
}

template <class T>
void sparse_of_both_indices() {
    sparse<T, std::int32_t>();
    sparse<T, std::int64_t>();
}

}  // namespace

TEST(operators_are_the_matrices_they_stand_for) { FOR_EACH_SCALAR(every_operator); }

TEST(operators_sparse_quirks) { FOR_EACH_SCALAR(sparse_of_both_indices); }

TEST(operators_sparse_structure_is_checked) {
    const std::vector<double> values{1, 2};
    const auto make = [&](std::vector<int> pointers, std::vector<int> columns) {
        const Sparse<double, int> a({pointers.data(), columns.data(), values.data(), 2, 3}, Layout::csr);
    };
    make({0, 1, 2}, {0, 2});
    CHECK_THROWS(make({0, 1, 2}, {0, 3}), InvalidArgument);
    CHECK_THROWS(make({0, 1, 2}, {-1, 0}), InvalidArgument);
    CHECK_THROWS(make({0, 2, 1}, {0, 1}), InvalidArgument);
}

TEST(operators_of_other_shapes_are_refused) {
    const Block<double> a = gaussian<double>(4, 3, 1), b = gaussian<double>(5, 6, 2);
    const Dense<double> da(view_of(a)), db(view_of(b));
    CHECK_THROWS(Product<double>(da, db), InvalidArgument);
    CHECK_THROWS(Sum<double>(da, db), InvalidArgument);
    CHECK_THROWS(Stacked<double>({&da, &db}, Axis::vertical), InvalidArgument);
    CHECK_THROWS(Stacked<double>({&da, &db}, Axis::horizontal), InvalidArgument);
    CHECK_THROWS(Stacked<double>({}, Axis::vertical), InvalidArgument);
    CHECK_THROWS(Scaled<double>(da, std::vector<double>(3, 1.0), {}), InvalidArgument);
    CHECK_THROWS(Scaled<double>(da, {}, std::vector<double>(4, 1.0)), InvalidArgument);
    CHECK_THROWS(Centered<double>(da, std::vector<double>(4, 1.0)), InvalidArgument);
    CHECK_THROWS(LowRank<double>(view_of(a), {}, view_of(b)), InvalidArgument);
}

TEST(operators_multiple_stays_in_range) {
    const Block<double> a(2, 2), x(2, 1), y(2, 1);
    a(0, 0) = a(1, 1) = std::ldexp(1.0, 1000);
    x(0, 0) = std::ldexp(1.0, 100), x(1, 0) = 1;
    Multiple<double>(Dense<double>(view_of(a)), -1000).apply(x, y);
    CHECK(y(0, 0) == std::ldexp(1.0, 100) && y(1, 0) == 1.0);
}

TEST(operators_column_means) {
    const Block<double> a = gaussian<double>(m, n, 1);
    const std::vector<double> means = column_means<double>(Dense<double>(view_of(a)));
    for (index_t j = 0; j < n; ++j) {
        double sum = 0;
        for (index_t i = 0; i < m; ++i) sum += a(i, j);
        CHECK_CLOSE(means[static_cast<std::size_t>(j)], sum / static_cast<double>(m), 1e-14);
    }
}
