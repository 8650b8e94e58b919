// The sweeps over many tall vectors, in slabs and in one panel, against plain sums.
#include "svdkit/kernel/tall_pass.hpp"

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/kernel/basis.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

constexpr index_t n = 700;

template <class T>
void sweeps() {
    for (index_t j : {1, 5, 40, 75})
        for (index_t b : {1, 3, 8}) {
            const Block<T> v = gaussian<T>(n, j, 1), w = gaussian<T>(n, b, 2), c = gaussian<T>(j, b, 3);
            Basis<T> basis(n, j + 3);
            for (index_t first = 0; first < j; first += 6)
                basis.put(first, v.panel().col_range(first, std::min<index_t>(6, j - first)));
            Block<T> back(n, j);
            basis.get(0, back);
            CHECK(distance<T>(back, v) == 0);

            const Block<T> product = multiply<T>(view_of(v), c);
            Block<T> left(n, b);
            for (index_t i = 0; i < n; ++i)
                for (index_t q = 0; q < b; ++q) left(i, q) = w(i, q) - product(i, q);
            for (const ConstColumns<T> columns : {ConstColumns<T>(v.panel()), ConstColumns<T>(basis.columns(j))}) {
                Block<T> d(j, b), one(n, b), both(n, b), after(j, b), expected(j, b);
                for (index_t i = 0; i < n; ++i)
                    for (index_t q = 0; q < b; ++q) one(i, q) = both(i, q) = w(i, q);
                const auto adjoint = [&](const Block<T>& x) {
                    for (index_t l = 0; l < j; ++l)
                        for (index_t q = 0; q < b; ++q) {
                            expected(l, q) = T(0);
                            for (index_t i = 0; i < n; ++i) expected(l, q) += conj(v(i, l)) * x(i, q);
                        }
                };
                inner<T>(columns, w, d);
                adjoint(w);
                CHECK(distance<T>(d, expected) <= tolerance<T>(5e3));
                subtract<T>(columns, c, one);
                CHECK(distance<T>(one, left) <= tolerance<T>(5e3));
                subtract_inner<T>(columns, c, both, after);
                CHECK(distance<T>(both, one) == 0);
                adjoint(left);
                CHECK(distance<T>(after, expected) <= tolerance<T>(5e4));
            }
            if (j > 1) {
                const Block<T> q = gaussian<T>(j, j / 2, 4), rotated = multiply<T>(view_of(v), q);
                rotate<T>(basis.columns(j), q);
                Block<T> front(n, j / 2);
                basis.get(0, front);
                CHECK(distance<T>(front, rotated) <= tolerance<T>(5e3));
            }
        }
}

}  // namespace

TEST(tall_pass_sweeps) { FOR_EACH_SCALAR(sweeps); }
