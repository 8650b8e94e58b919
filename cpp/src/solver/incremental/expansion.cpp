#include "svdkit/solver/incremental/expansion.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "small_products.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "svdkit/kernel/orth.hpp"

namespace svdkit {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

struct Entry {
    index_t place, vector;
    double value;
};

// Entries of sparse vectors by place, those of one place by vector: sorted digit by digit, in time of their number.
std::vector<Entry> by_place(const TallVectors& e) {
    constexpr int kBits = 11;
    std::vector<Entry> entries, next(e.value.size());
    entries.reserve(e.value.size());
    e.visit([&](index_t j, index_t i, double v) { entries.push_back({i, j, v}); });
    for (int shift = 0; (e.length - 1) >> shift > 0; shift += kBits) {
        std::array<index_t, (1 << kBits) + 1> begin{};
        const auto digit = [&](const Entry& x) { return static_cast<std::size_t>((x.place >> shift) % (1 << kBits)); };
        for (const Entry& x : entries) ++begin[digit(x) + 1];
        for (std::size_t d = 1; d < begin.size(); ++d) begin[d] += begin[d - 1];
        for (const Entry& x : entries) next[static_cast<std::size_t>(begin[digit(x)]++)] = x;
        std::swap(entries, next);
    }
    return entries;
}

// E^T E of sparse vectors; duplicate entries add up first.
Block<double> inner_products(const TallVectors& e) {
    std::vector<Entry> entries = by_place(e);
    Block<double> gram(e.count, e.count);
    std::size_t first = 0;
    while (first < entries.size()) {
        std::size_t last = first, size = first;  // merged entries of one row: [first, size)
        for (; last < entries.size() && entries[last].place == entries[first].place; ++last) {
            if (size > first && entries[size - 1].vector == entries[last].vector) {
                entries[size - 1].value += entries[last].value;
            } else {
                entries[size++] = entries[last];
            }
        }
        for (std::size_t a = first; a < size; ++a)
            for (std::size_t b = first; b <= a; ++b)
                gram(entries[a].vector, entries[b].vector) += entries[a].value * entries[b].value;
        first = last;
    }
    for (index_t a = 0; a < e.count; ++a)
        for (index_t b = 0; b < a; ++b) gram(b, a) = gram(a, b);
    return gram;
}

// W = diag(1 / lengths) P R^-1: combinations of the vectors whose residuals are orthonormal; R in the upper triangle.
Block<double> combinations(const Block<double>& r, index_t rank, const std::vector<index_t>& order,
                           const std::vector<double>& lengths) {
    Block<double> inverse(rank, rank), weights(static_cast<index_t>(order.size()), rank);
    for (index_t i = 0; i < rank; ++i) std::copy_n(&r(i, i), rank - i, &inverse(i, i));
    lapack::inverse_lower(rank, inverse.data(), inverse.ld());  // column by column it is lower triangular
    for (index_t i = 0; i < rank; ++i) {
        const index_t vector = order[static_cast<std::size_t>(i)];
        for (index_t j = i; j < rank; ++j)
            weights(vector, j) = inverse(i, j) / lengths[static_cast<std::size_t>(vector)];
    }
    return weights;
}

}  // namespace

Expansion expand_by_pairs(const LazyFactor& factor, const TallVectors& vectors) {
    const index_t t = vectors.count, r = factor.cols();
    Expansion out{.inner = factor.inner(vectors), .gram = inner_products(vectors)};
    const Block<double> c = detail::product(out.inner, factor.factor());
    Block<double> h(t, t);
    detail::copy_panel<double>(out.gram.panel(), h.panel());
    std::vector<double> lengths(static_cast<std::size_t>(t), 0.0);
    for (index_t j = 0; j < t; ++j) {  // lengths below the range of squares are zero beside the rest
        const double square = h(j, j);
        lengths[static_cast<std::size_t>(j)] = square > std::numeric_limits<double>::min() ? std::sqrt(square) : 0;
    }
    detail::subtract_outer(c, h);
    for (index_t i = 0; i < t; ++i) {
        for (index_t j = 0; j < t; ++j) {
            const double a = lengths[static_cast<std::size_t>(i)], b = lengths[static_cast<std::size_t>(j)];
            h(i, j) = a > 0 && b > 0 ? h(i, j) / a / b : 0;
        }
    }
    std::vector<index_t> order(static_cast<std::size_t>(t));
    const double floor = std::sqrt(32 * kEpsilon * std::sqrt(static_cast<double>(t)));  // the rounding of h beside 1
    out.count = lapack::pivoted_cholesky(t, h.data(), h.ld(), order.data(), floor);
    out.weights = combinations(h, out.count, order, lengths);
    out.known = detail::adjoint_product(c, out.weights);
    out.coordinates = Block<double>(t, r + out.count);
    for (index_t i = 0; i < t; ++i) {
        const index_t vector = order[static_cast<std::size_t>(i)];
        const double length = lengths[static_cast<std::size_t>(vector)];
        for (index_t j = 0; j < r; ++j) out.coordinates(vector, j) = c(vector, j);
        for (index_t p = 0; p < std::min(i + 1, out.count); ++p) out.coordinates(vector, r + p) = h(p, i) * length;
        if (i < out.count) {
            out.pivots.push_back(h(i, i));
        } else {
            out.lost += length * length * floor * floor;
        }
    }
    return out;
}

