// Philox4x32-10, a counter-based random generator.
//
// Entry (i, j) of a stream depends on (seed, stream, i, j) only: any thread count, any blocking and
// any order of filling give the same numbers.
// Paper: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstdint>

#include "svdkit/base/view.hpp"

namespace svdkit {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// Ten rounds of Philox on one 128-bit counter.
PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key);

/// What a stream of random numbers is used for; separates streams that share a seed.
enum class Stream : std::uint32_t { start = 0, replacement = 1, verification = 2, probe = 3, sketch = 4 };

/// Independent standard normal entries. Row i, column j of `panel` is entry (first_row + i, first_col + j) of the
/// stream; complex entries have independent normal real and imaginary parts. Cost: about 20 flops an entry.
template <class T>
void fill_gaussian(Panel<T> panel, std::uint64_t seed, Stream stream, std::uint32_t index = 0, index_t first_row = 0,
                   index_t first_col = 0);

}  // namespace svdkit
