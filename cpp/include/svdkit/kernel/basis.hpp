// Basis: room for a growing number of tall vectors.
//
// Vectors lie in slabs of a few neighbouring columns, each contiguous: a sweep over the first j vectors reads memory in
// order, whatever the room that is left. Memory: n x capacity, touched only as vectors are put in.
#pragma once

#include <algorithm>

#include "svdkit/base/buffer.hpp"
#include "svdkit/base/threads.hpp"

namespace svdkit {

template <class T>
class Basis {
public:
    Basis(index_t rows, index_t capacity)
        : rows_(rows),
          capacity_(capacity),
          memory_(detail::checked_product((capacity + kSlab - 1) / kSlab * kSlab, rows)) {}

    index_t rows() const { return rows_; }
    /// The first `count` vectors.
    Columns<T> columns(index_t count) const { return {memory_.data(), rows_, count, kSlab, rows_ * kSlab, kSlab}; }

    /// Vectors [first, first + block.cols) from the block, and into it.
    void put(index_t first, ConstPanel<T> block) const {
        move(first, block.cols,
             [&](T* row, index_t i, index_t from, index_t width) { std::copy_n(block.row(i) + from, width, row); });
    }
    void get(index_t first, Panel<T> block) const {
        move(first, block.cols, [&](const T* row, index_t i, index_t from, index_t width) {
            std::copy_n(row, width, block.row(i) + from);
        });
    }

private:
    static constexpr index_t kSlab = 256 / static_cast<index_t>(sizeof(T));

    template <class Copy>
    void move(index_t first, index_t count, const Copy& copy) const {
        const Partition rows{rows_, std::max<index_t>(1, rows_ / 512), 1};
        parallel_for(rows.parts, static_cast<double>(rows_ * count), [&](index_t part) {
            for (index_t c = first; c < first + count;) {
                const index_t slab = c / kSlab, next = std::min((slab + 1) * kSlab, first + count);
                T* const column = memory_.data() + slab * rows_ * kSlab + c % kSlab;
                for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i)
                    copy(column + i * kSlab, i, c - first, next - c);
                c = next;
            }
        });
    }

    index_t rows_, capacity_;
    Buffer<T> memory_;
};

}  // namespace svdkit
