// Reductions to condensed form: eigenvectors and singular vectors from orders at which they run on all threads.
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/reduced_svd.hpp"
#include "svdkit/kernel/small_eigh.hpp"
#include "svdkit/kernel/small_svd.hpp"
#include "svdkit/kernel/triplet_check.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

enum class Kind { random, graded, zero, low_rank, repeated };
constexpr Kind kKinds[] = {Kind::random, Kind::graded, Kind::zero, Kind::low_rank, Kind::repeated};

template <class R>
Block<R> matrix(Kind kind, index_t p, index_t q, R scale) {
    Block<R> a = gaussian<R>(p, q, 3);
    const Block<R> left = gaussian<R>(p, 1, 4), right = gaussian<R>(q, 1, 5);
    for (index_t i = 0; i < p; ++i)
        for (index_t j = 0; j < q; ++j) {
            if (kind == Kind::graded) a(i, j) *= std::pow(R(0.9), static_cast<R>(i + j));
            if (kind == Kind::zero) a(i, j) = 0;
            if (kind == Kind::low_rank) a(i, j) = left(i, 0) * right(j, 0);
            if (kind == Kind::repeated) a(i, j) = i == j ? R(1 + i / 100) : R(0);
            a(i, j) *= scale;
        }
    return a;
}

// Largest |A Y - X diag(s)| over a few columns.
template <class R>
double residual(const Block<R>& a, const Block<R>& x, const std::vector<R>& s, const Block<R>& y) {
    double largest = 0;
    for (index_t j = 0; j < y.cols(); j += std::max<index_t>(1, y.cols() / 12))
        for (index_t i = 0; i < a.rows(); ++i) {
            double sum = 0;
            for (index_t c = 0; c < a.cols(); ++c) sum += static_cast<double>(a(i, c)) * static_cast<double>(y(c, j));
            sum -= static_cast<double>(s[static_cast<std::size_t>(j)]) * static_cast<double>(x(i, j));
            largest = std::max(largest, std::abs(sum));
        }
    return largest;
}

template <class R>
bool same(const Block<R>& a, const Block<R>& b) {
    return std::memcmp(a.data(), b.data(), sizeof(R) * static_cast<std::size_t>(a.rows() * a.ld())) == 0;
}

template <class R>
void check_svd(const Block<R>& a, index_t k) {
    const index_t r = std::min(a.rows(), a.cols());
    const Block<R> x(a.rows(), k), y(a.cols(), k);
    std::vector<R> s(static_cast<std::size_t>(r));
    CHECK(reduced_svd<R>(a, x, s.data(), y));
    CHECK(orthonormality<R>(x, k) <= tolerance<R>(100) && orthonormality<R>(y, k) <= tolerance<R>(100));
    CHECK(residual(a, x, s, y) <= tolerance<R>(100) * static_cast<double>(s[0]));
    for (std::size_t j = 1; j < s.size(); ++j) CHECK(s[j] <= s[j - 1] && s[j] >= 0);
    for (const int threads : {1, 2, 3, 4}) {
        const ThreadScope scope(threads);
        const Block<R> u(a.rows(), k), v(a.cols(), k);
        std::vector<R> values(s.size());
        reduced_svd<R>(a, u, values.data(), v);
        CHECK(values == s && same(u, x) && same(v, y));
    }
}

template <class R>
void check_eigh(Kind kind, index_t n, index_t k, R scale) {
    Block<R> g(n, n, n);
    const Block<R> a = matrix<R>(kind, n, n, scale);
    for (index_t i = 0; i < n; ++i)
        for (index_t j = 0; j < n; ++j) g(i, j) = (a(i, j) + a(j, i)) / 2;
    Block<R> y, again;
    std::vector<R> values;
    for (const int threads : {1, 2, 3, 4}) {
        const ThreadScope scope(threads);
        Block<R> work(n, n, n), found(n, k);
        std::copy_n(g.data(), n * n, work.data());
        std::vector<R> w(static_cast<std::size_t>(n));
        small_eigh<R>(work, w.data(), found);
        CHECK(threads == 1 || (w == values && same(found, y)));
        y = std::move(found);
        values = w;
    }
    const double size = static_cast<double>(std::max(std::abs(values.front()), std::abs(values.back())));
    CHECK(orthonormality<R>(y, k) <= tolerance<R>(100));
    CHECK(residual(g, y, values, y) <= tolerance<R>(100) * size);
    for (std::size_t j = 1; j < values.size(); ++j) CHECK(values[j] <= values[j - 1]);
}

