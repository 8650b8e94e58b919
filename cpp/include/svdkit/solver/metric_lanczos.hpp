// Leading triplets of A between metrics that are known by their products only: block Krylov with thick restart.
//
//   H = A C A^H R is self-adjoint in the inner product x^H R y,   H u = s^2 u,   v = A^H R u / s:
//   A C v = s u,   A^H R u = s v,   U^H R U = I,   V^H C V = I
//
// R (rows) and C (columns) are Hermitian and positive semidefinite, also singular; identities where none are given. A
// basis Q with Q^H R Q = I grows by blocks of H Q and is cut back to Ritz vectors. Values appear squared: those below
// 1e-7 s_1 (single precision: sqrt of its epsilon) cannot be told from zero and are not returned, so that fewer than k
// triplets may come back. Cost of a step: b vectors times A, C, A^H and (with R) R three times, 8 m b p flops for a
// basis of p; memory 2 m p (3 m p with R). Papers: G. I. Allen, L. Grosenick and J. Taylor, J. Amer. Statist. Assoc.
// 109 (2014), the power iteration that this accelerates; Y. Zhou and Y. Saad, Numer. Algorithms 47 (2008), block
// Krylov-Schur.
#pragma once

#include "svdkit/base/monitor.hpp"
#include "svdkit/op/operator.hpp"
#include "svdkit/solver/options.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

template <class T>
struct Metrics {
    const Operator<T>* rows = nullptr;  ///< R, m x m
    const Operator<T>* cols = nullptr;  ///< C, n x n
};

/// Of the options: k, tol, block_size, max_passes, max_abs, seed, threads. report.residuals: |A C v - s u| in the norm
/// of R, from fresh products.
template <class T>
Result<T> metric_lanczos(const Operator<T>& a, const Metrics<T>& metrics, const Options<T>& options, Monitor& monitor);

/// Its search alone: U, s and the residuals that the iteration saw, V empty. For a caller who takes U on in higher
/// precision: the search also ends where rounding keeps residuals above `tol`.
template <class T>
Result<T> metric_search(const Operator<T>& a, const Metrics<T>& metrics, const Options<T>& options, Monitor& monitor);

}  // namespace svdkit
