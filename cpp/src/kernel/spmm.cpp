#include "svdkit/kernel/spmm.hpp"

#include <algorithm>
#include <string>

#include "panels.hpp"
#include "svdkit/base/error.hpp"

namespace svdkit {
namespace {

using detail::add_in_order;
using detail::set_zero;
using detail::Widened;
using detail::WidenedOutput;

// Complex products written out: the compiler's own checks every one for infinities.
template <class T>
T multiply(T a, T b) {
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// The row loops for complex scalars; real ones use kernel/simd.hpp.
template <class T, class Index>
void complex_forward(const CsrView<T, Index>& a, index_t first, index_t last, ConstPanel<T> x, Panel<T> y) {
    for (index_t i = first; i < last; ++i) {
        T* out = y.row(i);
        std::fill_n(out, y.cols, T(0));
        for (Index p = a.row_pointers[i]; p < a.row_pointers[i + 1]; ++p) {
            const T* in = x.row(a.columns[p]);
            for (index_t j = 0; j < y.cols; ++j) out[j] += multiply(a.values[p], in[j]);
        }
    }
}

template <class T, class Index>
void complex_adjoint(const CsrView<T, Index>& a, index_t first, index_t last, ConstPanel<T> y, Panel<T> z) {
    for (index_t i = first; i < last; ++i) {
        const T* in = y.row(i);
        for (Index p = a.row_pointers[i]; p < a.row_pointers[i + 1]; ++p) {
            T* out = z.row(a.columns[p]);
            const T value = std::conj(a.values[p]);
            for (index_t j = 0; j < y.cols; ++j) out[j] += multiply(value, in[j]);
        }
    }
}

template <class T, class Index>
void forward_rows(const CsrView<T, Index>& a, index_t first, index_t last, ConstPanel<T> x, Panel<T> y) {
    if constexpr (is_complex<T>) {
        complex_forward(a, first, last, x, y);
    } else {
        detail::csr_kernels<T, Index>().forward(a.row_pointers, a.columns, a.values, first, last, x.data, x.ld, y.data,
                                                y.ld, x.cols);
    }
}

template <class T, class Index>
void adjoint_rows(const CsrView<T, Index>& a, index_t first, index_t last, ConstPanel<T> y, Panel<T> z) {
    if constexpr (is_complex<T>) {
        complex_adjoint(a, first, last, y, z);
    } else {
        detail::csr_kernels<T, Index>().adjoint(a.row_pointers, a.columns, a.values, first, last, y.data, y.ld, z.data,
                                                z.ld, y.cols);
    }
}

template <class T, class Index>
void gram_rows(const CsrView<T, Index>& a, index_t first, index_t last, ConstPanel<T> x, Panel<T> y, Panel<T> z) {
    if constexpr (is_complex<T>) {
        complex_forward(a, first, last, x, y);
        complex_adjoint(a, first, last, ConstPanel<T>(y), z);
    } else {
        detail::csr_kernels<T, Index>().gram(a.row_pointers, a.columns, a.values, first, last, x.data, x.ld, y.data,
                                             y.ld, z.data, z.ld, x.cols);
    }
}

// Groups of row parts that share a private sum. Each sum is n x b; all together they are about half as large as the
// entries that are read, so that clearing and adding them stays small beside the scatter; at least 4, at most 16.
template <class T, class Index>
index_t private_sums(index_t nnz, index_t n, index_t b, index_t parts) {
    const index_t entries = nnz * static_cast<index_t>(sizeof(T) + sizeof(Index));
    const index_t sum = std::max<index_t>(1, n * b * static_cast<index_t>(sizeof(T)));
    return std::clamp<index_t>(entries / (2 * sum), std::min<index_t>(4, parts), std::min<index_t>(16, parts));
}

// Z = sum of what body(first_row, last_row, private Z) adds up, over all rows.
template <class T, class Index, class Body>
void scatter(const CsrView<T, Index>& a, const CsrPartition& partition, Panel<T> z, const Body& body) {
    const index_t parts = static_cast<index_t>(partition.size()) - 1;
    const index_t sums = private_sums<T, Index>(a.nnz(), a.cols, z.cols, parts);
    const index_t ld = padded_ld<T>(z.cols);
    const Scratch<T> memory(sums * a.cols * ld);
    const Partition groups{parts, sums, 1};
    parallel_for(sums, 2.0 * static_cast<double>((a.nnz() + a.cols) * z.cols), [&](index_t q) {
        const Panel<T> sum{memory.data() + q * a.cols * ld, a.cols, z.cols, ld};
        set_zero(sum);
        body(partition[static_cast<std::size_t>(groups.begin(q))],
             partition[static_cast<std::size_t>(groups.begin(q + 1))], sum);
    });
    add_in_order(memory.data(), sums, a.cols * ld, ld, z);
}

}  // namespace

template <class T, class Index>
CsrPartition partition_rows(const CsrView<T, Index>& a) {
    // Row r starts at work nnz before it + r, so empty rows count too.
    const index_t total = a.nnz() + a.rows;
    const index_t parts = std::clamp<index_t>(std::min(a.rows, total / 4096), 1, 64);
    CsrPartition first(static_cast<std::size_t>(parts) + 1, a.rows);
    first[0] = 0;
    index_t row = 0;
    for (index_t part = 1; part < parts; ++part) {
        const index_t target = total * part / parts;
        while (row < a.rows && static_cast<index_t>(a.row_pointers[row]) + row < target) ++row;
        first[static_cast<std::size_t>(part)] = row;
    }
    return first;
}

template <class T, class Index>
void check_structure(const CsrView<T, Index>& a) {
    if (a.row_pointers[0] != 0) throw InvalidArgument("sparse matrix: indptr must start at 0");
    for (index_t i = 0; i < a.rows; ++i) {
        if (a.row_pointers[i + 1] < a.row_pointers[i]) {
            throw InvalidArgument("sparse matrix: indptr decreases after entry " + std::to_string(i));
        }
    }
    for (index_t p = 0; p < a.nnz(); ++p) {
        const index_t column = static_cast<index_t>(a.columns[p]);
        if (column < 0 || column >= a.cols) {
            throw InvalidArgument("sparse matrix: index " + std::to_string(column) + " at position " +
                                  std::to_string(p) + " is outside 0.." + std::to_string(a.cols - 1));
        }
    }
}

template <class T, class Index>
void spmm(const CsrView<T, Index>& a, const CsrPartition& partition, ConstPanel<T> x, Panel<T> y) {
    const Widened<T> in(x);
    const WidenedOutput<T> out(y);
    parallel_for(static_cast<index_t>(partition.size()) - 1, 2.0 * static_cast<double>(a.nnz() * x.cols),
                 [&](index_t part) {
                     const auto p = static_cast<std::size_t>(part);
                     forward_rows(a, partition[p], partition[p + 1], in.panel(), out.panel());
                 });
}

template <class T, class Index>
void spmm_adjoint(const CsrView<T, Index>& a, const CsrPartition& partition, ConstPanel<T> y, Panel<T> z) {
    if (a.rows == 0) return set_zero(z);
    const Widened<T> in(y);
    const WidenedOutput<T> out(z);
    scatter(a, partition, out.panel(),
            [&](index_t first, index_t last, Panel<T> sum) { adjoint_rows(a, first, last, in.panel(), sum); });
}

template <class T, class Index>
void spmm_gram(const CsrView<T, Index>& a, const CsrPartition& partition, ConstPanel<T> x, Panel<T> y, Panel<T> z) {
    if (a.rows == 0) return set_zero(z);
    const Widened<T> in(x);
    const WidenedOutput<T> out_y(y), out_z(z);
    scatter(a, partition, out_z.panel(), [&](index_t first, index_t last, Panel<T> sum) {
        gram_rows(a, first, last, in.panel(), out_y.panel(), sum);
    });
}

#define INSTANTIATE_INDEX(T, Index)                                                                               \
    template CsrPartition partition_rows<T, Index>(const CsrView<T, Index>&);                                     \
    template void check_structure<T, Index>(const CsrView<T, Index>&);                                            \
    template void spmm<T, Index>(const CsrView<T, Index>&, const CsrPartition&, ConstPanel<T>, Panel<T>);         \
    template void spmm_adjoint<T, Index>(const CsrView<T, Index>&, const CsrPartition&, ConstPanel<T>, Panel<T>); \
    template void spmm_gram<T, Index>(const CsrView<T, Index>&, const CsrPartition&, ConstPanel<T>, Panel<T>, Panel<T>);
#define INSTANTIATE(T)                 \
    INSTANTIATE_INDEX(T, std::int32_t) \
    INSTANTIATE_INDEX(T, std::int64_t)
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE
#undef INSTANTIATE_INDEX

}  // namespace svdkit
