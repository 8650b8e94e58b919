// Sparse block pass: a CSR matrix times a block of vectors, its adjoint, and both in one read.
//
//   Y = A X (gather), Z = A^H Y (scatter into private panels, added in fixed order), fused: row by row.
// Rows are cut into parts of about equal nonzeros that depend on the matrix alone, so the bits of the result
// do not depend on the number of threads.
// Cost: 2 nnz b flops a product; one read of values and indices; the adjoint keeps parts x n x b private sums.
#pragma once

#include <vector>

#include "svdkit/base/view.hpp"

namespace svdkit {

template <class T, class Index>
struct CsrView {
    const Index* row_pointers = nullptr;  ///< rows + 1
    const Index* columns = nullptr;       ///< nnz, any order, duplicates add up
    const T* values = nullptr;            ///< nnz
    index_t rows = 0;
    index_t cols = 0;

    index_t nnz() const { return rows ? static_cast<index_t>(row_pointers[rows]) : 0; }
};

/// First rows of the parts, and the end: parts + 1 entries.
using CsrPartition = std::vector<index_t>;

/// Cuts the rows into parts of equal nonzeros.
template <class T, class Index>
CsrPartition partition_rows(const CsrView<T, Index>& a);

/// Throws InvalidArgument when row pointers decrease or a column index is out of range.
template <class T, class Index>
void check_structure(const CsrView<T, Index>& a);

template <class T, class Index>
void spmm(const CsrView<T, Index>& a, const CsrPartition& partition, ConstPanel<T> x, Panel<T> y);

template <class T, class Index>
void spmm_adjoint(const CsrView<T, Index>& a, const CsrPartition& partition, ConstPanel<T> y, Panel<T> z);

template <class T, class Index>
void spmm_gram(const CsrView<T, Index>& a, const CsrPartition& partition, ConstPanel<T> x, Panel<T> y, Panel<T> z);

}  // namespace svdkit
