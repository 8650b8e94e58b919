// What metric_lanczos works on: A with its metrics, and a basis that is orthonormal in the row metric.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "svdkit/kernel/basis.hpp"
#include "svdkit/kernel/small_eigh.hpp"
#include "svdkit/kernel/tall_pass.hpp"
#include "svdkit/solver/counted.hpp"
#include "svdkit/solver/metric_lanczos.hpp"

namespace svdkit::detail {

template <class T>
real_t<T> real_part(T x) {
    if constexpr (is_complex<T>) {
        return x.real();
    } else {
        return x;
    }
}

// C = V Q for few columns.
template <class T>
Block<T> combine(ConstColumns<T> v, ConstPanel<T> q) {
    Block<T> negative(q.rows, q.cols), out(v.rows, q.cols);
    for (index_t i = 0; i < q.rows; ++i)
        for (index_t j = 0; j < q.cols; ++j) negative(i, j) = -q(i, j);
    subtract<T>(v, negative, out);
    return out;
}

// The block without padding, as results are.
template <class T>
Block<T> tight(const Block<T>& x) {
    Block<T> out(x.rows(), x.cols(), std::max<index_t>(x.cols(), 1));
    for (index_t i = 0; i < x.rows(); ++i) std::copy_n(&x(i, 0), x.cols(), &out(i, 0));
    return out;
}

// A with its metrics, and the products that the method is made of.
template <class T>
class Weighted {
public:
    Weighted(Counted<T>& a, const Metrics<T>& metrics, index_t width) : a_(a), metrics_(metrics) { reserve(width); }

    index_t rows() const { return a_.rows(); }
    bool plain() const { return metrics_.rows == nullptr; }

    /// Y = R X
    void weigh(ConstPanel<T> x, Panel<T> y) const { metrics_.rows->apply(x, y); }

    /// Y = H X
    void apply(ConstPanel<T> x, Panel<T> y) {
        const Panel<T> right = right_.panel().col_range(0, x.cols);
        if (plain() && !metrics_.cols) {
            a_.flip();
            a_.apply_gram(x, right, y);
            a_.flip();
            return;
        }
        backward(x, right);
        forward(right, y);
    }

    /// Z = A^H R X
    void backward(ConstPanel<T> x, Panel<T> z) {
        if (plain()) return a_.apply_adjoint(x, z);
        const Panel<T> weighed = weighed_.panel().col_range(0, x.cols);
        weigh(x, weighed);
        a_.apply_adjoint(weighed, z);
    }

    /// Y = A C Z
    void forward(ConstPanel<T> z, Panel<T> y) {
        if (!metrics_.cols) return a_.apply(z, y);
        const Panel<T> image = image_.panel().col_range(0, z.cols);
        metrics_.cols->apply(z, image);
        a_.apply(image, y);
    }

    /// Room for blocks of this width.
    void reserve(index_t width) {
        if (metrics_.rows) weighed_ = Block<T>(a_.rows(), width);
        right_ = Block<T>(a_.cols(), width);
        if (metrics_.cols) image_ = Block<T>(a_.cols(), width);
    }

    /// Norms of the columns of W in R.
    std::vector<double> norms(ConstPanel<T> w) const {
        std::vector<double> found(static_cast<std::size_t>(w.cols));
        if (plain()) {
            column_norms(w, found.data());
            return found;
        }
        const Block<T> weighed(w.rows, w.cols);
        weigh(w, weighed);
        std::vector<double> squares(found.size());
        for (index_t i = 0; i < w.rows; ++i)
            for (index_t j = 0; j < w.cols; ++j)
                squares[static_cast<std::size_t>(j)] += static_cast<double>(real_part(conj(w(i, j)) * weighed(i, j)));
        for (std::size_t j = 0; j < found.size(); ++j) found[j] = std::sqrt(std::max(squares[j], 0.0));
        return found;
    }

private:
    Counted<T>& a_;
    const Metrics<T>& metrics_;
    Block<T> weighed_, right_, image_;
};

// Q with Q^H R Q = I, beside it R Q and H Q, and P = Q^H R H Q.
template <class T>
class KrylovBasis {
public:
    KrylovBasis(Weighted<T>& problem, index_t room, index_t width)
        : problem_(problem),
          room_(room),
          q_(problem.rows(), room),
          rq_(problem.plain() ? 0 : problem.rows(), problem.plain() ? 0 : room),
          hq_(problem.rows(), room),
          projected_(room, room),
          other_(problem.rows(), width) {}

    index_t count() const { return count_; }

    /// Appends an orthonormal basis of the part of W outside Q; W is overwritten. Returns how many vectors that took.
    index_t extend(Panel<T> w) {
        index_t kept = 0;
        double floor = 500 * static_cast<double>(epsilon<T>) * largest_;
        for (int round = 0; round < 3; ++round) {
            take_outside(w);
            double rounding = 0;
            const Block<Wide<T>> g = moment(w, rounding);
            std::vector<double> values(static_cast<std::size_t>(w.cols));
            const Block<Wide<T>> y(w.cols, w.cols);
            small_eigh<Wide<T>>(g.panel(), values.data(), y.panel());
            const double least = std::max({floor * floor, 1e-14 * values[0], rounding});
            kept = std::count_if(values.begin(), values.end(), [&](double value) { return value > least; });
            if (kept == 0) return 0;
            const Block<T> turn(w.cols, kept);
            for (index_t i = 0; i < w.cols; ++i)
                for (index_t j = 0; j < kept; ++j)
                    turn(i, j) = static_cast<T>(y(i, j) / std::sqrt(values[static_cast<std::size_t>(j)]));
            rotate<T>(w, turn);
            const bool easy = kept == w.cols && values.back() > 1e-4 * values.front();
            w = w.col_range(0, kept);
            floor = 1e-3;  // what rounding left of a direction that is in Q
            if (easy) break;
        }
        const index_t added = std::min(kept, room_ - count_);
        append(w.col_range(0, added));
        return added;
    }

