#include "svdkit/kernel/orth.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "panels.hpp"
#include "svdkit/base/buffer.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/base/random.hpp"
#include "svdkit/kernel/tall_pass.hpp"

namespace svdkit {
namespace {

// Smallest safe pivot of a block's Cholesky factor beside the largest.
template <class T>
constexpr double kSafePivot = sizeof(real_t<T>) == 4 ? 1e-5 : 1e-7;

// R of G = R^H R, upper triangular and row-major; false when G is not safely positive definite: its smallest pivot is
// at most `floor`, or too small beside the largest.
template <class T>
bool cholesky(Block<Wide<T>>& g, double floor) {
    using W = Wide<T>;
    const index_t b = g.rows();
    double largest = 0;
    for (index_t j = 0; j < b; ++j) {
        for (index_t i = 0; i <= j; ++i) {
            W sum = g(i, j);
            for (index_t p = 0; p < i; ++p) sum -= conj(g(p, i)) * g(p, j);
            if (i < j) {
                g(i, j) = sum / g(i, i);
                continue;
            }
            const double pivot = std::real(sum);
            if (!std::isfinite(pivot)) {
                throw NumericalError("svdkit: a product with A gave NaN or infinity; check the operator's values");
            }
            if (pivot <= 0) return false;
            g(j, j) = std::sqrt(pivot);
            largest = std::max(largest, std::sqrt(pivot));
        }
    }
    const double limit = std::max(floor, largest * kSafePivot<T>);
    for (index_t j = 0; j < b; ++j) {
        if (std::real(g(j, j)) <= limit) return false;
    }
    return true;
}

// Whether a division by R loses at most a digit.
template <class T>
bool is_well_conditioned(const Block<Wide<T>>& r) {
    double least = std::real(r(0, 0)), most = least;
    for (index_t i = 1; i < r.rows(); ++i) {
        least = std::min(least, std::real(r(i, i)));
        most = std::max(most, std::real(r(i, i)));
    }
    return least >= 0.1 * most;
}

// W <- W R^-1 for the upper triangular R.
template <class T>
void divide(Panel<T> w, const Block<Wide<T>>& r) {
    using W = Wide<T>;
    const index_t b = w.cols;
    Block<W> inverse(b, b);
    for (index_t j = 0; j < b; ++j) {
        inverse(j, j) = W(1) / r(j, j);
        for (index_t i = j - 1; i >= 0; --i) {
            W sum = 0;
            for (index_t p = i + 1; p <= j; ++p) sum += r(i, p) * inverse(p, j);
            inverse(i, j) = -sum / r(i, i);
        }
    }
    Block<T> narrow(b, b);
    for (index_t i = 0; i < b; ++i)
        for (index_t j = i; j < b; ++j) narrow(i, j) = static_cast<T>(inverse(i, j));
    rotate<T>(w, narrow);
}

// W <- W - V C for C = V^H W, which is returned.
template <class T>
void project(ConstColumns<T> v, Panel<T> w, Panel<T> c) {
    inner<T>(v, w, c);
    subtract<T>(v, c, w);
}

// Pivoted Cholesky G(order, order) = R^H R (b x b, R in the upper triangle of G) as far as its pivots exceed `floor`
// and are safely above rounding beside the first. Returns how far, and the order.
template <class T>
index_t pivoted_cholesky(Block<Wide<T>>& g, double floor, std::vector<index_t>& order) {
    const index_t b = g.rows();
    order.resize(static_cast<std::size_t>(b));
    std::iota(order.begin(), order.end(), index_t{0});
    double limit = floor;
    for (index_t p = 0; p < b; ++p) {
        index_t best = p;
        for (index_t i = p + 1; i < b; ++i)
            if (std::real(g(i, i)) > std::real(g(best, best))) best = i;
        const double pivot = std::sqrt(std::max(0.0, std::real(g(best, best))));
        if (p == 0) limit = std::max(floor, pivot * kSafePivot<T>);
        if (!(pivot > limit)) return p;
        std::swap(order[static_cast<std::size_t>(p)], order[static_cast<std::size_t>(best)]);
        for (index_t i = 0; i < b; ++i) std::swap(g(i, p), g(i, best));
        for (index_t i = 0; i < b; ++i) std::swap(g(p, i), g(best, i));
        g(p, p) = pivot;
        for (index_t c = p + 1; c < b; ++c) g(p, c) /= pivot;
        for (index_t i = p + 1; i < b; ++i)
            for (index_t c = p + 1; c < b; ++c) g(i, c) -= conj(g(p, i)) * g(p, c);
    }
    return b;
}

// Orthonormalises the independent columns of X and moves them to the front; the others follow as they were.
template <class T>
index_t take_independent(Panel<T> x, double floor) {
    Block<Wide<T>> g = gram<T>(x);
    std::vector<index_t> order;
    const index_t rank = pivoted_cholesky<T>(g, floor, order);
    std::vector<T> row(static_cast<std::size_t>(x.cols));
    for (index_t i = 0; i < x.rows; ++i) {
        std::copy_n(x.row(i), x.cols, row.data());
        for (index_t j = 0; j < x.cols; ++j)
            x(i, j) = row[static_cast<std::size_t>(order[static_cast<std::size_t>(j)])];
    }
    Block<Wide<T>> r(rank, rank);
    for (index_t i = 0; i < rank; ++i) std::copy_n(&g(i, i), rank - i, &r(i, i));
    if (rank > 0) divide(x.col_range(0, rank), r);
    return rank;
}

// Appends to the `kept` first columns of Q what the columns of X (destroyed) add to the span of [basis, Q]: directions
// of norm above `floor`, a group of similar norms at a time. Returns how many columns of Q there are then.
template <class T>
index_t absorb(ConstColumns<T> basis, Panel<T> q, index_t kept, Panel<T> x, double floor) {
    const Block<T> coefficients(std::max(basis.cols, q.cols), x.cols);
    const auto remove_known = [&](Panel<T> w) {
        for (const ConstColumns<T> known : {basis, ConstColumns<T>(q.col_range(0, kept))}) {
            if (known.cols > 0)
                project<T>(known, w, coefficients.panel().row_range(0, known.cols).col_range(0, w.cols));
        }
    };
    while (x.cols > 0) {
        remove_known(x);
        const index_t found = take_independent(x, floor);
        const Panel<T> fresh = q.col_range(kept, found);
        detail::copy_panel<T>(x.col_range(0, found), fresh);
        if (found > 0) remove_known(fresh);
        // A direction that shrinks once it has been normalised was rounding inside the span.
        const index_t added = found > 0 ? take_independent(fresh, 0.5) : 0;
        if (added == 0) break;
        kept += added;
        x = x.col_range(found, x.cols - found);
    }
    return kept;
}

// For a rank deficient block: its independent directions come first in W, random replacements of the lost ones follow;
// R has rows for the former only.
template <class T>
index_t extend_deficient(ConstColumns<T> basis, Panel<T> w, Panel<T> h, Panel<T> r, double floor,
                         Replacements& replacements) {
    const ScratchPanel<T> start(w.rows, w.cols), rest(w.rows, w.cols), part(basis.cols, w.cols);
    detail::copy_panel<T>(w, start.panel());
    detail::copy_panel<T>(w, rest.panel());
    index_t kept = absorb(basis, w, 0, rest.panel(), floor);
    if (basis.cols > 0) {
        inner<T>(basis, start.panel(), part.panel());
        for (index_t i = 0; i < basis.cols; ++i)
            for (index_t j = 0; j < w.cols; ++j) h(i, j) += part.panel()(i, j);
    }
    if (kept > 0) inner<T>(w.col_range(0, kept), start.panel(), r.row_range(0, kept));
    while (kept < w.cols) {
        const Panel<T> random = rest.panel().col_range(kept, w.cols - kept);
        fill_gaussian(random, replacements.seed, Stream::replacement, replacements.used++);
        const double norm = std::sqrt(static_cast<double>(w.rows));
        const index_t more = absorb(basis, w, kept, random, 1e3 * static_cast<double>(epsilon<T>) * norm);
        if (more == kept) break;  // the space is used up
        kept = more;
    }
    for (index_t i = 0; i < w.rows; ++i) std::fill_n(w.row(i) + kept, w.cols - kept, T(0));
    return kept;
}

// Whether the columns of W lost so much to the projection C that what rounding left inside the basis counts.
template <class T>
bool has_cancelled(ConstPanel<T> c, ConstPanel<T> w) {
    std::vector<double> lost(static_cast<std::size_t>(w.cols)), left(lost.size());
    column_norms<T>(c, lost.data());
    column_norms<T>(w, left.data());
    for (std::size_t i = 0; i < lost.size(); ++i)
        if (lost[i] > 0.01 * left[i]) return true;
    return false;
}

}  // namespace

template <class T>
index_t extend_basis(ConstColumns<T> basis, Panel<T> w, Panel<T> h, Panel<T> r, double floor,
                     Replacements& replacements, index_t recent) {
    using W = Wide<T>;
    const index_t j = basis.cols, b = w.cols;
    detail::set_zero(h);
    detail::set_zero(r);
    if (b == 0) return 0;
    const ScratchPanel<T> rest(j, b), more(j, b);
    const Panel<T> again = rest.panel();
    const auto add_to_h = [&](ConstPanel<T> c) {
        for (index_t i = 0; i < c.rows; ++i)
            for (index_t q = 0; q < b; ++q) h(i, q) += c(i, q);
    };
    if (j > 0 && recent > 0 && recent < j) {
        // The recurrence first; what is left inside the basis is rounding, unless it says otherwise.
        const ConstColumns<T> last = basis.last(recent);
        project<T>(last, w, h.row_range(j - last.cols, last.cols));
        inner<T>(basis, w, again);
        if (has_cancelled<T>(again, w)) {
            add_to_h(again);
            subtract_inner<T>(basis, again, w, more.panel());
            detail::copy_panel<T>(more.panel(), again);
        }
    } else if (j > 0) {
        inner<T>(basis, w, h);
        subtract_inner<T>(basis, h, w, again);
    }
    Block<W> first = gram<T>(w);
    if (!cholesky<T>(first, floor)) return extend_deficient(basis, w, h, r, floor, replacements);
    divide(w, first);
    if (j > 0) {
        // What the first projection left inside the basis, of the normalised block now: by division where that is safe.
        is_well_conditioned<T>(first) ? divide(again, first) : inner<T>(basis, w, again);
        subtract<T>(basis, again, w);
    }
    Block<W> second = gram<T>(w);
    Block<T> h2(j, b), r2(b, b);
    index_t kept = b;
    if (cholesky<T>(second, 0.5)) {
        divide(w, second);
        for (index_t p = 0; p < b; ++p)
            for (index_t q = p; q < b; ++q) r2(p, q) = static_cast<T>(second(p, q));
    } else {
        // Cannot happen in exact arithmetic: the block was orthonormal.
        kept = extend_deficient<T>(basis, w, h2, r2, 0, replacements);
    }
    // W = V (H + (H' + H2) R1) + Q R2 R1.
    const auto add_product = [&](ConstPanel<T> left, Panel<T> sum) {
        for (index_t i = 0; i < left.rows; ++i)
            for (index_t p = 0; p < b; ++p)
                for (index_t q = p; q < b; ++q) sum(i, q) += static_cast<T>(W(left(i, p)) * first(p, q));
    };
    for (index_t i = 0; i < j; ++i)
        for (index_t p = 0; p < b; ++p) again(i, p) += h2(i, p);
    add_product(again, h);
    add_product(r2, r);
    return kept;
}

#define INSTANTIATE(T) \
    template index_t extend_basis<T>(ConstColumns<T>, Panel<T>, Panel<T>, Panel<T>, double, Replacements&, index_t);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
