#include "svdkit/op/centered.hpp"

#include <algorithm>

#include "svdkit/base/error.hpp"
#include "svdkit/base/scratch.hpp"
#include "svdkit/kernel/block_pass.hpp"

namespace svdkit {

template <class T>
Centered<T>::Centered(const Operator<T>& a, std::vector<T> offsets) : a_(a), offsets_(std::move(offsets)) {
    if (std::ssize(offsets_) != a.cols()) throw InvalidArgument("Centered: needs one offset for every column");
}

template <class T>
void Centered<T>::apply(ConstPanel<T> x, Panel<T> y) const {
    a_.apply(x, y);
    const ScratchPanel<T> shift(1, x.cols);  // c^T x
    const ConstView<T> row{offsets_.data(), 1, a_.cols(), a_.cols(), 1};
    forward_pass(row, x, shift.panel());
    for (index_t i = 0; i < y.rows; ++i)
        for (index_t j = 0; j < y.cols; ++j) y(i, j) -= shift.panel()(0, j);
}

template <class T>
void Centered<T>::apply_adjoint(ConstPanel<T> y, Panel<T> z) const {
    a_.apply_adjoint(y, z);
    const ScratchPanel<T> sum(1, y.cols);  // 1^T y
    const std::vector<T> ones(static_cast<std::size_t>(y.rows), T(1));
    forward_pass(ConstView<T>{ones.data(), 1, y.rows, y.rows, 1}, y, sum.panel());
    for (index_t i = 0; i < z.rows; ++i) {
        const T offset = conj(offsets_[static_cast<std::size_t>(i)]);
        for (index_t j = 0; j < z.cols; ++j) z(i, j) -= offset * sum.panel()(0, j);
    }
}

template <class T>
std::vector<T> column_means(const Operator<T>& a) {
    const index_t width = 4;  // the narrowest block that needs no copy
    const Block<T> ones(a.rows(), width), sums(a.cols(), width);
    std::fill_n(ones.data(), a.rows() * ones.ld(), T(1));
    a.apply_adjoint(ones, sums);
    std::vector<T> means(static_cast<std::size_t>(a.cols()));
    for (index_t j = 0; j < a.cols(); ++j) {
        means[static_cast<std::size_t>(j)] = conj(sums(j, 0)) / static_cast<real_t<T>>(a.rows());
    }
    return means;
}

#define INSTANTIATE(T)          \
    template class Centered<T>; \
    template std::vector<T> column_means<T>(const Operator<T>&);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
