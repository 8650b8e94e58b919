#include "svdkit/op/stacked.hpp"

#include "svdkit/base/error.hpp"
#include "svdkit/base/scratch.hpp"

namespace svdkit {

template <class T>
Stacked<T>::Stacked(std::vector<const Operator<T>*> parts, Axis axis) : parts_(std::move(parts)), axis_(axis) {
    if (parts_.empty()) throw InvalidArgument("Stacked: needs at least one operator");
    const bool vertical = axis == Axis::vertical;
    for (const Operator<T>* part : parts_) {
        if (vertical ? part->cols() != parts_[0]->cols() : part->rows() != parts_[0]->rows()) {
            throw InvalidArgument(vertical ? "Stacked: all parts must have the same number of columns"
                                           : "Stacked: all parts must have the same number of rows");
        }
        (vertical ? rows_ : cols_) += vertical ? part->rows() : part->cols();
    }
    (vertical ? cols_ : rows_) = vertical ? parts_[0]->cols() : parts_[0]->rows();
}

// `axis` vertical: every part fills its own rows of the output; horizontal: the parts' products add up.
template <class T>
void Stacked<T>::multiply(Axis axis, bool adjoint, ConstPanel<T> in, Panel<T> out) const {
    const auto product = [&](const Operator<T>& part, ConstPanel<T> x, Panel<T> y) {
        adjoint ? part.apply_adjoint(x, y) : part.apply(x, y);
    };
    index_t first = 0;
    if (axis == Axis::vertical) {
        for (const Operator<T>* part : parts_) {
            const index_t count = adjoint ? part->cols() : part->rows();
            product(*part, in, out.row_range(first, count));
            first += count;
        }
        return;
    }
    const ScratchPanel<T> term(out.rows, out.cols);
    for (const Operator<T>* part : parts_) {
        const index_t count = adjoint ? part->rows() : part->cols();
        const bool is_first = part == parts_[0] && first == 0;
        product(*part, in.row_range(first, count), is_first ? out : term.panel());
        if (!is_first) {
            for (index_t i = 0; i < out.rows; ++i)
                for (index_t j = 0; j < out.cols; ++j) out(i, j) += term.panel()(i, j);
        }
        first += count;
    }
}

template <class T>
OperatorCost Stacked<T>::cost() const {
    OperatorCost total;
    for (const Operator<T>* part : parts_) {
        total.flops_per_vector += part->cost().flops_per_vector;
        total.bytes_per_pass += part->cost().bytes_per_pass;
    }
    return total;
}

template <class T>
std::string Stacked<T>::note() const {
    std::string all;
    for (const Operator<T>* part : parts_) all += part->note();
    return all;
}

#define INSTANTIATE(T) template class Stacked<T>;
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
