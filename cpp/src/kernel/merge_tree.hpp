// Divide and conquer: the tree of halves, and what its merges have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "svdkit/base/threads.hpp"

namespace svdkit::detail {

struct MergeNode {
    index_t first, size;
    index_t left;   ///< size of the left child; 0: a leaf
    index_t extra;  ///< columns beyond the rows (bidiagonal pieces)
};

/// Halves of [0, n), with `between` rows left out between two halves, down to leaves of one size or two.
class MergeTree {
public:
    MergeTree(index_t n, index_t between) : levels_{{{0, n, 0, 0}}} {
        constexpr index_t kLeaf = 96;
        while (levels_.back().front().size > kLeaf) {
            std::vector<MergeNode> below;
            for (MergeNode& node : levels_.back()) {
                node.left = (node.size - between) / 2;
                below.push_back({node.first, node.left, 0, between});
                below.push_back({node.first + node.left + between, node.size - node.left - between, 0, node.extra});
            }
            levels_.push_back(below);
        }
    }
    const std::vector<MergeNode>& leaves() const { return levels_.back(); }

    /// Leaves and small merges side by side, then the large ones, each on all threads: the bits are the same either
    /// way.
    template <class Leaf, class Merge>
    void run(const Leaf& leaf, const Merge& merge) const {
        constexpr std::size_t kSideBySide = 8;
        for (std::size_t level = levels_.size(); level-- > 0;) {
            const std::vector<MergeNode>& nodes = levels_[level];
            const auto body = [&](index_t i) {
                const MergeNode& node = nodes[static_cast<std::size_t>(i)];
                node.left == 0 ? leaf(node) : merge(node);
            };
            const index_t count = static_cast<index_t>(nodes.size());
            if (nodes.size() >= kSideBySide || level + 1 == levels_.size()) {
                parallel_for(count, 1e9, body);
            } else {
                for (index_t i = 0; i < count; ++i) body(i);
            }
        }
    }

private:
    std::vector<std::vector<MergeNode>> levels_;
};

/// Columns of a strip: wide enough for matrix products, enough strips for several threads.
inline index_t strip_width(index_t cols) { return std::clamp<index_t>((cols / 8 + 7) / 8 * 8, 32, 384); }

/// body(from, to) for strips of [first, last); `each` is the work of one column.
template <class Body>
void for_strips(index_t first, index_t last, index_t width, double each, const Body& body) {
    const index_t cols = last - first, strips = (cols + width - 1) / width;
    parallel_for(strips, each * static_cast<double>(cols),
                 [&](index_t s) { body(first + s * width, std::min(last, first + (s + 1) * width)); });
}

/// Numbers (from 1) that sort d[0..n): ascending up to k, descending from there.
template <class R>
void merge_orders(const R* d, index_t k, index_t n, std::int32_t* sorted) {
    index_t i = 0, j = n - 1;
    for (index_t place = 0; place < n; ++place) {
        const bool lower = j < k || (i < k && d[i] <= d[j]);
        sorted[place] = static_cast<std::int32_t>((lower ? i++ : j--) + 1);
    }
}

}  // namespace svdkit::detail
