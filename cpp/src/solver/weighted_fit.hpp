// What the iterations of a weighted fit share: the objective, its gradient, and a fit as triplets.
#pragma once

#include "svdkit/kernel/orth.hpp"
#include "svdkit/solver/completion.hpp"

namespace svdkit::detail {

/// U diag(s) V^T, kept with as many vectors as the iteration wants; `kept` of the values may be non-zero.
template <class T>
struct Triplets {
    Block<T> u, v;
    std::vector<real_t<T>> s;

    index_t width() const { return static_cast<index_t>(s.size()); }
};

/// W <- Q with W = Q R; lost directions are replaced, their rows of R are zero.
template <class T>
Block<T> orthonormal_factor(Panel<T> w, Replacements& replacements);

/// Of every column j of Y: |y_j - penalty u_j|^2.
template <class T>
std::vector<double> misfits(ConstPanel<T> y, ConstPanel<T> u, double penalty);

/// left right^T as triplets; both are used up.
template <class T>
Triplets<T> triplets_of(Block<T> left, Block<T> right, std::uint64_t seed);

/// `out` = U diag(s^power).
template <class T>
void scale_columns(ConstPanel<T> u, const std::vector<real_t<T>>& s, double power, Panel<T> out);
template <class T>
Block<T> scaled_columns(ConstPanel<T> u, const std::vector<real_t<T>>& s, double power) {
    Block<T> out(u.rows, u.cols);
    scale_columns<T>(u, s, power, out);
    return out;
}

/// The first `count` triplets.
template <class T>
Triplets<T> leading_triplets(Triplets<T> all, index_t count);

/// The problem: cells, penalty, and the pull on rows and columns with few cells.
template <class T>
class WeightedFit {
public:
    WeightedFit(const TwoSidedCells<T>& cells, const CompletionOptions& options);

    const CompletionOptions& options() const { return options_; }
    const Cells<T>& by_rows() const { return cells_.by_rows; }
    const Cells<T>& by_columns() const { return cells_.by_columns; }
    double mean_weight() const { return mean_weight_; }
    /// Zero where there is none; empty where no row and no column is pulled.
    const std::vector<double>& row_pull() const { return row_pull_; }
    const std::vector<double>& col_pull() const { return col_pull_; }
    index_t pulled_rows() const { return pulled_rows_; }
    index_t pulled_cols() const { return pulled_cols_; }

    /// F of triplets whose loss is known.
    double objective(double loss, const Triplets<T>& z) const;
    /// Y = (W o (A - Z) - pull) X for the fit Z and returns the loss of fit.current; with `transposed`, of its adjoint.
    double residual_product(const Fit<T>& fit, bool transposed, ConstPanel<T> x, Panel<T> y) const;
    /// max(|S v - penalty u|, |S^T u - penalty v|) / mean weight for every triplet; sets the loss.
    std::vector<double> residuals(const Triplets<T>& z, double& loss) const;

private:
    void subtract_pull(ConstPanel<T> left, ConstPanel<T> right, double factor, const std::vector<double>& row_pull,
                       const std::vector<double>& col_pull, ConstPanel<T> x, Panel<T> y) const;

    TwoSidedCells<T> cells_;
    CompletionOptions options_;
    double mean_weight_ = 0;
    std::vector<double> row_pull_, col_pull_;
    index_t pulled_rows_ = 0, pulled_cols_ = 0;
};

/// What an iteration tells after it stopped.
struct Course {
    std::vector<double> history;
    index_t iterations = 0;  ///< steps, each of two reads of the cells
    index_t restarts = 0;
    bool halted = false;   ///< the monitor, or max_iterations
    bool stalled = false;  ///< alternation with a penalty became slow: factors near zero do
};

/// Steps from `z` until the gradient is below `tol`, relative to s[0] and the mean weight; expectation_maximisation
/// takes at most `max_steps`, and does not accelerate where these are few.
template <class T>
Triplets<T> alternate(const WeightedFit<T>& fit, Triplets<T> z, double tol, Course& course, Monitor& monitor);
template <class T>
Triplets<T> expectation_maximisation(const WeightedFit<T>& fit, Triplets<T> z, double tol, index_t max_steps,
                                     Course& course, Monitor& monitor);

}  // namespace svdkit::detail
