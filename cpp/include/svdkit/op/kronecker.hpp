// The rearrangement R(A) of an (m1 m2) x (n1 n2) matrix, whose truncated SVD is the best sum of Kronecker products:
//
//   R(A)[(i1,j1),(i2,j2)] = A[i1 m2 + i2, j1 n2 + j2],   (m1 n1) x (m2 n2),   R(B kron C) = vec(B) vec(C)^T (by rows)
//
// R permutes entries, so |A - sum s_k B_k kron C_k|_F = |R(A) - sum s_k vec(B_k) vec(C_k)^T|_F. What R(A) is:
//
//   A dense            tiles of A in place (kernel/kronecker_pass.hpp), A itself under other strides where axes merge,
//                      or a copy in the order of R where tiles are thin or R is long and narrow
//   A sparse           its entries at other places: one CSR copy
//   A = sum p_t q_t^T  sum P_t kron Q_t, the columns read as matrices: op/kronecker_sum.hpp (so for Gram matrices of
//                      samples, (1/T) sum g_t g_t^H); and the other way round, R(sum B_t kron C_t) has low rank
//
// Cost: dense 2 m n b flops and one read of A for b vectors; sparse 2 nnz b; r products 2 r b times the smaller of
// m1 n2 (n1 + m2) and n1 m2 (m1 + n2) after exchanging the roles of n1 and m2.
// Paper: Van Loan & Pitsianis, Approximation with Kronecker products, in Linear Algebra for Large Scale and Real-Time
// Applications (1993); Van Loan, J. Comput. Appl. Math. 123 (2000).
#pragma once

#include <vector>

#include "svdkit/kernel/kronecker_pass.hpp"
#include "svdkit/kernel/spmm.hpp"
#include "svdkit/op/kronecker_shape.hpp"
#include "svdkit/op/operator.hpp"
#include "svdkit/op/sparse.hpp"

namespace svdkit {

/// R(A) of a dense A with a unit stride, in place.
template <class T>
class KroneckerDense final : public Operator<T> {
public:
    KroneckerDense(ConstView<T> a, const KroneckerShape& shape);

    index_t rows() const override { return shape_.left_size(); }
    index_t cols() const override { return shape_.right_size(); }
    void apply(ConstPanel<T> x, Panel<T> y) const override { kronecker_forward(tiles_, x, y); }
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override { kronecker_adjoint(tiles_, y, z); }
    void apply_gram(ConstPanel<T> x, Panel<T> y, Panel<T> z) const override;
    void apply_outer(ConstPanel<T> y, Panel<T> z, Panel<T> w) const override;
    int gram_passes() const override { return gram_is_fused(tiles_) ? 1 : 2; }
    int outer_passes() const override { return outer_is_fused(tiles_) ? 1 : 2; }
    OwnedOperator<T> scaled_copy(int exponent) const override;
    std::optional<double> max_abs() const override;
    std::optional<double> norm_fro() const override;
    OperatorCost cost() const override;

private:
    ConstView<T> a_;
    KroneckerShape shape_;
    KroneckerTiles<T> tiles_;
};

/// R(A) as it is best multiplied; the operator views `a`, or says in its note that it holds a copy.
template <class T, class S = T>
OwnedOperator<T> rearranged_dense(ConstView<S> a, const KroneckerShape& shape);

/// R(A) of a sparse A: a copy of the entries.
template <class T, class Index>
OwnedOperator<T> rearranged_sparse(const CsrView<T, Index>& compressed, Layout layout, const KroneckerShape& shape);

/// R(P diag(s) Q^H), or R(P diag(s) Q^T) with `conjugate_q` off; `s` may be empty. Factors that are not contiguous
/// along the rows of the matrices they stand for are copied.
template <class T>
OwnedOperator<T> rearranged_low_rank(ConstView<T> p, const std::vector<real_t<T>>& s, ConstView<T> q, bool conjugate_q,
                                     const KroneckerShape& shape);

}  // namespace svdkit
