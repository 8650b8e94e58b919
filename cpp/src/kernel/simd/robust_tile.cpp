// Compiled once per instruction-set level: the loops of kernel/robust_tile.hpp.
#include "svdkit/kernel/robust_tile.hpp"

#include <limits>
#include <utility>

#include "exp.hpp"
#include "robust_level.hpp"

namespace {

using svdkit::detail::moments_of;
using svdkit::detail::RobustSums;
using svdkit::detail::RobustTile;

template <class T, int L>
struct Weighed {
    Vec<T, L> w, we, e;  // all 0 where the cell is missing
};

// A comparison is false for NaN: the same mask serves missing cells and weights that vanish.
template <class T, int L>
struct Exponential {
    using V = Vec<T, L>;
    static constexpr bool has_loss = false;
    T rate;

    Weighed<T, L> operator()(V e) const {
        const V y = e * e * rate, zero = {};
        const auto inside = y < kExpLimit<T>;
        const V w = inside ? exp_of_minus<T, L>(y) : zero;
        const V kept = inside ? e : zero;
        return {w, w * kept, kept};
    }
    V loss(V, V) const { return V{}; }
};

template <class T, int L>
struct Huber {
    using V = Vec<T, L>;
    static constexpr bool has_loss = true;
    T bound;

    Weighed<T, L> operator()(V e) const {
        const V zero = {}, size = e < zero ? -e : e;
        const auto known = e == e;
        const V w = known ? (size > bound ? bound / size : zero + T(1)) : zero;
        const V kept = known ? e : zero;
        return {w, w * kept, kept};
    }
    // e^2 / 2 inside, bound |e| - bound^2 / 2 outside
    V loss(V e, V we) const {
        const V square = e * e;
        const T most = bound * bound;
        return we * e - T(0.5) * (square < most ? square : V{} + most);
    }
};

template <class T, int L, int First, int... I>
inline Vec<T, L / 2> half_of(Vec<T, L> v, std::integer_sequence<int, I...>) {
    return __builtin_shufflevector(v, v, (First + I)...);
}

// Halves added until two lanes are left.
template <class T, int L>
inline double sum_of_lanes(Vec<T, L> v) {
    if constexpr (L == 2) {
        return static_cast<double>(v[0] + v[1]);
    } else {
        constexpr auto lanes = std::make_integer_sequence<int, L / 2>{};
        return sum_of_lanes<T, L / 2>(half_of<T, L, 0>(v, lanes) + half_of<T, L, L / 2>(v, lanes));
    }
}

// `count` < L numbers, then `fill`.
template <class T, int L>
inline Vec<T, L> load_part(const T* p, index_t count, T fill) {
    T lanes[L];
    for (int l = 0; l < L; ++l) lanes[l] = l < count ? p[l] : fill;
    return load<T, L>(lanes);
}

template <class T>
constexpr T kMissing = std::numeric_limits<T>::quiet_NaN();

template <class T, int L>
struct VectorSums {
    Vec<T, L> weight = {}, square = {}, loss = {};

