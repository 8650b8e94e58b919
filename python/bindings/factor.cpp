// Factors of dense matrices, in place.
#include "bind.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/cholesky.hpp"
#include "svdkit/kernel/small_eigh.hpp"

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
    cls.def_static(
        "eigh",
        [](BlockOut<T> g, index_t k, int threads) {
            const index_t n = extent(g, 0);
            if (extent(g, 1) != n || k < 0 || k > n) throw nb::value_error("the matrix is not square, or k not in it");
            std::vector<real_t<T>> values(static_cast<std::size_t>(n));
            Block<T> vectors(n, k);
            {
                const nb::gil_scoped_release release;
                const ThreadScope scope(threads);
                if (n > 0) small_eigh<T>(panel<T>(g), values.data(), vectors.panel());
            }
            return nb::make_tuple(give(std::move(values)), give(std::move(vectors)));
        },
        nb::arg("g").noconvert(), nb::arg("k"), nb::arg("threads") = 0,
        "All eigenvalues, largest first, and the vectors of the k largest; destroys G.");
}

#define BIND(T) template void bind_factor<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
