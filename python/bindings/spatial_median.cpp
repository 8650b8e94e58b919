// One step towards the spatial median of the rows of a matrix.
#include "svdkit/kernel/spatial_median.hpp"

#include "bind.hpp"
#include "svdkit/base/threads.hpp"

namespace svdkit::bindings {
namespace {

template <class T>
nb::tuple step(MatrixIn<T> a, double scale, VectorIn<double> center, int threads) {
    std::vector<double> to = copy<double>(center), distances(static_cast<std::size_t>(extent(a, 0)));
    SpatialStep made;
    {
        const nb::gil_scoped_release release;
        const ThreadScope scope(threads);
        made = spatial_median_step(view<T>(a), scale, to, distances);
    }
    return nb::make_tuple(give(std::move(to)), give(std::move(distances)), made.slope, made.moved, made.spread);
}

}  // namespace

template <class T>
void bind_spatial_median(HandleClass<T>& cls) {
    if constexpr (!is_complex<T>) {
        cls.def_static("spatial_median_step", &step<T>, nb::arg("a").noconvert(), nb::arg("scale"),
                       nb::arg("center").noconvert(), nb::arg("threads") = 0,
                       "The next center; distances of the rows from this one; slope, length of the step, spread.");
    }
}

#define BIND(T) template void bind_spatial_median<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
