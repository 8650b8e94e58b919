#include "svdkit/kernel/reflectors.hpp"

#include <algorithm>

#include "merge_tree.hpp"
#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"

namespace svdkit {

template <class R>
Reflectors<R>::Reflectors(lapack::Stored stored, const R* v, index_t ldv, const R* tau, index_t count, index_t shift,
                          index_t m)
    : stored_(stored), v_(v), ldv_(ldv), count_(count), shift_(shift), m_(m) {
    const index_t blocks = (count + kBlock - 1) / kBlock;
    factors_ = Buffer<R>(blocks * kBlock * kBlock);
    parallel_for(blocks, static_cast<double>(m * count * kBlock), [&](index_t b) {
        const index_t first = b * kBlock;
        lapack::larft(stored_, m_ - shift_ - first, std::min(kBlock, count_ - first), block(first), ldv_, tau + first,
                      factors(first), kBlock);
    });
}

template <class R>
Reflectors<R>::Reflectors(const R* v, index_t ldv, index_t count, index_t m)
    : stored_(lapack::Stored::columns),
      v_(v),
      ldv_(ldv),
      count_(count),
      shift_(0),
      m_(m),
      factors_((count + kBlock - 1) / kBlock * kBlock * kBlock) {}

template <class R>
Reflectors<R> Reflectors<R>::factor(index_t m, index_t n, R* a, index_t lda) {
    Reflectors q(a, lda, n, m);
    for (index_t first = 0; first < n; first += kBlock) {
        const index_t width = std::min(kBlock, n - first), beyond = first + width, rows = m - first;
        lapack::geqrt(rows, width, a + first * (lda + 1), lda, q.factors(first), kBlock);
        const double column = 4.0 * static_cast<double>(rows) * static_cast<double>(width);
        detail::for_strips(beyond, n, detail::strip_width(n - beyond), column, [&](index_t from, index_t to) {
            const Scratch<R> work((to - from) * width);
            lapack::larfb(blas::Op::transpose, lapack::Stored::columns, rows, to - from, width, q.block(first), lda,
                          q.factors(first), kBlock, a + from * lda + first, lda, work.data());
        });
    }
    return q;
}

// Vectors stored as columns and as rows both step along the diagonal.
template <class R>
const R* Reflectors<R>::block(index_t first) const {
    return v_ + first * (ldv_ + 1);
}

template <class R>
void Reflectors<R>::apply(R* c, index_t ldc, index_t cols) const {
    const Scratch<R> work(cols * kBlock);
    for (index_t b = (count_ + kBlock - 1) / kBlock; b-- > 0;) {
        const index_t first = b * kBlock;
        lapack::larfb(blas::Op::none, stored_, m_ - shift_ - first, cols, std::min(kBlock, count_ - first),
                      block(first), ldv_, factors(first), kBlock, c + shift_ + first, ldc, work.data());
    }
}

template class Reflectors<float>;
template class Reflectors<double>;

}  // namespace svdkit
