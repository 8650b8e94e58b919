// Compiled once per instruction-set level. One lane per eigenvalue; lanes differ in where they twist, so entries beyond
// the twist are masked.
#include "svdkit/kernel/twisted.hpp"

#include "twisted_level.hpp"
#include "vec.hpp"

namespace svdkit::detail::SVDKIT_LEVEL {
namespace {

constexpr int L = static_cast<int>(kTwisted);
using V = Vec<double, L>;

inline V absolute(V x) { return x < V{} ? -x : x; }

// Pivots away from zero.
inline V guarded(V x, V smallest) { return absolute(x) < smallest ? smallest : x; }

void vectors(const double* diagonal, const double* beside, index_t n, const double* values, double smallest,
             double* room, double* z) {
    double *const down = room, *const up = room + n * L;
    const V lambda = load<double, L>(values), least = V{} + smallest;
    V pivot = guarded(diagonal[0] - lambda, least);
    store<double, L>(down, pivot);
    for (index_t i = 1; i < n; ++i) {
        pivot = guarded((diagonal[i] - lambda) - beside[i - 1] * beside[i - 1] / pivot, least);
        store<double, L>(down + i * L, pivot);
    }
    pivot = guarded(diagonal[n - 1] - lambda, least);
    store<double, L>(up + (n - 1) * L, pivot);
    V rest = absolute(load<double, L>(down + (n - 1) * L)), twist = V{} + static_cast<double>(n - 1);
    for (index_t i = n - 2; i >= 0; --i) {
        const V own = diagonal[i] - lambda;
        pivot = guarded(own - beside[i] * beside[i] / pivot, least);
        store<double, L>(up + i * L, pivot);
        const V gamma = absolute(load<double, L>(down + i * L) + pivot - own);
        twist = gamma < rest ? V{} + static_cast<double>(i) : twist;
        rest = gamma < rest ? gamma : rest;
    }
    const V one = V{} + 1.0;
    V entry{};
    for (index_t i = n - 1; i >= 0; --i) {
        const V at = V{} + static_cast<double>(i);
        const V next = i == n - 1 ? entry : -(beside[i] / load<double, L>(down + i * L)) * entry;
        entry = at < twist ? next : (at > twist ? V{} : one);
        store<double, L>(z + i * L, entry);
    }
    entry = load<double, L>(z);
    for (index_t i = 1; i < n; ++i) {
        const V at = V{} + static_cast<double>(i);
        const V next = -(beside[i - 1] / load<double, L>(up + i * L)) * entry;
        entry = at > twist ? next : load<double, L>(z + i * L);
        store<double, L>(z + i * L, entry);
    }
}

}  // namespace

extern const TwistedKernels twisted;
const TwistedKernels twisted = {vectors};

}  // namespace svdkit::detail::SVDKIT_LEVEL
