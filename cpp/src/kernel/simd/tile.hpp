// The register tiles of the dense block pass (see kernel/simd.hpp for what they compute).
//
// A is read in place, one broadcast element at a time; MR rows x NV vectors of accumulators stay in registers.
#pragma once

#include "svdkit/kernel/simd.hpp"
#include "vec.hpp"

namespace {

template <class T>
inline constexpr index_t kLine = 64 / sizeof(T);

using svdkit::detail::Ahead;

// Which rows of the tile ahead are fetched while MR rows are at work: a line at most with each column, because a burst
// of them fills the few buffers that a core has for lines on their way.
template <class T, int MR>
class Fetcher {
public:
    Fetcher(Ahead<T> ahead, index_t lda)
        : tile_(ahead.tile),
          lda_(lda),
          first_(ahead.rows == Ahead<T>::Rows::lower ? MR / 2 : 0),
          last_(ahead.rows == Ahead<T>::Rows::upper ? MR / 2 : MR) {}
    void fetch(index_t c) const {
        constexpr index_t step = kLine<T> / 8;
        const index_t at = c % kLine<T>, r = at / step;
        if (!tile_ || at % step != 0 || r < first_ || r >= last_) return;
        __builtin_prefetch(tile_ + r * lda_ + c - at, 0, 2);
    }

private:
    const T* tile_;
    index_t lda_, first_, last_;
};

template <class T, int L, int NV, int MR>
inline void forward_rows(const T* a, index_t lda, index_t cols, const T* x, index_t ldx, T* y, index_t ldy,
                         Ahead<T> ahead) {
    const Fetcher<T, MR> fetcher(ahead, lda);
    Vec<T, L> sum[MR][NV];
    for (int r = 0; r < MR; ++r)
        for (int v = 0; v < NV; ++v) sum[r][v] = load<T, L>(y + r * ldy + v * L);
    for (index_t c = 0; c < cols; ++c) {
        fetcher.fetch(c);
        Vec<T, L> in[NV];
        for (int v = 0; v < NV; ++v) in[v] = load<T, L>(x + c * ldx + v * L);
#pragma GCC unroll 8
        for (int r = 0; r < MR; ++r)
#pragma GCC unroll 4
            for (int v = 0; v < NV; ++v) sum[r][v] += a[r * lda + c] * in[v];
    }
    for (int r = 0; r < MR; ++r)
        for (int v = 0; v < NV; ++v) store<T, L>(y + r * ldy + v * L, sum[r][v]);
}

template <class T, int L, int NV, int MR>
inline void adjoint_rows(const T* a, index_t lda, index_t cols, const T* y, index_t ldy, T* z, index_t ldz,
                         Ahead<T> ahead) {
    const Fetcher<T, MR> fetcher(ahead, lda);
    Vec<T, L> in[MR][NV];
    for (int r = 0; r < MR; ++r)
        for (int v = 0; v < NV; ++v) in[r][v] = load<T, L>(y + r * ldy + v * L);
    for (index_t c = 0; c < cols; ++c) {
        fetcher.fetch(c);
        T* out = z + c * ldz;
        Vec<T, L> sum[NV];
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) sum[v] = load<T, L>(out + v * L);
#pragma GCC unroll 8
        for (int r = 0; r < MR; ++r)
#pragma GCC unroll 4
            for (int v = 0; v < NV; ++v) sum[v] += a[r * lda + c] * in[r][v];
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) store<T, L>(out + v * L, sum[v]);
    }
}

// Cuts `rows` into register tiles: full ones, then 4, 2 and 1.
template <int MR, class Body>
inline void for_each_rows(index_t rows, const Body& body) {
    index_t r = 0;
    for (; r + MR <= rows; r += MR) body.template operator()<MR>(r);
    for (; r + 4 <= rows; r += 4) body.template operator()<4>(r);
    if (r + 2 <= rows) {
        body.template operator()<2>(r);
        r += 2;
    }
    if (r < rows) body.template operator()<1>(r);
}

// The part of the tile ahead that belongs to the rows from r on; the first group of vectors fetches for all.
template <class T>
Ahead<T> rows_of(Ahead<T> ahead, index_t j, index_t r, index_t lda) {
    return {ahead.tile && j == 0 ? ahead.tile + r * lda : nullptr, ahead.rows};
}

template <class T>
void forward_tile(const T* a, index_t lda, index_t rows, index_t cols, const T* x, index_t ldx, T* y, index_t ldy,
                  index_t b, Ahead<T> ahead) {
    for_each_group<T>(b, [&]<int L, int NV>(index_t j) {
        for_each_rows<tile_rows(NV)>(rows, [&]<int MR>(index_t r) {
            forward_rows<T, L, NV, MR>(a + r * lda, lda, cols, x + j, ldx, y + r * ldy + j, ldy,
                                       rows_of(ahead, j, r, lda));
        });
    });
}

template <class T>
void adjoint_tile(const T* a, index_t lda, index_t rows, index_t cols, const T* y, index_t ldy, T* z, index_t ldz,
                  index_t b, Ahead<T> ahead) {
    for_each_group<T>(b, [&]<int L, int NV>(index_t j) {
        for_each_rows<tile_rows(NV)>(rows, [&]<int MR>(index_t r) {
            adjoint_rows<T, L, NV, MR>(a + r * lda, lda, cols, y + r * ldy + j, ldy, z + j, ldz,
                                       rows_of(ahead, j, r, lda));
        });
    });
}

}  // namespace
