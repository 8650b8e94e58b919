#include "whole_batch.hpp"

#include "small_products.hpp"
#include "svdkit/kernel/block_pass.hpp"
#include "svdkit/kernel/elementwise.hpp"
#include "svdkit/kernel/spmm.hpp"
#include "svdkit/op/dense.hpp"
#include "svdkit/solver/tsvd.hpp"

namespace svdkit::detail {
namespace {

constexpr index_t kWrittenOut = 1 << 22;  // entries of [X S, E] up to which it is formed

class Extended final : public Operator<double> {
public:
    Extended(const LazyFactor& factor, const std::vector<double>& values, const TallVectors& vectors)
        : factor_(factor),
          scaled_(product(factor.factor(), identity(factor.cols()))),
          entries_{vectors.begin.data(), vectors.place.data(), vectors.value.data(), vectors.count, vectors.length},
          partition_(partition_rows(entries_)),
          rank_(factor.cols()) {
        for (index_t i = 0; i < scaled_.rows(); ++i)
            for (index_t j = 0; j < rank_; ++j) scaled_(i, j) *= values[static_cast<std::size_t>(j)];
    }

    index_t rows() const override { return entries_.cols; }
    index_t cols() const override { return rank_ + entries_.rows; }
    void apply(ConstPanel<double> x, Panel<double> y) const override {
        spmm_adjoint(entries_, partition_, x.row_range(rank_, entries_.rows), y);
        if (rank_ > 0) forward_pass<double>(as_view(factor_.base()), product(scaled_, x.row_range(0, rank_)), y, true);
    }
    void apply_adjoint(ConstPanel<double> y, Panel<double> z) const override {
        spmm(entries_, partition_, y, z.row_range(rank_, entries_.rows));
        if (rank_ == 0) return;
        const Block<double> inner(scaled_.rows(), y.cols);
        adjoint_pass<double>(as_view(factor_.base()), y, inner);
        const Block<double> top = adjoint_product(scaled_, inner);
        copy_panel<double>(top.panel(), z.row_range(0, rank_));
    }
    OperatorCost cost() const override {
        const double entries = static_cast<double>(entries_.nnz() + entries_.cols * rank_);
        return {2 * entries, 12 * entries};
    }

private:
    const LazyFactor& factor_;
    Block<double> scaled_;  // K S
    CsrView<double, index_t> entries_;
    CsrPartition partition_;
    index_t rank_;
};

Block<double> written_out(const LazyFactor& factor, const std::vector<double>& values, const TallVectors& vectors) {
    const index_t r = factor.cols(), n = vectors.length;
    Block<double> all(n, r + vectors.count);
    const Block<double> x = factor.formed();
    for (index_t i = 0; i < n; ++i)
        for (index_t j = 0; j < r; ++j) all(i, j) = x(i, j) * values[static_cast<std::size_t>(j)];
    if (vectors.sparse) {
        vectors.visit([&](index_t j, index_t i, double v) { all(i, r + j) += v; });
    } else {
        copy_panel<double>(vectors.dense.panel(), all.panel().col_range(r, vectors.count));
    }
    return all;
}

}  // namespace

Result<double> whole_batch(const LazyFactor& factor, const std::vector<double>& values, const TallVectors& vectors,
                           const Options<double>& options, Monitor& monitor) {
    const index_t width = factor.cols() + vectors.count;
    if (vectors.sparse && vectors.length * width > kWrittenOut) {
        return tsvd<double>(Extended(factor, values, vectors), options, monitor);
    }
    const Block<double> all = written_out(factor, values, vectors);
    return tsvd<double>(Dense<double>(as_view<double>(all)), options, monitor);
}

Result<double> leading_triplets(const Block<double>& a, const Options<double>& options) {
    return tsvd<double>(Dense<double>(as_view<double>(a)), options);
}

}  // namespace svdkit::detail
