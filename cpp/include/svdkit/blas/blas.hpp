// BLAS and LAPACK, the only place that knows their names.
//
// Column-major, overloaded on the scalar, 64-bit extents checked against the 32-bit integers of the
// library. BLAS runs on one thread always: we call it on small matrices and on fixed tiles inside our own
// parallel loops, so results do not depend on the number of threads and two pools never fight.
#pragma once

#include <string>

#include "svdkit/base/types.hpp"

namespace svdkit::blas {

enum class Op : char { none = 'N', transpose = 'T', adjoint = 'C' };

/// C = alpha op(A) op(B) + beta C; C is m x n, the inner dimension k. Flops: 2 m n k (complex: 8 m n k).
template <class T>
void gemm(Op op_a, Op op_b, index_t m, index_t n, index_t k, T alpha, const T* a, index_t lda, const T* b, index_t ldb,
          T beta, T* c, index_t ldc);

/// X = op(U)^-1 B in place of B (m x n), U upper triangular (m x m). Flops: m^2 n (complex: 4 times that).
template <class T>
void trsm_upper(Op op, index_t m, index_t n, const T* u, index_t ldu, T* b, index_t ldb);

/// Name and version of the library, for show_config.
std::string config();

}  // namespace svdkit::blas

namespace svdkit::lapack {

/// Thin SVD A = U diag(s) Vh (A m x n is destroyed; p = min(m, n); U m x p, Vh p x n). Divide and conquer;
/// returns LAPACK's info: 0, or > 0 when it did not converge.
template <class T>
int gesdd(index_t m, index_t n, T* a, index_t lda, real_t<T>* s, T* u, index_t ldu, T* vh, index_t ldvh);

/// The same by QR iteration: slower, but converges where divide and conquer fails.
template <class T>
int gesvd(index_t m, index_t n, T* a, index_t lda, real_t<T>* s, T* u, index_t ldu, T* vh, index_t ldvh);

/// Singular values only (A is destroyed).
template <class T>
int gesdd_values(index_t m, index_t n, T* a, index_t lda, real_t<T>* s);

/// A = U^H U of a Hermitian matrix, upper triangle read and replaced by U; returns 0, or the order j > 0 of the leading
/// minor that is not positive.
template <class T>
int potrf_upper(index_t n, T* a, index_t lda);

/// Eigenvalues (ascending, in w) and, if asked for, eigenvectors (in A, destroyed else) of a Hermitian matrix, lower
/// triangle read.
template <class T>
int heevd(index_t n, T* a, index_t lda, real_t<T>* w, bool vectors = true);

/// Z <- Q Z (n x count), for the Q that detail::tridiagonalise leaves in A and `reflectors`. 2 n^2 count flops. Double
/// precision only.
void apply_tridiagonaliser(index_t n, index_t count, const double* a, index_t lda, const double* reflectors, double* z,
                           index_t ldz);

/// Eigenvalues of a symmetric tridiagonal matrix, ascending, in `diagonal`; `beside` is destroyed. Returns LAPACK's
/// info. Double precision only.
int tridiagonal_eigenvalues(index_t n, double* diagonal, double* beside);

/// Cholesky factorisation with diagonal pivoting of a symmetric matrix, lower triangle: P^T A P = L L^T as far as
/// pivots exceed `floor`. `order` receives n column numbers from 0; returns the rank. Double precision only.
index_t pivoted_cholesky(index_t n, double* a, index_t lda, index_t* order, double floor);

/// L <- L^-1 for a lower triangular matrix without zeros on its diagonal. Double precision only.
void inverse_lower(index_t n, double* a, index_t lda);

/// A <- A^-1 by LU with partial pivoting; returns info > 0 when a pivot is exactly zero. Double precision only.
int inverse(index_t n, double* a, index_t lda);

}  // namespace svdkit::lapack
