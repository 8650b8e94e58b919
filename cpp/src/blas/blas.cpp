#include "svdkit/blas/blas.hpp"

#include <algorithm>
#include <string>
#include <type_traits>

#include "fortran.hpp"
#include "svdkit/base/buffer.hpp"

namespace {
using svdkit::fint;
using c64 = std::complex<float>;
using c128 = std::complex<double>;
}  // namespace

extern "C" {
// One routine in its four scalar types. gfortran appends the length of every character argument.
#define DECLARE_GEMM(x, T)                                                                                            \
    void SVDKIT_FORTRAN(x##gemm)(const char*, const char*, const fint*, const fint*, const fint*, const T*, const T*, \
                                 const fint*, const T*, const fint*, const T*, T*, const fint*, std::size_t,          \
                                 std::size_t);
DECLARE_GEMM(s, float)
DECLARE_GEMM(d, double)
DECLARE_GEMM(c, c64)
DECLARE_GEMM(z, c128)

#define DECLARE_TRIANGULAR(x, T)                                                                               \
    void SVDKIT_FORTRAN(x##trsm)(const char*, const char*, const char*, const char*, const fint*, const fint*, \
                                 const T*, const T*, const fint*, T*, const fint*, std::size_t, std::size_t,   \
                                 std::size_t, std::size_t);                                                    \
    void SVDKIT_FORTRAN(x##potrf)(const char*, const fint*, T*, const fint*, fint*, std::size_t);
DECLARE_TRIANGULAR(s, float)
DECLARE_TRIANGULAR(d, double)
DECLARE_TRIANGULAR(c, c64)
DECLARE_TRIANGULAR(z, c128)

#define DECLARE_REAL(x, T)                                                                                            \
    void SVDKIT_FORTRAN(x##gesdd)(const char*, const fint*, const fint*, T*, const fint*, T*, T*, const fint*, T*,    \
                                  const fint*, T*, const fint*, fint*, fint*, std::size_t);                           \
    void SVDKIT_FORTRAN(x##gesvd)(const char*, const char*, const fint*, const fint*, T*, const fint*, T*, T*,        \
                                  const fint*, T*, const fint*, T*, const fint*, fint*, std::size_t, std::size_t);    \
    void SVDKIT_FORTRAN(x##syevd)(const char*, const char*, const fint*, T*, const fint*, T*, T*, const fint*, fint*, \
                                  const fint*, fint*, std::size_t, std::size_t);
DECLARE_REAL(s, float)
DECLARE_REAL(d, double)

#define DECLARE_COMPLEX(x, T, R)                                                                                       \
    void SVDKIT_FORTRAN(x##gesdd)(const char*, const fint*, const fint*, T*, const fint*, R*, T*, const fint*, T*,     \
                                  const fint*, T*, const fint*, R*, fint*, fint*, std::size_t);                        \
    void SVDKIT_FORTRAN(x##gesvd)(const char*, const char*, const fint*, const fint*, T*, const fint*, R*, T*,         \
                                  const fint*, T*, const fint*, T*, const fint*, R*, fint*, std::size_t, std::size_t); \
    void SVDKIT_FORTRAN(x##heevd)(const char*, const char*, const fint*, T*, const fint*, R*, T*, const fint*, R*,     \
                                  const fint*, fint*, const fint*, fint*, std::size_t, std::size_t);
DECLARE_COMPLEX(c, c64, float)
DECLARE_COMPLEX(z, c128, double)

void SVDKIT_FORTRAN(dgetrf)(const fint*, const fint*, double*, const fint*, fint*, fint*);
void SVDKIT_FORTRAN(dpstrf)(const char*, const fint*, double*, const fint*, fint*, fint*, const double*, double*, fint*,
                            std::size_t);
void SVDKIT_FORTRAN(dtrtri)(const char*, const char*, const fint*, double*, const fint*, fint*, std::size_t,
                            std::size_t);
void SVDKIT_FORTRAN(dormtr)(const char*, const char*, const char*, const fint*, const fint*, const double*, const fint*,
                            const double*, double*, const fint*, double*, const fint*, fint*, std::size_t, std::size_t,
                            std::size_t);
void SVDKIT_FORTRAN(dsterf)(const fint*, double*, double*, fint*);
void SVDKIT_FORTRAN(dgetri)(const fint*, double*, const fint*, const fint*, double*, const fint*, fint*);

#ifdef SVDKIT_BLAS_PREFIX
void SVDKIT_C(openblas_set_num_threads)(int);
char* SVDKIT_C(openblas_get_config)();
char* SVDKIT_C(openblas_get_corename)();
#else
// A system BLAS may or may not be OpenBLAS: these are then absent.
void openblas_set_num_threads(int) __attribute__((weak));
char* openblas_get_config() __attribute__((weak));
char* openblas_get_corename() __attribute__((weak));
#endif
}

namespace svdkit {
namespace {

#ifdef SVDKIT_BLAS_PREFIX
constexpr bool is_openblas = true;
#else
const bool is_openblas = openblas_set_num_threads != nullptr;
#endif

// Runs once, when the library is loaded: see the header.
[[maybe_unused]] const bool single_threaded = [] {
    if (is_openblas) SVDKIT_C(openblas_set_num_threads)(1);
    return true;
}();

template <class T>
const real_t<T>& real_part(const T& x) {
    return reinterpret_cast<const real_t<T>&>(x);
}

}  // namespace

namespace blas {

template <class T>
void gemm(Op op_a, Op op_b, index_t m, index_t n, index_t k, T alpha, const T* a, index_t lda, const T* b, index_t ldb,
          T beta, T* c, index_t ldc) {
    if (m == 0 || n == 0) return;
    const fint fm = narrow(m), fn = narrow(n), fk = narrow(k);
    const fint flda = narrow(std::max<index_t>(lda, 1)), fldb = narrow(std::max<index_t>(ldb, 1)), fldc = narrow(ldc);
    const char ta = static_cast<char>(op_a), tb = static_cast<char>(op_b);
    PICK(gemm)(&ta, &tb, &fm, &fn, &fk, &alpha, a, &flda, b, &fldb, &beta, c, &fldc, 1, 1);
}

template <class T>
void trsm_upper(Op op, index_t m, index_t n, const T* u, index_t ldu, T* b, index_t ldb) {
    if (m == 0 || n == 0) return;
    const fint fm = narrow(m), fn = narrow(n), fldu = narrow(ldu), fldb = narrow(ldb);
    const char side = 'L', uplo = 'U', diag = 'N', trans = static_cast<char>(op);
    const T one(1);
    PICK(trsm)(&side, &uplo, &trans, &diag, &fm, &fn, &one, u, &fldu, b, &fldb, 1, 1, 1, 1);
}

std::string config() {
    if (!is_openblas) return "system BLAS";
    return std::string(SVDKIT_C(openblas_get_config)()) + " [" + SVDKIT_C(openblas_get_corename)() + "]";
}

}  // namespace blas

namespace lapack {
namespace {

// One gesdd: `job` 'S' for the thin factors, 'N' for values only. Asks for the workspace first.
template <class T>
int call_gesdd(char job, index_t m, index_t n, T* a, index_t lda, real_t<T>* s, T* u, index_t ldu, T* vh,
               index_t ldvh) {
    const fint fm = narrow(m), fn = narrow(n), flda = narrow(lda), fldu = narrow(ldu), fldvh = narrow(ldvh);
    const index_t small = std::min(m, n), large = std::max(m, n);
    Buffer<fint> iwork(8 * small);
    fint info = 0, lwork = -1;
    T asked{};
    const auto call = [&](T* work, auto* rwork) {
        if constexpr (is_complex<T>) {
            PICK4(sgesdd, dgesdd, cgesdd, zgesdd)
            (&job, &fm, &fn, a, &flda, s, u, &fldu, vh, &fldvh, work, &lwork, rwork, iwork.data(), &info, 1);
        } else {
            PICK4(sgesdd, dgesdd, cgesdd, zgesdd)
            (&job, &fm, &fn, a, &flda, s, u, &fldu, vh, &fldvh, work, &lwork, iwork.data(), &info, 1);
        }
    };
    Buffer<real_t<T>> rwork(is_complex<T> ? small * std::max(5 * small + 7, 2 * large + 2 * small + 1) : 1);
    call(&asked, rwork.data());
    lwork = work_length(real_part(asked));
    Buffer<T> work(lwork);
    call(work.data(), rwork.data());
    return info;
}

}  // namespace

template <class T>
int gesdd(index_t m, index_t n, T* a, index_t lda, real_t<T>* s, T* u, index_t ldu, T* vh, index_t ldvh) {
    return call_gesdd('S', m, n, a, lda, s, u, ldu, vh, ldvh);
}

template <class T>
int gesdd_values(index_t m, index_t n, T* a, index_t lda, real_t<T>* s) {
    T unused{};
    return call_gesdd('N', m, n, a, lda, s, &unused, 1, &unused, 1);
}

template <class T>
int gesvd(index_t m, index_t n, T* a, index_t lda, real_t<T>* s, T* u, index_t ldu, T* vh, index_t ldvh) {
    const fint fm = narrow(m), fn = narrow(n), flda = narrow(lda), fldu = narrow(ldu), fldvh = narrow(ldvh);
    fint info = 0, lwork = -1;
    T asked{};
    Buffer<real_t<T>> rwork(5 * std::min(m, n));
    const auto call = [&](T* work) {
        if constexpr (is_complex<T>) {
            PICK4(sgesvd, dgesvd, cgesvd, zgesvd)
            ("S", "S", &fm, &fn, a, &flda, s, u, &fldu, vh, &fldvh, work, &lwork, rwork.data(), &info, 1, 1);
        } else {
            PICK4(sgesvd, dgesvd, cgesvd, zgesvd)
            ("S", "S", &fm, &fn, a, &flda, s, u, &fldu, vh, &fldvh, work, &lwork, &info, 1, 1);
        }
    };
    call(&asked);
    lwork = work_length(real_part(asked));
    Buffer<T> work(lwork);
    call(work.data());
    return info;
}

template <class T>
int potrf_upper(index_t n, T* a, index_t lda) {
    const fint fn = narrow(n), flda = narrow(lda);
    fint info = 0;
    PICK(potrf)("U", &fn, a, &flda, &info, 1);
    return info;
}

template <class T>
int heevd(index_t n, T* a, index_t lda, real_t<T>* w, bool vectors) {
    const fint fn = narrow(n), flda = narrow(lda);
    const char* const job = vectors ? "V" : "N";
    fint info = 0, lwork = -1, liwork = -1, lrwork = -1, iasked = 0;
    T asked{};
    real_t<T> rasked{};
    const auto call = [&](T* work, [[maybe_unused]] real_t<T>* rwork, fint* iwork) {
        if constexpr (is_complex<T>) {
            PICK4(ssyevd, dsyevd, cheevd, zheevd)
            (job, "L", &fn, a, &flda, w, work, &lwork, rwork, &lrwork, iwork, &liwork, &info, 1, 1);
        } else {
            PICK4(ssyevd, dsyevd, cheevd, zheevd)
            (job, "L", &fn, a, &flda, w, work, &lwork, iwork, &liwork, &info, 1, 1);
        }
    };
    call(&asked, &rasked, &iasked);
    lwork = work_length(real_part(asked));
    lrwork = is_complex<T> ? work_length(rasked) : 1;
    liwork = iasked;
    Buffer<T> work(lwork);
    Buffer<real_t<T>> rwork(lrwork);
    Buffer<fint> iwork(liwork);
    call(work.data(), rwork.data(), iwork.data());
    return info;
}

void apply_tridiagonaliser(index_t n, index_t count, const double* a, index_t lda, const double* reflectors, double* z,
                           index_t ldz) {
    const fint fn = narrow(n), fcount = narrow(count), flda = narrow(lda), fldz = narrow(ldz);
    const fint lwork = narrow(64 * std::max<index_t>(count, 1) + 65 * 64);
    fint info = 0;
    Buffer<double> work(lwork);
    SVDKIT_FORTRAN(dormtr)
    ("L", "L", "N", &fn, &fcount, a, &flda, reflectors, z, &fldz, work.data(), &lwork, &info, 1, 1, 1);
}

int tridiagonal_eigenvalues(index_t n, double* diagonal, double* beside) {
    const fint fn = narrow(n);
    fint info = 0;
    SVDKIT_FORTRAN(dsterf)(&fn, diagonal, beside, &info);
    return info;
}

index_t pivoted_cholesky(index_t n, double* a, index_t lda, index_t* order, double floor) {
    if (n == 0) return 0;
    const fint fn = narrow(n), flda = narrow(lda);
    const double square = floor * floor;
    fint rank = 0, info = 0;
    Buffer<fint> pivots(n);
    Buffer<double> work(2 * n);
    SVDKIT_FORTRAN(dpstrf)("L", &fn, a, &flda, pivots.data(), &rank, &square, work.data(), &info, 1);
    for (index_t j = 0; j < n; ++j) order[j] = pivots[j] - 1;
    return rank;
}

void inverse_lower(index_t n, double* a, index_t lda) {
    if (n == 0) return;
    const fint fn = narrow(n), flda = narrow(lda);
    fint info = 0;
    SVDKIT_FORTRAN(dtrtri)("L", "N", &fn, a, &flda, &info, 1, 1);
}

int inverse(index_t n, double* a, index_t lda) {
    const fint fn = narrow(n), flda = narrow(lda), lwork = narrow(64 * std::max<index_t>(n, 1));
    fint info = 0;
    Buffer<fint> pivots(n);
    SVDKIT_FORTRAN(dgetrf)(&fn, &fn, a, &flda, pivots.data(), &info);
    if (info != 0) return info;
    Buffer<double> work(lwork);
    SVDKIT_FORTRAN(dgetri)(&fn, a, &flda, pivots.data(), work.data(), &lwork, &info);
    return info;
}

}  // namespace lapack

#define INSTANTIATE(T)                                                                                         \
    template void blas::gemm<T>(blas::Op, blas::Op, index_t, index_t, index_t, T, const T*, index_t, const T*, \
                                index_t, T, T*, index_t);                                                      \
    template void blas::trsm_upper<T>(blas::Op, index_t, index_t, const T*, index_t, T*, index_t);             \
    template int lapack::gesdd<T>(index_t, index_t, T*, index_t, real_t<T>*, T*, index_t, T*, index_t);        \
    template int lapack::gesvd<T>(index_t, index_t, T*, index_t, real_t<T>*, T*, index_t, T*, index_t);        \
    template int lapack::gesdd_values<T>(index_t, index_t, T*, index_t, real_t<T>*);                           \
    template int lapack::potrf_upper<T>(index_t, T*, index_t);                                                 \
    template int lapack::heevd<T>(index_t, T*, index_t, real_t<T>*, bool);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
