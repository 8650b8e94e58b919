// Thick-restart block Lanczos: the Golub-Kahan process, reorthogonalised on both sides, or its one-sided form.
//
//   A V = U B,   A^H U = V B^H + V_next R E^H        (E: the last block's columns)
//
// The SVD B = X diag(theta) Y^H gives Ritz triplets (U x_i, theta_i, V y_i) with residual |R x_i(last block)|. A full
// basis is contracted to the leading Ritz vectors and grown again (thick restart) until the wanted residuals are small;
// then they are measured with fresh products, and the run goes on, tighter, if they are not.
//
// One-sided (options.one_sided): the same Krylov space from A^H A V = V T + V_next R E^H, one read of A a step where
// the operator can share it, half the orthogonalisation, and a Rayleigh-Ritz step on A V at the end that squares
// nothing. It is given up for the two-sided process when a wanted value is too small beside |A| for its square to carry
// the digits, or when a measured residual says so.
//
// A block Krylov space sees at most b copies of a repeated value (b the block size). When b or more of the values found
// agree, missed copies are looked for by a run on what is left of A; what it finds joins a warm-started run.
//
// Works on the side with fewer columns (A^H when A is wide). Cost of a block step: two products with b vectors and
// 8 (m + n) j b flops for a basis of j vectors. Memory: (m + n)(p + b) for a basis of p.
// Papers: Golub & Kahan, SIAM J. Numer. Anal. 2 (1965); Golub, Luk & Overton, ACM TOMS 7 (1981); Baglama & Reichel,
// SIAM J. Sci. Comput. 27 (2005); Hernandez, Roman & Tomas, ETNA 31 (2008).
#pragma once

#include "svdkit/base/monitor.hpp"
#include "svdkit/solver/counted.hpp"
#include "svdkit/solver/options.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

/// Signs are not fixed, report.method and reason are left to the caller.
template <class T>
Result<T> lanczos(Counted<T>& a, const Options<T>& options, Monitor& monitor);

}  // namespace svdkit
