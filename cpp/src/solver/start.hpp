// Where a Lanczos run begins: random vectors, or vectors that the user gives.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "svdkit/base/random.hpp"
#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "svdkit/kernel/orth.hpp"
#include "svdkit/solver/counted.hpp"
#include "svdkit/solver/options.hpp"

namespace svdkit::detail {

constexpr double kClose = 100;  // tolerances: as near must given vectors be to be iterated as they are

/// Empty: random vectors.
template <class T>
struct Start {
    Block<T> block;
    bool close = false;  // to the answer, and iterated as wide as it is
};

// The user's right vectors, orthonormal, on the side that the process works on.
template <class T>
Block<T> given_vectors(Counted<T>& a, ConstView<T> warm, std::uint64_t seed) {
    Block<T> given(warm.rows, warm.cols);
    for (index_t i = 0; i < warm.rows; ++i)
        for (index_t j = 0; j < warm.cols; ++j) given(i, j) = warm(i, j);
    if (a.flipped()) {
        Block<T> image(a.cols(), warm.cols);
        a.apply_adjoint(given, image);
        given = std::move(image);
    }
    Replacements replacements{seed, 0};
    const Block<T> none(0, warm.cols), r(warm.cols, warm.cols);
    extend_basis<T>(given.panel().col_range(0, 0), given, none, r, 0, replacements);
    return given;
}

// Random combinations of the given vectors fill a block of the usual width. One product tells how far they are from an
// invariant subspace: all of them, multiplied together, end sooner only if that is very little. Otherwise the narrow
// block needs fewer products in all; as much noise as the distance lets it see what the given vectors lack.
template <class T>
Start<T> make_start(Counted<T>& a, const Options<T>& options, index_t width) {
    if (options.warm_start.cols == 0) return {};
    Block<T> given = given_vectors(a, options.warm_start, options.seed);
    const index_t n = a.cols(), k = given.cols();
    const Block<T> factor(k, width), image(a.rows(), width), back(n, width), part(k, width);
    Block<T> block(n, width), noise(n, width);
    fill_gaussian(factor.panel(), options.seed, Stream::start);
    fill_gaussian(noise.panel(), options.seed, Stream::start, 1);
    forward_pass<T>(as_view<T>(given), factor, block, false);
    a.apply_gram(block, image, back);
    std::vector<double> whole(static_cast<std::size_t>(width)), rest(whole);
    column_norms<T>(back.panel(), whole.data());
    inner<T>(Columns<T>(given.panel()), back, part);
    subtract<T>(Columns<T>(given.panel()), part, back);
    column_norms<T>(back.panel(), rest.data());
    double distance = 0;
    for (std::size_t j = 0; j < rest.size(); ++j) distance = std::max(distance, whole[j] > 0 ? rest[j] / whole[j] : 1);
    if (distance <= kClose * options.tol) return {std::move(given), true};
    const auto share = static_cast<real_t<T>>(std::clamp(distance, 0.01, 1.0) *
                                              std::sqrt(static_cast<double>(k) / static_cast<double>(n)));
    for_each_row(block.panel(), [&](index_t i) {
        for (index_t j = 0; j < width; ++j) block(i, j) += share * noise(i, j);
    });
    return {std::move(block), false};
}

}  // namespace svdkit::detail
