// Compiled once per instruction-set level. Vectors run over whole cache lines: beyond the matrix, and before the part
// of it that is left, v, w and x are zero.
#include "svdkit/kernel/tridiagonal.hpp"

#include "reduce.hpp"
#include "tridiagonal_level.hpp"

namespace svdkit::detail::SVDKIT_LEVEL {
namespace {

constexpr int L = kLanes<double>;
using V = Vec<double, L>;

// a <- a - v w^T - w v^T for rows [i, i + R) and columns [from, to), y <- a x.
template <int R>
inline void sweep(double* a, index_t lda, index_t i, index_t from, index_t to, const double* v, const double* w,
                  const double* x, double* y) {
    V sum[R], vi[R], wi[R];
    double* row[R];
    for (int r = 0; r < R; ++r) {
        row[r] = a + (i + r) * lda;
        sum[r] = V{};
        vi[r] = V{} + v[i + r];
        wi[r] = V{} + w[i + r];
    }
    for (index_t c = from; c < to; c += L) {
        const V vc = load<double, L>(v + c), wc = load<double, L>(w + c), xc = load<double, L>(x + c);
        for (int r = 0; r < R; ++r) {
            const V next = load<double, L>(row[r] + c) - vi[r] * wc - wi[r] * vc;
            store<double, L>(row[r] + c, next);
            sum[r] += next * xc;
        }
    }
    for (int r = 0; r < R; ++r) y[i + r] = sum_lanes<double, L>(sum[r]);
}

inline double dot(const double* x, const double* y, index_t from, index_t to) {
    V sum = {};
    for (index_t c = from; c < to; c += L) sum += load<double, L>(x + c) * load<double, L>(y + c);
    return sum_lanes<double, L>(sum);
}

inline index_t whole(index_t i) { return i / 8 * 8; }

// I - tau x x^T turns row j from column j + 1 on to a multiple of the first unit vector; x_{j+1} = 1.
inline double reflector(const double* row, index_t j, index_t n, index_t to, double* x, double& beside) {
    const index_t from = whole(j + 1);
    for (index_t c = from; c < to; ++c) x[c] = c > j && c < n ? row[c] : 0;
    const double alpha = x[j + 1];
    x[j + 1] = 0;
    const double rest = dot(x, x, from, to);
    x[j + 1] = 1;
    beside = alpha;
    if (rest == 0) return 0;
    const double length = __builtin_sqrt(alpha * alpha + rest);
    beside = alpha > 0 ? -length : length;
    const double scale = 1 / (alpha - beside);
    for (index_t c = j + 2; c < n; ++c) x[c] *= scale;
    return (beside - alpha) / beside;
}

void reduce(double* a, index_t lda, index_t n, double* diagonal, double* beside, double* reflectors, double* room) {
    const index_t to = whole(n + 7);
    double *v = room, *x = room + lda, *const w = room + 2 * lda, *const y = room + 3 * lda;
    for (index_t c = 0; c < 4 * lda; ++c) room[c] = 0;
    for (index_t j = 0; j < n; ++j) {
        double* const row = a + j * lda;
        for (index_t c = j; c < n; ++c) row[c] = row[c] - v[j] * w[c] - w[j] * v[c];
        diagonal[j] = row[j];
        if (j == n - 1) break;
        const double tau = reflector(row, j, n, to, x, beside[j]);
        reflectors[j] = tau;
        for (index_t c = j + 2; c < n; ++c) row[c] = x[c];
        const index_t from = whole(j + 1);
        for (index_t c = from; c <= j; ++c) v[c] = w[c] = 0;
        index_t i = j + 1;
        for (; i + 4 <= n; i += 4) sweep<4>(a, lda, i, from, to, v, w, x, y);
        for (; i < n; ++i) sweep<1>(a, lda, i, from, to, v, w, x, y);
        for (index_t c = from; c <= j; ++c) y[c] = 0;
        const double half = tau * tau * dot(x, y, from, to) / 2;
        for (index_t c = from; c < to; ++c) w[c] = tau * y[c] - half * x[c];
        double* const old = v;
        v = x;
        x = old;
    }
}

}  // namespace

extern const TridiagonalKernels tridiagonal;
const TridiagonalKernels tridiagonal = {reduce};

}  // namespace svdkit::detail::SVDKIT_LEVEL
