// Compiled once per instruction-set level. One lane per eigenvalue; lanes differ in where they twist, so entries beyond
// the twist are masked.
#include "svdkit/kernel/twisted.hpp"

#include "twisted_level.hpp"
#include "vec.hpp"

namespace svdkit::detail::SVDKIT_LEVEL {
namespace {

constexpr int kStride = static_cast<int>(kTwisted);
constexpr int L = kLanes<double>;
using V = Vec<double, L>;

inline V absolute(V x) { return x < V{} ? -x : x; }

// Pivots away from zero.
inline V guarded(V x, V smallest) { return absolute(x) < smallest ? smallest : x; }

// L lanes of kTwisted. room: pivots from the top, and b_i over the pivot above it and over the one below it.
inline void some_vectors(const double* diagonal, const double* beside, index_t n, const double* values, double smallest,
                         double* room, double* z) {
    double *const down = room, *const from_above = room + n * kStride, *const from_below = room + 2 * n * kStride;
    const V lambda = load<double, L>(values), least = V{} + smallest;
    V pivot = guarded(diagonal[0] - lambda, least);
    store<double, L>(down, pivot);
    for (index_t i = 1; i < n; ++i) {
        const V ratio = beside[i - 1] / pivot;
        pivot = guarded((diagonal[i] - lambda) - beside[i - 1] * ratio, least);
        store<double, L>(from_above + (i - 1) * kStride, ratio);
        store<double, L>(down + i * kStride, pivot);
    }
    V rest = absolute(pivot), twist = V{} + static_cast<double>(n - 1);
    pivot = guarded(diagonal[n - 1] - lambda, least);
    for (index_t i = n - 2; i >= 0; --i) {
        const V ratio = beside[i] / pivot, coupling = beside[i] * ratio;
        pivot = guarded((diagonal[i] - lambda) - coupling, least);
        store<double, L>(from_below + i * kStride, ratio);
        const V gamma = absolute(load<double, L>(down + i * kStride) - coupling);
        twist = gamma < rest ? V{} + static_cast<double>(i) : twist;
        rest = gamma < rest ? gamma : rest;
    }
    V entry = twist == static_cast<double>(n - 1) ? V{} + 1.0 : V{};
    store<double, L>(z + (n - 1) * kStride, entry);
    for (index_t i = n - 2; i >= 0; --i) {
        const V at = V{} + static_cast<double>(i), next = -load<double, L>(from_above + i * kStride) * entry;
        entry = at < twist ? next : (at > twist ? V{} : V{} + 1.0);
        store<double, L>(z + i * kStride, entry);
    }
    for (index_t i = 1; i < n; ++i) {
        const V at = V{} + static_cast<double>(i), next = -load<double, L>(from_below + (i - 1) * kStride) * entry;
        entry = at > twist ? next : load<double, L>(z + i * kStride);
        store<double, L>(z + i * kStride, entry);
    }
}

void vectors(const double* diagonal, const double* beside, index_t n, const double* values, double smallest,
             double* room, double* z) {
    for (int l = 0; l < kStride; l += L) some_vectors(diagonal, beside, n, values + l, smallest, room + l, z + l);
}

}  // namespace

extern const TwistedKernels twisted;
const TwistedKernels twisted = {vectors};

}  // namespace svdkit::detail::SVDKIT_LEVEL
