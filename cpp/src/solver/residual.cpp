#include "svdkit/solver/residual.hpp"

#include <algorithm>
#include <limits>
#include <utility>

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

// Columns of A V this small are zero: rounding of rounding, and soon below the range of the type.
template <class T>
double negligible(const Block<T>& image) {
    std::vector<double> norms(static_cast<std::size_t>(image.cols()));
    column_norms<T>(image, norms.data());
    const double eps = static_cast<double>(epsilon<T>);
    return eps * eps * *std::ranges::max_element(norms);
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

template <class T>
Result<T> rayleigh_ritz(Counted<T>& a, Block<T> v, const RayleighRitz& options) {
    const index_t l = v.cols(), k = options.keep > 0 ? std::min(options.keep, l) : l;
    Replacements replacements{options.seed, 0};
    const Block<T> none(0, l), r(l, l), x(l, l), y(l, l);
    extend_basis<T>(v.panel().col_range(0, 0), v, none, r, 0, replacements);
    Block<T> u(a.rows(), l, l);
    // One read of A gives A V and A^H A V where it can: then A^H U = A^H A V Y / s, good to epsilon s_1 / s_i.
    const bool fused = a.gram_passes() == 1;
    const ScratchPanel<T> image(a.rows(), l), back(a.cols(), l);
    fused ? a.apply_gram(v, image.panel(), back.panel()) : a.apply(v, image.panel());
    detail::copy_panel<T>(image.panel(), u);
    extend_basis<T>(u.panel().col_range(0, 0), u, none, r, negligible<T>(u), replacements);
    Result<T> result;
    result.s.resize(static_cast<std::size_t>(l));
    if (!small_svd_wide<T>(r, x.panel(), result.s.data(), y.panel())) {
        result.report.notes.emplace_back("gesdd did not converge; gesvd was used");
    }
    result.s.resize(static_cast<std::size_t>(k));
    const ConstPanel<T> left_factor = x.panel().col_range(0, k), right_factor = y.panel().col_range(0, k);
    rotate<T>(u, left_factor);
    rotate<T>(v, right_factor);
    rotate<T>(image.panel(), right_factor);
    result.u = detail::leading_columns(std::move(u), k);
    result.v = detail::leading_columns(std::move(v), k);
    std::vector<double>& residuals = result.report.residuals;
    residuals = difference_norms<T>(image.panel().col_range(0, k), result.u, result.s);

    const real_t<T> largest = result.s.front();
    const bool accurate = result.s.back() > real_t<T>(sizeof(real_t<T>) == 4 ? 0.05 : 1e-3) * largest;
    const bool quotient = fused && (accurate || options.one_read);
    std::vector<real_t<T>> inverses(result.s);
    const Panel<T> adjoint = back.panel().col_range(0, k);
    if (quotient) {
        const real_t<T> floor = std::max(epsilon<T> * largest, std::numeric_limits<real_t<T>>::min());
        for (real_t<T>& value : inverses) value = 1 / std::max(value, floor);
        rotate<T>(back.panel(), right_factor);
        detail::multiply_columns<T>(adjoint, inverses);
    } else {
        a.apply_adjoint(result.u, adjoint);
    }
    const std::vector<double> right = difference_norms<T>(adjoint, result.v, result.s);
    for (std::size_t i = 0; i < right.size(); ++i) {
        const double s1 = static_cast<double>(largest);
        const double doubt = quotient && !accurate ? epsilon<T> * s1 * s1 * static_cast<double>(inverses[i]) : 0;
        residuals[i] = std::max(residuals[i], right[i] + doubt);
    }
    return result;
}

#define INSTANTIATE(T)                                                                                           \
    template Result<T> rayleigh_ritz<T>(Counted<T>&, Block<T>, const RayleighRitz&);                             \
    template std::vector<double> measure_residuals<T>(Counted<T>&, ConstPanel<T>, const std::vector<real_t<T>>&, \
                                                      ConstPanel<T>);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
