// Cells: the entries a_ij that a weighted fit sees, with their weights w_ij > 0, by rows.
//
//   multiply  Y = S X with S = W o (A - L N^T), the weighted residual of a fit, which is never stored; and its loss
//             sum w_ij (a_ij - l_i n_j)^2
//   solve     half a sweep of alternating least squares: every row of L from its r x r normal equations
//
// What is done by columns is done by rows of the transposed cells. Rows are cut into parts that depend on the cells
// alone, every row is computed serially, and sums over parts are added in order: the bits do not depend on threads.
// Losses, residuals in `solve` and normal equations are in double precision for every T.
// Cost, for c cells, a fit of rank p and b vectors: multiply 2 c (p + b) flops and one read of the cells; solve
// c (r^2 + 4 r) + m r^3 / 3 flops and one read. Real scalars only.
#pragma once

#include <vector>

#include "svdkit/base/view.hpp"
#include "svdkit/kernel/cell_list.hpp"

namespace svdkit {

/// The matrix current + beta (current - previous), current = left right^T; residuals are taken of it, losses of
/// current.
template <class T>
struct Fit {
    ConstPanel<T> left, right;                // m x p, n x p
    ConstPanel<T> left_before, right_before;  // previous, of the same width; empty without momentum
    double beta = 0;

    bool extrapolates() const { return beta != 0 && left_before.cols > 0; }
    Fit transposed() const { return {right, left, right_before, left_before, beta}; }
};

/// Minimises sum w_ij (a_ij - l_i n_j)^2 + ridge_i |l_i|^2 + l_i^T shared l_i over every row l_i, N fixed. A multiple
/// of the trace of the normal equations keeps each step near its start: it vanishes where the step does.
template <class T>
struct HalfSweep {
    ConstPanel<T> right;             ///< N, n x r, rows of whole cache lines
    Panel<T> left;                   ///< L, m x r: the start, and the answer
    const double* ridge = nullptr;   ///< m, or null
    const double* shared = nullptr;  ///< r x r, row-major, symmetric; or null
    double omega = 1;                ///< how far rows go, of the way to the minimum: in (0, 2) they come lower
};

/// What a half-sweep saw before it moved: the loss, and the norm of its gradient (of the objective above, halved).
struct Slope {
    double loss = 0;
    double gradient = 0;
};

template <class T>
class Cells {
public:
    virtual ~Cells() = default;

    virtual index_t rows() const = 0;
    virtual index_t cols() const = 0;
    /// Y (m x b) = S X (n x b); returns the loss of fit.current. Panels have rows of whole cache lines.
    virtual double multiply(const Fit<T>& fit, ConstPanel<T> x, Panel<T> y) const = 0;
    virtual Slope solve(const HalfSweep<T>& half) const = 0;
    /// Of every row: the sum of its weights, and how many cells it has.
    virtual void totals(double* weight_sums, index_t* counts) const = 0;
};

template <class T>
class SparseCells final : public Cells<T> {
public:
    /// Throws InvalidArgument when pointers decrease or a column is out of range.
    explicit SparseCells(CellList<T> list);

    index_t rows() const override { return list_.rows; }
    index_t cols() const override { return list_.cols; }
    double multiply(const Fit<T>& fit, ConstPanel<T> x, Panel<T> y) const override;
    Slope solve(const HalfSweep<T>& half) const override;
    void totals(double* weight_sums, index_t* counts) const override;
    /// The entries of S = W o (A - left right^T), in the order of the cells.
    void residuals(ConstPanel<T> left, ConstPanel<T> right, float* out) const;
    const CellList<T>& list() const { return list_; }

private:
    CellList<T> list_;
    std::vector<index_t> parts_;  // first rows, and the end
};

/// Cells of a dense matrix of any strides, in place: tiles that fit the cache, their products as in
/// kernel/block_pass.hpp. Where the weight is 0 the entry is not looked at. Without weights every number counts one
/// and every NaN nothing.
template <class T>
class DenseCells final : public Cells<T> {
public:
    DenseCells(ConstView<T> a, ConstView<T> weights, CellUnits units) : a_(a), weights_(weights), units_(units) {}

    index_t rows() const override { return a_.rows; }
    index_t cols() const override { return a_.cols; }
    double multiply(const Fit<T>& fit, ConstPanel<T> x, Panel<T> y) const override;
    Slope solve(const HalfSweep<T>& half) const override;
    void totals(double* weight_sums, index_t* counts) const override;

private:
    ConstView<T> a_, weights_;
    CellUnits units_;
};

}  // namespace svdkit
