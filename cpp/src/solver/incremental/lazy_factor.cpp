#include "svdkit/solver/incremental/lazy_factor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "small_products.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "svdkit/kernel/tall_pass.hpp"

namespace svdkit {
namespace {

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

// rows of B += E Y
void add(Panel<double> base, const LazyFactor::Addition& addition, ConstPanel<double> y) {
    const index_t r = y.cols;
    if (!addition.vectors) {
        for (index_t j = 0; j < y.rows; ++j) std::copy_n(y.row(j), r, base.row(addition.first_row + j));
    } else if (addition.vectors->sparse) {
        addition.vectors->visit([&](index_t j, index_t i, double v) {
            double* const out = base.row(addition.first_row + i);
            const double* const in = y.row(j);
            for (index_t c = 0; c < r; ++c) out[c] += v * in[c];
        });
    } else {
        forward_pass<double>(as_view<double>(addition.vectors->dense), y,
                             base.row_range(addition.first_row, addition.vectors->length), true);
    }
}

}  // namespace

LazyFactor::LazyFactor(index_t most_columns, bool kept)
    : ld_(padded_ld<double>(std::max<index_t>(most_columns, 1))), kept_(kept) {}

index_t LazyFactor::bytes() const {
    return static_cast<index_t>(sizeof(double)) * (base_.size() + factor_.rows() * factor_.ld());
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

void LazyFactor::restore(ConstPanel<double> base, ConstPanel<double> factor, index_t rows) {
    factor_ = Block<double>(factor.rows, factor.cols);
    for (index_t i = 0; i < factor.rows; ++i) std::copy_n(factor.row(i), factor.cols, &factor_(i, 0));
    rows_ = 0;
    lazy_ = !detail::is_identity(factor_);
    append_zero_rows(rows);
    for (index_t i = 0; i < base.rows; ++i) std::copy_n(base.row(i), base.cols, base_.data() + i * ld_);
}

Block<double> LazyFactor::coefficients(const TallVectors& vectors) const {
    const index_t r = base_cols();
    Block<double> c(vectors.count, r);
    if (r == 0) return c;
    if (vectors.sparse) {
        vectors.visit([&](index_t j, index_t i, double v) {
            const double* const row = base_.data() + i * ld_;
            double* const out = &c(j, 0);
            for (index_t l = 0; l < r; ++l) out[l] += v * row[l];
        });
    } else {
        Block<double> transposed(r, vectors.count);
        adjoint_pass<double>(as_view<double>(ConstPanel<double>(all(r))), vectors.dense, transposed);
        for (index_t j = 0; j < vectors.count; ++j)
            for (index_t l = 0; l < r; ++l) c(j, l) = transposed(l, j);
    }
    return product(c, factor_);
}

// Lazy steps need an invertible square K, and pay while few of the rows are touched.
bool LazyFactor::worth_lazy(const Block<double>& next, const std::vector<Addition>& additions) const {
    index_t sum = 0;
    for (const Addition& addition : additions) sum += touched(addition);
    return next.rows() == next.cols() && next.rows() > 0 && 2 * sum <= rows_;
}

void LazyFactor::advance(ConstPanel<double> g, const std::vector<Addition>& additions, double limit) {
    Block<double> next = base_cols() > 0 ? product(factor_, g) : Block<double>(0, g.cols);
    if (!kept_) {
        factor_ = detail::identity(g.cols);
        return;
    }
    if (worth_lazy(next, additions)) {
        double condition = 0;
        const Block<double> inverted = inverse(next, condition);
        if (condition <= limit) {
            for (const Addition& addition : additions)
                add(all(next.cols()), addition, product(addition.coefficients, inverted));
            factor_ = std::move(next);
            condition_ = condition;
            lazy_ = true;
            return;
        }
    }
    rotate_base(next);
    for (const Addition& addition : additions) add(all(g.cols), addition, addition.coefficients);
}

// B <- B Q for any number of columns of Q, K <- I.
void LazyFactor::rotate_base(ConstPanel<double> q) {
    const index_t size = std::max(q.rows, q.cols);
    if (kept_ && q.rows > 0) {
        Block<double> square(size, size);
        for (index_t i = 0; i < q.rows; ++i) std::copy_n(q.row(i), q.cols, &square(i, 0));
        rotate<double>(all(size), square);
        ++materialisations_;
    }
    factor_ = detail::identity(q.cols);
    condition_ = 1;
    lazy_ = false;
}

void LazyFactor::materialise() {
    if (base_cols() == 0 || !lazy_) return;
    const Block<double> q = std::move(factor_);
    factor_ = Block<double>(q.rows(), q.cols());
    rotate_base(q);
}

double LazyFactor::orthogonality(Block<double>& gram) const {
    const index_t r = cols();
    gram = detail::identity(r);
    if (!kept_ || r == 0) return 0;
    gram = svdkit::gram<double>(ConstPanel<double>(all(r)));
    double most = 0;
    for (index_t i = 0; i < r; ++i)
        for (index_t j = 0; j < r; ++j) most = std::max(most, std::abs(gram(i, j) - (i == j ? 1.0 : 0.0)));
    return most;
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
}

Block<double> LazyFactor::formed() const {
    Block<double> x(kept_ ? rows_ : 0, cols(), std::max<index_t>(cols(), 1));
    if (x.rows() == 0 || x.cols() == 0) return x;
    forward_pass<double>(as_view<double>(ConstPanel<double>(all(base_cols()))), factor_, x);
    return x;
}

}  // namespace svdkit
