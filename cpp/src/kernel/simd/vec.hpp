// Vectors of L lanes, and how many of them a level's registers hold. Included only by files that are compiled once per
// level: everything here has internal linkage, so that no AVX-512 code leaks into another level.
#pragma once

#include "svdkit/base/types.hpp"

namespace {

using svdkit::index_t;

template <class T, int L>
struct VecOf {
    typedef T type __attribute__((vector_size(L * sizeof(T))));
    typedef T unaligned __attribute__((vector_size(L * sizeof(T)), aligned(sizeof(T)), may_alias));
};
template <class T, int L>
using Vec = typename VecOf<T, L>::type;

template <class T, int L>
inline Vec<T, L> load(const T* p) {
    return *reinterpret_cast<const typename VecOf<T, L>::unaligned*>(p);
}
template <class T, int L>
inline void store(T* p, Vec<T, L> v) {
    *reinterpret_cast<typename VecOf<T, L>::unaligned*>(p) = v;
}

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
inline constexpr int kRegisters = 32;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32;
inline constexpr int kRegisters = 16;
#else
inline constexpr int kVectorBytes = 16;
inline constexpr int kRegisters = 16;
#endif

template <class T>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

// Widest group of vectors that one sweep over A multiplies.
inline constexpr int kMaxGroup = kRegisters == 32 ? 4 : 3;

// Rows of A per register tile, so that accumulators, inputs and one broadcast fit the registers.
constexpr int tile_rows(int group) {
    if (kRegisters == 32) return group == 4 ? 6 : 8;
    return group == 1 ? 8 : (group == 2 ? 6 : 4);
}

// Cuts a block of `left` vectors into groups of 1..kMaxGroup of even size.
constexpr int next_group(index_t left) {
    if (left <= kMaxGroup) return static_cast<int>(left);
    return left % kMaxGroup == 0 || left > 2 * kMaxGroup ? kMaxGroup : static_cast<int>((left + 1) / 2);
}

// Calls body.template operator()<L, NV>(first) for groups of NV vectors of L lanes that cover b columns.
template <class T, class Body>
inline void for_each_group(index_t b, const Body& body) {
    constexpr int L = kLanes<T>;
    index_t j = 0;
    while (b - j >= L) {
        const int group = next_group((b - j) / L);
        if (group == 1) body.template operator()<L, 1>(j);
        if (group == 2) body.template operator()<L, 2>(j);
        if (group == 3) body.template operator()<L, 3>(j);
        if constexpr (kMaxGroup >= 4) {
            if (group == 4) body.template operator()<L, 4>(j);
        }
        j += group * L;
    }
    if constexpr (L > 8) {
        if (b - j >= 8) {
            body.template operator()<8, 1>(j);
            j += 8;
        }
    }
    if constexpr (L > 4) {
        if (b - j >= 4) body.template operator()<4, 1>(j);
    }
}

}  // namespace
