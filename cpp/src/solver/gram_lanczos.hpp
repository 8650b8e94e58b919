// The block Lanczos process of A^H A: one basis, one read of A a step.
//
//   A^H A V = V T + V_next R E^H
//
// Ritz values of T are squares, so an estimate |R y_i(last block)| / sigma_i of the residual of A carries a rounding
// error of about epsilon |A| (|A| / sigma_i): good to a tolerance tol while sigma_i >= (epsilon / 2 tol) |A|; and below
// sqrt(epsilon) |A| a square is lost in the rounding of the largest. The caller finishes with a Rayleigh-Ritz step on A
// V, which squares nothing, and measures residuals; see solver/lanczos.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "ritz_vectors.hpp"
#include "svdkit/base/buffer.hpp"
#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "svdkit/kernel/orth.hpp"
#include "svdkit/kernel/small_eigh.hpp"
#include "svdkit/solver/residual.hpp"

namespace svdkit {

template <class T>
class GramLanczos {
    using Wide = std::conditional_t<is_complex<T>, std::complex<double>, double>;  // T's own scalar

public:
    /// Smallest sigma / |A| that this process resolves to `tol`.
    static double resolution(double tol) {
        const double eps = static_cast<double>(epsilon<T>);
        return std::max(0.05 * eps / tol, 2 * std::sqrt(eps));
    }

    /// A basis of at most `capacity` vectors, grown `width` at a time. With `images` A times them is kept too.
    GramLanczos(Counted<T>& a, index_t capacity, index_t width, std::uint64_t seed, bool images = false)
        : a_(a),
          v_(a.cols(), capacity + width),
          images_(a.rows(), images ? capacity : 0),
          has_images_(images),
          t_(capacity, capacity),
          y_(capacity, capacity),
          in_(a.cols(), width),
          middle_(a.rows(), width),
          out_(a.cols(), width),
          h_(capacity + width, width),
          coupling_(width, width),
          replacements_{seed, 0} {}

    void start(ConstPanel<T> start) {
        const Panel<T> block = out_.panel().col_range(0, start.cols);
        detail::copy_panel<T>(start, block);
        next_ = extend_basis<T>(v_.columns(0), block, h_.panel().row_range(0, 0),
                                coupling_.panel().row_range(0, start.cols).col_range(0, start.cols), 0, replacements_);
        v_.put(0, block.col_range(0, next_));
    }

    /// One read of A: the waiting block joins V and the next block is made.
    void step() {
        const index_t w = next_, j = size_;
        const Panel<T> in = in_.panel().col_range(0, w), out = out_.panel().col_range(0, w);
        v_.get(j, in);
        a_.apply_gram(in, middle_.panel().col_range(0, w), out);
        if (has_images_) images_.put(j, middle_.panel().col_range(0, w));
        std::vector<double> norms(static_cast<std::size_t>(w));
        column_norms<T>(out, norms.data());
        squared_norm_ = std::max(squared_norm_, *std::ranges::max_element(norms));

        const Panel<T> h = h_.panel().row_range(0, j + w).col_range(0, w);
        next_ = extend_basis<T>(v_.columns(j + w), out, h, coupling_.panel().row_range(0, w).col_range(0, w), floor(),
                                replacements_, recent_ + w);
        recent_ = w;
        for (index_t i = 0; i < j + w; ++i) {
            for (index_t c = 0; c < w; ++c) {
                const Wide value = i < j ? Wide(h(i, c)) : (Wide(h(i, c)) + conj(Wide(h(j + c, i - j)))) / 2.0;
                t_(i, j + c) = value;
                t_(j + c, i) = conj(value);
            }
        }
        v_.put(j + w, out.col_range(0, next_));
        size_ = j + w;
        last_ = w;
    }

    /// The Ritz values of A^H A, descending, without their vectors.
    std::vector<double> squares() const {
        std::vector<double> values(static_cast<std::size_t>(size_));
        const Block<Wide> work = projected();
        small_eigenvalues(work.panel(), values.data());
        return values;
    }

    void ritz() {
        const index_t j = size_;
        const Block<Wide> work = projected();
        Buffer<double> values(j);
        Block<Wide> vectors(j, j);
        small_eigh(work.panel(), values.data(), vectors.panel());
        theta_.resize(static_cast<std::size_t>(j));
        for (index_t r = 0; r < j; ++r) {
            theta_[static_cast<std::size_t>(r)] = static_cast<real_t<T>>(std::sqrt(std::max(values[r], 0.0)));
            for (index_t c = 0; c < j; ++c) y_(r, c) = static_cast<T>(vectors(r, c));
        }
        squared_norm_ = std::max(squared_norm_, values[0]);
        tail_ = Block<T>(next_, j);
        forward_pass<T>(as_view(coupling()), y_.panel().row_range(j - last_, last_).col_range(0, j), tail_);
        residuals_.assign(static_cast<std::size_t>(j), 0.0);
        if (next_ > 0) column_norms<T>(tail_, residuals_.data());
        for (std::size_t i = 0; i < residuals_.size(); ++i) {
            if (theta_[i] > 0) residuals_[i] /= static_cast<double>(theta_[i]);
        }
    }

    void restart(index_t first, index_t keep) {
        const index_t j = size_;
        const Panel<T> next = in_.panel().col_range(0, next_);
        v_.get(j, next);
        rotate<T>(v_.columns(j), y_.panel().row_range(0, j).col_range(first, keep));
        if (has_images_) rotate<T>(images_.columns(j), y_.panel().row_range(0, j).col_range(first, keep));
        v_.put(keep, next);
        for (index_t i = 0; i < t_.rows(); ++i) std::fill_n(&t_(i, 0), t_.cols(), Wide(0));
        for (index_t i = 0; i < keep; ++i) {
            const double value = static_cast<double>(theta_[static_cast<std::size_t>(first + i)]);
            t_(i, i) = value * value;
        }
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

    /// The leading `count` right Ritz vectors and, of products made before, A and A^H A times them.
    Products<T> products(index_t count) const {
        Products<T> known{right(0, count), detail::ritz_vectors<T>(images_, size_, y_, 0, count),
                          Block<T>(a_.cols(), count)};
        std::vector<real_t<T>> squares(theta_.begin(), theta_.begin() + count);
        for (real_t<T>& value : squares) value *= value;
        detail::copy_panel<T>(known.v, known.back);
        detail::multiply_columns<T>(known.back.panel(), squares);
        forward_pass<T>(as_view(ConstPanel<T>(waiting().panel())), tail_.panel().col_range(0, count), known.back, true);
        return known;
    }

    /// V and the next block beside it; how that couples to the last block of V; A V.
    const Basis<T>& basis() const { return v_; }
    ConstPanel<T> coupling() const { return coupling_.panel().row_range(0, next_).col_range(0, last_); }
    Block<T> images() const {
        Block<T> all(a_.rows(), size_, size_);
        images_.get(0, all);
        return all;
    }

    index_t size() const { return size_; }
    index_t next() const { return next_; }
    double norm() const { return std::sqrt(squared_norm_); }
    const std::vector<real_t<T>>& theta() const { return theta_; }
    const std::vector<double>& residuals() const { return residuals_; }

private:
    // V^H A^H A V.
    Block<Wide> projected() const {
        Block<Wide> t(size_, size_, size_);
        for (index_t i = 0; i < size_; ++i) std::copy_n(&t_(i, 0), size_, &t(i, 0));
        return t;
    }
    double floor() const { return 2 * static_cast<double>(epsilon<T>) * squared_norm_; }

    Counted<T>& a_;
    index_t size_ = 0, next_ = 0, last_ = 0;
    index_t recent_ = 0;  // vectors before the waiting block that A^H A times it reaches
    double squared_norm_ = 0;
    Basis<T> v_, images_;
    bool has_images_;
    Block<Wide> t_;
    Block<T> y_, in_, middle_, out_, h_, coupling_, tail_;
    std::vector<real_t<T>> theta_;
    std::vector<double> residuals_;
    Replacements replacements_;
};

}  // namespace svdkit
