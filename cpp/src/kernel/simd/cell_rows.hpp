// Residual products of weighted fits (see kernel/simd.hpp for what they compute).
#pragma once

#include "csr_rows.hpp"
#include "reduce.hpp"
#include "svdkit/kernel/simd.hpp"

namespace {

using svdkit::CellList;
using svdkit::detail::CellRowsIn;

constexpr index_t kCellChunk = 64;  // cells whose rows of the panels stay in the first-level cache

// What a row of S needs of other rows, for the cell kAhead places on.
template <class T>
inline void fetch_ahead(const CellRowsIn<T>& in, index_t p) {
    constexpr index_t kLine = 64 / sizeof(T);
    const index_t end = in.cells->count(), column = in.cells->columns[p + kAhead < end ? p + kAhead : end - 1];
    for (index_t j = 0; j < in.width; j += kLine) __builtin_prefetch(in.right + column * in.ld_right + j);
    for (index_t j = 0; j < in.b; j += kLine) __builtin_prefetch(in.x + column * in.ldx + j);
    if (!in.left_before) return;
    for (index_t j = 0; j < in.width; j += kLine) __builtin_prefetch(in.right_before + column * in.ld_right_before + j);
}

// out[c] = left . row columns[c] of right, for `count` cells; the length is a multiple of the lanes.
template <class T>
inline void cell_products(const T* left, const T* right, index_t ld, index_t width, const std::int32_t* columns,
                          index_t count, T* out) {
    constexpr int L = kLanes<T>;
    for (index_t c = 0; c < count; c += L) {
        Vec<T, L> sums[L];
#pragma GCC unroll 16
        for (int l = 0; l < L; ++l) {
            const T* const row = right + columns[c + l < count ? c + l : c] * ld;
            Vec<T, L> sum = {};
            for (index_t j = 0; j < width; j += L) sum += load<T, L>(left + j) * load<T, L>(row + j);
            sums[l] = sum;
        }
        store<T, L>(out + c, sums_of_each<T, L>(sums));
    }
}

// The weighted residuals of `count` cells of row r from p on; returns their loss.
template <class T>
inline double row_residuals(const CellRowsIn<T>& in, index_t r, index_t p, index_t count, T* residuals) {
    const CellList<T>& cells = *in.cells;
    const T value_unit = static_cast<T>(cells.units.value), weight_unit = static_cast<T>(cells.units.weight);
    const std::int32_t* const columns = cells.columns + p;
    T errors[kCellChunk], weights[kCellChunk], current[kCellChunk], before[kCellChunk];
    for (index_t c = 0; c < count; ++c) fetch_ahead(in, p + c);
    cell_products(in.left + r * in.ld_left, in.right, in.ld_right, in.width, columns, count, current);
    for (index_t c = 0; c < count; ++c) {
        errors[c] = cells.values[p + c] * value_unit - current[c];
        weights[c] = cells.weights ? cells.weights[p + c] * weight_unit : T(1);
        residuals[c] = weights[c] * errors[c];
    }
    if (in.left_before) {
        cell_products(in.left_before + r * in.ld_left_before, in.right_before, in.ld_right_before, in.width, columns,
                      count, before);
        for (index_t c = 0; c < count; ++c) residuals[c] -= weights[c] * in.beta * (current[c] - before[c]);
    }
    double losses[8] = {};
    for (index_t c = count; c % 8 != 0; ++c) errors[c] = weights[c] = 0;
    for (index_t c = 0; c < count; c += 8)
        for (int l = 0; l < 8; ++l)
            losses[l] += static_cast<double>(weights[c + l]) * static_cast<double>(errors[c + l]) *
                         static_cast<double>(errors[c + l]);
    return ((losses[0] + losses[1]) + (losses[2] + losses[3])) + ((losses[4] + losses[5]) + (losses[6] + losses[7]));
}

template <class T>
double multiply_cells(const CellRowsIn<T>& in, index_t first, index_t last) {
    T residuals[kCellChunk];
    double loss = 0;
    for (index_t r = first; r < last; ++r) {
        T* const out = in.y + r * in.ldy;
        for (index_t j = 0; j < in.b; ++j) out[j] = 0;
        const index_t end = in.cells->pointers[r + 1];
        for (index_t p = in.cells->pointers[r]; p < end; p += kCellChunk) {
            const index_t count = end - p < kCellChunk ? end - p : kCellChunk;
            loss += row_residuals(in, r, p, count, residuals);
            for_each_group<T>(in.b, [&]<int L, int NV>(index_t j) {
                Vec<T, L> sum[NV];
                for (int v = 0; v < NV; ++v) sum[v] = load<T, L>(out + j + v * L);
                for (index_t c = 0; c < count; ++c) {
                    const T* const x = in.x + in.cells->columns[p + c] * in.ldx + j;
#pragma GCC unroll 4
                    for (int v = 0; v < NV; ++v) sum[v] += residuals[c] * load<T, L>(x + v * L);
                }
                for (int v = 0; v < NV; ++v) store<T, L>(out + j + v * L, sum[v]);
            });
        }
    }
    return loss;
}

template <class T>
void write_residuals(const CellRowsIn<T>& in, index_t first, index_t last, float* out) {
    T residuals[kCellChunk];
    for (index_t r = first; r < last; ++r) {
        const index_t end = in.cells->pointers[r + 1];
        for (index_t p = in.cells->pointers[r]; p < end; p += kCellChunk) {
            const index_t count = end - p < kCellChunk ? end - p : kCellChunk;
            row_residuals(in, r, p, count, residuals);
            for (index_t c = 0; c < count; ++c) out[p + c] = static_cast<float>(residuals[c]);
        }
    }
}

}  // namespace
