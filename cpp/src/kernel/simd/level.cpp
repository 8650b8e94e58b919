// Compiled once per instruction-set level, with SVDKIT_LEVEL as its name: the table of that level's loops.
#include "csr_rows.hpp"
#include "svdkit/kernel/simd.hpp"
#include "tile.hpp"

#define SVDKIT_QUOTE(x) #x
#define SVDKIT_NAME(x) SVDKIT_QUOTE(x)

namespace svdkit::detail::SVDKIT_LEVEL {
namespace {

template <class Half>
void widen_numbers(const Half* from, index_t count, float* to) {
    for (index_t i = 0; i < count; ++i) to[i] = widen(from[i]);
}

}  // namespace

extern const Level level;
const Level level = {
    SVDKIT_NAME(SVDKIT_LEVEL),
    {forward_tile<float>, adjoint_tile<float>},
    {forward_tile<double>, adjoint_tile<double>},
    {widen_numbers<Float16>, widen_numbers<BFloat16>},
    {csr_forward<float, std::int32_t>, csr_adjoint<float, std::int32_t>, csr_gram<float, std::int32_t>},
    {csr_forward<float, std::int64_t>, csr_adjoint<float, std::int64_t>, csr_gram<float, std::int64_t>},
    {csr_forward<double, std::int32_t>, csr_adjoint<double, std::int32_t>, csr_gram<double, std::int32_t>},
    {csr_forward<double, std::int64_t>, csr_adjoint<double, std::int64_t>, csr_gram<double, std::int64_t>},
};

}  // namespace svdkit::detail::SVDKIT_LEVEL
