// Expansion: new directions that make room for vectors E beside an orthonormal factor X.
//
//   E = [X Q] C^T,   [X Q] orthonormal
//
// Of sparse vectors the residual E - X (X^T E) is dense but never formed: its inner products are those of the pairs
// (E, X^T E), <r, q> = e.f - c.d, so pivoted Cholesky of E^T E - C C^T (columns of unit length) tells the independent
// directions, Q = E W - X (X^T E W). The difference cancels: a direction whose relative residual is rho carries an
// error of about epsilon / rho^2, so below 1e-7 there is only rounding (dropped, and counted in `lost`), and whether
// the error matters is known once the weights of the directions are (`error`). Where it does, and for dense vectors, Q
// is formed and orthonormalised twice.
// Cost: pairs entries (r + t) + t^2 r + t^3 flops; formed 8 length t (r + t).
// Papers: Zha & Simon, SISC 21 (1999); Deng et al., ICLR 2024 (pairs).
#pragma once

#include <cstdint>
#include <utility>

#include "svdkit/solver/incremental/lazy_factor.hpp"

namespace svdkit {

struct Expansion {
    index_t count = 0;              ///< q, columns of Q
    Block<double> coordinates{};    ///< C, t x (r + q)
    Block<double> known{};          ///< pairs: X^T E W, r x q
    Block<double> weights{};        ///< pairs: W, t x q
    Block<double> inner{}, gram{};  ///< pairs: E^T B and E^T E
    std::vector<double> pivots{};   ///< pairs: relative residual of every direction
    TallVectors formed{};           ///< Q, where it was formed
    double lost = 0;                ///< squared norm of what is not in the span

    bool is_formed() const { return !formed.sparse; }

    /// Error of orthogonality that these directions bring, weighed by their coefficients (q x k).
    double error(ConstPanel<double> coefficients) const;
    /// X <- [X Q] G, for G (r + q) x k, as a change of X itself; `vectors` are those that were expanded. It views them,
    /// this, G and what is put into `memory`.
    LazyFactor::Change change(const TallVectors& vectors, ConstPanel<double> g,
                              std::pair<Block<double>, Block<double>>& memory) const;
};

Expansion expand_by_pairs(const LazyFactor& factor, const TallVectors& vectors);
/// Writes the vectors out, and materialises the factor.
Expansion expand_formed(LazyFactor& factor, const TallVectors& vectors, std::uint64_t seed);

}  // namespace svdkit
