#include "svdkit/kernel/weighted_median.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "svdkit/kernel/simd.hpp"

namespace svdkit {
namespace {

constexpr index_t kSorted = 24;  // so few are sorted at once

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

// Values at a fixed stride, sorted: what the next pass counts against.
template <class R>
std::array<R, detail::kBounds> sample(const R* values, index_t count) {
    std::array<R, detail::kBounds> bounds;
    for (index_t q = 0; q < detail::kBounds; ++q)
        bounds[static_cast<std::size_t>(q)] = values[(2 * q + 1) * count / (2 * detail::kBounds)];
    for (std::size_t i = 1; i < bounds.size(); ++i)  // insertion: so few
        for (std::size_t j = i; j > 0 && bounds[j] < bounds[j - 1]; --j) std::swap(bounds[j], bounds[j - 1]);
    return bounds;
}

}  // namespace

template <class R>
R weighted_median(R* values, R* weights, index_t count) {
    constexpr R infinity = std::numeric_limits<R>::infinity();
    constexpr std::size_t last = detail::kBounds - 1;
    const detail::MedianKernels<R>& kernels = detail::median_kernels<R>();
    std::array<double, detail::kBounds> reached;
    double target = -1;  // weight up to the answer, within what is left
    while (count > kSorted || target < 0) {
        std::array<R, detail::kBounds> bounds = count > 0 ? sample(values, count) : std::array<R, detail::kBounds>{};
        if (target < 0) bounds[last] = infinity;  // the first pass counts the whole weight too
        kernels.weigh(values, weights, count, bounds.data(), reached.data());
        if (target < 0) target = reached[last] / 2;
        if (target == 0) return R(0);
        std::size_t q = 0;
        while (q <= last && reached[q] < target) ++q;
        const R low = q == 0 ? -infinity : bounds[q - 1], high = q > last ? infinity : bounds[q];
        const index_t kept = kernels.keep(values, weights, count, low, high);
        if (kept == 0) return low;  // there was only rounding of the sums
        if (q > 0) target -= reached[q - 1];
        // Hardly less than before: equal values, most likely.
        if (kept > count - count / 8) return by_sorting(values, weights, kept, target);
        count = kept;
    }
    return by_sorting(values, weights, count, target);
}

template float weighted_median<float>(float*, float*, index_t);
template double weighted_median<double>(double*, double*, index_t);

}  // namespace svdkit
