#include "svdkit/solver/gram.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "svdkit/kernel/gram_matrix.hpp"
#include "svdkit/kernel/small_eigh.hpp"
#include "svdkit/solver/residual.hpp"

namespace svdkit {

template <class T>
Result<T> gram(Counted<T>& a, const Options<T>& options, Monitor& monitor) {
    const bool wide = a.rows() < a.cols();
    if (wide) a.flip();
    const index_t n = a.cols(), k = options.k;
    const ConstView<T> entries = *a.original().dense_view();
    Block<T> g(n, n, n), v(n, k, k);
    std::vector<real_t<T>> values(static_cast<std::size_t>(n));
    a.read([&] { gram_matrix(wide ? entries.transposed() : entries, g.panel()); });
    if (wide && is_complex<T>) {  // the Gram matrix of A^T is the conjugate of that of A^H
        for (index_t i = 0; i < n * n; ++i) g.data()[i] = conj(g.data()[i]);
    }
    const bool stop = monitor.poll({.iteration = 1, .wanted = k, .passes = a.passes()});
    small_eigh(g.panel(), values.data(), v.panel());
    Result<T> result = rayleigh_ritz<T>(a, std::move(v), {.seed = options.seed});
    const double bound = options.tol * static_cast<double>(result.s.front());
    result.report.iterations = 1;
    const double eps = static_cast<double>(epsilon<T>);
    const double smallest = std::max(eps / (2 * options.tol), 10 * std::sqrt(eps));
    result.report.converged =
        static_cast<double>(result.s.back()) >= smallest * static_cast<double>(result.s.front()) &&
        std::ranges::all_of(result.report.residuals, [&](double r) { return r <= bound; });
    if (stop && !result.report.converged) result.report.notes.push_back("stopped early: " + monitor.stop_reason());
    if (wide) {
        a.flip();
        std::swap(result.u, result.v);
    }
    return result;
}

#define INSTANTIATE(T) template Result<T> gram<T>(Counted<T>&, const Options<T>&, Monitor&);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
