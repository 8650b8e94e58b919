// Factors of dense matrices, in place.
#include "bind.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/cholesky.hpp"

namespace svdkit::bindings {

template <class T>
void bind_factor(HandleClass<T>& cls) {
    cls.def_static(
        "cholesky",
        [](BlockOut<T> c, int threads) {
            if (extent(c, 0) != extent(c, 1)) throw nb::value_error("the matrix is not square");
            const nb::gil_scoped_release release;
            const ThreadScope scope(threads);
            return cholesky(panel<T>(c));
        },
        nb::arg("c").noconvert(), nb::arg("threads") = 0,
        "Replaces C by L with C = L L^H; returns 0, or the order of the leading minor that is not positive.");
}

#define BIND(T) template void bind_factor<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