template <class R>
void every_kind(R small, R large) {
    for (const Kind kind : kKinds) {
        check_svd(matrix<R>(kind, 200, 200, R(1)), 200);
        check_svd(matrix<R>(kind, 301, 260, large), 90);
        check_svd(matrix<R>(kind, 260, 333, small), 260);
        check_svd(matrix<R>(kind, 700, 195, large), 195);
        check_svd(matrix<R>(kind, 200, 1900, small), 70);
        check_eigh<R>(kind, 256, 256, R(1));
        check_eigh<R>(kind, 300, 77, large);
        check_eigh<R>(kind, 300, 300, small);
    }
}

// What could go wrong in a threaded factorisation, put into a right one.
enum class Fault { none, vector, length, value, infinite };
Fault fault = Fault::none;

template <class R>
void spoil(Panel<R> x, R* s) {
    if (fault == Fault::vector) std::swap(x(3, 17), x(4, 17));
    if (fault == Fault::length) x(5, 0) *= 2;
    if (fault == Fault::value) s[x.cols - 1] += s[0] / 4;
    if (fault == Fault::infinite) x(7, 2) = std::numeric_limits<R>::quiet_NaN();
}

template <class R>
bool spoilt_svd(ConstPanel<R> a, Panel<R> x, R* s, Panel<R> y) {
    const bool usual = reduced_svd<R>(a, x, s, y);
    spoil(x, s);
    return usual;
}

template <class R>
void spoilt_eigh(ConstPanel<R> g, R* values, Panel<R> y) {
    reduced_eigh<R>(g, values, y);
    spoil(y, values);
}

// Whatever the fault, the answer is right, and the note says that LAPACK had to compute it.
template <class R>
void recover(R scale) {
    const index_t n = 220, k = 90;
    const Block<R> a = matrix<R>(Kind::random, n, n, scale);
    Block<R> g(n, n, n);
    for (index_t i = 0; i < n; ++i)
        for (index_t j = 0; j < n; ++j) g(i, j) = a(i, j) / 2 + a(j, i) / 2;
    for (const Fault kind : {Fault::none, Fault::vector, Fault::length, Fault::value, Fault::infinite}) {
        fault = kind;
        const bool right = kind == Fault::none;
        const Block<R> work(n, n), x(n, k), y(n, k), again(n, n, n), z(n, k);
        std::vector<R> s(static_cast<std::size_t>(n)), values(s.size());
        for (index_t i = 0; i < n; ++i) std::copy_n(&a(i, 0), n, &work(i, 0));
        std::copy_n(g.data(), n * n, again.data());
        CHECK((checked_svd<R>(work.panel(), x.panel(), s.data(), y.panel(), spoilt_svd<R>) == nullptr) == right);
        CHECK(checked_eigh<R>(again.panel(), values.data(), z.panel(), spoilt_eigh<R>) == right);
        CHECK(orthonormality<R>(x, k) <= tolerance<R>(100) && orthonormality<R>(y, k) <= tolerance<R>(100));
        CHECK(orthonormality<R>(z, k) <= tolerance<R>(100));
        CHECK(residual(a, x, s, y) <= tolerance<R>(100) * static_cast<double>(s[0]));
        CHECK(residual(g, z, values, z) <= tolerance<R>(100) * static_cast<double>(s[0]));
        CHECK(are_triplets<R>(a, x, s.data(), y) && are_triplets<R>(g, z, values.data(), z));
    }
}

}  // namespace

TEST(faults_of_reductions_are_found_and_put_right) {
    recover<float>(1);
    recover<float>(1e-30F);
    recover<double>(1);
    recover<double>(1e-300);
    recover<double>(1e300);
}

TEST(reductions_of_every_kind_f32) { every_kind<float>(1e-30F, 1e30F); }
TEST(reductions_of_every_kind_f64) { every_kind<double>(1e-300, 1e300); }
