// A product of Householder reflectors applied to vectors, blocked: C <- H_1 H_2 ... H_k C.
//
// The triangular factors of the blocks are made once, in parallel; every strip of C is then the work of one thread.
// Those of a QR come from the factorisation: panels by recursion on one thread, what is right of them in strips on all.
// Cost: 4 m k flops a vector, matrix products; 2 n^2 (m - n / 3) for the QR. Schreiber & Van Loan (1989), A
// storage-efficient WY representation for products of Householder transformations, SIAM J. Sci. Stat. Comput. 10.
#pragma once

#include "svdkit/base/buffer.hpp"
#include "svdkit/blas/condensed.hpp"

namespace svdkit {

template <class R>
class Reflectors {
public:
    /// Vector i has its one at position i + shift of m; V as LAPACK's reductions leave it, column-major, at vector 0's.
    Reflectors(lapack::Stored stored, const R* v, index_t ldv, const R* tau, index_t count, index_t shift, index_t m);

    /// QR of m x n (m >= n), column-major: A holds R and, as long as this lives, the reflectors.
    static Reflectors factor(index_t m, index_t n, R* a, index_t lda);

    /// Column-major, `cols` vectors of m; the caller's thread alone.
    void apply(R* c, index_t ldc, index_t cols) const;

private:
    Reflectors(const R* v, index_t ldv, index_t count, index_t m);
    R* factors(index_t first) const { return factors_.data() + first * kBlock; }
    const R* block(index_t first) const;

    static constexpr index_t kBlock = 64;

    lapack::Stored stored_;
    const R* v_;
    index_t ldv_, count_, shift_, m_;
    Buffer<R> factors_;
};

}  // namespace svdkit
