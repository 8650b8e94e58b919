// LAPACK's parts of dense reductions: reflectors, small reductions, and what divide and conquer is made of.
//
// Column-major and real, as in blas.hpp. The library's own loops (kernel/tridiagonal_form.hpp and its neighbours) run
// these inside fixed parts on several threads. Index arrays hold LAPACK's numbers, from 1.
#pragma once

#include "svdkit/blas/blas.hpp"

namespace svdkit::lapack {

/// How the vectors of a block of reflectors are stored.
enum class Stored : char { columns = 'C', rows = 'R' };

/// H = I - tau w w^T with w = (1, x') and H (alpha, x) = (beta, 0); alpha becomes beta, x becomes x'.
template <class R>
R larfg(index_t n, R& alpha, R* x, index_t stride);

/// T of H_1 ... H_k = I - V T V^T; V has `n` rows (or columns), the unit triangle is not read.
template <class R>
void larft(Stored stored, index_t n, index_t k, const R* v, index_t ldv, const R* tau, R* t, index_t ldt);

/// C <- (I - V op(T) V^T) C, C m x n; `work` holds n k numbers.
template <class R>
void larfb(blas::Op op, Stored stored, index_t m, index_t n, index_t k, const R* v, index_t ldv, const R* t,
           index_t ldt, R* c, index_t ldc, R* work);

/// QR of m x n (m >= n), recursive; A holds R and the reflectors, T (n x n) their block form.
template <class R>
void geqrt(index_t m, index_t n, R* a, index_t lda, R* t, index_t ldt);

/// Tridiagonal form of a symmetric matrix, lower triangle.
template <class R>
void sytrd(index_t n, R* a, index_t lda, R* d, R* e, R* tau);

/// Upper bidiagonal form of m x n, m >= n.
template <class R>
void gebrd(index_t m, index_t n, R* a, index_t lda, R* d, R* e, R* tau_q, R* tau_p);

/// Eigenvectors of a tridiagonal matrix, ascending: divide and conquer, QR iteration. Return info.
template <class R>
int stedc(index_t n, R* d, R* e, R* q, index_t ldq);
template <class R>
int steqr(index_t n, R* d, R* e, R* q, index_t ldq);

/// Singular vectors of a square upper bidiagonal matrix, descending, by QR iteration. Returns info.
int bdsqr(index_t n, double* d, double* e, double* u, index_t ldu, double* vt, index_t ldvt);

/// The same of n x (n + extra), extra 0 or 1, by divide and conquer, values in no order. Returns info.
int lasd0(index_t n, index_t extra, double* d, double* e, double* u, index_t ldu, double* vt, index_t ldvt);

/// What deflation leaves of a merge: poles and weights of the secular equation, vectors packed by kind of column.
template <class R>
struct Deflated {
    index_t count;          ///< K, order of the secular equation
    R rho;                  ///< its factor (eigenvalues only)
    R *poles, *weights;     ///< K
    std::int32_t* order;    ///< K: row order[i] of a secular vector meets packed column i
    std::int32_t kinds[4];  ///< columns that live above, in both halves, below; deflated
};

/// Deflation of an eigenvalue merge (n1 and n - n1): `z` is destroyed, `packed` is room for n^2 numbers,
/// `work` 4 n integers; `sorted` sorts both halves on entry.
template <class R>
Deflated<R> laed2(index_t n, index_t n1, R* d, R* q, index_t ldq, std::int32_t* sorted, R rho, R* z, R* room, R* packed,
                  std::int32_t* work);

/// Root i (from 0) of the secular equation; delta_j = pole_j - root. Returns info.
template <class R>
int laed4(index_t k, index_t i, const R* poles, const R* weights, R* delta, R rho, R& root);

/// What deflation leaves of a merge of two bidiagonal halves (nl x (nl + 1) above, nr x (nr + extra) below one row).
struct DeflatedSvd {
    index_t count;            ///< K
    double *poles, *weights;  ///< K
    double *left, *right;     ///< the packed vectors: columns of U2 (ld n), rows of VT2 (ld n + extra), the first apart
    std::int32_t* order;      ///< K: row order[i] of a secular vector meets packed vector i
    std::int32_t kinds[4];    ///< vectors that live above, below, in both halves; deflated
};

/// Deflation of a singular value merge, n = nl + 1 + nr. `room` holds 2 n + 1 numbers, `left` n^2, `right`
/// (n + extra)^2, `work` 4 n integers.
DeflatedSvd lasd2(index_t nl, index_t nr, index_t extra, double* d, double alpha, double beta, double* u, index_t ldu,
                  double* vt, index_t ldvt, std::int32_t* sorted, double* room, double* left, double* right,
                  std::int32_t* work);

/// Root i (from 0); delta_j = pole_j - root, sum_j = pole_j + root. Weights have norm one. Returns info.
int lasd4(index_t k, index_t i, const double* poles, const double* weights, double* delta, double rho, double& root,
          double* sum);

}  // namespace svdkit::lapack
