// Products of an operator with a block of vectors, and what an operator knows about itself.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "bind.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/op/callback.hpp"
#include "svdkit/op/centered.hpp"

namespace svdkit::bindings {
namespace {

void check_rows(const char* name, index_t rows, index_t expected) {
    if (rows == expected) return;
    const std::string message =
        std::string(name) + " has " + std::to_string(rows) + " rows, the operator needs " + std::to_string(expected);
    throw nb::value_error(message.c_str());
}

void check_cols(index_t in, index_t out) {
    if (in != out) throw nb::value_error("the blocks differ in their number of vectors");
}

}  // namespace

template <class T>
void bind_products(HandleClass<T>& cls) {
    cls.def_prop_ro("shape", [](const Handle<T>& a) { return nb::make_tuple(a.op->rows(), a.op->cols()); });
    cls.def_prop_ro("gram_passes", [](const Handle<T>& a) { return a.op->gram_passes(); });
    cls.def("note", [](const Handle<T>& a) { return a.op->note(); });
    cls.def("max_abs", [](const Handle<T>& a) { return a.op->max_abs(); });
    cls.def(
        "norm_fro",
        [](const Handle<T>& a, int threads) {
            const ThreadScope scope(threads);
            return a.op->norm_fro();
        },
        nb::arg("threads") = 0, nb::call_guard<nb::gil_scoped_release>(), "Frobenius norm, or None if not cheap.");
    cls.def(
        "apply",
        [](const Handle<T>& a, BlockIn<T> x, BlockOut<T> y) {
            check_rows("X", extent(x, 0), a.op->cols());
            check_rows("out", extent(y, 0), a.op->rows());
            check_cols(extent(x, 1), extent(y, 1));
            const nb::gil_scoped_release release;
            a.op->apply(panel<T>(x), panel<T>(y));
        },
        nb::arg("x").noconvert(), nb::arg("y").noconvert(), "Y = A X");
    cls.def(
        "apply_adjoint",
        [](const Handle<T>& a, BlockIn<T> y, BlockOut<T> z) {
            check_rows("Y", extent(y, 0), a.op->rows());
            check_rows("out", extent(z, 0), a.op->cols());
            check_cols(extent(y, 1), extent(z, 1));
            const nb::gil_scoped_release release;
            a.op->apply_adjoint(panel<T>(y), panel<T>(z));
        },
        nb::arg("y").noconvert(), nb::arg("z").noconvert(), "Z = A^H Y");
    cls.def(
        "apply_gram",
        [](const Handle<T>& a, BlockIn<T> x, BlockOut<T> y, BlockOut<T> z) {
            check_rows("X", extent(x, 0), a.op->cols());
            check_rows("out[0]", extent(y, 0), a.op->rows());
            check_rows("out[1]", extent(z, 0), a.op->cols());
            check_cols(extent(x, 1), extent(y, 1));
            check_cols(extent(x, 1), extent(z, 1));
            const nb::gil_scoped_release release;
            a.op->apply_gram(panel<T>(x), panel<T>(y), panel<T>(z));
        },
        nb::arg("x").noconvert(), nb::arg("y").noconvert(), nb::arg("z").noconvert(), "Y = A X, Z = A^H Y");
    cls.def(
        "column_means",
        [](const Handle<T>& a, int threads) {
            std::vector<T> means;
            {
                const nb::gil_scoped_release release;
                const ThreadScope scope(threads);
                means = column_means(*a.op);
            }
            return give(std::move(means));
        },
        nb::arg("threads") = 0, "The mean of every column, by one adjoint product.");
    cls.def(
        "adjoint_mismatch", [](const Handle<T>& a, std::uint64_t seed) { return adjoint_mismatch(*a.op, seed); },
        nb::arg("seed") = 0, nb::call_guard<nb::gil_scoped_release>(),
        "How far the two products are from being adjoint, relative, for one random pair.");
}

#define BIND(T) template void bind_products<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
