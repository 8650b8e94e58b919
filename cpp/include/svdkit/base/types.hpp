// Scalars and sizes.
//
// Every algorithm is compiled for float, double, complex<float> and complex<double>.
// Extents are 64-bit everywhere; only blas/ narrows them, checked.
#pragma once

#include <complex>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace svdkit {

using index_t = std::int64_t;

namespace detail {
template <class T>
struct RealOf {
    using type = T;
};
template <class R>
struct RealOf<std::complex<R>> {
    using type = R;
};
}  // namespace detail

/// The real type that belongs to a scalar: float for complex<float>, and so on.
template <class T>
using real_t = typename detail::RealOf<T>::type;

template <class T>
inline constexpr bool is_complex = !std::is_same_v<T, real_t<T>>;

/// Unit roundoff spacing of a scalar's real type (LAPACK's `eps` times 2).
template <class T>
inline constexpr real_t<T> epsilon = std::numeric_limits<real_t<T>>::epsilon();

template <class T>
constexpr T conj(T x) {
    if constexpr (is_complex<T>) {
        return std::conj(x);
    } else {
        return x;
    }
}

/// |x|^2 without a square root.
template <class T>
constexpr real_t<T> abs2(T x) {
    if constexpr (is_complex<T>) {
        return x.real() * x.real() + x.imag() * x.imag();
    } else {
        return x * x;
    }
}

}  // namespace svdkit

/// Calls MACRO(T) once for every supported scalar: explicit instantiation at the end of a .cpp file.
#define SVDKIT_FOR_EACH_SCALAR(MACRO) \
    MACRO(float)                      \
    MACRO(double)                     \
    MACRO(std::complex<float>)        \
    MACRO(std::complex<double>)
