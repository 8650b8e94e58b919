#include "svdkit/kernel/norm.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "svdkit/base/half.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/scan.hpp"

namespace svdkit {
namespace {

constexpr index_t kLanes = 8;  // partial sums of a run: the order of summation that every vector width can keep

template <class T>
double square(T x, double scale) {
    if constexpr (is_complex<T>) {
        const double re = static_cast<double>(x.real()) * scale, im = static_cast<double>(x.imag()) * scale;
        return re * re + im * im;
    } else {
        double value;
        if constexpr (sizeof(T) == 2) {
            value = static_cast<double>(widen(x)) * scale;
        } else {
            value = static_cast<double>(x) * scale;
        }
        return value * value;
    }
}

template <class T>
double sum_of_squares(const T* x, index_t size, index_t stride, double scale) {
    double lanes[kLanes] = {};
    index_t i = 0;
    for (; i + kLanes <= size; i += kLanes)
        for (index_t lane = 0; lane < kLanes; ++lane) lanes[lane] += square(x[(i + lane) * stride], scale);
    for (index_t lane = 0; i < size; ++i, ++lane) lanes[lane] += square(x[i * stride], scale);
    double sum = 0;
    for (double lane : lanes) sum += lane;
    return sum;
}

// 2^-e as a factor in two steps would be needed only for subnormal largest entries; ldexp of the limit is enough.
double scale_of(double max_abs) { return std::ldexp(1.0, -std::clamp(std::ilogb(max_abs), -1022, 1022)); }

// sum over parts, each summed serially: the bits do not depend on the threads.
template <class Sum>
double total(index_t rows, double work, const Sum& sum_of_rows) {
    const index_t parts = std::clamp<index_t>(rows / 8, 1, 256);
    const Partition partition{rows, parts, 1};
    std::vector<double> sums(static_cast<std::size_t>(parts), 0.0);
    parallel_for(parts, work, [&](index_t part) {
        for (index_t i = partition.begin(part); i < partition.begin(part + 1); ++i)
            sums[static_cast<std::size_t>(part)] += sum_of_rows(i);
    });
    double sum = 0;
    for (double part : sums) sum += part;
    return sum;
}

// One row whose column numbers may repeat.
template <class T, class Index>
double row_with_duplicates(const CsrView<T, Index>& a, index_t i, double scale) {
    std::vector<std::pair<Index, T>> entries;
    for (index_t p = static_cast<index_t>(a.row_pointers[i]); p < a.row_pointers[i + 1]; ++p)
        entries.emplace_back(a.columns[p], a.values[p]);
    std::ranges::stable_sort(entries, {}, [](const auto& entry) { return entry.first; });
    double sum = 0;
    for (std::size_t p = 0; p < entries.size();) {
        T value = entries[p].second;
        const Index column = entries[p].first;
        while (++p < entries.size() && entries[p].first == column) value += entries[p].second;
        sum += square(value, scale);
    }
    return sum;
}

}  // namespace

template <class T>
double norm_fro(ConstView<T> a) {
    if (a.rows == 0 || a.cols == 0) return 0;
    if (std::abs(a.row_stride) < std::abs(a.col_stride)) a = a.transposed();
    const double max_abs = scan(a).max_abs;
    if (max_abs == 0) return 0;
    const double scale = scale_of(max_abs);
    const double work = static_cast<double>(a.rows) * static_cast<double>(a.cols) * sizeof(T);
    const double sum = total(a.rows, work, [&](index_t i) {
        return sum_of_squares(a.data + i * a.row_stride, a.cols, a.col_stride, scale);
    });
    return std::sqrt(sum) / scale;
}

template <class T, class Index>
double norm_fro(const CsrView<T, Index>& a) {
    const double max_abs = scan_values(a.values, a.nnz()).max_abs;
    if (max_abs == 0) return 0;
    const double scale = scale_of(max_abs);
    const double sum = total(a.rows, static_cast<double>(a.nnz()) * sizeof(T), [&](index_t i) {
        const auto begin = static_cast<index_t>(a.row_pointers[i]), end = static_cast<index_t>(a.row_pointers[i + 1]);
        for (index_t p = begin + 1; p < end; ++p)
            if (a.columns[p] <= a.columns[p - 1]) return row_with_duplicates(a, i, scale);
        return sum_of_squares(a.values + begin, end - begin, 1, scale);
    });
    return std::sqrt(sum) / scale;
}

#define INSTANTIATE(T)                                         \
    template double norm_fro<T>(ConstView<T>);                 \
    template double norm_fro(const CsrView<T, std::int32_t>&); \
    template double norm_fro(const CsrView<T, std::int64_t>&);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE
template double norm_fro<Float16>(ConstView<Float16>);
template double norm_fro<BFloat16>(ConstView<BFloat16>);

}  // namespace svdkit
