#include "svdkit/solver/incremental/incremental.hpp"

#include <algorithm>
#include <cmath>

#include "core.hpp"
#include "magnitudes.hpp"
#include "small_products.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "whole_batch.hpp"

namespace svdkit {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr index_t kCheckEvery = 16;              // updates between looks at the orthogonality
constexpr double kOrthogonal = 2048 * kEpsilon;  // and what is restored: less than half of 1e-12
constexpr double kDirectionError = 3e-14;        // of directions known by their pairs
constexpr index_t kShort = 512;                  // vectors up to this length are cheaper formed
constexpr int kUnitRange = 300;                  // binary orders of magnitude before the unit follows the data

constexpr index_t kLongestChunk = 512;  // sparse vectors that one core takes in

using detail::Core, detail::decompose, detail::decompose_leading;
using detail::largest, detail::multiply_by_power, detail::square, detail::sum_of_squares;

// R of G = R^T R for a G near the identity, and R^-1.
std::pair<Block<double>, Block<double>> factorised(const Block<double>& g) {
    const index_t r = g.rows();
    Block<double> upper(r, r), inverse(r, r);
    for (index_t j = 0; j < r; ++j) {
        for (index_t i = 0; i <= j; ++i) {
            double sum = g(i, j);
            for (index_t p = 0; p < i; ++p) sum -= upper(p, i) * upper(p, j);
            if (i == j && !(sum > 0)) throw NumericalError("svdkit: the factors of an incremental SVD lost their rank");
            upper(i, j) = i == j ? std::sqrt(sum) : sum / upper(i, i);
        }
        inverse(j, j) = 1 / upper(j, j);
        for (index_t i = j - 1; i >= 0; --i) {
            double sum = 0;
            for (index_t p = i + 1; p <= j; ++p) sum += upper(i, p) * inverse(p, j);
            inverse(i, j) = -sum / upper(i, i);
        }
    }
    return {std::move(upper), std::move(inverse)};
}

}  // namespace

IncrementalSvd::IncrementalSvd(index_t rows, index_t cols, const IncrementalOptions& options)
    : options_(options), left_(options.k, options.left), right_(options.k, true) {
    left_.append_zero_rows(rows);
    right_.append_zero_rows(cols);
}

LazyFactor IncrementalSvd::empty_factor(Side side) const {
    return LazyFactor(options_.k, side == Side::columns || options_.left);
}

// Dense vectors are written out, so their directions cost as much as decomposing the batch as a whole.
index_t IncrementalSvd::chunk(bool sparse) const {
    if (options_.chunk > 0) return options_.chunk;
    return sparse ? kLongestChunk : std::max<index_t>(32, options_.k);
}

void IncrementalSvd::forget(double factor) {
    if (factor == 1) return;
    for (double& value : values_) value *= factor;
    detail::for_values(waiting_.vectors, [&](double& v) { v *= factor; });
    certificate_.energy *= square(factor);
    certificate_.gap *= square(factor);
    certificate_.error *= factor;
}

void IncrementalSvd::change_unit(int exponent) {
    const int shift = static_cast<int>(certificate_.exponent) - exponent;
    for (double& value : values_) value = std::ldexp(value, shift);
    multiply_by_power(waiting_.vectors, shift);
    certificate_.energy = std::ldexp(certificate_.energy, 2 * shift);
    certificate_.gap = std::ldexp(certificate_.gap, 2 * shift);
    certificate_.error = std::ldexp(certificate_.error, shift);
    certificate_.exponent = exponent;
}

// Vectors given in units of 2^unit, in the state's from now on; the first ones decide which.
void IncrementalSvd::bring_to_unit(TallVectors& vectors, int unit) {
    const double most = largest(vectors);
    if (most > 0) {
        const int exponent = std::ilogb(most) + unit;
        if (values_.empty() && certificate_.energy == 0) certificate_.exponent = exponent;
        if (exponent > certificate_.exponent + kUnitRange) change_unit(exponent);
    }
    multiply_by_power(vectors, unit - static_cast<int>(certificate_.exponent));
}

