// The normal equations of rows of a half-sweep, in double precision (see kernel/simd.hpp for what they compute).
//
// Cells come in chunks whose rows sqrt(w) q stay in the first-level cache as a panel: one pass fetches and widens them
// and takes their products with the start (8 sums reduced together), then register tiles of the Gram matrix's lower
// triangle read them.
// The systems are solved eight at a time, one in every lane. Cost of a cell: about r^2 / 16 + r / 4 fused multiply-adds
// of 8 numbers; of a system: r^3 / 48 of them.
#pragma once

#include <cmath>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "reduce.hpp"
#include "svdkit/kernel/simd.hpp"

namespace {

using svdkit::detail::kSystems;
using svdkit::detail::NormalRow;

inline constexpr int kD = kLanes<double> < 8 ? (kLanes<double> < 4 ? 2 : 4) : 8;
inline constexpr int kGramRows = kD == 8 ? 8 : 4;  // rows and vectors of a register tile of G
inline constexpr int kGramVectors = 3;
using Doubles = Vec<double, kD>;

// sum[a][v] += q_a q_v of one cell, whose row begins at q.
template <int NV, int MR>
inline void add_products(const double* q, index_t a0, index_t j, Doubles (&sum)[MR][NV]) {
    Doubles in[NV];
    for (int v = 0; v < NV; ++v) in[v] = load<double, kD>(q + j + v * kD);
#pragma GCC unroll 8
    for (int a = 0; a < MR; ++a)
#pragma GCC unroll 3
        for (int v = 0; v < NV; ++v) sum[a][v] += q[a0 + a] * in[v];
}

// G[a0.., j..] += sum over the cells of q_a q_j. Small tiles take several cells at a time: 8 sums hide their latency.
template <int NV, int MR>
inline void gram_tile(const double* q, index_t count, index_t ld, index_t a0, index_t j, double* g) {
    constexpr int kChains = MR * NV >= 8 ? 1 : 8 / (MR * NV);
    Doubles sum[kChains][MR][NV] = {};
    index_t c = 0;
    for (; c + kChains <= count; c += kChains)
#pragma GCC unroll 4
        for (int chain = 0; chain < kChains; ++chain) add_products<NV, MR>(q + (c + chain) * ld, a0, j, sum[chain]);
    for (; c < count; ++c) add_products<NV, MR>(q + c * ld, a0, j, sum[0]);
    for (int a = 0; a < MR; ++a)
        for (int v = 0; v < NV; ++v) {
            double* const to = g + (a0 + a) * ld + j + v * kD;
            Doubles total = load<double, kD>(to) + sum[0][a][v];
            for (int chain = 1; chain < kChains; ++chain) total += sum[chain][a][v];
            store<double, kD>(to, total);
        }
}

// MR rows of the lower triangle of G, and some of what lies above it.
template <int MR>
inline void gram_rows(const double* q, index_t count, index_t ld, index_t a0, double* g) {
    const index_t end = (a0 + MR + kD - 1) / kD * kD;
    for (index_t j = 0; j < end;) {
        const index_t left = (end - j) / kD;
        if (left >= 3) gram_tile<3, MR>(q, count, ld, a0, j, g);
        if (left == 2) gram_tile<2, MR>(q, count, ld, a0, j, g);
        if (left == 1) gram_tile<1, MR>(q, count, ld, a0, j, g);
        j += (left < kGramVectors ? left : kGramVectors) * kD;
    }
}

// G += Q^T Q
inline void add_gram(const double* q, index_t count, index_t r, index_t ld, double* g) {
    index_t a0 = 0;
    for (; r - a0 > kGramRows - 2; a0 += kGramRows) gram_rows<kGramRows>(q, count, ld, a0, g);
    if (r - a0 > 2) {
        gram_rows<4>(q, count, ld, a0, g);
        a0 += 4;
    }
    if (r - a0 > 0) gram_rows<2>(q, count, ld, a0, g);
}

// g += sum over the cells of factor_c q_c; four chains of sums hide some of their latency.
template <int NV>
inline void add_gradient(const double* q, const double* factors, index_t count, index_t ld, double* g) {
    constexpr int kChains = 4;
    Doubles sum[kChains][NV] = {};
    const auto add = [&](index_t c, int chain) {
        for (int v = 0; v < NV; ++v) sum[chain][v] += factors[c] * load<double, kD>(q + c * ld + v * kD);
    };
    index_t c = 0;
    for (; c + kChains <= count; c += kChains)
#pragma GCC unroll 4
        for (int chain = 0; chain < kChains; ++chain) add(c + chain, chain);
    for (; c < count; ++c) add(c, 0);
    for (int v = 0; v < NV; ++v) {
        const Doubles total = (sum[0][v] + sum[1][v]) + (sum[2][v] + sum[3][v]);
        store<double, kD>(g + v * kD, load<double, kD>(g + v * kD) + total);
    }
}

// Asks for the row of N that the cell kAhead places on will need.
template <class T>
inline void fetch_ahead(const NormalRow<T>& row, index_t p) {
    constexpr index_t kLine = 64 / sizeof(T);
    const index_t ahead = p + kAhead < row.readable ? p + kAhead : row.readable - 1;
    const T* const next = row.right + row.columns[ahead] * row.ld_right;
    for (index_t j = 0; j < row.r; j += kLine) __builtin_prefetch(next + j);
}

// Numbers of either precision as doubles, by one instruction: __builtin_convertvector goes by halves in GCC.
inline Doubles widened(const double* in) { return load<double, kD>(in); }
inline Doubles widened(const float* in) {
#if defined(__AVX512F__)
    return _mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(in));  // the unmasked one draws a warning in GCC 12
#elif defined(__AVX2__)
    return _mm256_cvtps_pd(_mm_loadu_ps(in));
#else
    return __builtin_convertvector(load<float, kD>(in), Doubles);
#endif
}

