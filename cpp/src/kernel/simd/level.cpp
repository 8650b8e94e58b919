// Compiled once per instruction-set level, with SVDKIT_LEVEL as its name: the table of that level's loops.
#include "csr_rows.hpp"
#include "svdkit/kernel/simd.hpp"
#include "tile.hpp"

#define SVDKIT_QUOTE(x) #x
#define SVDKIT_NAME(x) SVDKIT_QUOTE(x)

namespace svdkit::detail::SVDKIT_LEVEL {

extern const Level level;
const Level level = {
    SVDKIT_NAME(SVDKIT_LEVEL),
    {forward_tile<float>, adjoint_tile<float>},
    {forward_tile<double>, adjoint_tile<double>},
    {csr_forward<float, std::int32_t>, csr_adjoint<float, std::int32_t>, csr_gram<float, std::int32_t>},
    {csr_forward<float, std::int64_t>, csr_adjoint<float, std::int64_t>, csr_gram<float, std::int64_t>},
    {csr_forward<double, std::int32_t>, csr_adjoint<double, std::int32_t>, csr_gram<double, std::int32_t>},
    {csr_forward<double, std::int64_t>, csr_adjoint<double, std::int64_t>, csr_gram<double, std::int64_t>},
};

}  // namespace svdkit::detail::SVDKIT_LEVEL
