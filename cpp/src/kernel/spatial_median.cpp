#include "svdkit/kernel/spatial_median.hpp"

#include <algorithm>
#include <cmath>

#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"

namespace svdkit {
namespace {

constexpr index_t kLanes = 8;  // partial sums: the order of summation that every vector width can keep
constexpr index_t kSumBytes = 64 << 20;

// X times scale less the center, into `to`; its norm.
template <class R>
double difference(const R* x, index_t stride, index_t count, double scale, const double* center, double* to) {
    double lanes[kLanes] = {};
    for (index_t j = 0; j < count; ++j) to[j] = static_cast<double>(x[j * stride]) * scale - center[j];
    index_t j = 0;
    for (; j + kLanes <= count; j += kLanes)
        for (index_t lane = 0; lane < kLanes; ++lane) lanes[lane] += to[j + lane] * to[j + lane];
    for (; j < count; ++j) lanes[0] += to[j] * to[j];
    double sum = 0;
    for (double lane : lanes) sum += lane;
    return std::sqrt(sum);
}

}  // namespace

template <class R>
SpatialStep spatial_median_step(ConstView<R> x, double scale, std::vector<double>& center,
                                std::vector<double>& distances) {
    const index_t m = x.rows, n = x.cols, width = n + 2;  // a part's sum (x - c) / d, sum 1 / d, rows at the center
    const index_t affordable = std::max<index_t>(1, kSumBytes / (8 * width));
    const Partition rows{m, std::clamp<index_t>(m / 64, 1, std::min<index_t>(affordable, 64)), 1};
    const Scratch<double> sums(rows.parts * width);
    parallel_for(rows.parts, 6 * static_cast<double>(m) * static_cast<double>(n), [&](index_t part) {
        double* const sum = sums.data() + part * width;
        std::fill_n(sum, width, 0.0);
        const Scratch<double> row(n);
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i) {
            const double d = difference(x.data + i * x.row_stride, x.col_stride, n, scale, center.data(), row.data());
            distances[static_cast<std::size_t>(i)] = d;
            if (d == 0) {
                sum[n + 1] += 1;
                continue;
            }
            const double weight = 1 / d;
            for (index_t j = 0; j < n; ++j) sum[j] += weight * row[j];
            sum[n] += weight;
        }
    });
    for (index_t part = 1; part < rows.parts; ++part)
        for (index_t j = 0; j < width; ++j) sums[j] += sums[part * width + j];
    double squares = 0;
    for (index_t j = 0; j < n; ++j) squares += sums[j] * sums[j];
    const double pull = std::sqrt(squares), weight = sums[n], here = sums[n + 1];
    SpatialStep step;
    if (weight == 0 || pull <= here) return step;
    const double length = (1 - here / pull) / weight;
    for (index_t j = 0; j < n; ++j) center[static_cast<std::size_t>(j)] += length * sums[j];
    step.slope = (pull - here) / static_cast<double>(m);
    step.moved = length * pull;
    step.spread = (static_cast<double>(m) - here) / weight;
    return step;
}

#define INSTANTIATE(R) \
    template SpatialStep spatial_median_step<R>(ConstView<R>, double, std::vector<double>&, std::vector<double>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit
