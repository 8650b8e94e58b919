// Elementwise work on panels, threaded over their rows.
#pragma once

#include <algorithm>

#include "svdkit/base/buffer.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/base/view.hpp"

namespace svdkit::detail {

/// body(i) for every row i of a panel.
template <class T, class Body>
void for_each_row(Panel<T> p, const Body& body) {
    parallel_rows(p.rows, static_cast<double>(p.rows * p.cols), [&](index_t first, index_t last) {
        for (index_t i = first; i < last; ++i) body(i);
    });
}

template <class T>
void set_zero(Panel<T> p) {
    for_each_row(p, [&](index_t i) { std::fill_n(p.row(i), p.cols, T(0)); });
}

template <class T>
void copy_panel(ConstPanel<T> from, Panel<T> to) {
    for_each_row(from, [&](index_t i) { std::copy_n(from.row(i), from.cols, to.row(i)); });
}

/// The first `count` columns, rows close together.
template <class T>
Block<T> leading_columns(Block<T> all, index_t count) {
    if (count == all.cols() && count == all.ld()) return all;
    Block<T> some(all.rows(), count, count);
    copy_panel<T>(all.panel().col_range(0, count), some);
    return some;
}

template <class T>
void conjugate(Panel<T> p) {
    for_each_row(p, [&](index_t i) {
        for (index_t j = 0; j < p.cols; ++j) p(i, j) = conj(p(i, j));
    });
}

/// Column j times factors[j].
template <class T, class Factors>
void multiply_columns(Panel<T> p, const Factors& factors) {
    for_each_row(p, [&](index_t i) {
        for (index_t j = 0; j < p.cols; ++j) p(i, j) *= factors[static_cast<std::size_t>(j)];
    });
}

}  // namespace svdkit::detail
