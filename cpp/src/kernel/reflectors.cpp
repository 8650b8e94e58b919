#include "svdkit/kernel/reflectors.hpp"

#include <algorithm>

#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"

namespace svdkit {
namespace {
constexpr index_t kBlock = 64;
}

template <class R>
Reflectors<R>::Reflectors(lapack::Stored stored, const R* v, index_t ldv, const R* tau, index_t count, index_t shift,
                          index_t m)
    : stored_(stored), v_(v), ldv_(ldv), count_(count), shift_(shift), m_(m) {
    const index_t blocks = (count + kBlock - 1) / kBlock;
    factors_ = Buffer<R>(blocks * kBlock * kBlock);
    parallel_for(blocks, static_cast<double>(m * count * kBlock), [&](index_t b) {
        const index_t first = b * kBlock;
        lapack::larft(stored_, m_ - shift_ - first, std::min(kBlock, count_ - first), block(first), ldv_, tau + first,
                      factors_.data() + b * kBlock * kBlock, kBlock);
    });
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
                      block(first), ldv_, factors_.data() + b * kBlock * kBlock, kBlock, c + shift_ + first, ldc,
                      work.data());
    }
}

template class Reflectors<float>;
template class Reflectors<double>;

}  // namespace svdkit
