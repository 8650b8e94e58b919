#include "svdkit/solver/residual.hpp"

#include <algorithm>

#include "svdkit/base/scratch.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "svdkit/kernel/orth.hpp"
#include "svdkit/kernel/small_svd.hpp"

namespace svdkit {
namespace {

// Norms of the columns of P - Q diag(s); P is overwritten.
template <class T>
std::vector<double> difference_norms(Panel<T> p, ConstPanel<T> q, const std::vector<real_t<T>>& s) {
    detail::for_each_row(p, [&](index_t i) {
        for (index_t j = 0; j < p.cols; ++j) p(i, j) -= q(i, j) * s[static_cast<std::size_t>(j)];
    });
    std::vector<double> norms(static_cast<std::size_t>(p.cols));
    column_norms<T>(p, norms.data());
    return norms;
}

}  // namespace

template <class T>
std::vector<double> measure_residuals(Counted<T>& a, ConstPanel<T> u, const std::vector<real_t<T>>& s,
                                      ConstPanel<T> v) {
    const ScratchPanel<T> av(a.rows(), v.cols), au(a.cols(), u.cols);
    a.apply(v, av.panel());
    a.apply_adjoint(u, au.panel());
    std::vector<double> residuals = difference_norms(av.panel(), u, s);
    const std::vector<double> right = difference_norms(au.panel(), v, s);
    for (std::size_t i = 0; i < residuals.size(); ++i) residuals[i] = std::max(residuals[i], right[i]);
    return residuals;
}

// Columns of A V this small are zero: rounding of rounding, and soon below the range of the type.
template <class T>
double negligible(const Block<T>& image) {
    std::vector<double> norms(static_cast<std::size_t>(image.cols()));
    column_norms<T>(image, norms.data());
    const double eps = static_cast<double>(epsilon<T>);
    return eps * eps * *std::ranges::max_element(norms);
}

template <class T>
Result<T> rayleigh_ritz(Counted<T>& a, Block<T> v, std::uint64_t seed) {
    const index_t k = v.cols();
    Replacements replacements{seed, 0};
    const Block<T> none(0, k), r(k, k), x(k, k), y(k, k);
    extend_basis<T>(v.panel().col_range(0, 0), v, none, r, 0, replacements);
    Result<T> result;
    result.u = Block<T>(a.rows(), k, k);
    // One read of A gives A V and A^H A V where it can: then A^H U = A^H A V Y / s, good to epsilon s_1 / s_i.
    const bool fused = a.gram_passes() == 1;
    const ScratchPanel<T> image(a.rows(), k), back(a.cols(), k);
    fused ? a.apply_gram(v, image.panel(), back.panel()) : a.apply(v, image.panel());
    detail::copy_panel<T>(image.panel(), result.u);
    extend_basis<T>(result.u.panel().col_range(0, 0), result.u, none, r, negligible<T>(result.u), replacements);
    result.s.resize(static_cast<std::size_t>(k));
    if (!small_svd_wide<T>(r, x.panel(), result.s.data(), y.panel())) {
        result.report.notes.emplace_back("gesdd did not converge; gesvd was used");
    }
    rotate<T>(result.u, x);
    rotate<T>(v, y);
    rotate<T>(image.panel(), y);
    result.report.residuals = difference_norms<T>(image.panel(), result.u, result.s);
    if (fused && result.s.back() > real_t<T>(sizeof(real_t<T>) == 4 ? 0.05 : 1e-3) * result.s.front()) {
        rotate<T>(back.panel(), y);
        detail::for_each_row(back.panel(), [&](index_t i) {
            for (index_t j = 0; j < k; ++j) back.panel()(i, j) /= result.s[static_cast<std::size_t>(j)];
        });
    } else {
        a.apply_adjoint(result.u, back.panel());
    }
    const std::vector<double> right = difference_norms<T>(back.panel(), v, result.s);
    for (std::size_t i = 0; i < right.size(); ++i) {
        result.report.residuals[i] = std::max(result.report.residuals[i], right[i]);
    }
    result.v = std::move(v);
    return result;
}

#define INSTANTIATE(T)                                                                                           \
    template Result<T> rayleigh_ritz<T>(Counted<T>&, Block<T>, std::uint64_t);                                   \
    template std::vector<double> measure_residuals<T>(Counted<T>&, ConstPanel<T>, const std::vector<real_t<T>>&, \
                                                      ConstPanel<T>);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
