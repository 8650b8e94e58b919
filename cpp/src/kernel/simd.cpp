#include "svdkit/kernel/simd.hpp"

#include <atomic>
#include <cstdlib>

#include "svdkit/base/error.hpp"

namespace svdkit {
namespace detail {

namespace generic {
extern const Level level;
}
#ifdef SVDKIT_X86_LEVELS
namespace v3 {
extern const Level level;
}
namespace v4 {
extern const Level level;
}
#endif

namespace {

std::vector<const Level*> runnable_levels() {
    std::vector<const Level*> levels = {&generic::level};
#ifdef SVDKIT_X86_LEVELS
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v3")) levels.push_back(&v3::level);
    if (__builtin_cpu_supports("x86-64-v4")) levels.push_back(&v4::level);
#endif
    return levels;
}

const Level* find_level(const std::string& name) {
    for (const Level* level : runnable_levels()) {
        if (name == level->name) return level;
    }
    return nullptr;
}

std::atomic<const Level*>& current() {
    static std::atomic<const Level*> level = [] {
        const char* asked = std::getenv("SVDKIT_SIMD");
        const Level* found = asked ? find_level(asked) : nullptr;
        return found ? found : runnable_levels().back();
    }();
    return level;
}

}  // namespace

template <>
const TileKernels<float>& tile_kernels<float>() {
    return current().load(std::memory_order_relaxed)->tile_f32;
}
template <>
const TileKernels<double>& tile_kernels<double>() {
    return current().load(std::memory_order_relaxed)->tile_f64;
}
template <>
const CellKernels<float>& cell_kernels<float>() {
    return current().load(std::memory_order_relaxed)->cells_f32;
}
template <>
const CellKernels<double>& cell_kernels<double>() {
    return current().load(std::memory_order_relaxed)->cells_f64;
}
template <>
const CsrKernels<float, std::int32_t>& csr_kernels<float, std::int32_t>() {
    return current().load(std::memory_order_relaxed)->csr_f32_i32;
}
template <>
const CsrKernels<float, std::int64_t>& csr_kernels<float, std::int64_t>() {
    return current().load(std::memory_order_relaxed)->csr_f32_i64;
}
template <>
const CsrKernels<double, std::int32_t>& csr_kernels<double, std::int32_t>() {
    return current().load(std::memory_order_relaxed)->csr_f64_i32;
}
template <>
const CsrKernels<double, std::int64_t>& csr_kernels<double, std::int64_t>() {
    return current().load(std::memory_order_relaxed)->csr_f64_i64;
}
template <>
const RobustKernels<float>& robust_kernels<float>() {
    return *current().load(std::memory_order_relaxed)->robust_f32;
}
template <>
const RobustKernels<double>& robust_kernels<double>() {
    return *current().load(std::memory_order_relaxed)->robust_f64;
}

template <>
const EntryKernels<float>& entry_kernels<float>() {
    return current().load(std::memory_order_relaxed)->entry_f32;
}
template <>
const EntryKernels<double>& entry_kernels<double>() {
    return current().load(std::memory_order_relaxed)->entry_f64;
}

template <>
const MedianKernels<float>& median_kernels<float>() {
    return *current().load(std::memory_order_relaxed)->median_f32;
}
template <>
const MedianKernels<double>& median_kernels<double>() {
    return *current().load(std::memory_order_relaxed)->median_f64;
}

template <>
const SweepKernels<float>& sweep_kernels<float>() {
    return *current().load(std::memory_order_relaxed)->sweep_f32;
}
template <>
const SweepKernels<double>& sweep_kernels<double>() {
    return *current().load(std::memory_order_relaxed)->sweep_f64;
}

void shrink_row(const float* m, const float* l, index_t count, const ShrinkStep<float>& step, float* w, float* y,
                ShrinkSums& sums) {
    current().load(std::memory_order_relaxed)->shrink->f32(m, l, count, step, w, y, sums);
}
void shrink_row(const double* m, const double* l, index_t count, const ShrinkStep<double>& step, double* w, double* y,
                ShrinkSums& sums) {
    current().load(std::memory_order_relaxed)->shrink->f64(m, l, count, step, w, y, sums);
}

void twisted_vectors(const double* diagonal, const double* beside, index_t n, const double* values, double smallest,
                     double* room, double* z) {
    current().load(std::memory_order_relaxed)->twisted->vectors(diagonal, beside, n, values, smallest, room, z);
}

void tridiagonalise(double* a, index_t lda, index_t n, double* diagonal, double* beside, double* reflectors,
                    double* room) {
    current().load(std::memory_order_relaxed)->tridiagonal->reduce(a, lda, n, diagonal, beside, reflectors, room);
}

void scan_row(const float* x, index_t count, double& max_abs, double& poison) {
    current().load(std::memory_order_relaxed)->scan.f32(x, count, max_abs, poison);
}
void scan_row(const double* x, index_t count, double& max_abs, double& poison) {
    current().load(std::memory_order_relaxed)->scan.f64(x, count, max_abs, poison);
}
void widen_row(const Float16* from, index_t count, float* to) {
    current().load(std::memory_order_relaxed)->widen.float16(from, count, to);
}
void widen_row(const BFloat16* from, index_t count, float* to) {
    current().load(std::memory_order_relaxed)->widen.bfloat16(from, count, to);
}
void widen_row(const float* from, index_t count, double* to) {
    current().load(std::memory_order_relaxed)->widen.float32(from, count, to);
}

}  // namespace detail

std::string simd_level() { return detail::current().load(std::memory_order_relaxed)->name; }

std::vector<std::string> simd_levels() {
    std::vector<std::string> names;
    for (const detail::Level* level : detail::runnable_levels()) names.emplace_back(level->name);
    return names;
}

void set_simd_level(const std::string& name) {
    const detail::Level* level = detail::find_level(name);
    if (!level) {
        throw InvalidArgument("simd level '" + name + "' cannot run on this processor; see simd_levels()");
    }
    detail::current().store(level, std::memory_order_relaxed);
}

}  // namespace svdkit
