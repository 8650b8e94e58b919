// Operators made of a user's data: dense and sparse arrays in place, factors of low rank, Python functions.
#include "bind.hpp"
#include "callback.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/op/dense.hpp"
#include "svdkit/op/low_rank.hpp"
#include "svdkit/op/sparse.hpp"

namespace svdkit::bindings {
namespace {

template <class T>
Handle<T> dense(MatrixIn<T> array) {
    Handle<T> a;
    a.views(array).op = std::make_unique<Dense<T>>(view<T>(array));
    return a;
}

Handle<double> dense_32(MatrixIn<float> array) {
    Handle<double> a;
    a.views(array).op = std::make_unique<Dense<double, float>>(view<float>(array));
    return a;
}

template <class S>
std::unique_ptr<Operator<float>> widened(const MatrixIn<std::uint16_t>& bits) {
    return std::make_unique<Dense<float, S>>(view_16<S>(bits));
}

Handle<float> dense_16(MatrixIn<std::uint16_t> bits, bool brain) {
    Handle<float> a;
    a.views(bits).op = brain ? widened<BFloat16>(bits) : widened<Float16>(bits);
    return a;
}

template <class T, class Index>
Handle<T> sparse(VectorIn<Index> indptr, VectorIn<Index> indices, VectorIn<T> data, index_t rows, index_t cols,
                 bool by_columns) {
    const CsrView<T, Index> compressed{indptr.data(), indices.data(), data.data(), by_columns ? cols : rows,
                                       by_columns ? rows : cols};
    if (extent(indptr, 0) != compressed.rows + 1) throw InvalidArgument("A.indptr does not fit the shape of A");
    if (compressed.nnz() > extent(indices, 0) || compressed.nnz() > extent(data, 0) || compressed.nnz() < 0) {
        throw InvalidArgument("A.indptr does not fit the lengths of A.indices and A.data");
    }
    Handle<T> a;
    a.views(indptr).views(indices).views(data);
    const nb::gil_scoped_release release;
    a.op = std::make_unique<Sparse<T, Index>>(compressed, by_columns ? Layout::csc : Layout::csr);
    return a;
}

template <class T, class Index>
void bind_sparse(HandleClass<T>& cls) {
    cls.def_static("sparse", &sparse<T, Index>, nb::arg("indptr").noconvert(), nb::arg("indices").noconvert(),
                   nb::arg("data").noconvert(), nb::arg("rows"), nb::arg("cols"), nb::arg("by_columns") = false,
                   "CSR, or CSC by columns, in place.");
}

template <class T>
Handle<T> low_rank(MatrixIn<T> p, VectorIn<real_t<T>> s, MatrixIn<T> q) {
    Handle<T> a;
    a.views(p).views(q).op = std::make_unique<LowRank<T>>(view<T>(p), copy<real_t<T>>(s), view<T>(q));
    return a;
}

template <class T>
Handle<T> callback(index_t rows, index_t cols, nb::callable matmat, nb::callable rmatmat) {
    Handle<T> a;
    a.needs(matmat).needs(rmatmat).op =
        std::make_unique<Callback<T>>(rows, cols, multiply_by<T>(matmat), multiply_by<T>(rmatmat));
    return a;
}

}  // namespace

template <class T>
void bind_operators(HandleClass<T>& cls) {
    cls.def_static("dense", &dense<T>, nb::arg("array").noconvert(), "A dense array of any strides, in place.");
    if constexpr (std::is_same_v<T, float>) {
        cls.def_static("dense_16", &dense_16, nb::arg("bits").noconvert(), nb::arg("brain"),
                       "A dense array of float16, or of bfloat16 (brain), given by its bits, in place.");
    }
    if constexpr (std::is_same_v<T, double>) {
        cls.def_static("dense_32", &dense_32, nb::arg("array").noconvert(),
                       "A dense array of float32, in place, multiplied in double precision.");
    }
    bind_sparse<T, std::int32_t>(cls);
    bind_sparse<T, std::int64_t>(cls);
    cls.def_static("low_rank", &low_rank<T>, nb::arg("p").noconvert(), nb::arg("s").noconvert(),
                   nb::arg("q").noconvert(), "P diag(s) Q^H, in place; s may be empty for ones.");
    cls.def_static("callback", &callback<T>, nb::arg("rows"), nb::arg("cols"), nb::arg("matmat"), nb::arg("rmatmat"),
                   "Two functions of a C-contiguous block that return A X and A^H Y, C-contiguous.");
}

#define BIND(T) template void bind_operators<T>(HandleClass<T>&);
SVDKIT_FOR_EACH_SCALAR(BIND)
#undef BIND

}  // namespace svdkit::bindings
