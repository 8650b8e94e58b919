// 16-bit floating point as storage: IEEE half (1 + 5 + 10 bits) and bfloat16 (1 + 8 + 7 bits). Computed in float.
#pragma once

#include <cstdint>
#include <cstring>

namespace svdkit {

struct Float16 {
    std::uint16_t bits;
};
struct BFloat16 {
    std::uint16_t bits;
};

/// Exact. Written without branches so that a loop of it is vectorised.
[[gnu::always_inline]] inline double widen(float x) { return static_cast<double>(x); }

[[gnu::always_inline]] inline float widen(BFloat16 x) {
    const std::uint32_t bits = static_cast<std::uint32_t>(x.bits) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

[[gnu::always_inline]] inline float widen(Float16 x) {
    // Exponent and fraction moved to their places in a float, then rescaled: right for subnormal numbers too.
    const std::uint32_t magnitude = static_cast<std::uint32_t>(x.bits & 0x7FFFu) << 13;
    float value;
    std::memcpy(&value, &magnitude, sizeof value);
    value *= 0x1p112f;
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    bits |= magnitude >= 0x0F800000u ? 0x7F800000u : 0u;  // infinity and NaN
    bits |= static_cast<std::uint32_t>(x.bits & 0x8000u) << 16;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace svdkit
