#include "svdkit/op/scaled.hpp"

#include "svdkit/base/error.hpp"
#include "svdkit/base/scratch.hpp"

namespace svdkit {
namespace {

// to = diag(weights) from; `from` and `to` may be the same panel.
template <class T>
void scale_rows(const std::vector<real_t<T>>& weights, ConstPanel<T> from, Panel<T> to) {
    for (index_t i = 0; i < from.rows; ++i) {
        const real_t<T> w = weights[static_cast<std::size_t>(i)];
        for (index_t j = 0; j < from.cols; ++j) to(i, j) = w * from(i, j);
    }
}

}  // namespace

template <class T>
Scaled<T>::Scaled(const Operator<T>& a, std::vector<real_t<T>> row_weights, std::vector<real_t<T>> col_weights)
    : a_(a), row_weights_(std::move(row_weights)), col_weights_(std::move(col_weights)) {
    const auto fits = [](const auto& weights, index_t n) { return weights.empty() || std::ssize(weights) == n; };
    if (!fits(row_weights_, a.rows()) || !fits(col_weights_, a.cols())) {
        throw InvalidArgument("Scaled: needs one weight for every row and every column, or none");
    }
}

template <class T>
void Scaled<T>::apply(ConstPanel<T> x, Panel<T> y) const {
    if (col_weights_.empty()) {
        a_.apply(x, y);
    } else {
        const ScratchPanel<T> in(x.rows, x.cols);
        scale_rows<T>(col_weights_, x, in.panel());
        a_.apply(in.panel(), y);
    }
    if (!row_weights_.empty()) scale_rows<T>(row_weights_, y, y);
}

template <class T>
void Scaled<T>::apply_adjoint(ConstPanel<T> y, Panel<T> z) const {
    if (row_weights_.empty()) {
        a_.apply_adjoint(y, z);
    } else {
        const ScratchPanel<T> in(y.rows, y.cols);
        scale_rows<T>(row_weights_, y, in.panel());
        a_.apply_adjoint(in.panel(), z);
    }
    if (!col_weights_.empty()) scale_rows<T>(col_weights_, z, z);
}

#define INSTANTIATE(T) template class Scaled<T>;
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