// Keeps the leading values of an update, and records what is lost; `beyond`: squares of values not in theta.
index_t IncrementalSvd::settle(const std::vector<double>& theta, double beyond, double lost) {
    const auto k = static_cast<std::size_t>(options_.k);
    const double noise = theta.empty() ? 0 : 8 * kEpsilon * theta.front();
    const double next = theta.size() > k ? square(theta[k]) : 0;
    std::size_t kept = 0;
    double loss = beyond;
    values_.clear();
    for (std::size_t j = 0; j < theta.size(); ++j) {
        double value = j < k && theta[j] > noise ? theta[j] : 0;
        if (options_.shrink && value > 0)
            value = std::sqrt(std::max(0.0, (value - std::sqrt(next)) * (value + std::sqrt(next))));
        loss += square(theta[j] - value);
        if (value > 0) {
            values_.push_back(value);
            ++kept;
        }
    }
    certificate_.error += std::sqrt(loss) + std::sqrt(lost);
    certificate_.gap += next + lost;
    return static_cast<index_t>(kept);
}

bool IncrementalSvd::is_formed(const LazyFactor& factor, const TallVectors& vectors) const {
    return !vectors.sparse || factor.rows() <= kShort;
}

Expansion IncrementalSvd::expand(LazyFactor& factor, const TallVectors& vectors, bool formed) {
    if (!formed) return expand_by_pairs(factor, vectors);
    ++counts_.formed;
    return expand_formed(factor, vectors, options_.seed);
}

// New directions and the core; values and certificate are those of the update from here on, the factors not yet.
IncrementalSvd::Step IncrementalSvd::decompose_chunk(Side side, const TallVectors& vectors) {
    LazyFactor& other = side_factor(across(side));
    const index_t r = kept(), t = vectors.count;
    bool formed = is_formed(other, vectors);
    for (;; formed = true) {
        Expansion expansion = expand(other, vectors, formed);
        const index_t q = expansion.count;
        Block<double> m(r + t, r + q);
        for (index_t i = 0; i < r; ++i) m(i, i) = values_[static_cast<std::size_t>(i)];
        detail::copy_panel<double>(expansion.coordinates.panel(), m.panel().row_range(r, t));
        Core core = decompose_leading(m, r, options_.k + 1, options_.seed);
        const auto leading = std::min<index_t>(options_.k, static_cast<index_t>(core.theta.size()));
        const ConstPanel<double> right = core.right.panel().col_range(0, leading);
        if (!formed && expansion.error(right.row_range(r, q)) > kDirectionError) continue;
        const index_t kept = settle(core.theta, core.beyond, expansion.lost);
        return {std::move(expansion), std::move(core.left), std::move(core.right), kept};
    }
}

// `block`: left vectors of the appended part, if it is itself a product; else rows of the identity.
void IncrementalSvd::follow(Side side, const TallVectors& vectors, const TallVectors* block, const Step& step) {
    LazyFactor &grown = side_factor(side), &other = side_factor(across(side));
    const index_t t = vectors.count, first = grown.rows();
    const ConstPanel<double> left = step.left.panel().col_range(0, step.kept);
    std::pair<Block<double>, Block<double>> memory;
    const LazyFactor::Change to_other =
        step.expansion.change(vectors, step.right.panel().col_range(0, step.kept), memory);
    const index_t r = left.rows - t;
    grown.append_zero_rows(block ? block->length : t);
    LazyFactor::advance_both(other, to_other, grown, {left.row_range(0, r), {{block, first, left.row_range(r, t)}}},
                             options_.refresh_condition);
    finish_update(vectors.entries());
}

void IncrementalSvd::append_chunk(Side side, const TallVectors& vectors, const TallVectors* block) {
    follow(side, vectors, block, decompose_chunk(side, vectors));
}

void IncrementalSvd::append_whole(Side side, const TallVectors& vectors, Monitor& monitor) {
    LazyFactor& grown = side_factor(side);
    LazyFactor& other = side_factor(across(side));
    const index_t r = kept(), t = vectors.count, first = grown.rows();
    double energy = sum_of_squares(vectors), largest = 0;
    for (const double value : values_) energy += square(value), largest = std::max(largest, value);
    const Options<double> options{.k = std::min({options_.k + 1, other.rows(), r + t}),
                                  .tol = options_.tol > 0 ? options_.tol : 1e-11,
                                  .max_abs = std::max(largest, std::sqrt(energy / static_cast<double>(t))),
                                  .seed = options_.seed};
    if (options.k == 0 || energy == 0) {
        grown.append_zero_rows(t);
        return finish_update(vectors.entries());
    }
    Result<double> result = detail::whole_batch(other, values_, vectors, options, monitor);
    double beyond = energy;
    for (const double s : result.s) beyond -= square(s);
    const index_t kept = settle(result.s, std::max(beyond, 0.0), 0);
    LazyFactor fresh = empty_factor(across(side));
    fresh.restore(result.u.panel().col_range(0, kept), detail::identity(kept), other.rows(),
                  {.materialisations = other.materialisations()});
    other = std::move(fresh);
    const ConstPanel<double> left = result.v.panel().col_range(0, kept);
    grown.append_zero_rows(t);
    grown.advance(left.row_range(0, r), {{nullptr, first, left.row_range(r, t)}}, options_.refresh_condition);
    ++counts_.whole_batches;
    counts_.since_check = kCheckEvery;  // both factors are multiplied out: their Gram matrices cost least now
    finish_update(vectors.entries());
}

