// How far X, s, Y are from singular triplets of A, measured with one vector w of random signs.
//
//   |A Y w - X S w| + |A^T X w - Y S w|  over s_1,   |X^T X w - w| + |Y^T Y w - w|,   | |A|_F^2 - |s|^2 |  over |A|_F^2
//
// For the matrices E of these errors |E w| is |E|_F on average, and what is wrong in one column alone shows in full:
// none of the signs is small. Cost: a few reads of A, X and Y; 1 to 5 % of the time of the triplets.
// Freivalds (1979), Fast probabilistic algorithms, Lecture Notes in Computer Science 74.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// The sum of the terms above, or NaN. A is p x q, X p x k, Y q x k; s has all r = min(p, q) values, of which the first
/// k belong to X and Y. Signs of s may be those of eigenvalues.
template <class R>
double triplet_error(ConstPanel<R> a, ConstPanel<R> x, const R* s, ConstPanel<R> y);

/// Whether that is rounding: a constant (triplet_check.cpp) times sqrt(p q) epsilon.
template <class R>
bool are_triplets(ConstPanel<R> a, ConstPanel<R> x, const R* s, ConstPanel<R> y);

}  // namespace svdkit
