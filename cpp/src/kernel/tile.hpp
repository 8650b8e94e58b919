// One tile of A times a block, whatever the scalar: register tiles for real scalars, BLAS for complex ones.
#pragma once

#include "svdkit/blas/blas.hpp"
#include "svdkit/kernel/simd.hpp"

namespace svdkit::detail {

/// Block widths that the loops of kernel/simd.hpp take as they are.
inline constexpr index_t kWidthQuantum = 4;

/// Y (rows x b) += A (rows x cols) X (cols x b); all row-major.
template <class T>
void forward_tile(const T* a, index_t lda, index_t rows, index_t cols, const T* x, index_t ldx, T* y, index_t ldy,
                  index_t b, [[maybe_unused]] Ahead<T> ahead = {}) {
    if constexpr (is_complex<T>) {
        blas::gemm(blas::Op::none, blas::Op::none, b, rows, cols, T(1), x, ldx, a, lda, T(1), y, ldy);
    } else {
        tile_kernels<T>().forward(a, lda, rows, cols, x, ldx, y, ldy, b, ahead);
    }
}

/// Z (cols x b) += A^H Y (rows x b).
template <class T>
void adjoint_tile(const T* a, index_t lda, index_t rows, index_t cols, const T* y, index_t ldy, T* z, index_t ldz,
                  index_t b, [[maybe_unused]] Ahead<T> ahead = {}) {
    if constexpr (is_complex<T>) {
        blas::gemm(blas::Op::none, blas::Op::adjoint, b, cols, rows, T(1), y, ldy, a, lda, T(1), z, ldz);
    } else {
        tile_kernels<T>().adjoint(a, lda, rows, cols, y, ldy, z, ldz, b, ahead);
    }
}

}  // namespace svdkit::detail