void IncrementalSvd::add(TallVectors d, TallVectors e, double forgetting, Monitor& monitor) {
    const ThreadScope threads(options_.threads);
    take_in();
    // D keeps its own scale: only the product has the unit of the matrix.
    const double most = largest(d);
    const int exponent = most > 0 ? std::ilogb(most) : 0;
    multiply_by_power(d, -exponent);
    bring_to_unit(e, exponent);
    forget(forgetting);
    certificate_.edited();
    const index_t piece = chunk(d.sparse && e.sparse);
    for (index_t first = 0; first < d.count; first += piece) {
        if (first > 0) monitor.poll({.iteration = counts_.updates});
        const index_t width = std::min(piece, d.count - first);
        add_chunk(d.range(first, width), e.range(first, width));
    }
}

void IncrementalSvd::add_chunk(const TallVectors& d, const TallVectors& e) {
    const index_t r = kept();
    bool left_formed = is_formed(left_, d), right_formed = is_formed(right_, e);
    double before = 0;
    for (const double value : values_) before += square(value);
    for (;;) {
        const Expansion left = expand(left_, d, left_formed), right = expand(right_, e, right_formed);
        Block<double> m = detail::adjoint_product(left.coordinates, right.coordinates);
        for (index_t i = 0; i < r; ++i) m(i, i) += values_[static_cast<std::size_t>(i)];
        const Core core = decompose_leading(m, 0, options_.k + 1, options_.seed);
        const auto leading = std::min<index_t>(options_.k, static_cast<index_t>(core.theta.size()));
        const ConstPanel<double> lefts = core.left.panel().col_range(0, leading);
        const ConstPanel<double> rights = core.right.panel().col_range(0, leading);
        const bool left_fails = !left_formed && left.error(lefts.row_range(r, left.count)) > kDirectionError;
        const bool right_fails = !right_formed && right.error(rights.row_range(r, right.count)) > kDirectionError;
        left_formed |= left_fails;
        right_formed |= right_fails;
        if (left_fails || right_fails) continue;
        double after = core.beyond;
        for (const double value : core.theta) after += square(value);
        // What was dropped of D E^T: |D_lost| |E| + |D| |E_lost|, squared.
        const double lost =
            square(std::sqrt(left.lost * sum_of_squares(e)) + std::sqrt(right.lost * sum_of_squares(d)));
        certificate_.energy = std::max(certificate_.energy - before, 0.0) + after;
        const index_t kept = settle(core.theta, core.beyond, lost);
        std::pair<Block<double>, Block<double>> a, b;
        LazyFactor::advance_both(left_, left.change(d, lefts.col_range(0, kept), a), right_,
                                 right.change(e, rights.col_range(0, kept), b), options_.refresh_condition);
        break;
    }
    finish_update(d.entries() + e.entries());
}

void IncrementalSvd::merge(Side side, IncrementalSvd& other) {
    const ThreadScope threads(options_.threads);
    take_in();
    other.look();
    TallVectors vectors{.length = factor(across(side)).rows(), .count = other.kept(), .sparse = false};
    vectors.dense = other.factor(across(side)).formed();
    for (index_t i = 0; i < vectors.length; ++i)
        for (index_t j = 0; j < vectors.count; ++j) vectors.dense(i, j) *= other.values_[static_cast<std::size_t>(j)];
    bring_to_unit(vectors, static_cast<int>(other.certificate_.exponent));
    Certificate its = other.certificate_;
    const int shift = static_cast<int>(its.exponent - certificate_.exponent);
    its.energy = std::ldexp(its.energy, 2 * shift);
    its.gap = std::ldexp(its.gap, 2 * shift);
    its.error = std::ldexp(its.error, shift);
    certificate_.energy += its.energy;
    certificate_.error = std::hypot(certificate_.error, its.error);
    certificate_.gap += its.gap;
    certificate_.exact_energy &= its.exact_energy;
    certificate_.appended(its.kind | kind(side));
    TallVectors block{.length = other.factor(side).rows(), .count = other.kept(), .sparse = false};
    if (factor(side).kept()) block.dense = other.factor(side).formed();
    append_chunk(side, vectors, &block);
}