    /// H times the newest block, less its part in Q.
    void next(Panel<T>& w) {
        hq_.get(count_ - newest_, w.col_range(0, newest_));
        w = w.col_range(0, newest_);
    }

    void take_outside(Panel<T> w) {
        if (count_ == 0) return;
        const Block<T> c(count_, w.cols);
        for (int twice = 0; twice < 2; ++twice) {
            inner<T>(weighed(), w, c);
            subtract<T>(q_.columns(count_), c, w);
        }
    }

    /// Ritz values, descending, and the coordinates of their vectors.
    std::vector<double> ritz(Block<T>& y) const {
        const Block<Wide<T>> p(count_, count_, count_), wide(count_, count_);
        for (index_t i = 0; i < count_; ++i)
            for (index_t j = 0; j < count_; ++j) p(i, j) = projected_(i, j);
        std::vector<double> theta(static_cast<std::size_t>(count_));
        small_eigh<Wide<T>>(p.panel(), theta.data(), wide.panel());
        y = Block<T>(count_, count_);
        for (index_t i = 0; i < count_; ++i)
            for (index_t j = 0; j < count_; ++j) y(i, j) = static_cast<T>(wide(i, j));
        for (double& value : theta) value = std::max(value, 0.0);
        return theta;
    }

    Block<T> vectors(ConstPanel<T> y) const { return combine<T>(q_.columns(count_), y); }

    /// Norms of H u - theta u for the Ritz vectors u = Q Y.
    std::vector<double> residual_norms(ConstPanel<T> y, const std::vector<double>& theta) const {
        Block<T> rest = combine<T>(hq_.columns(count_), y);
        const Block<T> scaled(y.rows, y.cols);
        for (index_t i = 0; i < y.rows; ++i)
            for (index_t j = 0; j < y.cols; ++j)
                scaled(i, j) = y(i, j) * static_cast<real_t<T>>(theta[static_cast<std::size_t>(j)]);
        subtract<T>(q_.columns(count_), scaled, rest);
        return problem_.norms(rest);
    }

    /// Q <- Q Y for the leading Ritz vectors.
    void cut(ConstPanel<T> y, const std::vector<double>& theta) {
        rotate<T>(q_.columns(count_), y);
        rotate<T>(hq_.columns(count_), y);
        if (!problem_.plain()) rotate<T>(rq_.columns(count_), y);
        count_ = y.cols;
        for (index_t i = 0; i < count_; ++i)
            for (index_t j = 0; j < count_; ++j)
                projected_(i, j) = i == j ? static_cast<T>(theta[static_cast<std::size_t>(i)]) : T(0);
    }

private:
    ConstColumns<T> weighed() const { return problem_.plain() ? q_.columns(count_) : rq_.columns(count_); }

    // W^H R W, and how far rounding may be off where R sees little of W
    Block<Wide<T>> moment(ConstPanel<T> w, double& rounding) {
        if (problem_.plain()) return gram(w);
        const Panel<T> weighed = other_.panel().col_range(0, w.cols);
        problem_.weigh(w, weighed);
        std::vector<double> before(static_cast<std::size_t>(w.cols)), after(before);
        column_norms(w, before.data());
        column_norms<T>(weighed, after.data());
        for (std::size_t j = 0; j < before.size(); ++j)
            if (before[j] > 0) size_of_metric_ = std::max(size_of_metric_, after[j] / before[j]);
        const double longest = *std::ranges::max_element(before);
        rounding = 10 * static_cast<double>(epsilon<T>) * size_of_metric_ * longest * longest;
        const Block<T> c(w.cols, w.cols);
        inner<T>(w, weighed, c);
        Block<Wide<T>> g(w.cols, w.cols);
        for (index_t i = 0; i < w.cols; ++i)
            for (index_t j = 0; j < w.cols; ++j) g(i, j) = (Wide<T>(c(i, j)) + conj(Wide<T>(c(j, i)))) / 2.0;
        return g;
    }

    void append(ConstPanel<T> w) {
        q_.put(count_, w);
        const Panel<T> image = other_.panel().col_range(0, w.cols);
        if (!problem_.plain()) {
            problem_.weigh(w, image);
            rq_.put(count_, image);
        }
        problem_.apply(w, image);
        hq_.put(count_, image);
        newest_ = w.cols;
        count_ += newest_;
        const Block<T> c(count_, newest_);
        inner<T>(weighed(), image, c);
        for (index_t i = 0; i < count_; ++i)
            for (index_t j = 0; j < newest_; ++j) {
                const index_t column = count_ - newest_ + j;
                projected_(i, column) = c(i, j);
                projected_(column, i) = conj(c(i, j));
                if (i == column) largest_ = std::max(largest_, static_cast<double>(real_part(c(i, j))));
            }
    }

    Weighted<T>& problem_;
    index_t room_, count_ = 0, newest_ = 0;
    double largest_ = 0, size_of_metric_ = 0;  // lower bounds of the largest eigenvalues of H and of R
    Basis<T> q_, rq_, hq_;
    Block<T> projected_, other_;
};

}  // namespace svdkit::detail
