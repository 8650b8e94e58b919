// A matrix as the reductions to condensed form want it.
#pragma once

#include "svdkit/base/buffer.hpp"

namespace svdkit {

/// rows x cols of zeros. Rows end in zeros up to whole vectors, and do not start a multiple of 1024 bytes apart, where
/// they would share few places of the cache.
template <class R>
Block<R> reduction_block(index_t rows, index_t cols) {
    constexpr index_t line = static_cast<index_t>(kAlignment / sizeof(R)), few = 1024 / kAlignment;
    const index_t ld = padded_ld<R>(cols);
    return Block<R>(rows, cols, ld / line % few == 0 ? ld + line : ld);
}

}  // namespace svdkit