void IncrementalSvd::remove(Side side, const std::vector<index_t>& which) {
    const ThreadScope threads(options_.threads);
    take_in();
    LazyFactor& reduced = side_factor(side);
    LazyFactor& other = side_factor(across(side));
    const index_t r = kept();
    const Block<double> taken = reduced.take(which);
    reduced.remove(which);
    certificate_.edited();
    if (r == 0) return finish_update(0);
    // W = I - X_I^T X_I = Z diag(w) Z^T is the Gram matrix of what stays; X Z w^-1/2 is orthonormal, w^1/2 Z^T S next.
    Block<double> w = detail::adjoint_product(taken, taken);
    for (index_t i = 0; i < r; ++i)
        for (index_t j = 0; j < r; ++j) w(i, j) = (i == j ? 1.0 : 0.0) - w(i, j);
    const Core gram = decompose(w);
    index_t size = 0;
    while (size < r && gram.theta[static_cast<std::size_t>(size)] > 1e-12) ++size;
    Block<double> whiten(r, size), core(size, r);
    for (index_t j = 0; j < size; ++j) {
        const double root = std::sqrt(gram.theta[static_cast<std::size_t>(j)]);
        for (index_t i = 0; i < r; ++i) {
            whiten(i, j) = gram.left(i, j) / root;
            core(j, i) = root * gram.left(i, j) * values_[static_cast<std::size_t>(i)];
        }
    }
    double removed = 0;
    for (index_t i = 0; i < taken.rows(); ++i)
        for (index_t j = 0; j < r; ++j) removed += square(taken(i, j) * values_[static_cast<std::size_t>(j)]);
    certificate_.energy = std::max(certificate_.energy - removed, 0.0);
    const bool delicate = size > 0 && gram.theta[static_cast<std::size_t>(size) - 1] < 1e-3;
    const Core next = decompose(core);
    const index_t kept = settle(next.theta, 0, 0);
    reduced.advance(detail::product(whiten, next.left.panel().col_range(0, kept)), {}, options_.refresh_condition);
    other.advance(next.right.panel().col_range(0, kept), {}, options_.refresh_condition);
    if (delicate) counts_.since_check = kCheckEvery;  // the inverse square root magnified rounding: look now
    finish_update(taken.rows());
}

bool IncrementalSvd::check_is_due() const { return counts_.since_check + 1 >= kCheckEvery; }

void IncrementalSvd::finish_update(index_t entries) {
    ++counts_.updates;
    counts_.entries += entries;
    counts_.last_entries = entries;
    const bool due = check_is_due();
    ++counts_.since_check;
    if (!due) return;
    counts_.since_check = 0;
    orthogonality_ = std::max(left_.orthogonality(kOrthogonal), right_.orthogonality(kOrthogonal));
    if (orthogonality_ > kOrthogonal) reorthonormalise();
}

void IncrementalSvd::refresh() {
    const ThreadScope threads(options_.threads);
    take_in();
    counts_.since_check = 0;
    reorthonormalise();
}

// U = Q_u R_u, V = Q_v R_v by Cholesky, then the SVD of R_u S R_v^T.
// From measured Gram matrices: by way of a lazy factor they would carry the square of its condition.
void IncrementalSvd::reorthonormalise() {
    const index_t r = kept();
    if (r == 0) return;
    orthogonality_ = std::max(left_.measured_orthogonality(), right_.measured_orthogonality());
    const Block<double> eye = detail::identity(r);
    const auto [left, left_inverse] = factorised(left_.kept() ? left_.gram() : eye);
    const auto [right, right_inverse] = factorised(right_.gram());
    Block<double> scaled(r, r);
    for (index_t i = 0; i < r; ++i)
        for (index_t j = 0; j < r; ++j) scaled(j, i) = right(i, j) * values_[static_cast<std::size_t>(j)];
    const Core core = decompose(detail::product(left, scaled));
    left_.advance(detail::product(left_inverse, core.left), {}, 0);
    right_.advance(detail::product(right_inverse, core.right), {}, 0);
    values_ = core.theta;
    orthogonality_ = std::max(left_.measured_orthogonality(), right_.measured_orthogonality());
    ++counts_.reorthonormalisations;
}

}  // namespace svdkit
