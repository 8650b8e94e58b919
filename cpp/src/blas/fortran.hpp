// Names, integers and work lengths of BLAS and LAPACK, for the sources of this folder.
#pragma once

#include <complex>
#include <limits>
#include <string>
#include <type_traits>

#include "svdkit/base/error.hpp"
#include "svdkit/base/types.hpp"

#ifdef SVDKIT_BLAS_PREFIX
#define SVDKIT_PASTE3(a, b, c) a##b##c
#define SVDKIT_NAME3(prefix, name, tail) SVDKIT_PASTE3(prefix, name, tail)
#define SVDKIT_FORTRAN(name) SVDKIT_NAME3(SVDKIT_BLAS_PREFIX, name, _)
#define SVDKIT_C(name) SVDKIT_NAME3(SVDKIT_BLAS_PREFIX, name, )
#else
#define SVDKIT_FORTRAN(name) name##_
#define SVDKIT_C(name) name
#endif

namespace svdkit {

using fint = std::int32_t;

inline fint narrow(index_t value) {
    if (value > std::numeric_limits<fint>::max()) {
        throw InvalidArgument("svdkit: a dense factorisation needs extents below 2^31, got " + std::to_string(value) +
                              "; use method='lanczos'");
    }
    return static_cast<fint>(value);
}

// Lengths that LAPACK returns in a floating-point number may have been rounded down.
template <class R>
fint work_length(R asked) {
    return narrow(static_cast<index_t>(static_cast<double>(asked) * (1 + 4 * static_cast<double>(epsilon<R>))) + 1);
}

}  // namespace svdkit

// PICK(gemm) is the routine of scalar T.
#define PICK4(s, d, c, z)                                          \
    [] {                                                           \
        if constexpr (std::is_same_v<T, float>)                    \
            return SVDKIT_FORTRAN(s);                              \
        else if constexpr (std::is_same_v<T, double>)              \
            return SVDKIT_FORTRAN(d);                              \
        else if constexpr (std::is_same_v<T, std::complex<float>>) \
            return SVDKIT_FORTRAN(c);                              \
        else                                                       \
            return SVDKIT_FORTRAN(z);                              \
    }()
#define PICK(name) PICK4(s##name, d##name, c##name, z##name)
