#include "svdkit/kernel/small_svd.hpp"

#include <algorithm>
#include <type_traits>

#include "svdkit/base/buffer.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/blas/blas.hpp"
#include "svdkit/kernel/reduced_svd.hpp"
#include "svdkit/kernel/triplet_check.hpp"

namespace svdkit {
namespace {

// min(p, q) from which our own threaded reduction is preferred to LAPACK. Square, two cores, all triplets, the check
// included, time of gesdd over ours: double precision 1.08 at 192, 1.3 at 256, 1.5 at 512, 1.8 at 1000; single 0.92,
// 1.0, 0.95, 0.95, 1.0, 1.1, 1.2 at 192, 256, 320, 400, 512, 640, 800. Where single precision is a little slower it is
// worth it: graded residuals are 3 to 5 epsilon where gesdd's, at 57 to 114, miss the default tolerance.
constexpr index_t kReduced = 192;

// LAPACK is column-major: it sees A^T = conj(Y) s X^T, so its left vectors are conj(Y) and its Vh is X^T, which in
// column-major order is X in row-major order.
template <class T>
const char* lapack_svd(Panel<T> a, Panel<T> x, real_t<T>* s, Panel<T> y) {
    const index_t p = a.rows, q = a.cols, r = std::min(p, q);
    if (x.cols < r) {
        const Block<T> all(p, r);
        const char* const note = lapack_svd(a, all.panel(), s, y);
        for (index_t i = 0; i < p; ++i) std::copy_n(&all(i, 0), x.cols, x.row(i));
        return note;
    }
    const Buffer<T> left(q * r);
    Buffer<T> spare(p * a.ld);  // gesdd destroys its input
    std::copy_n(a.data, (p - 1) * a.ld + q, spare.data());
    const char* note = nullptr;
    if (lapack::gesdd(q, p, a.data, a.ld, s, left.data(), q, x.data, x.ld) != 0) {
        note = "gesdd did not converge; gesvd was used";
        if (lapack::gesvd(q, p, spare.data(), a.ld, s, left.data(), q, x.data, x.ld) != 0) {
            throw NumericalError("svdkit: LAPACK's gesdd and gesvd both failed to converge on a " + std::to_string(p) +
                                 " x " + std::to_string(q) + " matrix");
        }
    }
    for (index_t i = 0; i < q; ++i)
        for (index_t j = 0; j < y.cols; ++j) y(i, j) = conj(left[j * q + i]);
    return note;
}

}  // namespace

template <class R>
const char* checked_svd(Panel<R> a, Panel<R> x, R* s, Panel<R> y, SvdMethod<R> method) {
    const bool usual = method(a, x, s, y);
    if (are_triplets<R>(a, x, s, y))
        return usual ? nullptr : "divide and conquer did not converge; QR iteration was used";
    lapack_svd(a, x, s, y);
    return "the threaded SVD was not right to rounding; LAPACK computed it again";
}

template <class T>
const char* small_svd(Panel<T> a, Panel<T> x, real_t<T>* s, Panel<T> y) {
    if (std::min(a.rows, a.cols) == 0) return nullptr;
    if constexpr (!is_complex<T>) {
        if (std::min(a.rows, a.cols) >= kReduced) return checked_svd<T>(a, x, s, y, reduced_svd<T>);
    }
    return lapack_svd(a, x, s, y);
}

template <class T>
const char* small_svd_wide(ConstPanel<T> a, Panel<T> x, real_t<T>* s, Panel<T> y) {
    using W = std::conditional_t<is_complex<T>, std::complex<double>, double>;
    const index_t r = std::min(a.rows, a.cols);
    const Block<W> work(a.rows, a.cols), left(a.rows, x.cols), right(a.cols, y.cols);
    const Buffer<double> values(r);
    for (index_t i = 0; i < a.rows; ++i)
        for (index_t j = 0; j < a.cols; ++j) work(i, j) = static_cast<W>(a(i, j));
    const char* const note = small_svd<W>(work.panel(), left.panel(), values.data(), right.panel());
    for (index_t j = 0; j < r; ++j) s[j] = static_cast<real_t<T>>(values[j]);
    for (index_t i = 0; i < a.rows; ++i)
        for (index_t j = 0; j < x.cols; ++j) x(i, j) = static_cast<T>(left(i, j));
    for (index_t i = 0; i < a.cols; ++i)
        for (index_t j = 0; j < y.cols; ++j) y(i, j) = static_cast<T>(right(i, j));
    return note;
}

template <class T>
void small_singular_values(Panel<T> a, real_t<T>* s) {
    if (std::min(a.rows, a.cols) == 0) return;
    if (lapack::gesdd_values(a.cols, a.rows, a.data, a.ld, s) != 0) {
        throw NumericalError("svdkit: LAPACK's gesdd failed to converge");
    }
}

#define INSTANTIATE(T)                                                                     \
    template const char* small_svd<T>(Panel<T>, Panel<T>, real_t<T>*, Panel<T>);           \
    template const char* small_svd_wide<T>(ConstPanel<T>, Panel<T>, real_t<T>*, Panel<T>); \
    template void small_singular_values<T>(Panel<T>, real_t<T>*);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

template const char* checked_svd<float>(Panel<float>, Panel<float>, float*, Panel<float>, SvdMethod<float>);
template const char* checked_svd<double>(Panel<double>, Panel<double>, double*, Panel<double>, SvdMethod<double>);

}  // namespace svdkit
