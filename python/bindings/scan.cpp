// Where the first entry that is not finite stands. Indices are -1 when there is none.
#include "svdkit/kernel/scan.hpp"

#include "bind.hpp"
#include "svdkit/base/threads.hpp"

namespace svdkit::bindings {

template <class T>
void bind_scan(HandleClass<T>& cls) {
    cls.def_static(
        "scan",
        [](MatrixIn<T> a, int threads) {
            Scan found;
            {
                const nb::gil_scoped_release release;
                const ThreadScope scope(threads);
                found = scan(view<T>(a));
            }
            return nb::make_tuple(found.first_bad_row, found.first_bad_col);
        },
        nb::arg("array").noconvert(), nb::arg("threads") = 0,
        "Row and column of the first entry that is NaN or infinite, or (-1, -1).");
    cls.def_static(
        "scan_values",
        [](VectorIn<T> values, int threads) {
            const nb::gil_scoped_release release;
            const ThreadScope scope(threads);
            return scan_values(values.data(), extent(values, 0)).first_bad_col;
        },
        nb::arg("values").noconvert(), nb::arg("threads") = 0,
        "Position of the first entry that is NaN or infinite, or -1.");
}

#define BIND(T) template void bind_scan<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
