#include "svdkit/solver/incremental/tracker.hpp"

#include <algorithm>
#include <cmath>

#include "../ritz_vectors.hpp"
#include "small_products.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/small_eigh.hpp"
#include "svdkit/kernel/tall_pass.hpp"
#include "svdkit/solver/counted.hpp"
#include "svdkit/solver/residual.hpp"

namespace svdkit {
namespace {

constexpr index_t kWidth = 32;      // vectors of a block, at most
constexpr index_t kSteps = 40;      // blocks of one call, at most
constexpr double kSmallest = 1e-3;  // a wanted value below this share of the largest is too small for its square
constexpr double kAim = 0.5;        // of the tolerance, for estimates
constexpr double kWorthwhile = 0.15;
constexpr double kNegligible = 1e-3;  // a direction beside the first
constexpr index_t kLook = 8;          // vectors that cost more than a look at the Ritz values
constexpr double kFar = 100;          // tolerances from the end

}  // namespace

Tracker::Tracker(index_t k, ConstPanel<double> v, const Operator<double>& a, std::uint64_t seed)
    : k_(k),
      n_(a.cols()),
      keep_(std::min(2 * k, k + 64)),
      room_(std::min(keep_ + 6 * kWidth, n_)),
      q_(n_, room_),
      z_(n_, room_),
      t_(room_, room_),
      replacements_{seed, 0} {
    const Workspace work = workspace(a, v.cols);
    detail::copy_panel<double>(v, work.vectors);
    grow(a, work, v.cols, false);
}

Tracker::Workspace Tracker::workspace(const Operator<double>& a, index_t width) const {
    return {Block<double>(n_, width), Block<double>(a.rows(), width), Block<double>(n_, width),
            Block<double>(n_, k_, k_), Block<double>(n_, k_)};
}

// The first vectors of the workspace join the basis, and A^T A times them its image.
void Tracker::grow(const Operator<double>& a, const Workspace& work, index_t width, bool is_residual) {
    const index_t p = size_;
    const Panel<double> w = work.vectors.panel().col_range(0, width), back = work.back.panel().col_range(0, width);
    const Block<double> h(std::max<index_t>(p, 1), width), r(width, width);
    extend_basis<double>(q_.columns(p), w, h.panel().row_range(0, p), r, 0, replacements_,
                         is_residual ? std::min<index_t>(p, 1) : 0);  // residuals are orthogonal but for rounding
    a.apply_gram(w, work.image.panel().col_range(0, width), back);
    q_.put(p, w);
    z_.put(p, back);
    size_ = p + width;
    const Block<double> projected(size_, width);
    inner<double>(q_.columns(size_), back, projected);
    for (index_t i = 0; i < size_; ++i) {
        for (index_t j = 0; j < width; ++j) {
            const double value = i < p ? projected(i, j) : (projected(i, j) + projected(p + j, i - p)) / 2;
            t_(i, p + j) = value;
            t_(p + j, i) = value;
        }
    }
}

// E Q, from the entries of E; then its products with E^T and with itself.
void Tracker::change(const TallVectors& rows, double sign) {
    const Block<double> image(rows.count, size_);
    const Columns<double> q = q_.columns(size_), z = z_.columns(size_);
    parallel_for(q.slabs(), 4.0 * static_cast<double>(rows.entries() * size_), [&](index_t s) {
        const Panel<double> basis = q.slab(s), images = z.slab(s);
        const index_t first = q.first_col(s);
        rows.visit([&](index_t j, index_t i, double v) {
            for (index_t c = 0; c < basis.cols; ++c) image(j, first + c) += v * basis(i, c);
        });
        rows.visit([&](index_t j, index_t i, double v) {
            for (index_t c = 0; c < basis.cols; ++c) images(i, c) += sign * v * image(j, first + c);
        });
    });
    const Block<double> projected = detail::adjoint_product(image, image);
    for (index_t i = 0; i < size_; ++i)
        for (index_t j = 0; j < size_; ++j) t_(i, j) += sign * projected(i, j);
}

Tracker::Ritz Tracker::ritz() const {
    const index_t kept = std::min(keep_, size_);
    const Block<double> work(size_, size_, size_);
    const Buffer<double> values(size_);
    for (index_t i = 0; i < size_; ++i)
        for (index_t j = 0; j < size_; ++j) work(i, j) = (t_(i, j) + t_(j, i)) / 2;
    Ritz out{{}, Block<double>(size_, kept)};
    small_eigh<double>(work.panel(), values.data(), out.vectors.panel());
    out.values.assign(values.begin(), values.begin() + kept);
    return out;
}

void Tracker::contract(const Ritz& ritz) {
    const index_t kept = ritz.vectors.cols();
    rotate<double>(q_.columns(size_), ritz.vectors);
    rotate<double>(z_.columns(size_), ritz.vectors);
    for (index_t i = 0; i < kept; ++i)
        for (index_t j = 0; j < kept; ++j) t_(i, j) = i == j ? ritz.values[static_cast<std::size_t>(i)] : 0;
    size_ = kept;
}

// The k leading Ritz vectors V and A^T A V - V theta^2; its norms over theta, which A^T u - theta v will have.
std::vector<double> Tracker::residuals(const Ritz& ritz, const Workspace& work) const {
    detail::ritz_vectors<double>(q_, size_, ritz.vectors, 0, work.ritz);
    detail::ritz_vectors<double>(z_, size_, ritz.vectors, 0, work.rest);
    const Partition rows{n_, std::max<index_t>(1, n_ / 2048), 1};
    parallel_for(rows.parts, 2.0 * static_cast<double>(n_ * k_), [&](index_t part) {
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i)
            for (index_t j = 0; j < k_; ++j)
                work.rest(i, j) -= work.ritz(i, j) * ritz.values[static_cast<std::size_t>(j)];
    });
    std::vector<double> sizes(static_cast<std::size_t>(k_));
    column_norms<double>(work.rest.panel(), sizes.data());
    for (std::size_t j = 0; j < sizes.size(); ++j) sizes[j] /= std::sqrt(ritz.values[j]);
    return sizes;
}

