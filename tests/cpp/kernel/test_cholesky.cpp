// The factor multiplies back to the matrix, whatever is above the diagonal, for sizes around the block.
#include <initializer_list>

#include "svdkit/kernel/cholesky.hpp"

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/base/threads.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

template <class T>
Block<T> moment(index_t n, index_t samples) {
    const Block<T> x = gaussian<T>(samples, n, 5);
    const ConstView<T> view{x.data(), samples, n, x.ld(), 1};
    return multiply_adjoint<T>(view, x);
}

template <class T>
void factors(std::initializer_list<index_t> sizes) {
    for (index_t n : sizes) {
        const Block<T> c = moment<T>(n, 2 * n);
        std::vector<Block<T>> found;
        for (int threads : {1, 3}) {
            const ThreadScope scope(threads);
            Block<T> l(n, n, n);
            for (index_t i = 0; i < n; ++i)
                for (index_t j = 0; j < n; ++j) l(i, j) = j <= i ? c(i, j) : T(77);
            CHECK(cholesky(l.panel()) == 0);
            found.push_back(std::move(l));
        }
        const Block<T>& l = found[0];
        Block<T> back(n, n, n), adjoint(n, n, n);
        for (index_t i = 0; i < n; ++i)
            for (index_t j = 0; j < n; ++j) adjoint(i, j) = conj(l(j, i));
        back = multiply<T>({l.data(), n, n, l.ld(), 1}, adjoint);
        CHECK(distance(back, c) <= tolerance<T>(30) * static_cast<double>(n) * std::sqrt(static_cast<double>(n)));
        for (index_t i = 0; i < n; ++i)
            for (index_t j = 0; j < n; ++j) {
                CHECK(found[0](i, j) == found[1](i, j));
                if (j > i) CHECK(l(i, j) == T(0));
            }
    }
}

}  // namespace

TEST(cholesky_multiplies_back_with_the_same_bits_for_any_number_of_threads) {
    factors<float>({1, 300});
    factors<double>({1, 7, 256, 300, 515});
    factors<std::complex<float>>({7, 260});
    factors<std::complex<double>>({1, 260});
}

TEST(cholesky_names_the_first_minor_that_is_not_positive) {
    Block<double> c(300, 300, 300);
    for (index_t i = 0; i < 300; ++i) c(i, i) = i == 270 ? -1 : 1;
    CHECK(cholesky(c.panel()) == 271);
}
