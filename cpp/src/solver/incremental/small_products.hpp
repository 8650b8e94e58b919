// Products of small row-major matrices by BLAS, on one thread.
#pragma once

#include "svdkit/base/buffer.hpp"
#include "svdkit/blas/blas.hpp"

namespace svdkit::detail {

/// C = alpha A B + beta C.
inline void multiply(ConstPanel<double> a, ConstPanel<double> b, Panel<double> c, double alpha = 1, double beta = 0) {
    if (c.rows == 0 || c.cols == 0) return;
    blas::gemm(blas::Op::none, blas::Op::none, c.cols, c.rows, a.cols, alpha, b.data, b.ld, a.data, a.ld, beta, c.data,
               c.ld);
}

inline Block<double> product(ConstPanel<double> a, ConstPanel<double> b) {
    Block<double> c(a.rows, b.cols);
    multiply(a, b, c);
    return c;
}

/// A^T B.
inline Block<double> adjoint_product(ConstPanel<double> a, ConstPanel<double> b) {
    Block<double> c(a.cols, b.cols);
    if (c.rows() == 0 || c.cols() == 0) return c;
    blas::gemm(blas::Op::none, blas::Op::transpose, b.cols, a.cols, a.rows, 1.0, b.data, b.ld, a.data, a.ld, 0.0,
               c.data(), c.ld());
    return c;
}

/// A B^T.
inline Block<double> product_with_adjoint(ConstPanel<double> a, ConstPanel<double> b) {
    Block<double> c(a.rows, b.rows);
    if (c.rows() == 0 || c.cols() == 0) return c;
    blas::gemm(blas::Op::transpose, blas::Op::none, b.rows, a.rows, a.cols, 1.0, b.data, b.ld, a.data, a.ld, 0.0,
               c.data(), c.ld());
    return c;
}

/// H -= C C^T.
inline void subtract_outer(ConstPanel<double> c, Panel<double> h) {
    if (c.rows == 0 || c.cols == 0) return;
    blas::gemm(blas::Op::transpose, blas::Op::none, c.rows, c.rows, c.cols, -1.0, c.data, c.ld, c.data, c.ld, 1.0,
               h.data, h.ld);
}

inline Block<double> identity(index_t size) {
    Block<double> eye(size, size);
    for (index_t i = 0; i < size; ++i) eye(i, i) = 1;
    return eye;
}

inline bool is_identity(const Block<double>& a) {
    for (index_t i = 0; i < a.rows(); ++i)
        for (index_t j = 0; j < a.cols(); ++j)
            if (a(i, j) != (i == j ? 1.0 : 0.0)) return false;
    return true;
}

}  // namespace svdkit::detail
