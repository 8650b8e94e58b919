// One vector through a few rows of a matrix, compiled once per instruction-set level: what reductions to condensed form
// spend half their time in, bound by the reading of A (kernel/tridiagonal_form.hpp, kernel/bidiagonal.hpp).
//
//   forward  y_r += A_r x      adjoint  z += sum_r w_r A_r      both, in one read of A
//
// Rows are contiguous, `cols` a multiple of kSweepQuantum: callers keep zeros where a row ends before.
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit::detail {

inline constexpr index_t kSweepQuantum = 8;

template <class R>
struct SweepKernels {
    void (*forward)(const R* a, index_t lda, index_t rows, index_t cols, const R* x, R* y);
    /// Fetches the next `ahead` rows into the second-level cache meanwhile.
    void (*adjoint)(const R* a, index_t lda, index_t rows, index_t cols, const R* w, R* z, index_t ahead);
    void (*both)(const R* a, index_t lda, index_t rows, index_t cols, const R* x, R* y, const R* w, R* z);
};

template <class R>
const SweepKernels<R>& sweep_kernels();

}  // namespace svdkit::detail
