// TallVectors: what an update brings, a few tall vectors, sparse or dense. Rows appended to a matrix are such vectors
// of length n, columns of length m, and A + D E^T brings both.
#pragma once

#include <algorithm>
#include <vector>

#include "svdkit/base/buffer.hpp"
#include "svdkit/kernel/elementwise.hpp"

namespace svdkit {

struct TallVectors {
    index_t length = 0, count = 0;
    bool sparse = true;
    std::vector<index_t> begin{0};  ///< sparse: where each vector's entries begin, and the end
    std::vector<index_t> place{};   ///< row of every entry, any order, duplicates add up
    std::vector<double> value{};
    Block<double> dense{};  ///< dense: length x count

    /// Entries that may be different from zero.
    index_t entries() const { return sparse ? begin.back() : length * count; }

    /// Vectors [first, first + width).
    TallVectors range(index_t first, index_t width) const {
        TallVectors part{.length = length, .count = width, .sparse = sparse};
        if (!sparse) {
            part.dense = Block<double>(length, width);
            detail::copy_panel<double>(dense.panel().col_range(first, width), part.dense.panel());
            return part;
        }
        const index_t from = begin[static_cast<std::size_t>(first)];
        const index_t to = begin[static_cast<std::size_t>(first + width)];
        part.place.assign(place.begin() + from, place.begin() + to);
        part.value.assign(value.begin() + from, value.begin() + to);
        for (index_t j = 1; j <= width; ++j) part.begin.push_back(begin[static_cast<std::size_t>(first + j)] - from);
        return part;
    }

    /// Sparse vectors of the same length follow.
    void append(const TallVectors& more) {
        const index_t shift = begin.back();
        for (index_t j = 1; j <= more.count; ++j) begin.push_back(more.begin[static_cast<std::size_t>(j)] + shift);
        place.insert(place.end(), more.place.begin(), more.place.end());
        value.insert(value.end(), more.value.begin(), more.value.end());
        length = more.length;
        count += more.count;
    }

    /// The same as a dense block.
    Block<double> written_out() const {
        Block<double> all(length, count);
        if (!sparse) {
            for (index_t i = 0; i < length; ++i) std::copy_n(&dense(i, 0), count, &all(i, 0));
            return all;
        }
        visit([&](index_t j, index_t i, double v) { all(i, j) += v; });
        return all;
    }

    /// visitor(vector, row, value) of every entry of sparse vectors.
    template <class Visitor>
    void visit(const Visitor& visitor) const {
        for (index_t j = 0; j < count; ++j)
            for (index_t p = begin[static_cast<std::size_t>(j)]; p < begin[static_cast<std::size_t>(j) + 1]; ++p)
                visitor(j, place[static_cast<std::size_t>(p)], value[static_cast<std::size_t>(p)]);
    }
};

}  // namespace svdkit
