#include "robust_quantile.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "svdkit/base/threads.hpp"

namespace svdkit::detail {
namespace {

constexpr index_t kSampled = 100'000;
constexpr index_t kParts = 64;

struct Bracket {
    double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
};

// How many cells lie below the bracket, and those inside.
struct Inside {
    index_t below = 0;
    std::vector<double> values;
};

template <class T, class Take>
void if_observed(const PriorCells<T>& cells, index_t row, index_t col, const Take& take) {
    const auto x = static_cast<double>(cells.x(row, col));
    if (!std::isnan(x) && !(cells.prior.data && cells.prior(row, col) == 0)) take(x);
}

// Some five standard deviations of the rank around quantile p of an evenly spread sample.
template <class T>
Bracket sampled_bracket(const PriorCells<T>& cells, double p) {
    const index_t n = cells.x.cols, size = cells.x.rows * n, stride = even_stride(cells.x.rows, n, kSampled);
    std::vector<double> sample;
    for (index_t at = 0; at < size; at += stride)
        if_observed(cells, at / n, at % n, [&](double x) { sample.push_back(x); });
    const auto count = static_cast<double>(sample.size());
    const double margin = 2 * std::sqrt(count) + 2, low = p * count - margin, high = p * count + margin;
    const auto value = [&](double rank) {
        const auto nth = sample.begin() + static_cast<std::ptrdiff_t>(rank);
        std::ranges::nth_element(sample, nth);
        return *nth;
    };
    Bracket bracket;
    if (low >= 0) bracket.low = value(low);
    if (high < count) bracket.high = value(high);
    return bracket;
}

template <class T>
Inside cells_inside(const PriorCells<T>& cells, Bracket bracket) {
    const index_t m = cells.x.rows, n = cells.x.cols;
    const Partition parts{m, std::min(m, kParts), 1};
    std::vector<Inside> found(static_cast<std::size_t>(parts.parts));
    parallel_for(parts.parts, 4 * static_cast<double>(m) * static_cast<double>(n), [&](index_t part) {
        Inside own;
        for (index_t i = parts.begin(part); i < parts.begin(part + 1); ++i)
            for (index_t j = 0; j < n; ++j)
                if_observed(cells, i, j, [&](double x) {
                    if (x < bracket.low) ++own.below;
                    if (x >= bracket.low && x <= bracket.high) own.values.push_back(x);
                });
        found[static_cast<std::size_t>(part)] = std::move(own);
    });
    Inside all;
    for (const Inside& part : found) {
        all.below += part.below;
        all.values.insert(all.values.end(), part.values.begin(), part.values.end());
    }
    return all;
}

}  // namespace

double median(std::vector<double>& values) {
    if (values.empty()) return 0;
    const auto half = values.begin() + std::ssize(values) / 2;
    std::ranges::nth_element(values, half);
    if (values.size() % 2 == 1) return *half;
    return (*half + *std::ranges::max_element(values.begin(), half)) / 2;
}

template <class T>
double cell_quantile(const PriorCells<T>& cells, const Observed& observed, double p) {
    index_t count = 0;
    for (std::int32_t row : observed.row_cells) count += row;
    if (count == 0) return 0;
    const double at = std::clamp(static_cast<double>(count) * p - 0.5, 0.0, static_cast<double>(count - 1));
    const auto first = static_cast<index_t>(at), second = std::min(first + 1, count - 1);
    Inside inside = cells_inside(cells, sampled_bracket(cells, p));
    if (first < inside.below || second >= inside.below + std::ssize(inside.values)) inside = cells_inside<T>(cells, {});
    const auto nth = inside.values.begin() + (first - inside.below);
    std::ranges::nth_element(inside.values, nth);
    const double low = *nth;
    if (second == first) return low;
    return low + (at - static_cast<double>(first)) * (*std::min_element(nth + 1, inside.values.end()) - low);
}

template double cell_quantile<float>(const PriorCells<float>&, const Observed&, double);
template double cell_quantile<double>(const PriorCells<double>&, const Observed&, double);

}  // namespace svdkit::detail
