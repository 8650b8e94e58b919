// Products with sum_t s_t B_t kron C_t, never formed: B_t is m1 x n1, C_t is m2 x n2.
//
//   (B kron C) x = vec(B X C^T),   X = x as an n1 x n2 matrix, by rows
//
// For a block, one factor is applied to its n2 b wide rows, the other to the n2 x b matrix in each of them, both by the
// register tiles of kernel/simd.hpp (BLAS for complex scalars), in the order that costs less. Outputs are cut into
// parts that no other part writes: the same bits for any number of threads. Cost for b vectors and r terms: 2 r b
// min(m1 n2 (n1 + m2), n1 m2 (m1 + n2)) flops; a dense matrix takes 2 m n b. Memory: 64 vectors, and for every part at
// work its rows of 64 outputs and an intermediate of about that size. Paper: Van Loan, The ubiquitous Kronecker
// product, J. Comput. Appl. Math. 123 (2000).
#pragma once

#include <vector>

#include "svdkit/base/view.hpp"

namespace svdkit {

/// `count` matrices of one size, any strides.
template <class T>
struct KroneckerTerms {
    const T* data = nullptr;
    index_t count = 0, rows = 1, cols = 1;
    index_t stride = 0, row_stride = 1, col_stride = 1;

    const T* term(index_t t) const { return data + t * stride; }
    ConstView<T> view(index_t t) const { return {term(t), rows, cols, row_stride, col_stride}; }
};

/// How a product is taken: in is q1 q2 x b, out is p1 p2 x b.
struct KroneckerPlan {
    bool adjoint, left_first;
    index_t p1, p2, q1, q2;
    double flops;  ///< of one term and vector, real scalars
};

template <class T>
KroneckerPlan kronecker_plan(const KroneckerTerms<T>& left, const KroneckerTerms<T>& right, bool adjoint);

/// out = sum_t s_t (B_t kron C_t) in, or with the adjoint of the sum. Rows of all terms are contiguous (col_stride 1,
/// row_stride >= cols); `weights` may be empty: ones.
template <class T>
void kronecker_multiply(const KroneckerPlan& plan, const KroneckerTerms<T>& left, const std::vector<real_t<T>>& weights,
                        const KroneckerTerms<T>& right, ConstPanel<T> in, Panel<T> out);

}  // namespace svdkit
