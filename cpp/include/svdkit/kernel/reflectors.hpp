// A product of Householder reflectors applied to vectors, blocked: C <- H_1 H_2 ... H_k C.
//
// The triangular factors of the blocks are made once, in parallel; every strip of C is then the work of one thread.
// Cost: 4 m k flops a vector, matrix products. Schreiber & Van Loan (1989), A storage-efficient WY representation for
// products of Householder transformations, SIAM J. Sci. Stat. Comput. 10.
#pragma once

#include "svdkit/base/buffer.hpp"
#include "svdkit/blas/condensed.hpp"

namespace svdkit {

template <class R>
class Reflectors {
public:
    /// Vector i has its one at position i + shift of m; V as LAPACK's reductions leave it, column-major, at vector 0's.
    Reflectors(lapack::Stored stored, const R* v, index_t ldv, const R* tau, index_t count, index_t shift, index_t m);

    /// Column-major, `cols` vectors of m; the caller's thread alone.
    void apply(R* c, index_t ldc, index_t cols) const;

private:
    const R* block(index_t first) const;

    lapack::Stored stored_;
    const R* v_;
    index_t ldv_, count_, shift_, m_;
    Buffer<R> factors_;
};

}  // namespace svdkit
