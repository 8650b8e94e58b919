#include "svdkit/base/random.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "svdkit/base/threads.hpp"

namespace svdkit {

PhiloxCounter philox(PhiloxCounter c, PhiloxKey k) {
    constexpr std::uint64_t m0 = 0xD2511F53, m1 = 0xCD9E8D57;
    constexpr std::uint32_t w0 = 0x9E3779B9, w1 = 0xBB67AE85;
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = m0 * c[0], p1 = m1 * c[2];
        c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
             static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
        k[0] += w0;
        k[1] += w1;
    }
    return c;
}

namespace {

// Two normals from one 128-bit word: Box-Muller with 53-bit uniforms in (0, 1).
struct NormalPair {
    double first, second;
};

NormalPair normal_pair(const PhiloxCounter& w) {
    const auto uniform = [](std::uint32_t high, std::uint32_t low) {
        const std::uint64_t bits = ((static_cast<std::uint64_t>(high) << 32) | low) >> 11;
        return (static_cast<double>(bits) + 0.5) * 0x1p-53;
    };
    const double radius = std::sqrt(-2.0 * std::log(uniform(w[0], w[1])));
    const double angle = 2.0 * std::numbers::pi * uniform(w[2], w[3]);
    return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace

template <class T>
void fill_gaussian(Panel<T> panel, std::uint64_t seed, Stream stream, std::uint32_t index, index_t first_row,
                   index_t first_col) {
    const PhiloxKey key = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
    const std::uint32_t domain = static_cast<std::uint32_t>(stream) * 0x10000u + index;
    // A counter is (row low, row high, column pair, domain); its two normals are the pair of columns
    // (2q, 2q + 1) of a real stream, or real and imaginary part of column q of a complex one.
    const auto draw = [&](index_t i, index_t q) {
        const auto row = static_cast<std::uint64_t>(first_row + i);
        return normal_pair(philox({static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(row >> 32),
                                   static_cast<std::uint32_t>(q), domain},
                                  key));
    };
    const Partition partition{panel.rows, std::max<index_t>(1, panel.rows / 1024), 1};
    parallel_for(partition.parts, 50.0 * static_cast<double>(panel.rows * panel.cols), [&](index_t part) {
        for (index_t i = partition.begin(part); i < partition.begin(part + 1); ++i) {
            T* row = panel.row(i);
            for (index_t j = 0; j < panel.cols;) {
                const index_t col = first_col + j;
                if constexpr (is_complex<T>) {
                    const NormalPair z = draw(i, col);
                    row[j++] = T(static_cast<real_t<T>>(z.first), static_cast<real_t<T>>(z.second));
                } else {
                    const NormalPair z = draw(i, col / 2);
                    if (col % 2 == 0) row[j++] = static_cast<T>(z.first);
                    if (j < panel.cols && (first_col + j) % 2 == 1) row[j++] = static_cast<T>(z.second);
                }
            }
        }
    });
}

#define INSTANTIATE(T) template void fill_gaussian<T>(Panel<T>, std::uint64_t, Stream, std::uint32_t, index_t, index_t);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
