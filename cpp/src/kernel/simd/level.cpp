// Compiled once per instruction-set level, with SVDKIT_LEVEL as its name: the table of that level's loops.
#include "cell_rows.hpp"
#include "csr_rows.hpp"
#include "median_level.hpp"
#include "normal_equations.hpp"
#include "robust_level.hpp"
#include "shrink_level.hpp"
#include "svdkit/kernel/simd.hpp"
#include "sweep_level.hpp"
#include "tile.hpp"
#include "tridiagonal_level.hpp"
#include "twisted_level.hpp"

#define SVDKIT_QUOTE(x) #x
#define SVDKIT_NAME(x) SVDKIT_QUOTE(x)

namespace svdkit::detail::SVDKIT_LEVEL {
namespace {

template <class Short, class T>
void widen_numbers(const Short* from, index_t count, T* to) {
    for (index_t i = 0; i < count; ++i) to[i] = widen(from[i]);
}

template <class R>
void scan_numbers(const R* x, index_t count, double& max_abs, double& poison) {
    constexpr int lanes = 4 * kLanes<R>;  // enough chains to hide the latency of a sum
    R largest[lanes] = {}, zero[lanes] = {};
    index_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (int l = 0; l < lanes; ++l) {
            const R size = x[i + l] < 0 ? -x[i + l] : x[i + l];
            largest[l] = size > largest[l] ? size : largest[l];
            zero[l] += x[i + l] * R(0);
        }
    }
    for (; i < count; ++i) {
        const R size = x[i] < 0 ? -x[i] : x[i];
        largest[0] = size > largest[0] ? size : largest[0];
        zero[0] += x[i] * R(0);
    }
    for (int l = 0; l < lanes; ++l) {
        if (static_cast<double>(largest[l]) > max_abs) max_abs = static_cast<double>(largest[l]);
        poison += static_cast<double>(zero[l]);
    }
}

}  // namespace

extern const Level level;
const Level level = {
    SVDKIT_NAME(SVDKIT_LEVEL),
    {forward_tile<float>, adjoint_tile<float>},
    {forward_tile<double>, adjoint_tile<double>},
    {widen_numbers<Float16>, widen_numbers<BFloat16>, widen_numbers<float>},
    {scan_numbers<float>, scan_numbers<double>},
    {csr_forward<float, std::int32_t>, csr_adjoint<float, std::int32_t>, csr_gram<float, std::int32_t>},
    {csr_forward<float, std::int64_t>, csr_adjoint<float, std::int64_t>, csr_gram<float, std::int64_t>},
    {csr_forward<double, std::int32_t>, csr_adjoint<double, std::int32_t>, csr_gram<double, std::int32_t>},
    {csr_forward<double, std::int64_t>, csr_adjoint<double, std::int64_t>, csr_gram<double, std::int64_t>},
    {entries_forward<float>, entries_adjoint<float>},
    {entries_forward<double>, entries_adjoint<double>},
    {multiply_cells<float>, write_residuals<float>, add_normal_equations<float>, solve_normal_equations},
    {multiply_cells<double>, write_residuals<double>, add_normal_equations<double>, solve_normal_equations},
    &robust_f32,
    &robust_f64,
    &shrink,
    &median_f32,
    &median_f64,
    &sweep_f32,
    &sweep_f64,
    &twisted,
    &tridiagonal,
};

}  // namespace svdkit::detail::SVDKIT_LEVEL
