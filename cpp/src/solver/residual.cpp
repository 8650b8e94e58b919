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

// Of A^H A V, in units of epsilon s_1^2: found below 1.5, also where it comes from the recurrence of a Krylov basis.
constexpr double kRounding = 2;

// Residuals |A^H u - s v|, A^H u taken as A^H A V Y / s (BACK = A^H A V is destroyed). With `slack` each is a bound,
// the rounding error of that division added; empty where values are small and it is more than the share `slack` of one.
template <class T>
std::vector<double> quotient_residuals(Panel<T> back, ConstPanel<T> y, const Result<T>& result, double slack) {
    const real_t<T> largest = result.s.front();
    const bool accurate = result.s.back() > real_t<T>(sizeof(real_t<T>) == 4 ? 0.05 : 1e-3) * largest;
    if (!accurate && slack == 0) return {};
    const real_t<T> floor = std::max(epsilon<T> * largest, std::numeric_limits<real_t<T>>::min());
    std::vector<real_t<T>> inverses(result.s);
    for (real_t<T>& value : inverses) value = 1 / std::max(value, floor);
    rotate<T>(back, y);
    const Panel<T> adjoint = back.col_range(0, y.cols);
    detail::multiply_columns<T>(adjoint, inverses);
    std::vector<double> residuals = difference_norms<T>(adjoint, result.v, result.s);
    const double square = static_cast<double>(largest) * static_cast<double>(largest);
    for (std::size_t i = 0; slack > 0 && i < residuals.size(); ++i) {
        const double doubt = kRounding * static_cast<double>(epsilon<T>) * square * static_cast<double>(inverses[i]);
        if (!accurate && doubt > slack * residuals[i]) return {};
        residuals[i] += doubt;
    }
    return residuals;
}

// V is orthonormal, `image` = A V; with `has_back` also `back` = A^H A V. Both are destroyed.
template <class T>
Result<T> from_products(Counted<T>& a, Block<T> v, Panel<T> image, Panel<T> back, bool has_back,
                        const RayleighRitz& options) {
    const index_t l = v.cols(), k = options.keep > 0 ? std::min(options.keep, l) : l;
    Replacements replacements{options.seed, 0};
    const Block<T> none(0, l), r(l, l), x(l, l), y(l, l);
    Block<T> u(a.rows(), l, l);
    detail::copy_panel<T>(image, u);
    extend_basis<T>(u.panel().col_range(0, 0), u, none, r, negligible<T>(u), replacements);
    Result<T> result;
    result.s.resize(static_cast<std::size_t>(l));
    const char* const note = small_svd_wide<T>(r, x.panel(), result.s.data(), y.panel());
    if (note) result.report.notes.emplace_back(note);
    result.s.resize(static_cast<std::size_t>(k));
    const ConstPanel<T> right_factor = y.panel().col_range(0, k);
    rotate<T>(u, x.panel().col_range(0, k));
    rotate<T>(v, right_factor);
    rotate<T>(image, right_factor);
    result.u = detail::leading_columns(std::move(u), k);
    result.v = detail::leading_columns(std::move(v), k);
    std::vector<double>& residuals = result.report.residuals;
    residuals = difference_norms<T>(image.col_range(0, k), result.u, result.s);

    std::vector<double> right;
    if (has_back) right = quotient_residuals<T>(back, right_factor, result, options.slack);
    if (right.empty()) {
        const Panel<T> adjoint = back.col_range(0, k);
        a.apply_adjoint(result.u, adjoint);
        right = difference_norms<T>(adjoint, result.v, result.s);
    }
    for (std::size_t i = 0; i < right.size(); ++i) residuals[i] = std::max(residuals[i], right[i]);
    return result;
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
    const index_t l = v.cols();
    Replacements replacements{options.seed, 0};
    const Block<T> none(0, l), r(l, l);
    extend_basis<T>(v.panel().col_range(0, 0), v, none, r, 0, replacements);
    const ScratchPanel<T> image(a.rows(), l), back(a.cols(), l);
    const bool fused = a.gram_passes() == 1;  // one read of A gives A V and A^H A V
    fused ? a.apply_gram(v, image.panel(), back.panel()) : a.apply(v, image.panel());
    return from_products<T>(a, std::move(v), image.panel(), back.panel(), fused, options);
}

template <class T>
Result<T> rayleigh_ritz(Counted<T>& a, Products<T> known, const RayleighRitz& options) {
    return from_products<T>(a, std::move(known.v), known.image, known.back, true, options);
}

#define INSTANTIATE(T)                                                                                           \
    template Result<T> rayleigh_ritz<T>(Counted<T>&, Block<T>, const RayleighRitz&);                             \
    template Result<T> rayleigh_ritz<T>(Counted<T>&, Products<T>, const RayleighRitz&);                          \
    template std::vector<double> measure_residuals<T>(Counted<T>&, ConstPanel<T>, const std::vector<real_t<T>>&, \
                                                      ConstPanel<T>);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
