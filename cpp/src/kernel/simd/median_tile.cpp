// Compiled once per instruction-set level.
#include "svdkit/kernel/median_tile.hpp"

#include "median_level.hpp"
#include "vec.hpp"

namespace svdkit::detail::SVDKIT_LEVEL {
namespace {

constexpr index_t kRun = 512;  // cells whose sum is kept in R

template <class R>
using V = Vec<R, kLanes<R>>;

template <class R>
double total(V<R> v) {
    double sum = 0;
    for (int i = 0; i < kLanes<R>; ++i) sum += static_cast<double>(v[i]);
    return sum;
}

template <class R>
R magnitude(R x) {
    return x < 0 ? -x : x;
}

template <class R>
void ratios(const R* e, const R* f, index_t count, R before, R least, R* v, R* w, double& error) {
    constexpr int lanes = kLanes<R>;
    const V<R> zero{}, one = zero + 1;
    index_t i = 0;
    while (i + lanes <= count) {
        V<R> sum{};
        const index_t last = i + kRun < count ? i + kRun : count;
        for (; i + lanes <= last; i += lanes) {
            const V<R> cell = load<R, lanes>(e + i), factor = load<R, lanes>(f + i);
            const V<R> size = factor < zero ? -factor : factor, apart = cell - factor * before;
            const auto seen = cell == cell;
            const auto used = seen & (size > least);
            store<R, lanes>(v + i, (used ? cell : zero) / (used ? factor : one));
            store<R, lanes>(w + i, used ? size : zero);
            sum += seen ? (apart < zero ? -apart : apart) : zero;
        }
        error += total<R>(sum);
    }
    for (; i < count; ++i) {
        const bool seen = e[i] == e[i], used = seen && magnitude(f[i]) > least;
        v[i] = used ? e[i] / f[i] : R(0);
        w[i] = used ? magnitude(f[i]) : R(0);
        if (seen) error += static_cast<double>(magnitude(e[i] - before * f[i]));
    }
}

template <class R>
void weigh(const R* v, const R* w, index_t count, R low, R high, double& below, double& reached) {
    constexpr int lanes = kLanes<R>;
    const V<R> zero{};
    index_t i = 0;
    while (i + lanes <= count) {
        V<R> first{}, second{};
        const index_t last = i + kRun < count ? i + kRun : count;
        for (; i + lanes <= last; i += lanes) {
            const V<R> value = load<R, lanes>(v + i), weight = load<R, lanes>(w + i);
            first += value < low ? weight : zero;
            second += value <= high ? weight : zero;
        }
        below += total<R>(first);
        reached += total<R>(second);
    }
    for (; i < count; ++i) {
        if (v[i] < low) below += static_cast<double>(w[i]);
        if (v[i] <= high) reached += static_cast<double>(w[i]);
    }
}

}  // namespace

const MedianKernels<float> median_f32 = {ratios<float>, weigh<float>};
const MedianKernels<double> median_f64 = {ratios<double>, weigh<double>};

}  // namespace svdkit::detail::SVDKIT_LEVEL
