#include "svdkit/kernel/sketch.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

#include "svdkit/base/random.hpp"

namespace svdkit {
namespace {

constexpr index_t kNonzeros = 8;
constexpr std::uint32_t kTag = 0x534B4348u;  // keeps these numbers apart from those of the Gaussian streams

// 64 random bits for (row, draw).
std::uint64_t bits(std::uint64_t seed, index_t row, std::uint32_t draw) {
    const auto i = static_cast<std::uint64_t>(row);
    const PhiloxCounter words = philox({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), draw, kTag},
                                       {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
    return static_cast<std::uint64_t>(words[0]) << 32 | words[1];
}

}  // namespace

template <class T>
void fill_sparse_sign(Panel<T> panel, std::uint64_t seed, index_t first_row) {
    const index_t l = panel.cols, count = std::min(kNonzeros, l);
    std::vector<index_t> places(static_cast<std::size_t>(l));
    std::iota(places.begin(), places.end(), index_t{0});
    for (index_t i = 0; i < panel.rows; ++i) {
        std::fill_n(panel.row(i), l, T(0));
        std::vector<index_t> drawn = places;  // a fresh permutation: rows do not depend on one another
        for (index_t q = 0; q < count; ++q) {
            const std::uint64_t word = bits(seed, first_row + i, static_cast<std::uint32_t>(q));
            const index_t at = q + static_cast<index_t>((word >> 1) % static_cast<std::uint64_t>(l - q));
            std::swap(drawn[static_cast<std::size_t>(q)], drawn[static_cast<std::size_t>(at)]);
            panel(i, drawn[static_cast<std::size_t>(q)]) = (word & 1) ? T(1) : T(-1);
        }
    }
}

template <class T>
void fill_hadamard(Panel<T> panel, std::uint64_t seed) {
    const index_t n = panel.rows, l = panel.cols;
    const auto order = static_cast<index_t>(std::bit_ceil(static_cast<std::uint64_t>(std::max<index_t>(n, 1))));
    std::vector<index_t> columns;
    for (std::uint32_t draw = 0; static_cast<index_t>(columns.size()) < l; ++draw) {
        const auto column = static_cast<index_t>(bits(seed, -1, draw) % static_cast<std::uint64_t>(order));
        if (std::ranges::find(columns, column) == columns.end()) columns.push_back(column);
    }
    for (index_t i = 0; i < n; ++i) {
        const bool flip = bits(seed, i, 0) & 1;
        for (index_t j = 0; j < l; ++j) {
            const bool odd = std::popcount(static_cast<std::uint64_t>(i & columns[static_cast<std::size_t>(j)])) & 1;
            panel(i, j) = flip != odd ? T(-1) : T(1);
        }
    }
}

#define INSTANTIATE(T)                                                   \
    template void fill_sparse_sign<T>(Panel<T>, std::uint64_t, index_t); \
    template void fill_hadamard<T>(Panel<T>, std::uint64_t);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