// Vectors j.. of the rows sqrt(w) q of kD cells into the panel q; returns their products with the start.
template <class T, int NV, bool kWeighted>
inline Doubles widen_rows(const NormalRow<T>& row, const std::int32_t* columns, const double* roots, index_t j,
                          double* q) {
    const T* const right = row.right + j;
    const index_t ld = row.ld;
    Doubles start[NV], sum[kD];
    for (int v = 0; v < NV; ++v) start[v] = load<double, kD>(row.start + j + v * kD);
#pragma GCC unroll 8
    for (int c = 0; c < kD; ++c) {
        const T* const in = right + columns[c] * row.ld_right;
        Doubles product = {};
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) {
            Doubles wide = widened(in + v * kD);
            if constexpr (kWeighted) wide *= roots[c];
            store<double, kD>(q + c * ld + j + v * kD, wide);
            product += wide * start[v];
        }
        sum[c] = product;
    }
    return sums_of_each<double, kD>(sum);
}

// The same for whole rows. `count` of the cells are there, the others repeat the first.
template <class T, bool kWeighted>
inline Doubles gather_cells(const NormalRow<T>& row, index_t p, index_t count, const double* roots, double* q) {
    const std::int32_t* columns = row.columns + p;
    std::int32_t repeated[kD];
    if (count < kD) {
        for (index_t c = 0; c < kD; ++c) repeated[c] = columns[c < count ? c : 0];
        columns = repeated;
    }
    for (index_t c = 0; c < kD; ++c) fetch_ahead(row, p + c);
    Doubles sum = {};
    for (index_t j = 0; j < row.ld;) {
        const index_t left = (row.ld - j) / kD;
        const int step = left >= 4 ? 4 : (left >= 2 ? 2 : 1);
        if (step == 4) sum += widen_rows<T, 4, kWeighted>(row, columns, roots, j, q);
        if (step == 2) sum += widen_rows<T, 2, kWeighted>(row, columns, roots, j, q);
        if (step == 1) sum += widen_rows<T, 1, kWeighted>(row, columns, roots, j, q);
        j += step * kD;
    }
    return sum;
}

// The panel of a chunk and its errors sqrt(w) (a - l q); returns their squares.
template <class T, bool kWeighted>
inline double gather_chunk(const NormalRow<T>& row, index_t first, index_t count, double* errors) {
    double roots[NormalRow<T>::kChunk];
    const T value_unit = static_cast<T>(row.units.value), weight_unit = static_cast<T>(row.units.weight);
    for (index_t c = 0; c < count; ++c) errors[c] = static_cast<double>(row.values[first + c] * value_unit);
    if constexpr (kWeighted) {
        for (index_t c = 0; c < count; ++c) {
            roots[c] = std::sqrt(static_cast<double>(row.weights[first + c] * weight_unit));
            errors[c] *= roots[c];
        }
    }
    Doubles loss = {};
    for (index_t c = 0; c < count; c += kD) {
        const index_t there = count - c < kD ? count - c : kD;
        const Doubles products = gather_cells<T, kWeighted>(row, first + c, there, roots + c, row.panel + c * row.ld);
        Doubles error = load<double, kD>(errors + c) - products;
        for (index_t l = there; l < kD; ++l) error[l] = 0;
        store<double, kD>(errors + c, error);
        loss += error * error;
    }
    return sum_lanes<double, kD>(loss);
}

