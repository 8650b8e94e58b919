// e^-y of a vector, y >= 0: what robust weights are made of. Included by files that are compiled once per level.
//
//   -y = n log 2 + f, |f| <= log(2) / 2;  e^-y = 2^n (1 + f + f^2 q(f)),  2^n added to the exponent bits
//
// q: Chebyshev interpolant of degree 4 (float) or 8 (double). Relative error, rounding included: below 2e-7 (float) and
// 6e-16 (double) for y up to kExpLimit, beyond which results are meaningless: the caller masks them. Cost: 11 or 15
// operations a vector (2 to reduce, 1 for the exponent).
#pragma once

#include <cstdint>

#include "vec.hpp"

namespace {

template <class T>
inline constexpr T kExpLimit = sizeof(T) == 4 ? T(86) : T(700);

template <class T, int L>
inline Vec<T, L> exp_of_minus(Vec<T, L> y) {
    const Vec<T, L> x = -y;
    if constexpr (sizeof(T) == 4) {
        constexpr float magic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer in the low bits
        const Vec<T, L> shifted = x * 1.44269504F + magic;
        const Vec<T, L> n = shifted - magic;
        const Vec<T, L> f = (x - n * 0.693359375F) - n * -2.12194440e-4F;
        const Vec<T, L> q =
            ((((0.0013926184F * f + 0.008363179F) * f + 0.041666556F) * f + 0.16666576F) * f + 0.5F) * (f * f) + f;
        const auto bits = reinterpret_cast<Vec<std::uint32_t, L>>(shifted) << 23;
        return reinterpret_cast<Vec<T, L>>(reinterpret_cast<Vec<std::uint32_t, L>>(q + 1.0F) + bits);
    } else {
        constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
        const Vec<T, L> shifted = x * 1.4426950408889634 + magic;
        const Vec<T, L> n = shifted - magic;
        const Vec<T, L> f = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
        Vec<T, L> q = 2.763525087164155e-07 * f + 2.762543552149313e-06;
        q = q * f + 2.480148790854297e-05;
        q = q * f + 0.00019841208062928807;
        q = q * f + 0.0013888888938869812;
        q = q * f + 0.008333333354137757;
        q = q * f + 0.04166666666658472;
        q = q * f + 0.16666666666647634;
        q = q * f + 0.5000000000000002;
        q = q * (f * f) + f;
        const auto bits = reinterpret_cast<Vec<std::uint64_t, L>>(shifted) << 52;
        return reinterpret_cast<Vec<T, L>>(reinterpret_cast<Vec<std::uint64_t, L>>(q + 1.0) + bits);
    }
}

}  // namespace
