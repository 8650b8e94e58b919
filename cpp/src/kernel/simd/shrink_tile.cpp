// Compiled once per instruction-set level. Sums of a row in lanes of its own precision, then in double.
#include "svdkit/kernel/shrink_tile.hpp"

#include "shrink_level.hpp"
#include "vec.hpp"

namespace svdkit::detail::SVDKIT_LEVEL {
namespace {

template <class R>
using V = Vec<R, kLanes<R>>;

template <class R>
struct Lanes {
    V<R> inner{}, rest{}, primal{}, dual{}, square{};
};

template <class R>
inline void shrink_lanes(const R* m_at, const R* l_at, const ShrinkStep<R>& step, R* w_at, R* y_at, Lanes<R>& sums) {
    constexpr int lanes = kLanes<R>;
    const V<R> zero{}, m = load<R, lanes>(m_at), l = load<R, lanes>(l_at), before = load<R, lanes>(y_at);
    const V<R> t = zero + step.threshold;
    const auto seen = m == m;
    const V<R> from = (seen ? m : zero) * step.scale, difference = seen ? from - l : zero;
    const V<R> x = difference + before * (1 / step.mu);
    const V<R> low = x < -t ? -t : x, c = low > t ? t : low;
    const V<R> after = c * step.mu;
    const V<R> apart = (load<R, lanes>(w_at) - l) * step.mu - after, moved = after - before;
    store<R, lanes>(w_at, (seen ? from : l) - (x - c) + after * (1 / step.next_mu));
    store<R, lanes>(y_at, after);
    sums.inner += from * after;
    sums.rest += difference < zero ? -difference : difference;
    sums.primal += moved * moved;
    sums.dual += apart * apart;
    sums.square += after * after;
}

template <class R>
double total(V<R> v) {
    double sum = 0;
    for (int i = 0; i < kLanes<R>; ++i) sum += static_cast<double>(v[i]);
    return sum;
}

template <class R>
void shrink_numbers(const R* m, const R* l, index_t count, const ShrinkStep<R>& step, R* w, R* y, ShrinkSums& sums) {
    constexpr int lanes = kLanes<R>;
    Lanes<R> all;
    index_t j = 0;
    for (; j + lanes <= count; j += lanes) shrink_lanes<R>(m + j, l + j, step, w + j, y + j, all);
    if (j < count) {  // filled up with cells that nobody observed
        R last[4][lanes] = {};
        for (int i = 0; i < lanes; ++i) {
            const bool inside = j + i < count;
            last[0][i] = inside ? m[j + i] : R(__builtin_nan(""));
            last[1][i] = inside ? l[j + i] : R(0);
            last[2][i] = inside ? w[j + i] : R(0);
            last[3][i] = inside ? y[j + i] : R(0);
        }
        shrink_lanes<R>(last[0], last[1], step, last[2], last[3], all);
        for (int i = 0; j + i < count; ++i) {
            w[j + i] = last[2][i];
            y[j + i] = last[3][i];
        }
    }
    sums.inner += total<R>(all.inner);
    sums.rest += total<R>(all.rest);
    sums.primal += total<R>(all.primal);
    sums.dual += total<R>(all.dual);
    sums.square += total<R>(all.square);
}

}  // namespace

extern const ShrinkKernels shrink;
const ShrinkKernels shrink = {shrink_numbers<float>, shrink_numbers<double>};

}  // namespace svdkit::detail::SVDKIT_LEVEL
