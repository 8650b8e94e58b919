// Tracker: the leading triplets of a matrix that gains and loses rows, each time to a measured residual.
//
// An orthonormal basis Q of a few times k vectors is kept from one call to the next, with Z = A^T A Q. Rows E that come
// or go change Z by +-E^T E Q exactly, so the first Rayleigh-Ritz step reads only those rows, and what earlier calls
// learned of the spectrum beyond k still keeps it out of the way. All residuals after a change of t rows lie in t
// directions, so few rows need narrow blocks: the basis grows by the principal directions of the residuals (block
// Davidson; without restarts their Krylov space) until |Z y - theta^2 Q y| / theta is small; one fused
// product gives U and the residuals that are reported, and the basis is cut back to its leading Ritz vectors.
// Cost of a block of w vectors beside one read of A: 6 n p w + 4 n p k flops for a basis of p. Memory: 2 n (p + w).
// Papers: Davidson, J. Comput. Phys. 17 (1975); Morgan & Scott, SIAM J. Sci. Stat. Comput. 7 (1986).
#pragma once

#include <optional>

#include "svdkit/base/monitor.hpp"
#include "svdkit/kernel/basis.hpp"
#include "svdkit/kernel/orth.hpp"
#include "svdkit/op/operator.hpp"
#include "svdkit/solver/incremental/tall_vectors.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

class Tracker {
public:
    /// k triplets of matrices with n columns, from right vectors V (n x j, orthonormal).
    Tracker(index_t k, ConstPanel<double> v, const Operator<double>& a, std::uint64_t seed);

    /// A gains these rows, sparse vectors of length n; with sign -1 it loses them.
    void change(const TallVectors& rows, double sign);
    /// None where the tolerance is out of reach this way: too small a value, too many steps, or more than `budget`
    /// vectors to multiply by A^T A.
    std::optional<Result<double>> solve(const Operator<double>& a, double tol, index_t budget, Monitor& monitor);
    /// Vectors that the last call multiplied.
    index_t multiplied() const { return multiplied_; }

    index_t k() const { return k_; }
    index_t bytes() const { return 2 * static_cast<index_t>(sizeof(double)) * n_ * room_; }

private:
    struct Ritz {
        std::vector<double> values;  ///< of A^T A
        Block<double> vectors;       ///< size x kept
    };
    /// Panels of one call: new vectors, A and A^T A times them; Ritz vectors and their residuals.
    struct Workspace {
        Block<double> vectors, image, back, ritz, rest;
    };
    Workspace workspace(const Operator<double>& a, index_t width) const;
    Ritz ritz() const;
    void grow(const Operator<double>& a, const Workspace& work, index_t width, bool is_residual);
    void contract(const Ritz& ritz);
    std::vector<double> residuals(const Ritz& ritz, const Workspace& work) const;
    index_t select(const std::vector<double>& values, double enough, const Workspace& work) const;

    index_t k_, n_, keep_, room_, size_ = 0, multiplied_ = 0;
    Basis<double> q_, z_;
    Block<double> t_;  // Q^T Z
    Replacements replacements_;
};

}  // namespace svdkit