double Expansion::error(ConstPanel<double> coefficients) const {
    double most = 0;
    for (index_t i = 0; i < count && !is_formed(); ++i) {
        double square = 0;
        for (index_t j = 0; j < coefficients.cols; ++j) square += coefficients(i, j) * coefficients(i, j);
        const double pivot = pivots[static_cast<std::size_t>(i)];
        most = std::max(most, kEpsilon * std::sqrt(square) / (pivot * pivot));
    }
    return most;
}

Expansion expand_formed(LazyFactor& factor, const TallVectors& vectors, std::uint64_t seed) {
    const index_t t = vectors.count, r = factor.cols(), n = vectors.length;
    factor.materialise();
    Block<double> w = vectors.written_out();
    std::vector<double> lengths(static_cast<std::size_t>(t), 0.0);
    if (t > 0) column_norms<double>(w.panel(), lengths.data());
    for (double& length : lengths)
        if (length == 0) length = 1;
    for (index_t i = 0; i < n; ++i)
        for (index_t j = 0; j < t; ++j) w(i, j) /= lengths[static_cast<std::size_t>(j)];
    Block<double> inside(std::max<index_t>(r, 1), std::max<index_t>(t, 1)),
        outside(std::max<index_t>(t, 1), std::max<index_t>(t, 1));
    Replacements replacements{seed, 0};
    const ConstColumns<double> basis(factor.base().col_range(0, r));
    index_t q = t == 0
                    ? 0
                    : extend_basis<double>(basis, w, inside.panel().row_range(0, r).col_range(0, t),
                                           outside.panel().row_range(0, t).col_range(0, t), 8 * kEpsilon, replacements);
    const auto is_used = [&](index_t i) {
        for (index_t j = 0; j < t; ++j)
            if (outside(i, j) != 0) return true;
        return false;
    };
    while (q > 0 && !is_used(q - 1)) --q;  // replacements of lost directions
    Expansion out;
    out.count = q;
    out.coordinates = Block<double>(t, r + q);
    for (index_t j = 0; j < t; ++j) {
        const double length = lengths[static_cast<std::size_t>(j)];
        for (index_t l = 0; l < r; ++l) out.coordinates(j, l) = inside(l, j) * length;
        for (index_t p = 0; p < q; ++p) out.coordinates(j, r + p) = outside(p, j) * length;
    }
    out.formed = TallVectors{.length = n, .count = q, .sparse = false};
    out.formed.dense = Block<double>(n, q);
    detail::copy_panel<double>(w.panel().col_range(0, q), out.formed.dense.panel());
    return out;
}

LazyFactor::Change Expansion::change(const TallVectors& vectors, ConstPanel<double> g,
                                     std::pair<Block<double>, Block<double>>& memory) const {
    const index_t r = g.rows - count;
    const ConstPanel<double> old = g.row_range(0, r), fresh = g.row_range(r, count);
    if (is_formed()) return {old, {{&formed, 0, fresh}}};
    auto& [kept, coefficients] = memory;
    kept = Block<double>(r, g.cols);
    for (index_t i = 0; i < r; ++i) std::copy_n(old.row(i), g.cols, &kept(i, 0));
    detail::multiply(known, fresh, kept, -1, 1);
    coefficients = detail::product(weights, fresh);
    return {kept, {{&vectors, 0, coefficients, inner, gram}}};
}

}  // namespace svdkit