template <class T>
double add_normal_equations(const NormalRow<T>& row) {
    constexpr index_t kChunk = NormalRow<T>::kChunk;
    const index_t ld = row.ld;
    double errors[kChunk], loss = 0;
    for (index_t first = 0; first < row.count; first += kChunk) {
        const index_t count = row.count - first < kChunk ? row.count - first : kChunk;
        loss += row.weights ? gather_chunk<T, true>(row, first, count, errors)
                            : gather_chunk<T, false>(row, first, count, errors);
        index_t j = 0;
        for (; j + 2 * kD <= ld; j += 2 * kD) add_gradient<2>(row.panel + j, errors, count, ld, row.g + j);
        for (; j < ld; j += kD) add_gradient<1>(row.panel + j, errors, count, ld, row.g + j);
        add_gram(row.panel, count, row.r, ld, row.gram);
    }
    return loss;
}

// kSystems systems side by side.

// row[b] -= sum_k factor_k above_k[b] for NB neighbours of a row of U; the rows above end where this one does.
template <int NB>
inline void eliminate(double* row, const double* factors, const double* above, index_t a, index_t r, index_t b) {
    Doubles sum[NB];
    for (int i = 0; i < NB; ++i) sum[i] = load<double, kD>(row + i * kSystems);
    for (index_t k = 0; k < a; ++k) {
        const Doubles factor = load<double, kD>(factors + k * kSystems);
        for (int i = 0; i < NB; ++i) sum[i] -= factor * load<double, kD>(above + (b + i) * kSystems);
        above += (r - k) * kSystems;  // from column b of row k to the same of row k + 1
    }
    for (int i = 0; i < NB; ++i) store<double, kD>(row + i * kSystems, sum[i]);
}

// Of kD systems: G = U^T D^-1 U, right-hand sides as column r of the rows, then U x = y. Where a pivot is not positive
// the bit of the system is missing from the answer.
inline unsigned solve_lanes(double* rows, index_t r, double* inverses, double* factors, double* x) {
    Doubles good;
    for (int l = 0; l < kD; ++l) good[l] = 1;
    double* row = rows;
    for (index_t a = 0; a < r; ++a) {  // row a: columns a..r
        const double* above = rows + a * kSystems;
        for (index_t k = 0; k < a; ++k) {
            store<double, kD>(factors + k * kSystems,
                              load<double, kD>(above) * load<double, kD>(inverses + k * kSystems));
            above += (r - k) * kSystems;
        }
        index_t b = a;
        for (; b + 4 <= r + 1; b += 4) eliminate<4>(row + (b - a) * kSystems, factors, rows, a, r, b);
        for (; b <= r; ++b) eliminate<1>(row + (b - a) * kSystems, factors, rows, a, r, b);
        const Doubles pivot = load<double, kD>(row);
        Doubles inverse;
        for (int l = 0; l < kD; ++l) {
            inverse[l] = pivot[l] > 0 ? 1 / pivot[l] : 0;
            good[l] = pivot[l] > 0 ? good[l] : 0;
        }
        store<double, kD>(inverses + a * kSystems, inverse);
        row += (r + 1 - a) * kSystems;
    }
    for (index_t a = r - 1; a >= 0; --a) {
        row -= (r + 1 - a) * kSystems;
        Doubles sum = load<double, kD>(row + (r - a) * kSystems);
        for (index_t b = a + 1; b < r; ++b)
            sum -= load<double, kD>(row + (b - a) * kSystems) * load<double, kD>(x + b * kSystems);
        store<double, kD>(x + a * kSystems, sum * load<double, kD>(inverses + a * kSystems));
    }
    unsigned bits = 0;
    for (int l = 0; l < kD; ++l) bits |= good[l] > 0 ? 1u << l : 0u;
    return bits;
}

inline unsigned solve_normal_equations(double* rows, index_t r, double* scratch, double* x) {
    unsigned bits = 0;
    for (int first = 0; first < kSystems; first += kD)
        bits |= solve_lanes(rows + first, r, scratch + first, scratch + r * kSystems + first, x + first) << first;
    return bits;
}

}  // namespace
