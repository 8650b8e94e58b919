// Compiled once per instruction-set level.
#include "svdkit/kernel/median_tile.hpp"

#include "median_level.hpp"
#include "vec.hpp"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

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
void weigh(const R* v, const R* w, index_t count, const R* bounds, double* reached) {
    constexpr int lanes = kLanes<R>;
    const V<R> zero{};
    index_t i = 0;
    for (int q = 0; q < kBounds; ++q) reached[q] = 0;
    while (i + lanes <= count) {
        V<R> sums[kBounds] = {};
        const index_t last = i + kRun < count ? i + kRun : count;
        for (; i + lanes <= last; i += lanes) {
            const V<R> value = load<R, lanes>(v + i), weight = load<R, lanes>(w + i);
#pragma GCC unroll 8
            for (int q = 0; q < kBounds; ++q) sums[q] += value <= zero + bounds[q] ? weight : zero;
        }
        for (int q = 0; q < kBounds; ++q) reached[q] += total<R>(sums[q]);
    }
    for (; i < count; ++i)
        for (int q = 0; q < kBounds; ++q)
            if (v[i] <= bounds[q]) reached[q] += static_cast<double>(w[i]);
}

// One after the other, without a branch.
template <class R>
index_t keep_from(index_t first, index_t kept, R* v, R* w, index_t count, R low, R high) {
    for (index_t i = first; i < count; ++i) {
        const R value = v[i], weight = w[i];
        v[kept] = value;
        w[kept] = weight;
        kept +=
            static_cast<index_t>(value > low) & static_cast<index_t>(value <= high) & static_cast<index_t>(weight > 0);
    }
    return kept;
}

#if defined(__AVX512F__)
// Vectors compressed in registers; what is stored behind the kept ones was read before.
inline __mmask8 inside(__m512d v, __m512d w, double low, double high) {
    return _mm512_cmp_pd_mask(v, _mm512_set1_pd(low), _CMP_GT_OQ) &
           _mm512_cmp_pd_mask(v, _mm512_set1_pd(high), _CMP_LE_OQ) &
           _mm512_cmp_pd_mask(w, _mm512_setzero_pd(), _CMP_GT_OQ);
}
inline __mmask16 inside(__m512 v, __m512 w, float low, float high) {
    return _mm512_cmp_ps_mask(v, _mm512_set1_ps(low), _CMP_GT_OQ) &
           _mm512_cmp_ps_mask(v, _mm512_set1_ps(high), _CMP_LE_OQ) &
           _mm512_cmp_ps_mask(w, _mm512_setzero_ps(), _CMP_GT_OQ);
}
index_t keep(double* v, double* w, index_t count, double low, double high) {
    index_t kept = 0, i = 0;
    for (; i + 8 <= count; i += 8) {
        const __m512d value = _mm512_loadu_pd(v + i), weight = _mm512_loadu_pd(w + i);
        const __mmask8 mask = inside(value, weight, low, high);
        _mm512_storeu_pd(v + kept, _mm512_maskz_compress_pd(mask, value));
        _mm512_storeu_pd(w + kept, _mm512_maskz_compress_pd(mask, weight));
        kept += __builtin_popcount(mask);
    }
    return keep_from(i, kept, v, w, count, low, high);
}
index_t keep(float* v, float* w, index_t count, float low, float high) {
    index_t kept = 0, i = 0;
    for (; i + 16 <= count; i += 16) {
        const __m512 value = _mm512_loadu_ps(v + i), weight = _mm512_loadu_ps(w + i);
        const __mmask16 mask = inside(value, weight, low, high);
        _mm512_storeu_ps(v + kept, _mm512_maskz_compress_ps(mask, value));
        _mm512_storeu_ps(w + kept, _mm512_maskz_compress_ps(mask, weight));
        kept += __builtin_popcount(mask);
    }
    return keep_from(i, kept, v, w, count, low, high);
}
#else
template <class R>
index_t keep(R* v, R* w, index_t count, R low, R high) {
    return keep_from<R>(0, 0, v, w, count, low, high);
}
#endif

}  // namespace

const MedianKernels<float> median_f32 = {ratios<float>, weigh<float>, keep};
const MedianKernels<double> median_f64 = {ratios<double>, weigh<double>, keep};

}  // namespace svdkit::detail::SVDKIT_LEVEL
