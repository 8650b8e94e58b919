// Sums over the lanes of vectors.
#pragma once

#include <utility>

#include "vec.hpp"

namespace {

template <class T, int L, std::size_t... I>
inline Vec<T, L / 2> fold(Vec<T, L> v, std::index_sequence<I...>) {
    return __builtin_shufflevector(v, v, static_cast<int>(I)...) +
           __builtin_shufflevector(v, v, static_cast<int>(I) + L / 2 ...);
}

template <class T, int L>
inline T sum_lanes(Vec<T, L> v) {
    if constexpr (L == 2) {
        return v[0] + v[1];
    } else {
        return sum_lanes<T, L / 2>(fold<T, L>(v, std::make_index_sequence<L / 2>()));
    }
}

// Lane i of the pair sum of a and b, in blocks of 2 H lanes: H lanes of a's block, then H of b's.
template <int L, int H>
constexpr int pair_lane(int i, int shift) {
    const int block = i / (2 * H) * (2 * H), j = i % (2 * H);
    return block + shift + (j < H ? j : L + j - H);
}

template <class T, int L, int H, std::size_t... I>
inline Vec<T, L> pair_sum(Vec<T, L> a, Vec<T, L> b, std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, pair_lane<L, H>(static_cast<int>(I), 0)...) +
           __builtin_shufflevector(a, b, pair_lane<L, H>(static_cast<int>(I), H)...);
}

// Lane i: the sum of v[i]. L - 1 additions of pairs instead of L log2 L of halves; v is used up.
template <class T, int L, int H = 1>
inline Vec<T, L> sums_of_each(Vec<T, L>* v) {
    if constexpr (H == L) {
        return v[0];
    } else {
#pragma GCC unroll 8
        for (int i = 0; i < L / (2 * H); ++i)
            v[i] = pair_sum<T, L, H>(v[2 * i], v[2 * i + 1], std::make_index_sequence<L>());
        return sums_of_each<T, L, 2 * H>(v);
    }
}

}  // namespace
