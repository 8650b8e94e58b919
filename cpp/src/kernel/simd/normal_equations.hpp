// The normal equations of rows of a half-sweep, in double precision (see kernel/simd.hpp for what they compute).
//
// Cells come in chunks whose rows sqrt(w) q stay in the first-level cache as a panel: one pass fetches and widens them
// and takes their products with the start (8 sums reduced together), then register tiles of the Gram matrix read them.
// The systems are solved eight at a time, one in every lane. Cost of a cell: about r^2 / 16 + r / 4 fused multiply-adds
// of 8 numbers; of a system: r^3 / 48 of them.
#pragma once

#include <cmath>

#include "reduce.hpp"
#include "svdkit/kernel/simd.hpp"

namespace {

using svdkit::detail::kSystems;
using svdkit::detail::NormalRow;

inline constexpr int kD = kLanes<double> < 8 ? (kLanes<double> < 4 ? 2 : 4) : 8;
inline constexpr int kGramRows = kD == 8 ? 8 : 4;  // rows and vectors of a register tile of G
inline constexpr int kGramVectors = 3;
using Doubles = Vec<double, kD>;

// G[a0.., j..] += sum over the cells of q_a q_j
template <int NV, int MR>
inline void gram_tile(const double* q, index_t count, index_t ld, index_t a0, index_t j, double* g) {
    Doubles sum[MR][NV];
    for (int a = 0; a < MR; ++a)
        for (int v = 0; v < NV; ++v) sum[a][v] = load<double, kD>(g + (a0 + a) * ld + j + v * kD);
    for (index_t c = 0; c < count; ++c) {
        Doubles in[NV];
        for (int v = 0; v < NV; ++v) in[v] = load<double, kD>(q + c * ld + j + v * kD);
#pragma GCC unroll 8
        for (int a = 0; a < MR; ++a)
#pragma GCC unroll 3
            for (int v = 0; v < NV; ++v) sum[a][v] += q[c * ld + a0 + a] * in[v];
    }
    for (int a = 0; a < MR; ++a)
        for (int v = 0; v < NV; ++v) store<double, kD>(g + (a0 + a) * ld + j + v * kD, sum[a][v]);
}

// MR rows of the upper triangle of G, and some of what lies below it.
template <int MR>
inline void gram_rows(const double* q, index_t count, index_t ld, index_t a0, double* g) {
    for (index_t j = a0 / kD * kD; j < ld;) {
        const index_t left = (ld - j) / kD;
        if (left >= 3) gram_tile<3, MR>(q, count, ld, a0, j, g);
        if (left == 2) gram_tile<2, MR>(q, count, ld, a0, j, g);
        if (left == 1) gram_tile<1, MR>(q, count, ld, a0, j, g);
        j += (left < kGramVectors ? left : kGramVectors) * kD;
    }
}

// G += Q^T Q
inline void add_gram(const double* q, index_t count, index_t r, index_t ld, double* g) {
    index_t a0 = 0;
    for (; r - a0 > 4; a0 += kGramRows) gram_rows<kGramRows>(q, count, ld, a0, g);
    if (r - a0 > 2) {
        gram_rows<4>(q, count, ld, a0, g);
    } else if (r - a0 > 0) {
        gram_rows<2>(q, count, ld, a0, g);
    }
}

// g += sum over the cells of factor_c q_c; two chains of sums hide some of their latency.
template <int NV>
inline void add_gradient(const double* q, const double* factors, index_t count, index_t ld, double* g) {
    Doubles sum[2][NV] = {};
    for (index_t c = 0; c + 1 < count; c += 2)
        for (int v = 0; v < NV; ++v) {
            sum[0][v] += factors[c] * load<double, kD>(q + c * ld + v * kD);
            sum[1][v] += factors[c + 1] * load<double, kD>(q + (c + 1) * ld + v * kD);
        }
    if (count % 2 == 1)
        for (int v = 0; v < NV; ++v) sum[0][v] += factors[count - 1] * load<double, kD>(q + (count - 1) * ld + v * kD);
    for (int v = 0; v < NV; ++v) store<double, kD>(g + v * kD, load<double, kD>(g + v * kD) + (sum[0][v] + sum[1][v]));
}

// Asks for the row of N that the cell kAhead places on will need.
template <class T>
inline void fetch_ahead(const NormalRow<T>& row, index_t p) {
    constexpr index_t kLine = 64 / sizeof(T);
    const index_t ahead = p + kAhead < row.readable ? p + kAhead : row.readable - 1;
    const T* const next = row.right + row.columns[ahead] * row.ld_right;
    for (index_t j = 0; j < row.r; j += kLine) __builtin_prefetch(next + j);
}

// NV vectors of the rows sqrt(w) q of kD cells into the panel q; returns their products with the start.
template <class T, int NV, bool kWeighted>
inline Doubles widen_rows(const T* const* from, const double* roots, const double* l, double* q, index_t ld) {
    Doubles start[NV], sum[kD];
    for (int v = 0; v < NV; ++v) start[v] = load<double, kD>(l + v * kD);
#pragma GCC unroll 8
    for (int c = 0; c < kD; ++c, q += ld) {
        const T* const in = from[c];
        Doubles product = {};
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) {
            Doubles wide = __builtin_convertvector(load<T, kD>(in + v * kD), Doubles);
            if constexpr (kWeighted) wide *= roots[c];
            store<double, kD>(q + v * kD, wide);
            product += wide * start[v];
        }
        sum[c] = product;
    }
    return sums_of_each<double, kD>(sum);
}

// The same for whole rows. `count` of the cells are there, the others repeat the first.
template <class T, bool kWeighted>
inline Doubles gather_cells(const NormalRow<T>& row, index_t p, index_t count, const double* roots, double* q) {
    const T* from[kD];
    for (index_t c = 0; c < kD; ++c) {
        fetch_ahead(row, p + c);
        from[c] = row.right + row.columns[c < count ? p + c : p] * row.ld_right;
    }
    const index_t ld = row.ld;
    const double* const l = row.start;
    Doubles sum = {};
    for (index_t j = 0; j < ld;) {
        const index_t left = (ld - j) / kD;
        const int step = left >= 4 ? 4 : (left >= 2 ? 2 : 1);
        if (step == 4) sum += widen_rows<T, 4, kWeighted>(from, roots, l + j, q + j, ld);
        if (step == 2) sum += widen_rows<T, 2, kWeighted>(from, roots, l + j, q + j, ld);
        if (step == 1) sum += widen_rows<T, 1, kWeighted>(from, roots, l + j, q + j, ld);
        for (int c = 0; c < kD; ++c) from[c] += step * kD;
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
