#include "svdkit/kernel/weighted_median.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "svdkit/kernel/simd.hpp"

namespace svdkit {
namespace {

constexpr index_t kSorted = 40;   // so few are sorted at once
constexpr index_t kSample = 512;  // largest sample
constexpr index_t kStride = 64;   // one of so many is in it

template <class R>
struct Weighted {
    R value, weight;
};

template <class R>
bool less(const Weighted<R>& a, const Weighted<R>& b) {
    return a.value < b.value;
}

// The value at which the weights of sorted pairs, added up, reach `target`.
template <class R>
R reach(const Weighted<R>* sorted, index_t count, double target) {
    double sum = 0;
    for (index_t i = 0; i < count; ++i) {
        sum += static_cast<double>(sorted[i].weight);
        if (sum >= target) return sorted[i].value;
    }
    return sorted[count - 1].value;
}

template <class R>
R by_sorting(const R* values, const R* weights, index_t count, double target) {
    std::array<Weighted<R>, kSorted> few{};
    std::vector<Weighted<R>> many;
    Weighted<R>* pairs = few.data();
    if (count > kSorted) {
        many.resize(static_cast<std::size_t>(count));
        pairs = many.data();
    }
    for (index_t i = 0; i < count; ++i) pairs[i] = {values[i], weights[i]};
    std::sort(pairs, pairs + count, less<R>);
    return reach(pairs, count, target);
}

template <class R>
struct Bracket {
    R low, high;
};

// Values between which a share of the weight ends, judged by a sample: three standard deviations either way.
template <class R>
Bracket<R> guess(const R* values, const R* weights, index_t count, double share) {
    const index_t size = std::clamp<index_t>(count / kStride, 32, kSample), stride = count / size;
    std::array<Weighted<R>, kSample> sample;
    double total = 0;
    for (index_t i = 0; i < size; ++i) {
        sample[static_cast<std::size_t>(i)] = {values[i * stride], weights[i * stride]};
        total += static_cast<double>(weights[i * stride]);
    }
    std::sort(sample.begin(), sample.begin() + size, less<R>);
    const double margin = 1.5 / std::sqrt(static_cast<double>(size));
    return {
        share < margin ? -std::numeric_limits<R>::infinity() : reach(sample.data(), size, (share - margin) * total),
        share > 1 - margin ? std::numeric_limits<R>::infinity() : reach(sample.data(), size, (share + margin) * total)};
}

// Keeps the values in [low, high]; how many.
template <class R>
index_t keep(R* values, R* weights, index_t count, Bracket<R> bracket) {
    index_t kept = 0;
    for (index_t i = 0; i < count; ++i) {
        const R value = values[i], weight = weights[i];
        values[kept] = value;
        weights[kept] = weight;
        kept += static_cast<index_t>(value >= bracket.low) & static_cast<index_t>(value <= bracket.high) &
                static_cast<index_t>(weight > 0);
    }
    return kept;
}

}  // namespace

template <class R>
R weighted_median(R* values, R* weights, index_t count) {
    constexpr R infinity = std::numeric_limits<R>::infinity();
    const detail::MedianKernels<R>& kernels = detail::median_kernels<R>();
    double nothing = 0, total = 0;
    kernels.weigh(values, weights, count, infinity, infinity, nothing, total);
    if (total == 0) return R(0);
    double target = total / 2;
    while (count > kSorted) {
        const Bracket<R> bracket = guess(values, weights, count, target / total);
        double below = 0, reached = 0;
        kernels.weigh(values, weights, count, bracket.low, bracket.high, below, reached);
        if (below >= target) {  // the sample misled: the answer is smaller
            count = keep(values, weights, count, {-infinity, std::nextafter(bracket.low, -infinity)});
            total = below;
        } else if (reached < target && bracket.high < infinity) {  // or larger
            count = keep(values, weights, count, {std::nextafter(bracket.high, infinity), infinity});
            if (count == 0) return bracket.high;  // there was only rounding of the sums
            target -= reached;
            total -= reached;
        } else {
            if (bracket.low == bracket.high) return bracket.low;
            const index_t kept = keep(values, weights, count, bracket);
            target -= below;
            total = reached - below;
            if (kept > count - count / 8) return by_sorting(values, weights, kept, target);
            count = kept;
        }
    }
    return by_sorting(values, weights, count, target);
}

template float weighted_median<float>(float*, float*, index_t);
template double weighted_median<double>(double*, double*, index_t);

}  // namespace svdkit
