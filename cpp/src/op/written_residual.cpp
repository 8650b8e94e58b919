#include "svdkit/op/written_residual.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "svdkit/base/buffer.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/op/sparse.hpp"

namespace svdkit {

template <class T>
OwnedOperator<float> written_residual(const SparseCells<T>& cells, ConstPanel<T> left, ConstPanel<T> right) {
    struct Memory {
        std::vector<std::int32_t> pointers;
        Buffer<float> values;
    };
    const CellList<T>& list = cells.list();
    if (left.rows != list.rows || right.rows != list.cols || left.cols != right.cols)
        throw InvalidArgument("the factors do not fit the cells");
    if (list.count() > std::numeric_limits<std::int32_t>::max()) return {};
    const auto memory = std::make_shared<Memory>();
    memory->pointers.resize(static_cast<std::size_t>(list.rows) + 1);
    std::ranges::transform(list.pointers, list.pointers + list.rows + 1, memory->pointers.begin(),
                           [](std::int64_t p) { return static_cast<std::int32_t>(p); });
    memory->values = Buffer<float>(list.count());
    cells.residuals(left, right, memory->values.data());
    const CsrView<float, std::int32_t> view{memory->pointers.data(), list.columns, memory->values.data(), list.rows,
                                            list.cols};
    return {memory, std::make_unique<Sparse<float, std::int32_t>>(view, Layout::csr)};
}

#define INSTANTIATE(T) \
    template OwnedOperator<float> written_residual<T>(const SparseCells<T>&, ConstPanel<T>, ConstPanel<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit
