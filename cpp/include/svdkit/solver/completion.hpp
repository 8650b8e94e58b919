// Weighted low-rank fit of single entries, and of matrices with missing ones: Z of rank at most k that minimises
//
//   F(Z) = 1/2 sum w_ij (a_ij - z_ij)^2 + penalty |Z|_*     over the cells, 0 < w_ij <= 1
//
// Without penalty this is NP-hard already for rank 1 (Gillis & Glineur, SIAM J. Matrix Anal. Appl. 32 (2011)): the
// answer is a stationary point. With a penalty and k large enough it is convex, and stationary means optimal.
//   als                alternating least squares in factors, rows and columns in turn; orthonormal where there is no
//                      penalty, balanced (Z = U s^1/2 s^1/2 V^T) where there is one; over-relaxed where sweeps are slow
//   em                 Z <- SVD_k(Z + W o (A - Z)), values shrunk by the penalty; one block power step in place of the
//                      SVD still lowers F
//   accelerated_em     the same with momentum; a step that raises F is taken back and repeated without
// F never rises. Without penalty, rows and columns with fewer than k cells are pulled to zero, by 1e-3 of their mean
// weight on each of all their entries; F includes it.
// Residuals in the report: max(|S v - penalty u|, |S^T u - penalty v|) / mean weight, S = W o (A - Z): zero where Z is
// stationary. Cost of a step, c cells: als 2 c (r^2 + 4 r) + (m + n) r^3 / 3 flops, em 8 c r; two reads of the cells.
// Papers: Srebro & Jaakkola, ICML 2003 (em); Mazumder, Hastie & Tibshirani, JMLR 11 (2010) (penalty); Hastie, Mazumder,
// Lee & Zadeh, JMLR 16 (2015) (als with penalty); O'Donoghue & Candes, Found. Comput. Math. 15 (2015) (restarts).
#pragma once

#include <vector>

#include "svdkit/base/monitor.hpp"
#include "svdkit/kernel/cells.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

enum class CompletionMethod { als, em, accelerated_em };

struct CompletionOptions {
    index_t k = 1;
    CompletionMethod method = CompletionMethod::als;
    double penalty = 0;
    double tol = 1e-6;             ///< of the residuals, relative to s[0]
    index_t max_iterations = 200;  ///< 0: the start itself, measured
    double longest_step = 1.9;     ///< of a half-sweep, of the way to its minimum: in [1, 2); 1: plain sweeps
    std::uint64_t seed = 0;        ///< of replacements for directions that are lost
    int threads = 0;               ///< 0: the default
};

/// Cells by rows and, transposed, by columns.
template <class T>
struct TwoSidedCells {
    const Cells<T>& by_rows;
    const Cells<T>& by_columns;
};

template <class T>
struct Completion {
    Result<T> result;             ///< at most k triplets, s > 0
    double loss = 0;              ///< sum w (a - z)^2
    double mean_weight = 0;       ///< over all m n entries
    std::vector<double> history;  ///< F at the start and after every step
    index_t restarts = 0;
    index_t pulled_rows = 0, pulled_cols = 0;
};

/// From Z = left right^T; m x r and n x r, r >= 1, r beyond k only for em.
template <class T>
Completion<T> complete(const TwoSidedCells<T>& cells, ConstPanel<T> left, ConstPanel<T> right,
                       const CompletionOptions& options, Monitor& monitor);

}  // namespace svdkit
