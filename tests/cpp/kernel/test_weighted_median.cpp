// Weighted medians by selection against sorting: lengths around every switch, ties, heavy tails, sorted lists.
#include "svdkit/kernel/weighted_median.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "check.hpp"
#include "dense_reference.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

template <class R>
double sum_at(const std::vector<R>& values, const std::vector<R>& weights, R t) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
        sum += static_cast<double>(weights[i]) * std::abs(static_cast<double>(values[i]) - static_cast<double>(t));
    return sum;
}

template <class R>
R by_sorting(const std::vector<R>& values, const std::vector<R>& weights) {
    std::vector<std::size_t> order(values.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
    double total = 0, sum = 0;
    for (R w : weights) total += static_cast<double>(w);
    for (std::size_t i : order) {
        sum += static_cast<double>(weights[i]);
        if (sum >= total / 2) return values[i];
    }
    return values[order.back()];
}

template <class R>
void medians() {
    for (index_t count : {1, 2, 3, 39, 40, 41, 64, 1000, 5000, 100'000})
        for (int kind = 0; kind < 6; ++kind) {
            const Block<R> random = gaussian<R>(count, 2, static_cast<std::uint64_t>(kind + 1));
            std::vector<R> values, weights;
            for (index_t i = 0; i < count; ++i) {
                const R x = random(i, 0);
                values.push_back(kind == 0   ? x
                                 : kind == 1 ? std::round(x)
                                 : kind == 2 ? x / random(i, 1)
                                 : kind == 3 ? R(7)
                                             : x);
                // one heavy value in kind 5: the median is that value, wherever the sample looks
                weights.push_back(kind == 5 && i == count / 3 ? R(count) * 3 : std::abs(random(i, 1)) + R(1e-6));
            }
            if (kind == 4) std::ranges::sort(values);
            std::vector<R> v = values, w = weights;
            const R found = weighted_median(v.data(), w.data(), count);
            CHECK(std::ranges::find(values, found) != values.end());
            const double least = sum_at(values, weights, by_sorting(values, weights));
            CHECK(sum_at(values, weights, found) <= least * (1 + (sizeof(R) == 4 ? 1e-5 : 1e-13)));
        }
}

}  // namespace

TEST(weighted_median_minimises) {
    medians<float>();
    medians<double>();
}

TEST(weighted_median_of_nothing) { CHECK(weighted_median<double>(nullptr, nullptr, 0) == 0); }
