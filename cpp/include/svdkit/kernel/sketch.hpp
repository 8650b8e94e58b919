// Random test matrices Omega (n x l), entry by entry: entry (i, j) depends on the seed, i and j alone.
//
//   gaussian   independent normal numbers
//   sparse     8 entries +-1 in every row, at random places (Clarkson & Woodruff; Cohen 2016)
//   srht       random signs times columns of the Hadamard matrix, drawn without replacement (Tropp 2011)
#pragma once

#include <cstdint>

#include "svdkit/base/view.hpp"

namespace svdkit {

/// Every row: min(8, l) entries +-1, the others 0. `first_row`: the panel is a part of a taller matrix.
template <class T>
void fill_sparse_sign(Panel<T> panel, std::uint64_t seed, index_t first_row = 0);

/// Entry (i, j) = sign_i (-1)^popcount(i & c_j) for distinct random c_j below the power of two that covers n.
template <class T>
void fill_hadamard(Panel<T> panel, std::uint64_t seed);

}  // namespace svdkit