    void flush(RobustSums& sums) const {
        sums.weight += sum_of_lanes<T, L>(weight);
        sums.square += sum_of_lanes<T, L>(square);
        sums.loss += sum_of_lanes<T, L>(loss);
    }
};

// The weight of one vector of cells; `prior` stays ones where there is none.
template <class T, int L, class Shape>
inline Weighed<T, L> weigh_cells(const Shape& shape, Vec<T, L> e, bool has_prior, Vec<T, L> prior,
                                 VectorSums<T, L>& sums) {
    Weighed<T, L> cell = shape(e);
    if constexpr (Shape::has_loss) sums.loss += prior * shape.loss(cell.e, cell.we);
    if (has_prior) {
        cell.w *= prior;
        cell.we *= prior;
    }
    sums.weight += cell.w;
    sums.square += cell.we * cell.e;
    return cell;
}

template <class T, int L, int R, template <class, int> class Shape>
void along(const RobustTile<T>& t, double* moments, index_t ld, RobustSums& sums) {
    using V = Vec<T, L>;
    const Shape<T, L> shape{t.parameter};
    for (index_t i = 0; i < t.rows; ++i) {
        V gram[R * (R + 1) / 2] = {}, gradient[R] = {};
        VectorSums<T, L> row;
        const T* x = t.x + i * t.ldx;
        const T* prior = t.prior ? t.prior + i * t.ld_prior : nullptr;
        const T* a = t.slow + i * t.ld_slow;
        // Processors do not fetch ahead across pages: the next row of the tile, or of the next one, is asked for.
        const T* ahead = i + 1 < t.rows ? x + t.ldx : t.x + t.cols;
        const auto step = [&](V cells, V priors, index_t j) __attribute__((always_inline)) {
            __builtin_prefetch(ahead + j);
            V b[R];
            V e = cells;
#pragma GCC unroll 8
            for (int k = 0; k < R; ++k) {
                b[k] = load<T, L>(t.fast + k * t.ld_fast + j);
                e -= a[k] * b[k];
            }
            const Weighed<T, L> cell = weigh_cells<T, L>(shape, e, prior != nullptr, priors, row);
#pragma GCC unroll 8
            for (int k = 0, at = 0; k < R; ++k) {
                const V wb = cell.w * b[k];
                gradient[k] += cell.we * b[k];
#pragma GCC unroll 8
                for (int l = 0; l <= k; ++l, ++at) gram[at] += wb * b[l];
            }
        };
        const V ones = V{} + T(1);
        index_t j = 0;
        for (; j + L <= t.cols; j += L) step(load<T, L>(x + j), prior ? load<T, L>(prior + j) : ones, j);
        if (j < t.cols) {
            step(load_part<T, L>(x + j, t.cols - j, kMissing<T>),
                 prior ? load_part<T, L>(prior + j, t.cols - j, T(0)) : ones, j);
        }
        double* out = moments + i * ld;
        for (int l = 0; l < R * (R + 1) / 2; ++l) out[l] += sum_of_lanes<T, L>(gram[l]);
        for (int k = 0; k < R; ++k) out[R * (R + 1) / 2 + k] += sum_of_lanes<T, L>(gradient[k]);
        row.flush(sums);
    }
}

template <class T, int L, int R, template <class, int> class Shape>
void across(const RobustTile<T>& t, double* moments, index_t ld, RobustSums& sums) {
    using V = Vec<T, L>;
    constexpr int kGram = R * (R + 1) / 2;
    const Shape<T, L> shape{t.parameter};
    T pairs[32][kGram];  // a_ik a_il
    for (index_t i = 0; i < t.rows; ++i) {
        const T* a = t.slow + i * t.ld_slow;
        for (int k = 0, at = 0; k < R; ++k)
            for (int l = 0; l <= k; ++l, ++at) pairs[i][at] = a[k] * a[l];
    }
    VectorSums<T, L> tile;
    const T *ahead = t.x + t.rows * t.ldx, *ahead_end = ahead + t.cols;  // the next tile, row by row
    const auto columns = [&](index_t j, index_t count) __attribute__((always_inline)) {
        V b[R], gram[kGram] = {}, gradient[R] = {};
        const V ones = V{} + T(1);
        for (int k = 0; k < R; ++k) b[k] = load<T, L>(t.fast + k * t.ld_fast + j);
        for (index_t i = 0; i < t.rows; ++i) {
            const T* x = t.x + i * t.ldx + j;
            const T* a = t.slow + i * t.ld_slow;
            __builtin_prefetch(ahead, 0, 2);
            ahead += L;
            if (ahead >= ahead_end) {
                ahead_end += t.ldx;
                ahead = ahead_end - t.cols;
            }
            V e = count == L ? load<T, L>(x) : load_part<T, L>(x, count, kMissing<T>), prior = ones;
            if (t.prior) {
                const T* p = t.prior + i * t.ld_prior + j;
                prior = count == L ? load<T, L>(p) : load_part<T, L>(p, count, T(0));
            }
#pragma GCC unroll 8
            for (int k = 0; k < R; ++k) e -= a[k] * b[k];
            const Weighed<T, L> cell = weigh_cells<T, L>(shape, e, t.prior != nullptr, prior, tile);
#pragma GCC unroll 36
            for (int l = 0; l < kGram; ++l) gram[l] += cell.w * pairs[i][l];
#pragma GCC unroll 8
            for (int k = 0; k < R; ++k) gradient[k] += cell.we * a[k];
        }
        const auto flush = [&](V v, double* out) {
            T lanes[L];
            store<T, L>(lanes, v);
            if (count == L) {
                for (int l = 0; l < L; ++l) out[l] += static_cast<double>(lanes[l]);
            } else {
                for (index_t l = 0; l < count; ++l) out[l] += static_cast<double>(lanes[l]);
            }
        };
        for (int l = 0; l < kGram; ++l) flush(gram[l], moments + l * ld + j);
        for (int k = 0; k < R; ++k) flush(gradient[k], moments + (kGram + k) * ld + j);
    };
    index_t j = 0;
    for (; j + L <= t.cols; j += L) columns(j, L);
    if (j < t.cols) columns(j, t.cols - j);
    tile.flush(sums);
}

template <class T, int L, template <class, int> class Shape>
void weigh(const RobustTile<T>& t, T* fit, index_t ld_fit, double* row_weights, T* column_weights, RobustSums& sums) {
    using V = Vec<T, L>;
    const Shape<T, L> shape{t.parameter};
    const V ones = V{} + T(1);
    for (index_t i = 0; i < t.rows; ++i) {
        VectorSums<T, L> row;
        for (index_t j = 0; j < t.cols; j += L) {
            const bool whole = j + L <= t.cols;
            const T* x = t.x + i * t.ldx + j;
            V e = whole ? load<T, L>(x) : load_part<T, L>(x, t.cols - j, kMissing<T>), prior = ones;
            if (t.prior) {
                const T* p = t.prior + i * t.ld_prior + j;
                prior = whole ? load<T, L>(p) : load_part<T, L>(p, t.cols - j, T(0));
            }
            e -= load<T, L>(fit + i * ld_fit + j);
            const Weighed<T, L> cell = weigh_cells<T, L>(shape, e, t.prior != nullptr, prior, row);
            store<T, L>(fit + i * ld_fit + j, cell.we);
            store<T, L>(column_weights + j, load<T, L>(column_weights + j) + cell.w);
        }
        RobustSums part;
        row.flush(part);
        row_weights[i] += part.weight;
        sums.add(part);
    }
}

template <class T>
void trim(const T* x, index_t count, T center, const T* centers, T limit, T* out) {
    constexpr int L = kLanes<T>;
    using V = Vec<T, L>;
    const auto step = [&](V cells, V own) {
        const V middle = own + center, away = cells - middle, size = away < V{} ? -away : away;
        return size <= limit ? cells : middle;
    };
    index_t j = 0;
    for (; j + L <= count; j += L)
        store<T, L>(out + j, step(load<T, L>(x + j), centers ? load<T, L>(centers + j) : V{}));
    for (; j < count; ++j) {
        const T middle = center + (centers ? centers[j] : T(0)), away = x[j] - middle;
        out[j] = (away < 0 ? -away : away) <= limit ? x[j] : middle;
    }
}

template <class T, template <class, int> class Shape, int... R>
constexpr void fill(svdkit::detail::RobustKernels<T>& kernels, int shape, std::integer_sequence<int, R...>) {
    ((kernels.along[shape][R] = along<T, kLanes<T>, R + 1, Shape>), ...);
    ((kernels.across[shape][R] = across<T, kLanes<T>, R + 1, Shape>), ...);
    kernels.weigh[shape] = weigh<T, kLanes<T>, Shape>;
}

template <class T>
constexpr svdkit::detail::RobustKernels<T> all_kernels() {
    svdkit::detail::RobustKernels<T> kernels{};
    constexpr auto ranks = std::make_integer_sequence<int, svdkit::detail::kFusedRank>{};
    fill<T, Exponential>(kernels, 0, ranks);
    fill<T, Huber>(kernels, 1, ranks);
    kernels.trim = trim<T>;
    return kernels;
}

}  // namespace

namespace svdkit::detail::SVDKIT_LEVEL {

constinit const RobustKernels<float> robust_f32 = all_kernels<float>();
constinit const RobustKernels<double> robust_f64 = all_kernels<double>();

}  // namespace svdkit::detail::SVDKIT_LEVEL
