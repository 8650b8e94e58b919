#include "svdkit/blas/condensed.hpp"

#include <algorithm>

#include "fortran.hpp"
#include "svdkit/base/buffer.hpp"

namespace {
using svdkit::fint;
using len = std::size_t;  // gfortran appends the length of every character argument
}  // namespace

extern "C" {
#define DECLARE(x, R)                                                                                                  \
    void SVDKIT_FORTRAN(x##larfg)(const fint*, R*, R*, const fint*, R*);                                               \
    void SVDKIT_FORTRAN(x##larft)(const char*, const char*, const fint*, const fint*, const R*, const fint*, const R*, \
                                  R*, const fint*, len, len);                                                          \
    void SVDKIT_FORTRAN(x##larfb)(const char*, const char*, const char*, const char*, const fint*, const fint*,        \
                                  const fint*, const R*, const fint*, const R*, const fint*, R*, const fint*, R*,      \
                                  const fint*, len, len, len, len);                                                    \
    void SVDKIT_FORTRAN(x##geqrt3)(const fint*, const fint*, R*, const fint*, R*, const fint*, fint*);                 \
    void SVDKIT_FORTRAN(x##sytrd)(const char*, const fint*, R*, const fint*, R*, R*, R*, R*, const fint*, fint*, len); \
    void SVDKIT_FORTRAN(x##gebrd)(const fint*, const fint*, R*, const fint*, R*, R*, R*, R*, R*, const fint*, fint*);  \
    void SVDKIT_FORTRAN(x##stedc)(const char*, const fint*, R*, R*, R*, const fint*, R*, const fint*, fint*,           \
                                  const fint*, fint*, len);                                                            \
    void SVDKIT_FORTRAN(x##steqr)(const char*, const fint*, R*, R*, R*, const fint*, R*, fint*, len);                  \
    void SVDKIT_FORTRAN(x##bdsqr)(const char*, const fint*, const fint*, const fint*, const fint*, R*, R*, R*,         \
                                  const fint*, R*, const fint*, R*, const fint*, R*, fint*, len);                      \
    void SVDKIT_FORTRAN(x##lasd0)(const fint*, const fint*, R*, R*, R*, const fint*, R*, const fint*, const fint*,     \
                                  fint*, R*, fint*);                                                                   \
    void SVDKIT_FORTRAN(x##laed2)(fint*, const fint*, const fint*, R*, R*, const fint*, fint*, R*, R*, R*, R*, R*,     \
                                  fint*, fint*, fint*, fint*, fint*);                                                  \
    void SVDKIT_FORTRAN(x##laed4)(const fint*, const fint*, const R*, const R*, R*, const R*, R*, fint*);              \
    void SVDKIT_FORTRAN(x##lasd2)(const fint*, const fint*, const fint*, fint*, R*, R*, const R*, const R*, R*,        \
                                  const fint*, R*, const fint*, R*, R*, const fint*, R*, const fint*, fint*, fint*,    \
                                  fint*, fint*, fint*, fint*);                                                         \
    void SVDKIT_FORTRAN(x##lasd4)(const fint*, const fint*, const R*, const R*, R*, const R*, R*, R*, fint*);
DECLARE(s, float)
DECLARE(d, double)
#undef DECLARE
}

// The routine of scalar R.
#define REAL(name)                              \
    [] {                                        \
        if constexpr (std::is_same_v<R, float>) \
            return SVDKIT_FORTRAN(s##name);     \
        else                                    \
            return SVDKIT_FORTRAN(d##name);     \
    }()

namespace svdkit::lapack {
namespace {

// What the routines start from that multiply the vectors they are given.
template <class R>
void set_identity(index_t n, R* q, index_t ld) {
    for (index_t j = 0; j < n; ++j) {
        std::fill_n(q + j * ld, n, R(0));
        q[j * ld + j] = R(1);
    }
}

}  // namespace

template <class R>
R larfg(index_t n, R& alpha, R* x, index_t stride) {
    const fint fn = narrow(n), fstride = narrow(stride);
    R tau{};
    REAL(larfg)(&fn, &alpha, x, &fstride, &tau);
    return tau;
}

template <class R>
void larft(Stored stored, index_t n, index_t k, const R* v, index_t ldv, const R* tau, R* t, index_t ldt) {
    const fint fn = narrow(n), fk = narrow(k), fldv = narrow(ldv), fldt = narrow(ldt);
    const char way = static_cast<char>(stored);
    REAL(larft)("F", &way, &fn, &fk, v, &fldv, tau, t, &fldt, 1, 1);
}

template <class R>
void larfb(blas::Op op, Stored stored, index_t m, index_t n, index_t k, const R* v, index_t ldv, const R* t,
           index_t ldt, R* c, index_t ldc, R* work) {
    const fint fm = narrow(m), fn = narrow(n), fk = narrow(k);
    const fint fldv = narrow(ldv), fldt = narrow(ldt), fldc = narrow(ldc);
    const char way = static_cast<char>(stored), trans = static_cast<char>(op);
    REAL(larfb)("L", &trans, "F", &way, &fm, &fn, &fk, v, &fldv, t, &fldt, c, &fldc, work, &fn, 1, 1, 1, 1);
}

template <class R>
void geqrt(index_t m, index_t n, R* a, index_t lda, R* t, index_t ldt) {
    const fint fm = narrow(m), fn = narrow(n), flda = narrow(lda), fldt = narrow(ldt);
    fint info = 0;
    REAL(geqrt3)(&fm, &fn, a, &flda, t, &fldt, &info);
}

template <class R>
void sytrd(index_t n, R* a, index_t lda, R* d, R* e, R* tau) {
    const fint fn = narrow(n), flda = narrow(lda), lwork = narrow(64 * n);
    fint info = 0;
    const Buffer<R> work(lwork);
    REAL(sytrd)("L", &fn, a, &flda, d, e, tau, work.data(), &lwork, &info, 1);
}

template <class R>
void gebrd(index_t m, index_t n, R* a, index_t lda, R* d, R* e, R* tau_q, R* tau_p) {
    const fint fm = narrow(m), fn = narrow(n), flda = narrow(lda), lwork = narrow(64 * (m + n));
    fint info = 0;
    const Buffer<R> work(lwork);
    REAL(gebrd)(&fm, &fn, a, &flda, d, e, tau_q, tau_p, work.data(), &lwork, &info);
}

template <class R>
int stedc(index_t n, R* d, R* e, R* q, index_t ldq) {
    const fint fn = narrow(n), fldq = narrow(ldq), lwork = narrow(1 + 4 * n + n * n), liwork = narrow(3 + 5 * n);
    fint info = 0;
    const Buffer<R> work(lwork);
    const Buffer<fint> integers(liwork);
    REAL(stedc)("I", &fn, d, e, q, &fldq, work.data(), &lwork, integers.data(), &liwork, &info, 1);
    return info;
}

template <class R>
int steqr(index_t n, R* d, R* e, R* q, index_t ldq) {
    const fint fn = narrow(n), fldq = narrow(ldq);
    fint info = 0;
    const Buffer<R> work(2 * n);
    REAL(steqr)("I", &fn, d, e, q, &fldq, work.data(), &info, 1);
    return info;
}

int bdsqr(index_t n, double* d, double* e, double* u, index_t ldu, double* vt, index_t ldvt) {
    const fint fn = narrow(n), fldu = narrow(ldu), fldvt = narrow(ldvt), none = 0, one = 1;
    fint info = 0;
    double unused{};
    const Buffer<double> work(4 * n);
    set_identity(n, u, ldu);
    set_identity(n, vt, ldvt);
    SVDKIT_FORTRAN(dbdsqr)("U", &fn, &fn, &fn, &none, d, e, vt, &fldvt, u, &fldu, &unused, &one, work.data(), &info, 1);
    return info;
}

int lasd0(index_t n, index_t extra, double* d, double* e, double* u, index_t ldu, double* vt, index_t ldvt) {
    const index_t m = n + extra;
    const fint fn = narrow(n), fextra = narrow(extra), fldu = narrow(ldu), fldvt = narrow(ldvt), leaf = 25;
    fint info = 0;
    const Buffer<double> work(3 * m * m + 2 * m);
    const Buffer<fint> integers(8 * n);
    set_identity(n, u, ldu);
    set_identity(m, vt, ldvt);
    SVDKIT_FORTRAN(dlasd0)(&fn, &fextra, d, e, u, &fldu, vt, &fldvt, &leaf, integers.data(), work.data(), &info);
    return info;
}

template <class R>
Deflated<R> laed2(index_t n, index_t n1, R* d, R* q, index_t ldq, std::int32_t* sorted, R rho, R* z, R* room, R* packed,
                  std::int32_t* work) {
    const fint fn = narrow(n), fn1 = narrow(n1), fldq = narrow(ldq);
    fint k = 0, info = 0;
    Deflated<R> left{0, rho, room, room + n, work, {0, 0, 0, 0}};
    fint *const kinds = work + 2 * n, *const places = work + n, *const pivots = work + 3 * n;
    REAL(laed2)(&k, &fn, &fn1, d, q, &fldq, sorted, &left.rho, z, left.poles, left.weights, packed, places, left.order,
                pivots, kinds, &info);
    left.count = k;
    if (k > 0) std::copy_n(kinds, 4, left.kinds);
    return left;
}

template <class R>
int laed4(index_t k, index_t i, const R* poles, const R* weights, R* delta, R rho, R& root) {
    const fint fk = narrow(k), fi = narrow(i + 1);
    fint info = 0;
    REAL(laed4)(&fk, &fi, poles, weights, delta, &rho, &root, &info);
    return info;
}

DeflatedSvd lasd2(index_t nl, index_t nr, index_t extra, double* d, double alpha, double beta, double* u, index_t ldu,
                  double* vt, index_t ldvt, std::int32_t* sorted, double* room, double* left, double* right,
                  std::int32_t* work) {
    const index_t n = nl + 1 + nr, m = n + extra;
    const fint fnl = narrow(nl), fnr = narrow(nr), fextra = narrow(extra), fldu = narrow(ldu), fldvt = narrow(ldvt);
    const fint fn = narrow(n), fm = narrow(m);
    fint k = 0, info = 0;
    DeflatedSvd found{0, room, room + n, left, right, work, {0, 0, 0, 0}};
    fint *const kinds = work + n, *const pivots = work + 2 * n, *const places = work + 3 * n;
    SVDKIT_FORTRAN(dlasd2)(&fnl, &fnr, &fextra, &k, d, found.weights, &alpha, &beta, u, &fldu, vt, &fldvt, found.poles,
                           left, &fn, right, &fm, pivots, places, found.order, sorted, kinds, &info);
    found.count = k;
    std::copy_n(kinds, 4, found.kinds);
    return found;
}

int lasd4(index_t k, index_t i, const double* poles, const double* weights, double* delta, double rho, double& root,
          double* sum) {
    const fint fk = narrow(k), fi = narrow(i + 1);
    fint info = 0;
    SVDKIT_FORTRAN(dlasd4)(&fk, &fi, poles, weights, delta, &rho, &root, sum, &info);
    return info;
}

#define INSTANTIATE(R)                                                                                             \
    template R larfg<R>(index_t, R&, R*, index_t);                                                                 \
    template void larft<R>(Stored, index_t, index_t, const R*, index_t, const R*, R*, index_t);                    \
    template void larfb<R>(blas::Op, Stored, index_t, index_t, index_t, const R*, index_t, const R*, index_t, R*,  \
                           index_t, R*);                                                                           \
    template void geqrt<R>(index_t, index_t, R*, index_t, R*, index_t);                                            \
    template void sytrd<R>(index_t, R*, index_t, R*, R*, R*);                                                      \
    template void gebrd<R>(index_t, index_t, R*, index_t, R*, R*, R*, R*);                                         \
    template int stedc<R>(index_t, R*, R*, R*, index_t);                                                           \
    template int steqr<R>(index_t, R*, R*, R*, index_t);                                                           \
    template Deflated<R> laed2<R>(index_t, index_t, R*, R*, index_t, std::int32_t*, R, R*, R*, R*, std::int32_t*); \
    template int laed4<R>(index_t, index_t, const R*, const R*, R*, R, R&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit::lapack
