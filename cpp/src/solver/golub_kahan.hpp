// The block Golub-Kahan process: two orthonormal bases and the matrix between them, grown and contracted.
//
//   A V = U B,   A^H U = V B^H + V_next R E^H        (see solver/lanczos.hpp)
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "ritz_vectors.hpp"
#include "svdkit/base/buffer.hpp"
#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "svdkit/kernel/orth.hpp"
#include "svdkit/kernel/small_svd.hpp"
#include "svdkit/solver/counted.hpp"

namespace svdkit {

template <class T>
class GolubKahan {
public:
    /// Values of any size are resolved to any tolerance: A is squared nowhere.
    static double resolution(double) { return 0; }

    /// Bases of at most `capacity` vectors, grown `width` at a time; rows >= cols is assumed.
    GolubKahan(Counted<T>& a, index_t capacity, index_t width, std::uint64_t seed)
        : a_(a),
          v_(a.cols(), capacity + width),
          u_(a.rows(), capacity),
          b_(capacity, capacity),
          x_(capacity, capacity),
          y_(capacity, capacity),
          in_(std::max(a.rows(), a.cols()), width),
          out_(std::max(a.rows(), a.cols()), width),
          h_(capacity + width, width),
          r_(width, width),
          coupling_(width, width),
          theta_(static_cast<std::size_t>(capacity)),
          replacements_{seed, 0} {}

    /// Orthonormalises `start` (cols x at most width) into the first block of V.
    void start(ConstPanel<T> start) {
        const Panel<T> block = out_.panel().row_range(0, a_.cols()).col_range(0, start.cols);
        detail::copy_panel<T>(start, block);
        next_ = extend_basis<T>(v_.columns(0), block, h_.panel().row_range(0, 0),
                                r_.panel().row_range(0, start.cols).col_range(0, start.cols), 0, replacements_);
        v_.put(0, block.col_range(0, next_));
    }

    /// Two products: the waiting block joins V, its image U, and the next block is made.
    void step() {
        const index_t m = a_.rows(), n = a_.cols(), w = next_, j = size_;
        const Panel<T> in = in_.panel().row_range(0, n).col_range(0, w);
        v_.get(j, in);
        const Panel<T> image = out_.panel().row_range(0, m).col_range(0, w);
        a_.apply(in, image);
        observe_norm(image);

        const Panel<T> h = h_.panel().row_range(0, j).col_range(0, w);
        const Panel<T> r = r_.panel().row_range(0, w).col_range(0, w);
        extend_basis<T>(u_.columns(j), image, h, r, floor(), replacements_, recent_);
        recent_ = w;
        u_.put(j, image);
        detail::copy_panel<T>(h, b_.panel().row_range(0, j).col_range(j, w));
        detail::copy_panel<T>(r, b_.panel().row_range(j, w).col_range(j, w));

        const Panel<T> left = in_.panel().row_range(0, m).col_range(0, w);
        detail::copy_panel<T>(image, left);
        const Panel<T> back = out_.panel().row_range(0, n).col_range(0, w);
        a_.apply_adjoint(left, back);
        const Panel<T> coupling = coupling_.panel().row_range(0, w).col_range(0, w);
        next_ = extend_basis<T>(v_.columns(j + w), back, h_.panel().row_range(0, j + w).col_range(0, w), coupling,
                                floor(), replacements_, w);
        v_.put(j + w, back.col_range(0, next_));
        size_ = j + w;
        last_ = w;
    }

    /// Ritz values of the current bases, descending, with their residuals.
    void ritz() {
        const index_t j = size_;
        small_svd_wide<T>(b_.panel().row_range(0, j).col_range(0, j), x_.panel().row_range(0, j).col_range(0, j),
                          theta_.data(), y_.panel().row_range(0, j).col_range(0, j));
        norm_ = std::max(norm_, static_cast<double>(theta_[0]));
        const Block<T> tail(next_, j);
        const ConstPanel<T> coupling = coupling_.panel().row_range(0, next_).col_range(0, last_);
        forward_pass<T>(as_view(coupling), x_.panel().row_range(j - last_, last_).col_range(0, j), tail);
        residuals_.assign(static_cast<std::size_t>(j), 0.0);
        if (next_ > 0) column_norms<T>(tail, residuals_.data());
    }

    /// Contracts the bases to Ritz vectors [first, first + keep).
    void restart(index_t first, index_t keep) {
        const index_t j = size_;
        const Panel<T> next = in_.panel().row_range(0, a_.cols()).col_range(0, next_);
        v_.get(j, next);
        rotate<T>(u_.columns(j), x_.panel().row_range(0, j).col_range(first, keep));
        rotate<T>(v_.columns(j), y_.panel().row_range(0, j).col_range(first, keep));
        v_.put(keep, next);
        for (index_t i = 0; i < keep; ++i) {
            std::fill_n(&b_(i, 0), keep, T(0));
            b_(i, i) = theta_[static_cast<std::size_t>(first + i)];
        }
        for (index_t i = keep; i < b_.rows(); ++i) std::fill_n(&b_(i, 0), b_.cols(), T(0));
        size_ = keep;
        recent_ = keep;
    }

    /// The next block of V.
    Block<T> waiting() const {
        Block<T> block(a_.cols(), next_);
        v_.get(size_, block);
        return block;
    }
    /// Right Ritz vectors [first, first + count).
    Block<T> right(index_t first, index_t count) const { return detail::ritz_vectors<T>(v_, size_, y_, first, count); }

    index_t size() const { return size_; }
    index_t next() const { return next_; }  ///< 0: the bases span an invariant pair, everything is exact
    double norm() const { return norm_; }   ///< best lower bound of |A|
    const std::vector<real_t<T>>& theta() const { return theta_; }
    const std::vector<double>& residuals() const { return residuals_; }

private:
    void observe_norm(ConstPanel<T> image) {
        std::vector<double> norms(static_cast<std::size_t>(image.cols));
        column_norms<T>(image, norms.data());
        norm_ = std::max(norm_, *std::ranges::max_element(norms));
    }

    // What is left of a column below this is rounding, not a direction: relative to |A|, never absolute. Not larger, or
    // in single precision it would swallow residuals above the tolerance.
    double floor() const { return 2 * static_cast<double>(epsilon<T>) * norm_; }

    Counted<T>& a_;
    index_t size_ = 0, next_ = 0, last_ = 0;
    index_t recent_ = 0;  // vectors of U that A times the waiting block reaches
    double norm_ = 0;
    Basis<T> v_, u_;
    Block<T> b_, x_, y_, in_, out_, h_, r_, coupling_;
    std::vector<real_t<T>> theta_;
    std::vector<double> residuals_;
    Replacements replacements_;
};

}  // namespace svdkit
