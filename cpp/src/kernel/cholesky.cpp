#include "svdkit/kernel/cholesky.hpp"

#include <algorithm>

#include "svdkit/base/threads.hpp"
#include "svdkit/blas/blas.hpp"

namespace svdkit {
namespace {

constexpr index_t kBlock = 256;  // columns at a time
constexpr index_t kRows = 128;   // rows of them that one product updates

}  // namespace

// BLAS is column-major: it sees C^T, whose upper triangle is the lower one of C, and U = L^T in it.
template <class T>
index_t cholesky(Panel<T> c) {
    const index_t n = c.rows, ld = c.ld;
    for (index_t k = 0; k < n; k += kBlock) {
        const index_t width = std::min(kBlock, n - k);
        const T* above = c.row(k);  // L_k, the finished part of this block's rows
        const auto rows_below = [&](index_t first, const auto& body) {
            const index_t rows = n - first, pieces = (rows + kRows - 1) / kRows;
            const double work =
                2.0 * static_cast<double>(rows) * static_cast<double>(width) * static_cast<double>(std::max(k, width));
            parallel_for(pieces, work, [&](index_t piece) {
                const index_t i = first + piece * kRows;
                body(i, std::min(kRows, n - i));
            });
        };
        if (k > 0) {
            rows_below(k, [&](index_t i, index_t count) {  // C_ik -= L_i L_k^H
                blas::gemm(blas::Op::adjoint, blas::Op::none, width, count, k, T(-1), above, ld, c.row(i), ld, T(1),
                           c.row(i) + k, ld);
            });
        }
        if (const int minor = lapack::potrf_upper(width, c.row(k) + k, ld); minor != 0) return k + minor;
        rows_below(k + width, [&](index_t i, index_t count) {  // C_ik L_kk^-H
            blas::trsm_upper(blas::Op::adjoint, width, count, c.row(k) + k, ld, c.row(i) + k, ld);
        });
    }
    for (index_t i = 0; i < n; ++i) std::fill(c.row(i) + i + 1, c.row(i) + n, T(0));
    return 0;
}

#define INSTANTIATE(T) template index_t cholesky<T>(Panel<T>);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
