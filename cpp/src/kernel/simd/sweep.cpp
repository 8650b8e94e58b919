// Compiled once per instruction-set level. Groups of rows, so that x and z are read once for several of them.
#include "svdkit/kernel/sweep.hpp"

#include "reduce.hpp"
#include "sweep_level.hpp"
#include "vec.hpp"

namespace svdkit::detail::SVDKIT_LEVEL {
namespace {

constexpr int kGroup = 8;

// Calls body.template operator()<MR>(r) for groups of 8, 4, 2 and 1 rows.
template <class Body>
inline void for_each_group_of_rows(index_t rows, const Body& body) {
    index_t r = 0;
    for (; r + kGroup <= rows; r += kGroup) body.template operator()<kGroup>(r);
    if (r + 4 <= rows) {
        body.template operator()<4>(r);
        r += 4;
    }
    if (r + 2 <= rows) {
        body.template operator()<2>(r);
        r += 2;
    }
    if (r < rows) body.template operator()<1>(r);
}

// Calls body.template operator()<L>(c) for whole vectors, and for half of one where eight columns are left.
template <class R, class Body>
inline void for_each_vector(index_t cols, const Body& body) {
    constexpr int lanes = kLanes<R>;
    index_t c = 0;
    for (; c + lanes <= cols; c += lanes) body.template operator()<lanes>(c);
    if constexpr (lanes > kSweepQuantum) {
        if (c < cols) body.template operator()<kSweepQuantum>(c);
    }
}

template <class R, int MR>
struct RowSums {
    Vec<R, kLanes<R>> whole[MR] = {};
    Vec<R, kSweepQuantum> rest[MR] = {};

    template <int L>
    void add(int r, Vec<R, L> v) {
        if constexpr (L == kLanes<R>) {
            whole[r] += v;
        } else {
            rest[r] += v;
        }
    }
    R total(int r) const {
        R sum = sum_lanes<R, kLanes<R>>(whole[r]);
        if constexpr (kLanes<R> > kSweepQuantum) sum += sum_lanes<R, kSweepQuantum>(rest[r]);
        return sum;
    }
};

template <class R>
void forward(const R* a, index_t lda, index_t rows, index_t cols, const R* x, R* y) {
    for_each_group_of_rows(rows, [&]<int MR>(index_t r) {
        const R* const top = a + r * lda;
        RowSums<R, MR> sums;
        for_each_vector<R>(cols, [&]<int L>(index_t c) {
            const Vec<R, L> in = load<R, L>(x + c);
#pragma GCC unroll 8
            for (int i = 0; i < MR; ++i) sums.template add<L>(i, load<R, L>(top + i * lda + c) * in);
        });
        for (int i = 0; i < MR; ++i) y[r + i] += sums.total(i);
    });
}

template <class R>
void adjoint(const R* a, index_t lda, index_t rows, index_t cols, const R* w, R* z, index_t ahead) {
    constexpr index_t line = 64 / static_cast<index_t>(sizeof(R));
    for_each_group_of_rows(rows, [&]<int MR>(index_t r) {
        const R* const top = a + r * lda;
        for_each_vector<R>(cols, [&]<int L>(index_t c) {
            if (ahead > 0 && c % line == 0) {
#pragma GCC unroll 8
                for (int i = 0; i < MR; ++i) __builtin_prefetch(top + (i + ahead) * lda + c, 0, 2);
            }
            Vec<R, L> sum = load<R, L>(z + c);
#pragma GCC unroll 8
            for (int i = 0; i < MR; ++i) sum += w[r + i] * load<R, L>(top + i * lda + c);
            store<R, L>(z + c, sum);
        });
    });
}

template <class R>
void both(const R* a, index_t lda, index_t rows, index_t cols, const R* x, R* y, const R* w, R* z) {
    for_each_group_of_rows(rows, [&]<int MR>(index_t r) {
        const R* const top = a + r * lda;
        RowSums<R, MR> sums;
        for_each_vector<R>(cols, [&]<int L>(index_t c) {
            const Vec<R, L> in = load<R, L>(x + c);
            Vec<R, L> out = load<R, L>(z + c);
#pragma GCC unroll 8
            for (int i = 0; i < MR; ++i) {
                const Vec<R, L> entries = load<R, L>(top + i * lda + c);
                sums.template add<L>(i, entries * in);
                out += w[r + i] * entries;
            }
            store<R, L>(z + c, out);
        });
        for (int i = 0; i < MR; ++i) y[r + i] += sums.total(i);
    });
}

}  // namespace

extern const SweepKernels<float> sweep_f32;
extern const SweepKernels<double> sweep_f64;
const SweepKernels<float> sweep_f32 = {forward<float>, adjoint<float>, both<float>};
const SweepKernels<double> sweep_f64 = {forward<double>, adjoint<double>, both<double>};

}  // namespace svdkit::detail::SVDKIT_LEVEL
