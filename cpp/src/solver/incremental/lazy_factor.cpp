#include "svdkit/solver/incremental/lazy_factor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "small_products.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "svdkit/kernel/tall_pass.hpp"

namespace svdkit {
namespace {

constexpr index_t kMostWritten = 16;  // rows in all, times their number, until B^T B is measured again

using detail::multiply;
using detail::product;

double norm_one(const Block<double>& a) {
    double most = 0;
    for (index_t j = 0; j < a.cols(); ++j) {
        double sum = 0;
        for (index_t i = 0; i < a.rows(); ++i) sum += std::abs(a(i, j));
        most = std::max(most, sum);
    }
    return most;
}

// K^-1 and the condition of K in the 1-norm; infinite where K is singular.
Block<double> inverse(const Block<double>& k, double& condition) {
    Block<double> inverse(k.rows(), k.cols());
    detail::copy_panel<double>(k.panel(), inverse.panel());
    const bool regular = lapack::inverse(k.rows(), inverse.data(), inverse.ld()) == 0;  // of the transpose: the same
    condition = regular ? norm_one(k) * norm_one(inverse) : std::numeric_limits<double>::infinity();
    if (!std::isfinite(condition)) condition = std::numeric_limits<double>::infinity();
    return inverse;
}

index_t touched(const LazyFactor::Addition& addition) {
    if (!addition.vectors) return 0;  // appended rows are written once in any case
    return addition.vectors->sparse ? addition.vectors->entries() : addition.vectors->length;
}

// E^T B of sparse vectors.
Block<double> sparse_inner(ConstPanel<double> base, const TallVectors& vectors) {
    Block<double> c(vectors.count, base.cols);
    const double bytes = 8.0 * static_cast<double>(vectors.entries()) * static_cast<double>(base.cols);
    parallel_for(vectors.count, bytes, [&](index_t j) {
        double* const out = &c(j, 0);
        for (index_t p = vectors.begin[static_cast<std::size_t>(j)]; p < vectors.begin[static_cast<std::size_t>(j) + 1];
             ++p) {
            const double v = vectors.value[static_cast<std::size_t>(p)];
            const double* const row = base.row(vectors.place[static_cast<std::size_t>(p)]);
            for (index_t l = 0; l < base.cols; ++l) out[l] += v * row[l];
        }
    });
    return c;
}

// G += A^T B.
void add_product(ConstPanel<double> a, ConstPanel<double> b, Block<double>& gram) {
    const Block<double> product = detail::adjoint_product(a, b);
    for (index_t i = 0; i < gram.rows(); ++i)
        for (index_t j = 0; j < gram.cols(); ++j) gram(i, j) += product(i, j);
}

Block<double> copy_of(const Block<double>& a) {
    Block<double> copy(a.rows(), a.cols());
    detail::copy_panel<double>(a.panel(), copy.panel());
    return copy;
}

}  // namespace

LazyFactor::LazyFactor(index_t most_columns, bool kept)
    : ld_(padded_ld<double>(std::max<index_t>(most_columns, 1))), kept_(kept) {}

index_t LazyFactor::bytes() const {
    const index_t remembered = before_ ? static_cast<index_t>(before_->lines.size()) + before_->all.size() : 0;
    return static_cast<index_t>(sizeof(double)) * (base_.size() + factor_.rows() * factor_.ld() + remembered);
}

void LazyFactor::append_zero_rows(index_t count) {
    if (kept_ && (rows_ + count) * ld_ > base_.size()) {
        const bool first = base_.size() == 0;
        Buffer<double> larger(first ? (rows_ + count) * ld_ : std::max(2 * base_.size(), (rows_ + count) * ld_));
        std::copy_n(base_.data(), rows_ * ld_, larger.data());
        base_ = std::move(larger);
    }
    if (kept_) std::fill_n(base_.data() + rows_ * ld_, count * ld_, 0.0);
    rows_ += count;
}

void LazyFactor::restore(ConstPanel<double> base, ConstPanel<double> factor, index_t rows, History history) {
    factor_ = Block<double>(factor.rows, factor.cols);
    for (index_t i = 0; i < factor.rows; ++i) std::copy_n(factor.row(i), factor.cols, &factor_(i, 0));
    rows_ = 0;
    lazy_ = !detail::is_identity(factor_);
    gram_ = std::move(history.gram);
    written_ = history.written;
    materialisations_ = history.materialisations;
    condition_ = history.condition;
    append_zero_rows(rows);
    for (index_t i = 0; i < base.rows; ++i) std::copy_n(base.row(i), base.cols, base_.data() + i * ld_);
}

Block<double> LazyFactor::inner(const TallVectors& vectors) const {
    const index_t r = base_cols();
    if (r == 0) return Block<double>(vectors.count, r);
    if (vectors.sparse) return sparse_inner(base(), vectors);
    Block<double> c(vectors.count, r), transposed(r, vectors.count);
    adjoint_pass<double>(as_view<double>(ConstPanel<double>(all(r))), vectors.dense, transposed);
    for (index_t j = 0; j < vectors.count; ++j)
        for (index_t l = 0; l < r; ++l) c(j, l) = transposed(l, j);
    return c;
}

// Rows of B += E Y, and what that does to B^T B.
void LazyFactor::add(const Addition& addition, ConstPanel<double> y) {
    if (before_) remember_rows(addition);
    const Panel<double> base = all(y.cols);
    const bool known = gram_.rows() > 0;
    if (!addition.vectors) {
        for (index_t j = 0; j < y.rows; ++j) std::copy_n(y.row(j), y.cols, base.row(addition.first_row + j));
        written_ += y.rows;
        if (known) add_product(y, y, gram_);
        return;
    }
    const TallVectors& e = *addition.vectors;
    const Panel<double> here = base.row_range(addition.first_row, e.length);
    written_ += e.entries();
    if (!e.sparse) {
        gram_ = {};
        return forward_pass<double>(as_view<double>(e.dense), y, here, true);
    }
    const bool given = addition.inner.rows > 0;
    if (known && given) {
        const Block<double> by_gram = product(addition.gram, y);
        add_product(addition.inner, y, gram_);
        add_product(y, addition.inner, gram_);
        add_product(y, by_gram, gram_);
    } else if (known) {
        add_product(sparse_inner(here, e), y, gram_);
    }
    e.visit([&](index_t j, index_t i, double v) {
        double* const out = here.row(i);
        const double* const in = y.row(j);
        for (index_t c = 0; c < y.cols; ++c) out[c] += v * in[c];
    });
    if (known && !given) add_product(y, sparse_inner(here, e), gram_);
}

// Lazy steps need an invertible square K, and pay while few of the rows are touched.
bool LazyFactor::worth_lazy(const Block<double>& next, const std::vector<Addition>& additions) const {
    index_t sum = 0;
    for (const Addition& addition : additions) sum += touched(addition);
    return next.rows() == next.cols() && next.rows() > 0 && 2 * sum <= rows_;
}

// X <- X G first of all as K G; whether the rest could be lazy too.
bool LazyFactor::advance_lazily(Block<double>& next, const Change& change, double limit) {
    next = base_cols() > 0 ? product(factor_, change.g) : Block<double>(0, change.g.cols);
    if (!kept_) {
        factor_ = detail::identity(change.g.cols);
        return true;
    }
    if (!worth_lazy(next, change.additions)) return false;
    double condition = 0;
    const Block<double> inverted = inverse(next, condition);
    if (!(condition <= limit)) return false;
    for (const Addition& addition : change.additions) add(addition, product(addition.coefficients, inverted));
    factor_ = std::move(next);
    condition_ = condition;
    lazy_ = true;
    return true;
}

void LazyFactor::advance_formed(const Block<double>& next, const Change& change) {
    rotate_base(next);
    for (const Addition& addition : change.additions) add(addition, addition.coefficients);
}

void LazyFactor::advance(ConstPanel<double> g, const std::vector<Addition>& additions, double limit) {
    const Change change{g, additions};
    Block<double> next;
    if (!advance_lazily(next, change, limit)) advance_formed(next, change);
}

// Rotations of tall factors have threads of their own: they follow.
void LazyFactor::advance_both(LazyFactor& a, const Change& to_a, LazyFactor& b, const Change& to_b, double limit) {
    const std::array<LazyFactor*, 2> factors{&a, &b};
    const std::array<const Change*, 2> changes{&to_a, &to_b};
    std::array<Block<double>, 2> next;
    std::array<char, 2> done{};
    double flops = 0;
    for (const Change* const change : changes) {
        const auto r = static_cast<double>(change->g.cols);
        flops += 4 * r * r * r;
        for (const Addition& addition : change->additions)
            flops += 4 * static_cast<double>(addition.coefficients.rows) * r * r;
    }
    parallel_for(2, flops, [&](index_t i) {
        const auto at = static_cast<std::size_t>(i);
        done[at] = factors[at]->advance_lazily(next[at], *changes[at], limit) ? 1 : 0;
    });
    for (std::size_t i = 0; i < 2; ++i)
        if (!done[i]) factors[i]->advance_formed(next[i], *changes[i]);
}

// B <- B Q for any number of columns of Q, K <- I.
void LazyFactor::rotate_base(ConstPanel<double> q) {
    const index_t size = std::max(q.rows, q.cols);
    if (kept_ && q.rows > 0) {
        if (before_) remember_all();
        Block<double> square(size, size);
        for (index_t i = 0; i < q.rows; ++i) std::copy_n(q.row(i), q.cols, &square(i, 0));
        rotate<double>(all(size), square);
        ++materialisations_;
    }
    factor_ = detail::identity(q.cols);
    gram_ = {};
    condition_ = 1;
    lazy_ = false;
}

void LazyFactor::materialise() {
    if (base_cols() == 0 || !lazy_) return;
    const Block<double> q = std::move(factor_);
    factor_ = Block<double>(q.rows(), q.cols());
    rotate_base(q);
}

// Of |K^T (B^T B) K - I|.
double LazyFactor::off_identity() const {
    const Block<double> x = detail::adjoint_product(factor_, product(gram_, factor_));
    double most = 0;
    for (index_t i = 0; i < x.rows(); ++i)
        for (index_t j = 0; j < x.cols(); ++j) most = std::max(most, std::abs(x(i, j) - (i == j ? 1.0 : 0.0)));
    return most;
}

double LazyFactor::orthogonality(double alarm) {
    if (!kept_ || cols() == 0) return 0;
    if (gram_.rows() > 0 && written_ < kMostWritten * rows_) {
        const double most = off_identity();
        if (most <= alarm) return most;
    }
    return measured_orthogonality();
}

double LazyFactor::measured_orthogonality() {
    if (!kept_ || cols() == 0) return 0;
    materialise();
    gram_ = svdkit::gram<double>(ConstPanel<double>(all(cols())));
    written_ = 0;
    return off_identity();
}

Block<double> LazyFactor::take(const std::vector<index_t>& which) const {
    const index_t r = base_cols();
    Block<double> rows(static_cast<index_t>(which.size()), r);
    for (index_t i = 0; i < rows.rows(); ++i)
        std::copy_n(base_.data() + which[static_cast<std::size_t>(i)] * ld_, r, &rows(i, 0));
    return r > 0 ? product(rows, factor_) : std::move(rows);
}

void LazyFactor::remove(const std::vector<index_t>& which) {
    if (kept_ && !which.empty()) {
        index_t to = which.front(), next = 0;
        for (index_t from = to; from < rows_; ++from) {
            if (next < static_cast<index_t>(which.size()) && which[static_cast<std::size_t>(next)] == from) {
                ++next;
            } else {
                std::copy_n(base_.data() + from * ld_, ld_, base_.data() + to++ * ld_);
            }
        }
    }
    rows_ -= static_cast<index_t>(which.size());
    gram_ = {};
}

void LazyFactor::remember_changes() {
    before_ = Before{copy_of(factor_), copy_of(gram_), rows_, written_, materialisations_, lazy_, condition_};
}

// Before B += E Y. Rows that were appended since then need no memory.
void LazyFactor::remember_rows(const Addition& addition) {
    if (before_->all.size() > 0 || !addition.vectors) return;
    if (!addition.vectors->sparse) return remember_all();
    before_->places.reserve(addition.vectors->place.size());
    before_->lines.reserve(addition.vectors->place.size() * static_cast<std::size_t>(ld_));
    for (const index_t i : addition.vectors->place) {
        const index_t row = addition.first_row + i;
        if (row >= before_->rows) continue;
        before_->places.push_back(row);
        const double* const line = base_.data() + row * ld_;
        before_->lines.insert(before_->lines.end(), line, line + ld_);
    }
}

void LazyFactor::remember_all() {
    if (before_->all.size() > 0) return;
    before_->all = Buffer<double>(before_->rows * ld_);
    std::copy_n(base_.data(), before_->all.size(), before_->all.data());
}

void LazyFactor::undo_changes() {
    std::copy_n(before_->all.data(), before_->all.size(), base_.data());
    for (std::size_t i = 0; i < before_->places.size(); ++i)
        std::copy_n(before_->lines.data() + static_cast<index_t>(i) * ld_, ld_,
                    base_.data() + before_->places[i] * ld_);
    factor_ = std::move(before_->factor);
    gram_ = std::move(before_->gram);
    rows_ = before_->rows;
    written_ = before_->written;
    materialisations_ = before_->materialisations;
    lazy_ = before_->lazy;
    condition_ = before_->condition;
    before_.reset();
}

Block<double> LazyFactor::formed() const {
    Block<double> x(kept_ ? rows_ : 0, cols(), std::max<index_t>(cols(), 1));
    if (x.rows() == 0 || x.cols() == 0) return x;
    forward_pass<double>(as_view<double>(ConstPanel<double>(all(base_cols()))), factor_, x);
    return x;
}

}  // namespace svdkit