// The next vectors: principal directions of the residuals, weighted as they count, but for those that matter to no
// residual beside `enough` or beside the first. Returns how many. After a change of t rows there are t, whatever k is.
index_t Tracker::select(const std::vector<double>& values, double enough, const Workspace& work) const {
    const Block<double> weighted(k_, k_, k_), turn(k_, std::min(kWidth, k_));
    const Buffer<double> squares(k_);
    const Block<double> gram = svdkit::gram<double>(work.rest);
    const auto root = [&](index_t j) { return std::sqrt(values[static_cast<std::size_t>(j)]); };
    double rest = 0;
    for (index_t i = 0; i < k_; ++i) {
        for (index_t j = 0; j < k_; ++j) weighted(i, j) = gram(i, j) / root(i) / root(j);
        rest += weighted(i, i);
    }
    small_eigh<double>(weighted.panel(), squares.data(), turn.panel());
    index_t width = 0;
    for (; width < turn.cols() && (width == 0 || rest > enough * enough); ++width) {
        const double square = squares.data()[width];
        if (width > 0 && square <= kNegligible * kNegligible * squares.data()[0]) break;
        for (index_t i = 0; i < k_; ++i) turn(i, width) /= root(i) * std::sqrt(square);
        rest -= square;
    }
    forward_pass<double>(as_view<double>(work.rest), turn.panel().col_range(0, width),
                         work.vectors.panel().col_range(0, width));
    return width;
}

std::optional<Result<double>> Tracker::solve(const Operator<double>& a, double tol, index_t budget, Monitor& monitor) {
    multiplied_ = 0;
    const auto k = static_cast<std::size_t>(k_);
    Workspace work = workspace(a, std::min(kWidth, k_));
    index_t blocks = 0;
    for (index_t step = 0; step < kSteps; ++step) {
        const Ritz found = ritz();
        if (found.values.size() < k || !(found.values[k - 1] > kSmallest * kSmallest * found.values[0])) return {};
        const double largest = std::sqrt(found.values[0]);
        const std::vector<double> sizes = residuals(found, work);
        const double worst = *std::ranges::max_element(sizes);
        const bool done = worst <= kAim * tol * largest;
        if (done || size_ + std::min(kWidth, k_) > room_) contract(found);
        if (done) {
            Counted<double> counted(a);
            Result<double> result = rayleigh_ritz<double>(counted, std::move(work.ritz), {.seed = replacements_.seed});
            if (*std::ranges::max_element(result.report.residuals) > tol * result.s.front()) return {};
            result.report.iterations = blocks;
            result.report.passes = blocks + counted.passes();
            return result;
        }
        const index_t width = select(found.values, kWorthwhile * tol * largest, work);
        // Far from the end further blocks of the Krylov space cost less than a look at the Ritz values.
        const index_t many = worst > kFar * tol * largest ? std::max(2 * width, kLook) : width;
        for (index_t added = 0; added < many && size_ + width <= room_; added += width) {
            if (added > 0) z_.get(size_ - width, work.vectors.panel().col_range(0, width));
            grow(a, work, width, added == 0);
            ++blocks;
            multiplied_ += width;
            if (monitor.poll({.iteration = blocks, .wanted = k_, .passes = blocks})) return {};
        }
        if (multiplied_ > budget) return {};
    }
    return {};
}

}  // namespace svdkit
