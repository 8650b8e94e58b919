// Principal component pursuit: a matrix as low rank plus sparse, by augmented Lagrangians, with a proof of the optimum.
//
//   min |L|_* + lambda |S|_1   subject to   L + S = M on the observed cells
//
//   L <- U (Sigma - 1/mu)_+ V^T of W = M - S + Y / mu      the leading triplets (solver/tsvd.hpp), started from the
//   last S <- soft(M - L + Y / mu, lambda / mu),  Y <- Y + mu (M - L - S)          one pass (kernel/shrink_pass.hpp)
//
// Every Y has |Y_ij| <= lambda, so <M, Y> / max(1, |Y|_2) is below the optimum, and |L|_* + lambda |M - L|_1 is above
// it: their distance certifies the answer. Two ways to move the penalty mu:
//   balanced  while it keeps primal and dual residual together: goes to the optimum [1]
//   growing   mu <- 1.5 mu, "inexact ALM" [2]: feasible soon, but what it stops at need not be optimal when there is
//             noise; the gap says by how much
// Cost of an iteration: a truncated SVD of the rank of L, m n (2 r + 20) flops and 5 m n numbers of traffic. Memory: W
// and Y, 2 m n numbers; L stays in factors. Papers: Candes, Li, Ma & Wright, J. ACM 58 (2011); [1] Boyd et al., Found.
// Trends Mach. Learn. 3 (2011), section 3.4.1; [2] Lin, Chen & Ma, arXiv 1009.5055 (2010).
#pragma once

#include "svdkit/base/monitor.hpp"
#include "svdkit/base/view.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

enum class Penalty { balanced, growing };

struct PcpOptions {
    double lambda = 0;  ///< 0: 1 / sqrt(max(m, n))
    Penalty penalty = Penalty::balanced;
    double tol = 0;  ///< of |M - L - S|_F / |M|_F and of the relative gap; 0: 1e-5, in single precision 1e-4
    index_t max_iterations = 1000;
    double max_abs = 0;  ///< largest observed |m_ij|; 0: looked up
    std::uint64_t seed = 0;
    int threads = 0;  ///< 0: the default
};

/// What proves how good an answer is. All values are in the units of M.
struct PcpCertificate {
    double primal_residual = 0;  ///< |M - L - S|_F / |M|_F
    double objective = 0;        ///< |L|_* + lambda |M - L|_1: not below the optimum
    double bound = 0;            ///< <M, Y> / max(1, |Y|_2): not above it
    double gap() const { return objective > 0 ? (objective - bound) / objective : 0; }
};

template <class T>
struct PcpResult {
    Result<T> low_rank;  ///< L; residuals are max(|Y v - u|, |Y^T u - v|), which vanish at the optimum
    Block<T> sparse;     ///< S: m x n, or n x m with `transposed`; 0 where M is not observed
    bool transposed = false;
    double lambda = 0;
    index_t nonzeros = 0;  ///< of S
    PcpCertificate certificate;
};

/// Real scalars. NaN in M: a cell that is not observed.
template <class T>
PcpResult<T> pcp(ConstView<T> m, const PcpOptions& options, Monitor& monitor);

}  // namespace svdkit
