// Small kernels: SVD of a matrix in cache, the sign rule, the scan for values that are not finite.
#include <limits>
#include <vector>

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/kernel/scan.hpp"
#include "svdkit/kernel/sign.hpp"
#include "svdkit/kernel/small_svd.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

template <class T>
void decompose() {
    for (const auto& [p, q] : {std::pair<index_t, index_t>{6, 6}, {9, 4}, {4, 9}, {1, 5}, {5, 1}}) {
        const index_t r = std::min(p, q);
        const Block<T> a = gaussian<T>(p, q, 1), copy = gaussian<T>(p, q, 1);
        const Block<T> x(p, r), y(q, r);
        std::vector<real_t<T>> s(static_cast<std::size_t>(r)), values(s);
        CHECK(!small_svd<T>(copy, x, s.data(), y));
        CHECK(orthonormality<T>(x, r) <= tolerance<T>(50) && orthonormality<T>(y, r) <= tolerance<T>(50));
        for (index_t i = 0; i < p; ++i)
            for (index_t j = 0; j < q; ++j) {
                T sum = 0;
                for (index_t l = 0; l < r; ++l) sum += x(i, l) * s[static_cast<std::size_t>(l)] * conj(y(j, l));
                CHECK_CLOSE(sum, a(i, j), tolerance<T>(100));
            }
        for (std::size_t l = 1; l < s.size(); ++l) CHECK(s[l] <= s[l - 1] && s[l] >= 0);
        small_singular_values<T>(gaussian<T>(p, q, 1), values.data());
        for (std::size_t l = 0; l < s.size(); ++l) CHECK_CLOSE(values[l], s[l], tolerance<T>(50));
    }
}

template <class T>
void signs() {
    const Block<T> u(4, 3), v(3, 3);
    u(1, 0) = T(-3), u(0, 0) = T(2);                     // largest is negative
    u(0, 1) = T(-1), u(2, 1) = T(1);                     // a tie: the first decides
    for (index_t j = 0; j < 3; ++j) v(0, j) = T(j + 1);  // column 2 of U is zero: left alone
    fix_signs<T>(u, v);
    CHECK(u(1, 0) == T(3) && u(0, 0) == T(-2) && v(0, 0) == T(-1));
    CHECK(u(0, 1) == T(1) && u(2, 1) == T(-1) && v(0, 1) == T(-2));
    CHECK(u(0, 2) == T(0) && v(0, 2) == T(3));
}

template <class T>
void scanning() {
    using R = real_t<T>;
    const Block<T> a = gaussian<T>(50, 40, 2);
    const Scan fine = scan<T>(view_of(a));
    double largest = 0;
    for (index_t i = 0; i < 50; ++i)
        for (index_t j = 0; j < 40; ++j) largest = std::max(largest, static_cast<double>(std::abs(a(i, j))));
    CHECK(fine.first_bad_row == -1 && fine.first_bad_col == -1);
    CHECK(fine.max_abs >= largest / 1.5 && fine.max_abs <= largest * 1.5);
    for (const R bad : {std::numeric_limits<R>::quiet_NaN(), std::numeric_limits<R>::infinity()}) {
        const Block<T> b = gaussian<T>(50, 40, 2);
        b(33, 2) = T(bad), b(31, 17) = T(bad);
        const Scan rows = scan<T>(view_of(b));
        CHECK(rows.first_bad_row == 31 && rows.first_bad_col == 17);
        const Scan strided = scan<T>({b.data() + b.ld(), 25, 20, 2 * b.ld(), 2});
        CHECK(strided.first_bad_row == 16 && strided.first_bad_col == 1);
    }
    const Block<T> huge(1, 2);
    huge(0, 0) = huge(0, 1) = T(std::numeric_limits<R>::max() / 2);
    CHECK(scan<T>(view_of(huge)).first_bad_row == -1);
}

}  // namespace

TEST(small_svd_of_every_shape) { FOR_EACH_SCALAR(decompose); }
TEST(sign_rule) { FOR_EACH_SCALAR(signs); }
TEST(scan_finds_the_first_bad_entry) { FOR_EACH_SCALAR(scanning); }

TEST(sign_rule_takes_the_phase_out) {
    using Z = std::complex<double>;
    const Block<Z> u(2, 1), v(1, 1);
    u(0, 0) = Z(0, 1), u(1, 0) = Z(0, -2), v(0, 0) = Z(3, 0);
    fix_signs<Z>(u, v);
    CHECK_CLOSE(u(1, 0), Z(2, 0), 1e-15);
    CHECK(u(1, 0).imag() == 0.0);
    CHECK_CLOSE(u(0, 0), Z(-1, 0), 1e-15);
    CHECK_CLOSE(u(1, 0) * std::conj(v(0, 0)), Z(0, -2) * 3.0, 1e-14);  // u v^H is what it was
}
