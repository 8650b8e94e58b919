#include "svdkit/kernel/scan.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "svdkit/base/error.hpp"
#include "svdkit/base/half.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/simd.hpp"

namespace svdkit {
namespace {

// Largest magnitude of `size` real numbers `stride` apart. A NaN or infinity makes `poison` NaN.
template <class R>
void scan_run(const R* x, index_t size, index_t stride, double& max_abs, double& poison) {
    if (stride == 1) return detail::scan_row(x, size, max_abs, poison);
    for (index_t i = 0; i < size; ++i) {
        max_abs = std::max(max_abs, static_cast<double>(std::abs(x[i * stride])));
        poison += static_cast<double>(x[i * stride]) * 0.0;
    }
}

template <class T>
bool is_finite(T x) {
    if constexpr (is_complex<T>) {
        return std::isfinite(x.real()) && std::isfinite(x.imag());
    } else {
        return std::isfinite(x);
    }
}

// Rows of `a` as long runs: a transposed view when its columns are the contiguous direction.
template <class T>
Scan scan_rows(ConstView<T> a) {
    using R = real_t<T>;
    constexpr index_t width = is_complex<T> ? 2 : 1;
    // A contiguous matrix is one long row: cut it evenly.
    if (a.col_stride == 1 && (a.rows == 1 || a.row_stride == a.cols)) {
        a = {a.data, 1, a.rows * a.cols, a.rows * a.cols, 1};
    }
    constexpr index_t run = 1 << 16;
    const index_t runs_per_row = std::max<index_t>(1, (a.cols + run - 1) / run);
    const index_t parts = std::clamp<index_t>(a.rows * a.cols / run, 1, 256);
    const Partition partition{a.rows * runs_per_row, parts, 1};
    std::vector<Scan> found(static_cast<std::size_t>(parts));
    std::vector<double> poison(static_cast<std::size_t>(parts), 0.0);
    parallel_for(parts, static_cast<double>(a.rows) * static_cast<double>(a.cols) * sizeof(T), [&](index_t part) {
        Scan local;
        double bad = 0;
        for (index_t q = partition.begin(part); q < partition.begin(part + 1); ++q) {
            const index_t i = q / runs_per_row, first = (q % runs_per_row) * run;
            const index_t size = std::min(run, a.cols - first);
            const T* start = a.data + i * a.row_stride + first * a.col_stride;
            for (index_t component = 0; component < (a.col_stride == 1 ? 1 : width); ++component) {
                scan_run(reinterpret_cast<const R*>(start) + component, a.col_stride == 1 ? size * width : size,
                         a.col_stride == 1 ? 1 : a.col_stride * width, local.max_abs, bad);
            }
        }
        found[static_cast<std::size_t>(part)] = local;
        poison[static_cast<std::size_t>(part)] = bad;
    });
    Scan total;
    bool finite = true;
    for (std::size_t part = 0; part < found.size(); ++part) {
        total.max_abs = std::max(total.max_abs, found[part].max_abs);
        finite = finite && poison[part] == 0;
    }
    if (!finite) total.first_bad_row = 0;
    return total;
}

}  // namespace

template <class T>
Scan scan(ConstView<T> a) {
    if (a.rows == 0 || a.cols == 0) return {};
    const bool by_columns = std::abs(a.row_stride) < std::abs(a.col_stride);
    Scan result = scan_rows(by_columns ? a.transposed() : a);
    if (result.first_bad_row < 0) return result;
    for (index_t i = 0; i < a.rows; ++i) {
        for (index_t j = 0; j < a.cols; ++j) {
            if (!is_finite(a(i, j))) {
                result.first_bad_row = i;
                result.first_bad_col = j;
                return result;
            }
        }
    }
    return result;
}

// 16-bit numbers are widened a piece of a row (or column) at a time.
template <class Half>
Scan scan_half(ConstView<Half> a) {
    if (std::abs(a.row_stride) < std::abs(a.col_stride)) {
        Scan result = scan_half(a.transposed());
        std::swap(result.first_bad_row, result.first_bad_col);
        return result;
    }
    constexpr index_t piece = 4096;
    Scan total;
    std::vector<float> wide(piece);
    for (index_t i = 0; i < a.rows; ++i) {
        for (index_t first = 0; first < a.cols; first += piece) {
            const index_t size = std::min(piece, a.cols - first);
            for (index_t j = 0; j < size; ++j) wide[static_cast<std::size_t>(j)] = widen(a(i, first + j));
            const Scan part = scan_values(wide.data(), size);
            total.max_abs = std::max(total.max_abs, part.max_abs);
            if (part.first_bad_row >= 0 && total.first_bad_row < 0) {
                total.first_bad_row = i;
                total.first_bad_col = first + part.first_bad_col;
            }
        }
    }
    return total;
}

template <>
Scan scan<Float16>(ConstView<Float16> a) {
    return scan_half(a);
}
template <>
Scan scan<BFloat16>(ConstView<BFloat16> a) {
    return scan_half(a);
}

template <class R>
double largest_observed(ConstView<R> a) {
    const ConstView<R> lines = std::abs(a.row_stride) < std::abs(a.col_stride) ? a.transposed() : a;
    const index_t parts = std::clamp<index_t>(a.rows * a.cols / 65536, 1, std::max<index_t>(lines.rows, 1));
    const Partition rows{lines.rows, parts, 1};
    std::vector<double> largest(static_cast<std::size_t>(rows.parts), 0.0);
    parallel_for(rows.parts, static_cast<double>(a.rows) * static_cast<double>(a.cols) * sizeof(R), [&](index_t part) {
        double most = 0;
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i)
            for (index_t j = 0; j < lines.cols; ++j) most = std::max(most, static_cast<double>(std::abs(lines(i, j))));
        largest[static_cast<std::size_t>(part)] = most;
    });
    const double most = *std::ranges::max_element(largest);
    for (index_t i = 0; std::isinf(most) && i < a.rows; ++i) {
        for (index_t j = 0; j < a.cols; ++j) {
            if (!std::isinf(a(i, j))) continue;
            throw InvalidArgument("A[" + std::to_string(i) + ", " + std::to_string(j) +
                                  "] is infinite, but a cell must be finite, or NaN where it is missing");
        }
    }
    return most;
}
template double largest_observed<float>(ConstView<float>);
template double largest_observed<double>(ConstView<double>);

#define INSTANTIATE(T) template Scan scan<T>(ConstView<T>);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
