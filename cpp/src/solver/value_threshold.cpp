#include "value_threshold.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/gram_matrix.hpp"
#include "svdkit/kernel/small_eigh.hpp"
#include "svdkit/kernel/tall_pass.hpp"
#include "svdkit/op/dense.hpp"
#include "svdkit/solver/tsvd.hpp"

namespace svdkit {
namespace {

constexpr index_t kNarrow = 256;    // extents up to which the Gram matrix is always cheaper
constexpr index_t kLargest = 2048;  // and beyond which it never is
constexpr double kReach = 1e-6;     // level over the largest value that squares can tell
constexpr index_t kManyOf = 10;     // between them: where more than one in so many values is wanted

template <class T>
bool prefers_gram(ConstView<T> w, index_t rank) {
    const index_t n = w.cols;
    return n <= kNarrow || (n <= kLargest && kManyOf * rank > n);
}

// In double precision whatever T: its eigenvalues are squares.
template <class T>
Block<double> wide_gram(ConstView<T> w) {
    if constexpr (sizeof(T) == 4) {
        return gram<T>(ConstPanel<T>{w.data, w.rows, w.cols, w.row_stride});
    } else {
        Block<double> g(w.cols, w.cols, w.cols);
        gram_matrix(w, g.panel());
        return g;
    }
}

// Nothing where the Gram matrix cannot tell the values near the level.
template <class T>
std::optional<Thresholded<T>> by_gram(ConstView<T> w, double level) {
    const index_t n = w.cols;
    const Block<double> padded = wide_gram(w), g(n, n, n), vectors(n, n, n);
    for (index_t i = 0; i < n; ++i) std::copy_n(&padded(i, 0), n, &g(i, 0));
    std::vector<double> squares(static_cast<std::size_t>(n));
    small_eigh<double>(g.panel(), squares.data(), vectors.panel());
    if (level < kReach * std::sqrt(std::max(0.0, squares.front()))) return std::nullopt;
    const index_t r = std::ranges::count_if(squares, [&](double q) { return q > level * level; });
    Thresholded<T> out;
    out.method = "gram";
    out.p = Block<T>(w.rows, r);
    out.q = Block<T>(n, r);
    std::vector<T> shrink;
    for (index_t j = 0; j < r; ++j) {
        const double sigma = std::sqrt(squares[static_cast<std::size_t>(j)]);
        out.nuclear += sigma - level;
        shrink.push_back(static_cast<T>(1 - level / sigma));
        for (index_t i = 0; i < n; ++i) out.q(i, j) = static_cast<T>(vectors(i, j));
    }
    if (r > 0) forward_pass<T>(w, out.q, out.p);
    for (index_t i = 0; i < w.rows; ++i)
        for (index_t j = 0; j < r; ++j) out.p(i, j) *= shrink[static_cast<std::size_t>(j)];
    return out;
}

template <class T>
Thresholded<T> by_triplets(const Result<T>& found, double level) {
    const index_t r = std::ranges::count_if(found.s, [&](T s) { return static_cast<double>(s) > level; });
    Thresholded<T> out;
    out.method = found.report.method;
    out.p = Block<T>(found.u.rows(), r);
    out.q = Block<T>(found.v.rows(), r);
    std::vector<T> values;
    for (index_t i = 0; i < r; ++i) {
        const double value = static_cast<double>(found.s[static_cast<std::size_t>(i)]) - level;
        out.nuclear += value;
        values.push_back(static_cast<T>(value));
    }
    for (index_t i = 0; i < out.p.rows(); ++i)
        for (index_t j = 0; j < r; ++j) out.p(i, j) = found.u(i, j) * values[static_cast<std::size_t>(j)];
    for (index_t i = 0; i < out.q.rows(); ++i) std::copy_n(&found.v(i, 0), r, &out.q(i, 0));
    return out;
}

}  // namespace

template <class T>
Thresholded<T> threshold_values(ConstView<T> w, double level, Options<T> options, Monitor& monitor) {
    const index_t most = w.cols;
    if (prefers_gram(w, options.k)) {
        if (auto found = by_gram(w, level)) return std::move(*found);
    }
    const Dense<T> a(w);
    Block<T> warm;
    while (true) {
        options.k = std::min(options.k, most);
        Result<T> found = tsvd<T>(a, options, monitor);
        const bool enough = options.k == most || static_cast<double>(found.s.back()) <= level;
        if (enough || !monitor.stop_reason().empty()) return by_triplets(found, level);
        options.k = found.report.method == "full" ? most : options.k + std::max<index_t>(4, options.k / 2);
        warm = std::move(found.v);
        options.warm_start = {warm.data(), warm.rows(), warm.cols(), warm.ld(), 1};
    }
}

template Thresholded<float> threshold_values<float>(ConstView<float>, double, Options<float>, Monitor&);
template Thresholded<double> threshold_values<double>(ConstView<double>, double, Options<double>, Monitor&);

}  // namespace svdkit
