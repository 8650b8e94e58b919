#include "svdkit/kernel/sign.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "svdkit/kernel/elementwise.hpp"

namespace svdkit {
namespace {

// The entry of largest magnitude of every column; the first one on ties.
template <class R>
struct Pivots {
    std::vector<R> size;
    std::vector<index_t> row;

    explicit Pivots(std::size_t cols) : size(cols, 0), row(cols, 0) {}
    void look(std::size_t col, R magnitude, index_t at) {
        if (!(magnitude > size[col])) return;
        size[col] = magnitude;
        row[col] = at;
    }
};

template <class T>
Pivots<real_t<T>> find_pivots(Panel<T> u) {
    const auto cols = static_cast<std::size_t>(u.cols);
    const Partition rows{u.rows, std::max<index_t>(1, u.rows / 4096), 1};
    std::vector<Pivots<real_t<T>>> of_part(static_cast<std::size_t>(rows.parts), Pivots<real_t<T>>(cols));
    parallel_for(rows.parts, static_cast<double>(u.rows * u.cols), [&](index_t part) {
        auto& found = of_part[static_cast<std::size_t>(part)];
        for (index_t i = rows.begin(part); i < rows.begin(part + 1); ++i)
            for (std::size_t j = 0; j < cols; ++j) found.look(j, std::abs(u(i, static_cast<index_t>(j))), i);
    });
    for (const auto& found : of_part)
        for (std::size_t j = 0; j < cols; ++j) of_part[0].look(j, found.size[j], found.row[j]);
    return of_part[0];
}

}  // namespace

template <class T>
void fix_signs(Panel<T> u, Panel<T> v) {
    const auto k = static_cast<std::size_t>(u.cols);
    const auto [largest, where] = find_pivots(u);
    std::vector<T> factors(k, T(1));
    for (std::size_t j = 0; j < k; ++j) {
        if (largest[j] > 0) factors[j] = conj(u(where[j], static_cast<index_t>(j))) / largest[j];
    }
    if (std::ranges::all_of(factors, [](T f) { return f == T(1); })) return;
    detail::multiply_columns(u, factors);
    detail::multiply_columns(v, factors);
    for (std::size_t j = 0; j < k; ++j) {  // no imaginary rounding is left on the pivot
        if (largest[j] > 0) u(where[j], static_cast<index_t>(j)) = largest[j];
    }
}

#define INSTANTIATE(T) template void fix_signs<T>(Panel<T>, Panel<T>);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
