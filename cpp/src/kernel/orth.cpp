#include "svdkit/kernel/orth.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "panels.hpp"
#include "svdkit/base/buffer.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/base/random.hpp"
#include "svdkit/kernel/block_pass.hpp"

namespace svdkit {
namespace {

// Small matrices are factored in double precision whatever the panel's.
template <class T>
using Wide = std::conditional_t<is_complex<T>, std::complex<double>, double>;

constexpr index_t kRowsPerPart = 2048;

// Smallest safe pivot of a block's Cholesky factor beside the largest.
template <class T>
constexpr double kSafePivot = sizeof(real_t<T>) == 4 ? 1e-5 : 1e-7;

// G = W^H W (b x b, row-major, full), every product and sum in double precision.
template <class T>
Block<Wide<T>> gram_matrix(ConstPanel<T> w) {
    using W = Wide<T>;
    const index_t b = w.cols, width = (b + detail::kWidthQuantum - 1) / detail::kWidthQuantum * detail::kWidthQuantum;
    const Partition rows{w.rows, std::max<index_t>(1, w.rows / kRowsPerPart), 1};
    const Scratch<W> sums(rows.parts * width * width);
    parallel_for(rows.parts, 2.0 * static_cast<double>(w.rows * width * width), [&](index_t part) {
        W* sum = sums.data() + part * width * width;
        std::fill_n(sum, width * width, W(0));
        constexpr index_t strip = 128;
        const Scratch<W> wide(strip * width);
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); i += strip) {
            const index_t count = std::min(strip, rows.begin(part + 1) - i);
            for (index_t r = 0; r < count; ++r) {
                for (index_t c = 0; c < b; ++c) wide[r * width + c] = static_cast<W>(w(i + r, c));
                std::fill_n(wide.data() + r * width + b, width - b, W(0));
            }
            detail::adjoint_tile(wide.data(), width, count, width, wide.data(), width, sum, width, width);
        }
    });
    Block<W> gram(b, b);
    for (index_t part = 0; part < rows.parts; ++part)
        for (index_t i = 0; i < b; ++i)
            for (index_t j = 0; j < b; ++j) gram(i, j) += sums[part * width * width + i * width + j];
    return gram;
}

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
void project(ConstPanel<T> v, Panel<T> w, Panel<T> c) {
    adjoint_pass(as_view(v), ConstPanel<T>(w), c);
    const ScratchPanel<T> minus(c.rows, c.cols);
    for (index_t i = 0; i < c.rows; ++i)
        for (index_t j = 0; j < c.cols; ++j) minus.panel()(i, j) = -c(i, j);
    forward_pass<T>(as_view(v), minus.panel(), w, true);
}

// One round: project against the basis, then Cholesky QR. False when the block is rank deficient; W and C are then
// projected, not orthonormalised.
template <class T>
bool round(ConstPanel<T> basis, Panel<T> w, Panel<T> c, Block<Wide<T>>& r, double floor) {
    if (basis.cols > 0) project(basis, w, c);
    r = gram_matrix<T>(w);
    if (!cholesky<T>(r, floor)) return false;
    divide(w, r);
    return true;
}

// Pivoted Cholesky G(order, order) = R^H R (b x b, R in the upper triangle of G) as far as its pivots exceed `floor`
// and are safely above rounding beside the first. Returns how far, and the order.
template <class T>
index_t pivoted_cholesky(Block<Wide<T>>& g, double floor, std::vector<index_t>& order) {
    using W = Wide<T>;
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
    Block<Wide<T>> gram = gram_matrix<T>(x);
    std::vector<index_t> order;
    const index_t rank = pivoted_cholesky<T>(gram, floor, order);
    std::vector<T> row(static_cast<std::size_t>(x.cols));
    for (index_t i = 0; i < x.rows; ++i) {
        std::copy_n(x.row(i), x.cols, row.data());
        for (index_t j = 0; j < x.cols; ++j)
            x(i, j) = row[static_cast<std::size_t>(order[static_cast<std::size_t>(j)])];
    }
    Block<Wide<T>> r(rank, rank);
    for (index_t i = 0; i < rank; ++i) std::copy_n(&gram(i, i), rank - i, &r(i, i));
    if (rank > 0) divide(x.col_range(0, rank), r);
    return rank;
}

