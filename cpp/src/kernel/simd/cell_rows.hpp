// The row loops of weighted fits (see kernel/simd.hpp for what they compute).
#pragma once

#include <cmath>
#include <utility>

#include "csr_rows.hpp"
#include "svdkit/kernel/simd.hpp"

namespace {

using svdkit::CellList;
using svdkit::detail::CellRowsIn;
using svdkit::detail::NormalRow;

template <class T, int L, std::size_t... I>
inline Vec<T, L / 2> fold(Vec<T, L> v, std::index_sequence<I...>) {
    return __builtin_shufflevector(v, v, static_cast<int>(I)...) +
           __builtin_shufflevector(v, v, static_cast<int>(I) + L / 2 ...);
}

template <class T, int L>
inline T sum_lanes(Vec<T, L> v) {
    if constexpr (L == 2) {
        return v[0] + v[1];
    } else {
        return sum_lanes<T, L / 2>(fold<T, L>(v, std::make_index_sequence<L / 2>()));
    }
}

// x . y; the length is a multiple of 4.
template <class T>
inline T dot(const T* x, const T* y, index_t length) {
    constexpr int L = kLanes<T>;
    T total = 0;
    index_t j = 0;
    if (length >= L) {
        Vec<T, L> sum = {};
        for (; j + L <= length; j += L) sum += load<T, L>(x + j) * load<T, L>(y + j);
        total = sum_lanes<T, L>(sum);
    }
    if constexpr (L > 8) {
        if (length - j >= 8) {
            total += sum_lanes<T, 8>(load<T, 8>(x + j) * load<T, 8>(y + j));
            j += 8;
        }
    }
    if constexpr (L > 4) {
        if (length - j >= 4) total += sum_lanes<T, 4>(load<T, 4>(x + j) * load<T, 4>(y + j));
    }
    return total;
}

// The weighted residuals of cells [first, last) of row r; returns their loss.
template <class T>
inline double row_residuals(const CellRowsIn<T>& in, index_t r, index_t first, index_t last, T* residuals) {
    const CellList<T>& cells = *in.cells;
    const T value_unit = static_cast<T>(cells.units.value), weight_unit = static_cast<T>(cells.units.weight);
    const T* const left = in.left + r * in.ld_left;
    const T* const before = in.left_before ? in.left_before + r * in.ld_left_before : nullptr;
    double loss = 0;
    for (index_t p = first; p < last; ++p) {
        const index_t ahead = p + kAhead < last ? p + kAhead : last - 1;
        __builtin_prefetch(in.right + cells.columns[ahead] * in.ld_right);
        if (before) __builtin_prefetch(in.right_before + cells.columns[ahead] * in.ld_right_before);
        const index_t column = cells.columns[p];
        const T value = cells.values[p] * value_unit;
        const T weight = cells.weights ? cells.weights[p] * weight_unit : T(1);
        const T current = dot(left, in.right + column * in.ld_right, in.width);
        const T error = value - current;
        T shift = 0;
        if (before) shift = in.beta * (current - dot(before, in.right_before + column * in.ld_right_before, in.width));
        residuals[p - first] = weight * (error - shift);
        loss += static_cast<double>(weight) * static_cast<double>(error) * static_cast<double>(error);
    }
    return loss;
}

template <class T>
double multiply_cells(const CellRowsIn<T>& in, index_t first, index_t last) {
    constexpr index_t kChunk = 64;  // cells whose rows of the panels stay in the first-level cache
    T residuals[kChunk];
    double loss = 0;
    for (index_t r = first; r < last; ++r) {
        T* const out = in.y + r * in.ldy;
        for (index_t j = 0; j < in.b; ++j) out[j] = 0;
        for (index_t p = in.cells->pointers[r]; p < in.cells->pointers[r + 1]; p += kChunk) {
            const index_t end = p + kChunk < in.cells->pointers[r + 1] ? p + kChunk : in.cells->pointers[r + 1];
            loss += row_residuals(in, r, p, end, residuals);
            for_each_group<T>(in.b, [&]<int L, int NV>(index_t j) {
                Vec<T, L> sum[NV];
                for (int v = 0; v < NV; ++v) sum[v] = load<T, L>(out + j + v * L);
                gather_row<T, L, NV>(in.cells->columns + p, residuals, 0, end - p, in.x + j, in.ldx, sum,
                                     static_cast<const T*>(nullptr), 0);
                for (int v = 0; v < NV; ++v) store<T, L>(out + j + v * L, sum[v]);
            });
        }
    }
    return loss;
}

// --- normal equations, in double precision
// -----------------------------------------------------------------------------

inline constexpr int kD = kLanes<double> < 8 ? (kLanes<double> < 4 ? 2 : 4) : 8;
inline constexpr int kGramRows = kD == 8 ? 8 : 4;  // rows and vectors of a register tile of G
inline constexpr int kGramVectors = 3;

// G[a0.., j..] += sum over the cells of q_a wq_j
template <int NV, int MR>
inline void gram_tile(const double* q, const double* wq, index_t count, index_t ld, index_t a0, index_t j, double* g) {
    Vec<double, kD> sum[MR][NV];
    for (int a = 0; a < MR; ++a)
        for (int v = 0; v < NV; ++v) sum[a][v] = load<double, kD>(g + (a0 + a) * ld + j + v * kD);
    for (index_t c = 0; c < count; ++c) {
        Vec<double, kD> in[NV];
        for (int v = 0; v < NV; ++v) in[v] = load<double, kD>(wq + c * ld + j + v * kD);
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
inline void gram_rows(const double* q, const double* wq, index_t count, index_t ld, index_t a0, double* g) {
    for (index_t j = a0 / kD * kD; j < ld;) {
        const index_t left = (ld - j) / kD;
        if (left >= 3) gram_tile<3, MR>(q, wq, count, ld, a0, j, g);
        if (left == 2) gram_tile<2, MR>(q, wq, count, ld, a0, j, g);
        if (left == 1) gram_tile<1, MR>(q, wq, count, ld, a0, j, g);
        j += (left < kGramVectors ? left : kGramVectors) * kD;
    }
}

// G += Q^T diag(w) Q
inline void add_gram(const double* q, const double* wq, index_t count, index_t r, index_t ld, double* g) {
    index_t a0 = 0;
    for (; r - a0 > 4; a0 += kGramRows) gram_rows<kGramRows>(q, wq, count, ld, a0, g);
    if (r - a0 > 2) {
        gram_rows<4>(q, wq, count, ld, a0, g);
    } else if (r - a0 > 0) {
        gram_rows<2>(q, wq, count, ld, a0, g);
    }
}

// g += sum over the cells of factor_c q_c
template <int NV>
inline void add_gradient(const double* q, const double* factors, index_t count, index_t ld, double* g) {
    Vec<double, kD> sum[NV];
    for (int v = 0; v < NV; ++v) sum[v] = load<double, kD>(g + v * kD);
    for (index_t c = 0; c < count; ++c)
        for (int v = 0; v < NV; ++v) sum[v] += factors[c] * load<double, kD>(q + c * ld + v * kD);
    for (int v = 0; v < NV; ++v) store<double, kD>(g + v * kD, sum[v]);
}

// The rows of N that `count` cells see, in double precision, and their products with `start`.
template <class T>
inline void gather_cells(const NormalRow<T>& row, index_t first, index_t count, double* q, double* products) {
    const index_t last = row.count - 1;
    for (index_t c = 0; c < count; ++c) {
        const index_t p = first + c;
        __builtin_prefetch(row.right + row.columns[p + kAhead < last ? p + kAhead : last] * row.ld_right);
        const T* const from = row.right + row.columns[p] * row.ld_right;
        Vec<double, kD> sum = {};
        for (index_t j = 0; j < row.ld; j += kD) {
            const Vec<double, kD> wide = __builtin_convertvector(load<T, kD>(from + j), Vec<double, kD>);
            store<double, kD>(q + c * row.ld + j, wide);
            sum += wide * load<double, kD>(row.start + j);
        }
        products[c] = sum_lanes<double, kD>(sum);
    }
}

template <class T>
double add_normal_equations(const NormalRow<T>& row) {
    constexpr index_t kChunk = NormalRow<T>::kChunk;
    const index_t ld = row.ld;
    const T value_unit = static_cast<T>(row.units.value), weight_unit = static_cast<T>(row.units.weight);
    double* const q = row.panel;
    double* const wq = row.weights ? row.panel + kChunk * ld : q;
    double factors[kChunk], loss = 0;
    for (index_t first = 0; first < row.count; first += kChunk) {
        const index_t count = row.count - first < kChunk ? row.count - first : kChunk;
        gather_cells(row, first, count, q, factors);
        for (index_t c = 0; c < count; ++c) {
            const double weight = row.weights ? static_cast<double>(row.weights[first + c] * weight_unit) : 1.0;
            const double error = static_cast<double>(row.values[first + c] * value_unit) - factors[c];
            loss += weight * error * error;
            factors[c] = weight * error;
            if (!row.weights) continue;
            for (index_t j = 0; j < ld; j += kD)
                store<double, kD>(wq + c * ld + j, weight * load<double, kD>(q + c * ld + j));
        }
        index_t j = 0;
        for (; j + 2 * kD <= ld; j += 2 * kD) add_gradient<2>(q + j, factors, count, ld, row.g + j);
        for (; j < ld; j += kD) add_gradient<1>(q + j, factors, count, ld, row.g + j);
        add_gram(q, wq, count, row.r, ld, row.gram);
    }
    return loss;
}

// G = U^T U in place (upper triangle), then g <- G^-1 g. False where a pivot is not positive.
inline bool solve_normal_equations(double* gram, double* g, index_t r, index_t ld) {
    for (index_t k = 0; k < r; ++k) {
        double* const pivot_row = gram + k * ld;
        if (!(pivot_row[k] > 0)) return false;
        const double inverse = 1 / std::sqrt(pivot_row[k]);
        for (index_t j = k / kD * kD; j < ld; j += kD)
            store<double, kD>(pivot_row + j, inverse * load<double, kD>(pivot_row + j));
        for (index_t i = k + 1; i < r; ++i) {
            const double factor = pivot_row[i];
            double* const row = gram + i * ld;
            for (index_t j = i / kD * kD; j < ld; j += kD)
                store<double, kD>(row + j, load<double, kD>(row + j) - factor * load<double, kD>(pivot_row + j));
        }
        const double y = g[k] * inverse;
        for (index_t j = k + 1; j < r; ++j) g[j] -= y * pivot_row[j];
        g[k] = y;
    }
    double* const x = g + ld;  // zero where it is not known yet, so that whole vectors can be multiplied
    for (index_t j = 0; j < ld; ++j) x[j] = 0;
    for (index_t k = r - 1; k >= 0; --k) {
        const index_t j = k / kD * kD;
        x[k] = (g[k] - dot(gram + k * ld + j, x + j, ld - j)) / gram[k * ld + k];
    }
    for (index_t j = 0; j < ld; ++j) g[j] = x[j];
    return true;
}

}  // namespace
