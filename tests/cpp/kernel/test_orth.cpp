// extend_basis: W = V H + Q R with orthonormal [V Q], whatever the condition of W.
#include "svdkit/kernel/orth.hpp"

#include "check.hpp"
#include "dense_reference.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

template <class T>
struct Case {
    Block<T> store;  // basis and block side by side
    index_t j, b;
    Block<T> h, r;
    index_t found;

    /// Orthonormal basis of j vectors, then `w` in the next columns, extended.
    Case(index_t n, index_t j_, const Block<T>& w, double floor = 0)
        : store(n, j_ + w.cols()), j(j_), b(w.cols()), h(j_, b), r(b, b) {
        Replacements replacements{99};
        if (j > 0) {
            fill_gaussian<T>(basis(), 1, Stream::probe);
            const Block<T> unused_h(0, j), unused_r(j, j);
            CHECK(extend_basis<T>(store.panel().col_range(0, 0), basis(), unused_h, unused_r, 0, replacements) == j);
        }
        for (index_t i = 0; i < n; ++i)
            for (index_t c = 0; c < b; ++c) q()(i, c) = w(i, c);
        found = extend_basis<T>(basis(), q(), h, r, floor, replacements);
    }

    Panel<T> basis() const { return store.panel().col_range(0, j); }
    Panel<T> q() const { return store.panel().col_range(j, b); }
    double orthonormality_error() const { return orthonormality<T>(store.panel(), j + found); }

    /// Largest entry of W - V H - Q R, relative to the largest of W.
    double residual(const Block<T>& w) const {
        double error = 0, size = 0;
        for (index_t i = 0; i < w.rows(); ++i)
            for (index_t c = 0; c < b; ++c) {
                T sum = w(i, c);
                for (index_t l = 0; l < j; ++l) sum -= basis()(i, l) * h(l, c);
                for (index_t l = 0; l < b; ++l) sum -= q()(i, l) * r(l, c);
                error = std::max(error, static_cast<double>(std::abs(sum)));
                size = std::max(size, static_cast<double>(std::abs(w(i, c))));
            }
        return error / size;
    }
};

template <class T>
void well_conditioned() {
    for (index_t j : {0, 1, 12})
        for (index_t b : {1, 4, 8}) {
            const Block<T> w = gaussian<T>(200, b, 5);
            const Case<T> c(200, j, w);
            CHECK(c.found == b);
            CHECK(c.orthonormality_error() <= tolerance<T>(50));
            CHECK(c.residual(w) <= tolerance<T>(50));
        }
}

template <class T>
void graded() {
    // Columns that differ from the first by less and less, down to rounding.
    const Block<T> noise = gaussian<T>(300, 6, 6);
    Block<T> w(300, 6);
    for (index_t i = 0; i < 300; ++i)
        for (index_t c = 0; c < 6; ++c)
            w(i, c) = noise(i, 0) +
                      (c ? noise(i, c) * static_cast<real_t<T>>(std::pow(10.0, -1.2 * static_cast<double>(c))) : T(0));
    const Case<T> c(300, 10, w, tolerance<T>(10));
    CHECK(c.found == 6);
    CHECK(c.orthonormality_error() <= tolerance<T>(50));
    CHECK(c.residual(w) <= tolerance<T>(100));
}

template <class T>
void nearly_in_the_basis() {
    // W = V G + tiny: what is left after the projection is all cancellation.
    const index_t n = 250, j = 9, b = 4;
    const Case<T> plain(n, j, gaussian<T>(n, b, 8));
    const Block<T> g = gaussian<T>(j, b, 9), noise = gaussian<T>(n, b, 10);
    Block<T> w = multiply<T>({plain.store.data(), n, j, plain.store.ld(), 1}, g);
    for (index_t i = 0; i < n; ++i)
        for (index_t c = 0; c < b; ++c) w(i, c) += noise(i, c) * static_cast<real_t<T>>(tolerance<T>(1e3));
    const Case<T> c(n, j, w, tolerance<T>(10));
    CHECK(c.found == b);
    CHECK(c.orthonormality_error() <= tolerance<T>(50));
    CHECK(c.residual(w) <= tolerance<T>(100));
}

template <class T>
void dependent() {
    // Columns 1 and 3 add nothing: their replacements come last, with zero rows of R.
    const Block<T> w = gaussian<T>(100, 4, 11);
    for (index_t i = 0; i < 100; ++i) w(i, 1) = w(i, 0) * T(2), w(i, 3) = w(i, 2) - w(i, 0);
    const Case<T> c(100, 5, w, tolerance<T>(1e3));
    CHECK(c.found == 4);
    CHECK(c.orthonormality_error() <= tolerance<T>(50));
    CHECK(c.residual(w) <= tolerance<T>(5e3));
    for (index_t l : {2, 3})
        for (index_t k = 0; k < 4; ++k) CHECK(c.r(l, k) == T(0));
}

template <class T>
void zero() {
    const Case<T> c(60, 7, Block<T>(60, 3));
    CHECK(c.found == 3);
    CHECK(c.orthonormality_error() <= tolerance<T>(50));
    for (index_t l = 0; l < 3; ++l)
        for (index_t k = 0; k < 3; ++k) CHECK(c.r(l, k) == T(0));
}

template <class T>
void full_space() {
    // Only two directions are left in a space of ten: the rest of the block is zero.
    const Block<T> w = gaussian<T>(10, 5, 12);
    const Case<T> c(10, 8, w, tolerance<T>(100));
    CHECK(c.found == 2);
    CHECK(c.orthonormality_error() <= tolerance<T>(50));
    CHECK(c.residual(w) <= tolerance<T>(1e3));
    for (index_t i = 0; i < 10; ++i)
        for (index_t k = 2; k < 5; ++k) CHECK(c.q()(i, k) == T(0));
}

template <class T>
void norms() {
    const Block<T> w(4, 2);
    w(0, 0) = T(3), w(2, 0) = T(4);
    w(1, 1) = T(std::numeric_limits<real_t<T>>::max() / 4);
    double result[2];
    column_norms<T>(w, result);
    CHECK_CLOSE(result[0], 5.0, tolerance<T>(5));
    CHECK(result[1] <= 1.001 * static_cast<double>(std::numeric_limits<real_t<T>>::max()) / 4 && result[1] > 0);
}

template <class T>
void rotation() {
    const Block<T> v = gaussian<T>(80, 9, 13), q = gaussian<T>(9, 4, 14);
    const Block<T> expected = multiply<T>(view_of(v), q);
    rotate<T>(v.panel(), q);
    CHECK(distance<T>(v.panel().col_range(0, 4), expected) <= tolerance<T>(100));
}

}  // namespace

TEST(orth_well_conditioned) { FOR_EACH_SCALAR(well_conditioned); }
TEST(orth_graded) { FOR_EACH_SCALAR(graded); }
TEST(orth_nearly_in_the_basis) { FOR_EACH_SCALAR(nearly_in_the_basis); }
TEST(orth_dependent_columns_are_replaced) { FOR_EACH_SCALAR(dependent); }
TEST(orth_zero_block_is_replaced) { FOR_EACH_SCALAR(zero); }
TEST(orth_full_space_has_nothing_left) { FOR_EACH_SCALAR(full_space); }
TEST(orth_column_norms) { FOR_EACH_SCALAR(norms); }
TEST(orth_rotate) { FOR_EACH_SCALAR(rotation); }
