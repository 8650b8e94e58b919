// Instruction-set levels: the innermost loops are compiled once per level and chosen when the library is loaded.
//
//   generic  any processor (x86-64-v2 on x86)      v3  AVX2 + FMA      v4  AVX-512
// The environment variable SVDKIT_SIMD=generic|v3|v4 lowers the level (never raises it), for tests.
#pragma once

#include <string>
#include <vector>

#include "svdkit/base/half.hpp"
#include "svdkit/base/types.hpp"
#include "svdkit/kernel/cell_list.hpp"
#include "svdkit/kernel/median_tile.hpp"
#include "svdkit/kernel/robust_tile.hpp"
#include "svdkit/kernel/shrink_tile.hpp"
#include "svdkit/kernel/sweep.hpp"
#include "svdkit/kernel/tridiagonal.hpp"
#include "svdkit/kernel/twisted.hpp"

namespace svdkit {

/// Name of the level in use.
std::string simd_level();

/// The levels this processor can run, lowest first.
std::vector<std::string> simd_levels();

/// Changes the level of this process (tests and benches); InvalidArgument when the processor lacks it.
void set_simd_level(const std::string& name);

namespace detail {

/// A tile of the same shape as the one at work, to be fetched into the second-level cache meanwhile: all of it, or the
/// upper or lower half of the rows of every register tile. A core's bandwidth is small: the fetching must be spread
/// evenly.
template <class T>
struct Ahead {
    enum class Rows { all, upper, lower };
    const T* tile = nullptr;  ///< null: nothing
    Rows rows = Rows::all;
};

/// Products with one tile of a row-major matrix. b must be a multiple of 4.
template <class T>
struct TileKernels {
    /// Y (rows x b) += A (rows x cols) X (cols x b)
    void (*forward)(const T* a, index_t lda, index_t rows, index_t cols, const T* x, index_t ldx, T* y, index_t ldy,
                    index_t b, Ahead<T> ahead);
    /// Z (cols x b) += A^T Y (rows x b)
    void (*adjoint)(const T* a, index_t lda, index_t rows, index_t cols, const T* y, index_t ldy, T* z, index_t ldz,
                    index_t b, Ahead<T> ahead);
};

/// `count` numbers in the next wider type.
struct WidenKernels {
    void (*float16)(const Float16* from, index_t count, float* to);
    void (*bfloat16)(const BFloat16* from, index_t count, float* to);
    void (*float32)(const float* from, index_t count, double* to);
};

/// Raises max_abs to the largest |x_i|; a NaN or infinity makes `poison` NaN.
struct ScanKernels {
    void (*f32)(const float* x, index_t count, double& max_abs, double& poison);
    void (*f64)(const double* x, index_t count, double& max_abs, double& poison);
};

void scan_row(const float* x, index_t count, double& max_abs, double& poison);
void scan_row(const double* x, index_t count, double& max_abs, double& poison);

void widen_row(const Float16* from, index_t count, float* to);
void widen_row(const BFloat16* from, index_t count, float* to);
void widen_row(const float* from, index_t count, double* to);

/// Products with rows [first, last) of a CSR matrix. b must be a multiple of 4.
template <class T, class Index>
struct CsrKernels {
    /// Y = A X on these rows
    void (*forward)(const Index* pointers, const Index* columns, const T* values, index_t first, index_t last,
                    const T* x, index_t ldx, T* y, index_t ldy, index_t b);
    /// Z += A^T Y of these rows
    void (*adjoint)(const Index* pointers, const Index* columns, const T* values, index_t first, index_t last,
                    const T* y, index_t ldy, T* z, index_t ldz, index_t b);
    /// both, row by row
    void (*gram)(const Index* pointers, const Index* columns, const T* values, index_t first, index_t last, const T* x,
                 index_t ldx, T* y, index_t ldy, T* z, index_t ldz, index_t b);
};

/// Products with the entries of one tile of a sparse matrix: values and places, row * 2^16 + column. b as above.
template <class T>
struct EntryKernels {
    /// Y += A X
    void (*forward)(const std::uint32_t* places, const T* values, index_t count, const T* x, index_t ldx, T* y,
                    index_t ldy, index_t b);
    /// Z += A^T Y
    void (*adjoint)(const std::uint32_t* places, const T* values, index_t count, const T* y, index_t ldy, T* z,
                    index_t ldz, index_t b);
};

/// Y = S X on some rows of listed cells, S the weighted residual of a fit (kernel/cells.hpp). Its width fills whole
/// cache lines, b is a multiple of 4.
template <class T>
struct CellRowsIn {
    const CellList<T>* cells;
    const T *left, *right, *left_before, *right_before;  // the last two null without momentum
    index_t ld_left, ld_right, ld_left_before, ld_right_before, width;
    T beta;
    const T* x;
    index_t ldx;
    T* y;
    index_t ldy, b;
};

/// The normal equations of one row l: cells p with a_p, w_p and the rows q_p of N.
template <class T>
struct NormalRow {
    static constexpr index_t kChunk = 64;
    const std::int32_t* columns;
    const T* values;
    const T* weights;  // null: all one
    index_t count;
    index_t readable;  // columns[0..readable): those of cells further on are fetched early
    CellUnits units;
    const T* right;  // N
    index_t ld_right;
    const double* start;  // l, filled up with zeros to ld numbers
    index_t r;
    index_t ld;     // r rounded up to a multiple of 8
    double* panel;  // scratch, kChunk ld
    double* gram;   // ld x ld: += sum w q q^T, the lower triangle
    double* g;      // ld: += sum w (a - l q) q
};

/// Systems that are solved side by side: number i of every matrix and vector lies in lane i of kSystems.
inline constexpr index_t kSystems = 8;

template <class T>
struct CellKernels {
    /// Rows [first, last); returns their loss.
    double (*multiply)(const CellRowsIn<T>& in, index_t first, index_t last);
    /// The entries of S in the order of the cells; b is 0.
    void (*residuals)(const CellRowsIn<T>& in, index_t first, index_t last, float* out);
    /// Returns the loss of the row.
    double (*add_normal)(const NormalRow<T>& row);
    /// x = G^-1 g for kSystems matrices: rows a = 0..r-1 of [G g], columns a..r, one after the other (destroyed);
    /// scratch 2 r, x r. Bit i of the answer: system i is positive definite, and solved.
    unsigned (*solve_normal)(double* rows, index_t r, double* scratch, double* x);
};

template <class T>
const TileKernels<T>& tile_kernels();
template <class T>
const CellKernels<T>& cell_kernels();
template <class T, class Index>
const CsrKernels<T, Index>& csr_kernels();
template <class T>
const EntryKernels<T>& entry_kernels();

/// What one instruction-set level provides.
struct Level {
    const char* name;
    TileKernels<float> tile_f32;
    TileKernels<double> tile_f64;
    WidenKernels widen;
    ScanKernels scan;
    CsrKernels<float, std::int32_t> csr_f32_i32;
    CsrKernels<float, std::int64_t> csr_f32_i64;
    CsrKernels<double, std::int32_t> csr_f64_i32;
    CsrKernels<double, std::int64_t> csr_f64_i64;
    EntryKernels<float> entry_f32;
    EntryKernels<double> entry_f64;
    CellKernels<float> cells_f32;
    CellKernels<double> cells_f64;
    const RobustKernels<float>* robust_f32;
    const RobustKernels<double>* robust_f64;
    const ShrinkKernels* shrink;
    const MedianKernels<float>* median_f32;
    const MedianKernels<double>* median_f64;
    const SweepKernels<float>* sweep_f32;
    const SweepKernels<double>* sweep_f64;
    const TwistedKernels* twisted;
    const TridiagonalKernels* tridiagonal;
};

}  // namespace detail
}  // namespace svdkit
