// The row loops of the sparse block pass (see kernel/simd.hpp for what they compute).
//
// Rows of X and Z are reached through the column indices: those a few nonzeros ahead are fetched early.
#pragma once

#include <cstdint>

#include "vec.hpp"

namespace {

inline constexpr index_t kAhead = 16;

// One row of A X. A row of Z that the same nonzero will touch next (`z` not null) is fetched on the way.
template <class T, int L, int NV, class Index>
inline void gather_row(const Index* columns, const T* values, index_t first, index_t last, const T* x, index_t ldx,
                       Vec<T, L>* sum, const T* z, index_t ldz) {
    for (index_t p = first; p < last; ++p) {
        __builtin_prefetch(x + static_cast<index_t>(columns[p + kAhead < last ? p + kAhead : last - 1]) * ldx);
        const auto column = static_cast<index_t>(columns[p]);
        if (z) __builtin_prefetch(z + column * ldz, 1);
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) sum[v] += values[p] * load<T, L>(x + column * ldx + v * L);
    }
}

template <class T, int L, int NV, class Index>
inline void scatter_row(const Index* columns, const T* values, index_t first, index_t last, const Vec<T, L>* in, T* z,
                        index_t ldz) {
    for (index_t p = first; p < last; ++p) {
        T* out = z + static_cast<index_t>(columns[p]) * ldz;
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) store<T, L>(out + v * L, load<T, L>(out + v * L) + values[p] * in[v]);
    }
}

// Asks for the rows of Z that a row of A scatters into.
template <class T, class Index>
inline void fetch_row(const Index* columns, index_t first, index_t last, const T* z, index_t ldz) {
    for (index_t p = first; p < last; ++p) __builtin_prefetch(z + static_cast<index_t>(columns[p]) * ldz, 1);
}

template <class T, class Index>
void csr_forward(const Index* pointers, const Index* columns, const T* values, index_t first, index_t last, const T* x,
                 index_t ldx, T* y, index_t ldy, index_t b) {
    for_each_group<T>(b, [&]<int L, int NV>(index_t j) {
        for (index_t r = first; r < last; ++r) {
            Vec<T, L> sum[NV] = {};
            gather_row<T, L, NV>(columns, values, pointers[r], pointers[r + 1], x + j, ldx, sum,
                                 static_cast<const T*>(nullptr), 0);
            for (int v = 0; v < NV; ++v) store<T, L>(y + r * ldy + j + v * L, sum[v]);
        }
    });
}

template <class T, class Index>
void csr_adjoint(const Index* pointers, const Index* columns, const T* values, index_t first, index_t last, const T* y,
                 index_t ldy, T* z, index_t ldz, index_t b) {
    for_each_group<T>(b, [&]<int L, int NV>(index_t j) {
        for (index_t r = first; r < last; ++r) {
            Vec<T, L> in[NV];
            for (int v = 0; v < NV; ++v) in[v] = load<T, L>(y + r * ldy + j + v * L);
            if (r + 1 < last) fetch_row(columns, pointers[r + 1], pointers[r + 2], z + j, ldz);
            scatter_row<T, L, NV>(columns, values, pointers[r], pointers[r + 1], in, z + j, ldz);
        }
    });
}

template <class T, class Index>
void csr_gram(const Index* pointers, const Index* columns, const T* values, index_t first, index_t last, const T* x,
              index_t ldx, T* y, index_t ldy, T* z, index_t ldz, index_t b) {
    for_each_group<T>(b, [&]<int L, int NV>(index_t j) {
        for (index_t r = first; r < last; ++r) {
            Vec<T, L> sum[NV] = {};
            gather_row<T, L, NV>(columns, values, pointers[r], pointers[r + 1], x + j, ldx, sum, z + j, ldz);
            for (int v = 0; v < NV; ++v) store<T, L>(y + r * ldy + j + v * L, sum[v]);
            scatter_row<T, L, NV>(columns, values, pointers[r], pointers[r + 1], sum, z + j, ldz);
        }
    });
}

// Entries of a tile: `to` (rows by the half of a place that To shifts to) += value * `from` (rows by the other half).
template <class T, int From, int To>
inline void add_entries(const std::uint32_t* places, const T* values, index_t count, const T* from, index_t ld_from,
                        T* to, index_t ld_to, index_t b) {
    for_each_group<T>(b, [&]<int L, int NV>(index_t j) {
        for (index_t p = 0; p < count; ++p) {
            const T* in = from + static_cast<index_t>((places[p] >> From) & 0xFFFF) * ld_from + j;
            T* out = to + static_cast<index_t>((places[p] >> To) & 0xFFFF) * ld_to + j;
#pragma GCC unroll 4
            for (int v = 0; v < NV; ++v)
                store<T, L>(out + v * L, load<T, L>(out + v * L) + values[p] * load<T, L>(in + v * L));
        }
    });
}

template <class T>
void entries_forward(const std::uint32_t* places, const T* values, index_t count, const T* x, index_t ldx, T* y,
                     index_t ldy, index_t b) {
    add_entries<T, 0, 16>(places, values, count, x, ldx, y, ldy, b);
}

template <class T>
void entries_adjoint(const std::uint32_t* places, const T* values, index_t count, const T* y, index_t ldy, T* z,
                     index_t ldz, index_t b) {
    add_entries<T, 16, 0>(places, values, count, y, ldy, z, ldz, b);
}

}  // namespace
