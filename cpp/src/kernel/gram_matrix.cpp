#include "svdkit/kernel/gram_matrix.hpp"

#include <algorithm>

#include "panels.hpp"

namespace svdkit {
namespace {

constexpr index_t kBlock = 64;               // columns of G at a time
constexpr index_t kStripBytes = 256 * 1024;  // rows of A that stay in the second-level cache
constexpr index_t kSumBytes = 64 << 20;      // private sums of all parts together

// Rows [first, first + count) of A, contiguous and padded to whole blocks of the register tiles.
template <class T>
void pack(ConstView<T> a, index_t first, index_t count, Panel<T> strip) {
    for (index_t i = 0; i < count; ++i) {
        T* out = strip.row(i);
        if (a.col_stride == 1) {
            std::copy_n(a.data + (first + i) * a.row_stride, a.cols, out);
        } else {
            for (index_t j = 0; j < a.cols; ++j) out[j] = a(first + i, j);
        }
        std::fill_n(out + a.cols, strip.cols - a.cols, T(0));
    }
}

}  // namespace

template <class T>
void gram_matrix(ConstView<T> a, Panel<T> g) {
    const index_t m = a.rows, n = a.cols;
    const index_t width = padded_ld<T>(n), size = width * width;
    const index_t strip = std::clamp<index_t>(kStripBytes / (width * static_cast<index_t>(sizeof(T))) / 8 * 8, 16, 256);
    const index_t affordable = std::max<index_t>(1, kSumBytes / (size * static_cast<index_t>(sizeof(T))));
    const Partition rows{m, std::clamp<index_t>(m / (4 * strip), 1, std::min<index_t>(affordable, 64)), strip};
    const Scratch<T> sums(rows.parts * size);
    parallel_for(rows.parts, 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(n),
                 [&](index_t part) {
                     const Panel<T> sum{sums.data() + part * size, width, width, width};
                     detail::set_zero(sum);
                     const ScratchPanel<T> packed(strip, width);
                     for (index_t i = rows.begin(part); i < rows.begin(part + 1); i += strip) {
                         const index_t count = std::min(strip, rows.begin(part + 1) - i);
                         pack(a, i, count, packed.panel());
                         for (index_t j = 0; j < width; j += kBlock) {
                             const T* below = packed.panel().data + j;  // columns j.. of the strip
                             detail::adjoint_tile(below, width, count, width - j, below, width, sum.row(j) + j, width,
                                                  std::min(kBlock, width - j));
                         }
                     }
                 });
    const ScratchPanel<T> total(width, width);
    detail::add_in_order(sums.data(), rows.parts, size, width, Panel<T>{total.panel().data, width, width, width});
    const Panel<T> lower{total.panel().data, width, width, width};
    for (index_t i = 0; i < n; ++i) {
        for (index_t j = 0; j < i; ++j) {
            g(i, j) = lower(i, j);
            g(j, i) = conj(lower(i, j));
        }
        g(i, i) = std::real(lower(i, i));
    }
}

#define INSTANTIATE(T) template void gram_matrix<T>(ConstView<T>, Panel<T>);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
