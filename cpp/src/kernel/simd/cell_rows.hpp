// Residual products of weighted fits (see kernel/simd.hpp for what they compute).
#pragma once

#include "csr_rows.hpp"
#include "reduce.hpp"
#include "svdkit/kernel/simd.hpp"

namespace {

using svdkit::CellList;
using svdkit::detail::CellRowsIn;

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

}  // namespace
