// Triplets with left vectors in the range of A V, from the products of a Lanczos process of A^H A alone.
//
//   A V = Q R,   A^H A V = V R^H R + W C E^H   =>   A^H Q = [V W] M,   M = [R^H; C (R^-1)_last],
//
// W the next block, E and _last the last block of V. With M = P diag(s) Z^H they are (Q Z, s, [V W] P): half a power
// step beyond right vectors in the span of V, for the same reads of A. A^H u = s v; of A v - s u is known that it is
// at most |A| |P_i(W)|. R^-1 makes of the products' rounding at most epsilon |A| sum_j |r_j| |R^-1|_ji; where that
// counts beside the smallest wanted value there is no answer.
// Cost: 8 m j^2 flops for Q, 2 (m + n) j k for the vectors. Paper: Golub, Luk & Overton, ACM Trans. Math. Softw. 7
// (1981), block Lanczos bidiagonalisation, of which R is the left half.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "gram_lanczos.hpp"
#include "svdkit/kernel/small_svd.hpp"
#include "svdkit/kernel/triangular.hpp"

namespace svdkit::detail {

/// Whether R is upper triangular without zeros on its diagonal: of columns that are independent.
template <class T>
bool is_regular_upper(const Block<T>& r) {
    for (index_t i = 0; i < r.rows(); ++i) {
        if (!(std::real(r(i, i)) > 0)) return false;
        for (index_t j = 0; j < i; ++j)
            if (r(i, j) != T(0)) return false;
    }
    return true;
}

/// max_i sum_j |r_j| |R^-1|_ji.
template <class T>
double amplification(const Block<T>& r, const Block<Wide<T>>& inverse) {
    const index_t n = r.rows();
    std::vector<double> norms(static_cast<std::size_t>(n)), sums(norms.size(), 0.0);
    column_norms<T>(r, norms.data());
    for (index_t j = 0; j < n; ++j)
        for (index_t i = j; i < n; ++i)
            sums[static_cast<std::size_t>(i)] += norms[static_cast<std::size_t>(j)] * std::abs(inverse(j, i));
    return *std::ranges::max_element(sums);
}

/// M^H = [R, (C (R^-1)_last)^H].
template <class T>
Block<T> adjoint_of_core(const Block<T>& r, ConstPanel<T> coupling, const Block<Wide<T>>& inverse) {
    const index_t j = r.rows(), first = j - coupling.cols;
    Block<T> core(j, j + coupling.rows);
    copy_panel<T>(r, core.panel().col_range(0, j));
    for (index_t i = first; i < j; ++i) {
        for (index_t c = 0; c < coupling.rows; ++c) {
            Wide<T> sum = 0;
            for (index_t l = 0; l < coupling.cols; ++l) sum += Wide<T>(coupling(c, l)) * inverse(first + l, i);
            core(i, j + c) = static_cast<T>(conj(sum));
        }
    }
    return core;
}

/// The k leading ones, residuals as bounds; none where rounding counts.
template <class T>
std::optional<Result<T>> left_ritz(const GramLanczos<T>& process, index_t k, std::uint64_t seed) {
    constexpr double accuracy = 0.01;  // of the smallest wanted value, that rounding may take
    const index_t j = process.size(), w = process.next();
    if (j < k) return {};
    Replacements replacements{seed, 0};
    const Block<T> none(0, j), r(j, j), z(j, j), p(j + w, j);
    const Block<T> q = process.images();
    extend_basis<T>(q.panel().col_range(0, 0), q, none, r, 0, replacements);
    if (!is_regular_upper(r)) return {};
    Block<Wide<T>> wide(j, j);
    for (index_t i = 0; i < j; ++i) std::copy_n(&r(i, 0), j, &wide(i, 0));
    const Block<Wide<T>> inverse = upper_inverse(wide);

    Result<T> result;
    result.s.resize(static_cast<std::size_t>(j));
    small_svd_wide<T>(adjoint_of_core(r, process.coupling(), inverse).panel(), z.panel(), result.s.data(), p.panel());
    const double norm = static_cast<double>(result.s.front());
    const double doubt = static_cast<double>(epsilon<T>) * norm * amplification(r, inverse);
    result.s.resize(static_cast<std::size_t>(k));
    if (!(doubt <= accuracy * static_cast<double>(result.s.back()))) return {};

    result.u = Block<T>(q.rows(), k, k);
    forward_pass<T>(as_view(ConstPanel<T>(q)), z.panel().col_range(0, k), result.u);
    result.v = ritz_vectors<T>(process.basis(), j + w, p, 0, k);
    std::vector<double>& residuals = result.report.residuals;
    residuals.resize(static_cast<std::size_t>(k));
    column_norms<T>(p.panel().row_range(j, w).col_range(0, k), residuals.data());
    for (double& residual : residuals) residual = norm * residual + doubt;
    result.report.notes.emplace_back("residuals are bounds: no read of A was left to measure them");
    return result;
}

}  // namespace svdkit::detail
