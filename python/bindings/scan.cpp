// Where the first entry that is not finite stands. Indices are -1 when there is none.
#include "svdkit/kernel/scan.hpp"

#include "bind.hpp"
#include "svdkit/base/threads.hpp"

namespace svdkit::bindings {

namespace {

template <class S>
nb::tuple found_in(ConstView<S> a, int threads) {
    Scan found;
    {
        const nb::gil_scoped_release release;
        const ThreadScope scope(threads);
        found = scan(a);
    }
    return nb::make_tuple(found.max_abs, found.first_bad_row, found.first_bad_col);
}

}  // namespace

template <class T>
void bind_scan(HandleClass<T>& cls) {
    cls.def_static(
        "scan", [](MatrixIn<T> a, int threads) { return found_in(view<T>(a), threads); }, nb::arg("array").noconvert(),
        nb::arg("threads") = 0, "Largest magnitude; row and column of the first entry that is NaN or infinite, or -1.");
    cls.def_static(
        "scan_values",
        [](VectorIn<T> values, int threads) {
            return found_in(ConstView<T>{values.data(), 1, extent(values, 0), extent(values, 0), 1}, threads);
        },
        nb::arg("values").noconvert(), nb::arg("threads") = 0, "The same for a vector, as one row.");
    if constexpr (std::is_same_v<T, float>) {
        cls.def_static(
            "scan_16",
            [](MatrixIn<std::uint16_t> bits, bool brain, int threads) {
                return brain ? found_in(view_16<BFloat16>(bits), threads) : found_in(view_16<Float16>(bits), threads);
            },
            nb::arg("bits").noconvert(), nb::arg("brain"), nb::arg("threads") = 0,
            "The same for the bits of float16, or of bfloat16 (brain).");
    }
}

#define BIND(T) template void bind_scan<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
