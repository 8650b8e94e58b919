#include "svdkit/kernel/leading_eigh.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "svdkit/base/buffer.hpp"
#include "svdkit/blas/blas.hpp"
#include "svdkit/kernel/tridiagonal.hpp"
#include "svdkit/kernel/twisted.hpp"

namespace svdkit {
namespace {

using detail::kTwisted;

constexpr double kSmallest = 1e-290;  // powers of two that bring G to one are in range

// Row i of z: the unit vector of values[i].
void tridiagonal_vectors(index_t n, const double* diagonal, const double* beside, double size, const double* values,
                         Panel<double> z) {
    const double smallest = size * 1e-100;  // pivots: their inverses still multiply squares
    const Buffer<double> room(4 * n * kTwisted);
    double* const lanes = room.data() + 3 * n * kTwisted;
    for (index_t first = 0; first < z.rows; first += kTwisted) {
        const index_t count = std::min(kTwisted, z.rows - first);
        std::array<double, kTwisted> group{};
        for (index_t l = 0; l < kTwisted; ++l)
            group[static_cast<std::size_t>(l)] = values[first + std::min(l, count - 1)];
        detail::twisted_vectors(diagonal, beside, n, group.data(), smallest, room.data(), lanes);
        std::array<double, kTwisted> scale{};
        for (index_t i = 0; i < n; ++i)
            for (index_t l = 0; l < kTwisted; ++l)
                scale[static_cast<std::size_t>(l)] += lanes[i * kTwisted + l] * lanes[i * kTwisted + l];
        for (double& s : scale) s = 1 / std::sqrt(s);
        for (index_t l = 0; l < count; ++l)
            for (index_t i = 0; i < n; ++i)
                z(first + l, i) = scale[static_cast<std::size_t>(l)] * lanes[i * kTwisted + l];
    }
}

// G over a power of two, in whole cache lines and with squares in range.
Block<double> scaled(ConstPanel<double> g, int exponent) {
    Block<double> a(g.rows, g.rows);
    const double factor = std::ldexp(1.0, -exponent);
    for (index_t i = 0; i < g.rows; ++i)
        for (index_t j = 0; j < g.rows; ++j) a(i, j) = factor * g(i, j);
    return a;
}

double largest(ConstPanel<double> g) {
    double most = 0;
    for (index_t i = 0; i < g.rows; ++i)
        for (index_t j = 0; j < g.rows; ++j) most = std::abs(g(i, j)) <= most ? most : std::abs(g(i, j));  // NaN too
    return most;
}

}  // namespace

bool leading_eigenvectors(ConstPanel<double> g, double* values, Panel<double> z) {
    const index_t n = g.rows;
    if (n == 0 || z.rows == 0) return true;
    const double most = largest(g);
    if (!(most >= kSmallest && most <= 1 / kSmallest)) return false;
    const int exponent = std::ilogb(most);
    const Block<double> a = scaled(g, exponent);
    const Buffer<double> memory(5 * n + 4 * a.ld());
    double *const diagonal = memory.data(), *const beside = diagonal + n, *const reflectors = beside + n;
    double *const all = reflectors + n, *const spare = all + n;
    detail::tridiagonalise(a.data(), a.ld(), n, diagonal, beside, reflectors, spare + n);
    std::copy_n(diagonal, n, all);
    std::copy_n(beside, n - 1, spare);
    if (lapack::tridiagonal_eigenvalues(n, all, spare) != 0) return false;
    std::reverse_copy(all + n - z.rows, all + n, values);
    const double size = std::max(std::abs(all[0]), std::abs(all[n - 1]));
    if (!(size > 0 && size < std::numeric_limits<double>::infinity())) return false;
    tridiagonal_vectors(n, diagonal, beside, size, values, z);
    lapack::apply_tridiagonaliser(n, z.rows, a.data(), a.ld(), reflectors, z.data, z.ld);
    for (index_t i = 0; i < z.rows; ++i) values[i] = std::ldexp(values[i], exponent);
    return true;
}

}  // namespace svdkit