// Appends to the `kept` first columns of Q what the columns of X (destroyed) add to the span of [basis, Q]: directions
// of norm above `floor`, a group of similar norms at a time. Returns how many columns of Q there are then.
template <class T>
index_t absorb(ConstPanel<T> basis, Panel<T> q, index_t kept, Panel<T> x, double floor) {
    const Block<T> coefficients(std::max(basis.cols, q.cols), x.cols);
    const auto remove_known = [&](Panel<T> w) {
        for (const ConstPanel<T> known : {basis, ConstPanel<T>(q).col_range(0, kept)}) {
            if (known.cols > 0) project(known, w, coefficients.panel().row_range(0, known.cols).col_range(0, w.cols));
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
index_t extend_deficient(ConstPanel<T> basis, Panel<T> w, Panel<T> h, Panel<T> r, double floor,
                         Replacements& replacements) {
    const ScratchPanel<T> start(w.rows, w.cols), rest(w.rows, w.cols), part(basis.cols, w.cols);
    detail::copy_panel<T>(w, start.panel());
    detail::copy_panel<T>(w, rest.panel());
    index_t kept = absorb(basis, w, 0, rest.panel(), floor);
    if (basis.cols > 0) {
        adjoint_pass<T>(as_view(basis), start.panel(), part.panel());
        for (index_t i = 0; i < basis.cols; ++i)
            for (index_t j = 0; j < w.cols; ++j) h(i, j) += part.panel()(i, j);
    }
    if (kept > 0) adjoint_pass<T>(as_view(ConstPanel<T>(w).col_range(0, kept)), start.panel(), r.row_range(0, kept));
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

}  // namespace

template <class T>
index_t extend_basis(ConstPanel<T> basis, Panel<T> w, Panel<T> h, Panel<T> r, double floor,
                     Replacements& replacements) {
    using W = Wide<T>;
    const index_t j = basis.cols, b = w.cols;
    detail::set_zero(h);
    detail::set_zero(r);
    if (b == 0) return 0;
    Block<W> first, second;
    if (!round(basis, w, h, first, floor)) return extend_deficient(basis, w, h, r, floor, replacements);
    const ScratchPanel<T> again(j, b);
    if (!round(basis, w, again.panel(), second, 0.5)) {
        // Cannot happen in exact arithmetic: the block was orthonormal. Finish as deficient and fold the first R in.
        Block<T> h2(j, b), r2(b, b);
        if (j > 0) detail::copy_panel<T>(again.panel(), h2.panel());
        const index_t kept = extend_deficient<T>(basis, w, h2, r2, 0, replacements);
        for (index_t q = 0; q < b; ++q) {
            for (index_t p = 0; p <= q; ++p) {
                const T factor = static_cast<T>(first(p, q));
                for (index_t i = 0; i < j; ++i) h(i, q) += h2(i, p) * factor;
                for (index_t i = 0; i < b; ++i) r(i, q) += r2(i, p) * factor;
            }
        }
        return kept;
    }
    // H = H1 + H2 R1, R = R2 R1.
    Block<T> r1(b, b);
    for (index_t p = 0; p < b; ++p) {
        for (index_t q = p; q < b; ++q) {
            W sum = 0;
            for (index_t i = p; i <= q; ++i) sum += second(p, i) * first(i, q);
            r(p, q) = static_cast<T>(sum);
            r1(p, q) = static_cast<T>(first(p, q));
        }
    }
    if (j > 0) forward_pass<T>(as_view(ConstPanel<T>(again.panel())), r1.panel(), h, true);
    return b;
}

template <class T>
void rotate(Panel<T> v, ConstPanel<T> q) {
    const detail::Widened<T> wide(q);
    const ConstPanel<T> factor = wide.panel();
    const Partition rows{v.rows, std::max<index_t>(1, v.rows / 256), 8};
    parallel_for(rows.parts, 2.0 * static_cast<double>(v.rows * q.rows * q.cols), [&](index_t part) {
        constexpr index_t strip = 64;
        const ScratchPanel<T> tile(strip, factor.cols);
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); i += strip) {
            const index_t count = std::min(strip, rows.begin(part + 1) - i);
            const Panel<T> out = tile.panel().row_range(0, count);
            detail::set_zero(out);
            detail::forward_tile(v.row(i), v.ld, count, q.rows, factor.data, factor.ld, out.data, out.ld, factor.cols);
            detail::copy_panel<T>(out.col_range(0, q.cols), v.row_range(i, count).col_range(0, q.cols));
        }
    });
}

template <class T>
void column_norms(ConstPanel<T> w, double* norms) {
    const index_t b = w.cols;
    const Partition rows{w.rows, std::max<index_t>(1, w.rows / kRowsPerPart), 1};
    const Scratch<double> sums(rows.parts * b);
    parallel_for(rows.parts, 2.0 * static_cast<double>(w.rows * b), [&](index_t part) {
        double* sum = sums.data() + part * b;
        std::fill_n(sum, b, 0.0);
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i)
            for (index_t j = 0; j < b; ++j) sum[j] += abs2(static_cast<Wide<T>>(w(i, j)));
    });
    for (index_t j = 0; j < b; ++j) {
        double total = 0;
        for (index_t part = 0; part < rows.parts; ++part) total += sums[part * b + j];
        norms[j] = std::sqrt(total);
    }
}

#define INSTANTIATE(T)                                                                                    \
    template index_t extend_basis<T>(ConstPanel<T>, Panel<T>, Panel<T>, Panel<T>, double, Replacements&); \
    template void rotate<T>(Panel<T>, ConstPanel<T>);                                                     \
    template void column_norms<T>(ConstPanel<T>, double*);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
