// Compressed sparse matrix, in place: CSR, and CSC as the adjoint view of a CSR matrix.
//
// Indices are 32- or 64-bit, in any order; duplicate entries add up, as in SciPy. A CSC matrix is stored as the CSR of
// its transpose, so both are one class.
// Cost of a product with b vectors: 2 nnz b flops, one read of the entries and indices.
#pragma once

#include <mutex>

#include "svdkit/kernel/entry_tiles.hpp"
#include "svdkit/kernel/spmm.hpp"
#include "svdkit/op/operator.hpp"

namespace svdkit {

enum class Layout { csr, csc };

template <class T, class Index>
class Sparse final : public Operator<T> {
public:
    /// For Layout::csc, `compressed` holds the columns: it is the CSR form of the transpose.
    Sparse(CsrView<T, Index> compressed, Layout layout);

    index_t rows() const override { return layout_ == Layout::csr ? a_.rows : a_.cols; }
    index_t cols() const override { return layout_ == Layout::csr ? a_.cols : a_.rows; }
    void apply(ConstPanel<T> x, Panel<T> y) const override;
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override;
    void apply_gram(ConstPanel<T> x, Panel<T> y, Panel<T> z) const override;
    void apply_outer(ConstPanel<T> y, Panel<T> z, Panel<T> w) const override;
    int gram_passes() const override { return layout_ == Layout::csr ? 1 : 2; }
    int outer_passes() const override { return layout_ == Layout::csc ? 1 : 2; }
    OwnedOperator<T> scaled_copy(int exponent) const override;
    OwnedOperator<T> rearranged(const KroneckerShape& shape) const override;
    std::optional<double> max_abs() const override;
    std::optional<double> norm_fro() const override;
    OperatorCost cost() const override;
    std::string note() const override;

private:
    /// The two directions of the compressed matrix.
    void along(ConstPanel<T> x, Panel<T> y) const;
    void across(ConstPanel<T> y, Panel<T> z) const;
    void both(ConstPanel<T> x, Panel<T> y, Panel<T> z) const;
    const EntryTiles<real_t<T>>* tiles() const;

    CsrView<T, Index> a_;
    Layout layout_;
    CsrPartition partition_;
    mutable std::once_flag cut_;  // the tiles are made when the first product needs them
    mutable std::unique_ptr<EntryTiles<real_t<T>>> tiles_;
};

}  // namespace svdkit
