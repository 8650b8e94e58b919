#include "svdkit/solver/full.hpp"

#include <algorithm>
#include <cmath>

#include "svdkit/kernel/scan.hpp"
#include "svdkit/kernel/small_svd.hpp"
#include "svdkit/solver/residual.hpp"

namespace svdkit {
namespace {

constexpr index_t kWide = 128;  // min(m, n) up to which single precision is factored in double

// The entries of A, row-major: copied when they lie in memory, else A (or, when it is wide, A^H) times the identity, a
// few columns at a time.
template <class T>
Block<T> entries(Counted<T>& a) {
    const index_t m = a.rows(), n = a.cols();
    Block<T> dense(m, n, n);
    if (const auto view = a.original().dense_view()) {
        for (index_t i = 0; i < m; ++i)
            for (index_t j = 0; j < n; ++j) dense(i, j) = (*view)(i, j);
        return dense;
    }
    const bool wide = m < n;
    const index_t p = std::min(m, n), width = std::min<index_t>(p, 32);
    const Block<T> unit(p, width), product(std::max(m, n), width);
    for (index_t first = 0; first < p; first += width) {
        const index_t count = std::min(width, p - first);
        const Panel<T> in = unit.panel().col_range(0, count), out = product.panel().col_range(0, count);
        for (index_t j = 0; j < count; ++j) unit(first + j, j) = T(1);
        wide ? a.apply_adjoint(in, out) : a.apply(in, out);
        for (index_t j = 0; j < count; ++j) unit(first + j, j) = T(0);
        for (index_t i = 0; i < out.rows; ++i)
            for (index_t j = 0; j < count; ++j)
                (wide ? dense(first + j, i) : dense(i, first + j)) = wide ? conj(out(i, j)) : out(i, j);
    }
    return dense;
}

// Scales the copy so that its largest entry is near one, exactly; returns the exponent taken out. LAPACK then does the
// same for every multiple 2^q A, also where something tiny underflows on the way.
template <class T>
int normalise(Block<T>& dense) {
    const double largest = scan(ConstView<T>{dense.data(), dense.rows(), dense.cols(), dense.ld(), 1}).max_abs;
    if (largest == 0) return 0;
    const int exponent = std::ilogb(largest);
    const auto factor = std::ldexp(real_t<T>(1), -exponent);
    if (exponent != 0) {
        for (index_t i = 0; i < dense.rows() * dense.ld(); ++i) dense.data()[i] *= factor;
    }
    return exponent;
}

template <class T>
Block<T> columns(const Block<T>& from, index_t first, index_t count) {
    Block<T> to(from.rows(), count, count);
    for (index_t i = 0; i < from.rows(); ++i) std::copy_n(&from(i, first), count, &to(i, 0));
    return to;
}

}  // namespace

template <class T>
Result<T> full(Counted<T>& a, const Options<T>& options, Monitor& monitor) {
    const index_t m = a.rows(), n = a.cols(), p = std::min(m, n), k = options.k;
    Block<T> dense = entries(a);
    const int exponent = normalise(dense);
    monitor.poll({.wanted = k, .passes = a.passes()});
    const index_t wanted = options.which == Which::largest ? k : p;
    Block<T> u(m, wanted, wanted), v(n, wanted, wanted);
    std::vector<real_t<T>> s(static_cast<std::size_t>(p));
    Result<T> result;
    // LAPACK in single precision errs by up to 100 epsilon; where it costs little, double precision does not.
    const bool wide = p <= kWide && sizeof(real_t<T>) == 4;
    const char* const note = wide ? small_svd_wide<T>(dense, u.panel(), s.data(), v.panel())
                                  : small_svd(dense.panel(), u.panel(), s.data(), v.panel());
    if (note) result.report.notes.emplace_back(note);
    for (real_t<T>& value : s) value = std::ldexp(value, exponent);
    const index_t first = options.which == Which::largest ? 0 : p - k;
    const bool all = k == wanted;
    result.u = all ? std::move(u) : columns(u, first, k);
    result.v = all ? std::move(v) : columns(v, first, k);
    result.s.assign(s.begin() + first, s.begin() + first + k);
    result.report.residuals = measure_residuals<T>(a, result.u, result.s, result.v);
    const double scale = static_cast<double>(s[0]);
    const double tolerance = options.tol * scale;
    result.report.converged = std::ranges::all_of(result.report.residuals, [&](double r) { return r <= tolerance; });
    return result;
}

#define INSTANTIATE(T) template Result<T> full<T>(Counted<T>&, const Options<T>&, Monitor&);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
