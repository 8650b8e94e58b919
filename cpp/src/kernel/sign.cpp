#include "svdkit/kernel/sign.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace svdkit {
namespace {

template <class T>
void multiply_columns(Panel<T> p, const std::vector<T>& factors) {
    for (index_t i = 0; i < p.rows; ++i)
        for (index_t j = 0; j < p.cols; ++j) p(i, j) *= factors[static_cast<std::size_t>(j)];
}

}  // namespace

template <class T>
void fix_signs(Panel<T> u, Panel<T> v) {
    const auto k = static_cast<std::size_t>(u.cols);
    std::vector<real_t<T>> largest(k, 0);
    std::vector<index_t> where(k, 0);
    for (index_t i = 0; i < u.rows; ++i) {
        for (std::size_t j = 0; j < k; ++j) {
            const real_t<T> size = std::abs(u(i, static_cast<index_t>(j)));
            if (size > largest[j]) {
                largest[j] = size;
                where[j] = i;
            }
        }
    }
    std::vector<T> factors(k, T(1));
    for (std::size_t j = 0; j < k; ++j) {
        if (largest[j] > 0) factors[j] = conj(u(where[j], static_cast<index_t>(j))) / largest[j];
    }
    if (std::ranges::all_of(factors, [](T f) { return f == T(1); })) return;
    multiply_columns(u, factors);
    multiply_columns(v, factors);
    for (std::size_t j = 0; j < k; ++j) {  // no imaginary rounding is left on the pivot
        if (largest[j] > 0) u(where[j], static_cast<index_t>(j)) = largest[j];
    }
}

#define INSTANTIATE(T) template void fix_signs<T>(Panel<T>, Panel<T>);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
