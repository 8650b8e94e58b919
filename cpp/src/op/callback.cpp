#include "svdkit/op/callback.hpp"

#include <algorithm>
#include <cmath>

#include "svdkit/base/buffer.hpp"
#include "svdkit/base/random.hpp"

namespace svdkit {
namespace {

template <class T>
T inner(const Block<T>& x, const Block<T>& y) {
    T sum = 0;
    for (index_t i = 0; i < x.rows(); ++i) sum += conj(x(i, 0)) * y(i, 0);
    return sum;
}

template <class T>
double norm(const Block<T>& x) {
    double largest = 0, sum = 0;  // entries as multiples of the largest: no square leaves the range
    for (index_t i = 0; i < x.rows(); ++i) largest = std::max(largest, static_cast<double>(std::abs(x(i, 0))));
    for (index_t i = 0; largest > 0 && i < x.rows(); ++i)
        sum += std::pow(static_cast<double>(std::abs(x(i, 0))) / largest, 2);
    return largest * std::sqrt(sum);
}

}  // namespace

template <class T>
double adjoint_mismatch(const Operator<T>& a, std::uint64_t seed) {
    const Block<T> x(a.cols(), 1, 1), y(a.rows(), 1, 1), ax(a.rows(), 1, 1), ay(a.cols(), 1, 1);
    fill_gaussian(x.panel(), seed, Stream::probe, 0);
    fill_gaussian(y.panel(), seed, Stream::probe, 1);
    a.apply(x, ax);
    a.apply_adjoint(y, ay);
    const double difference = static_cast<double>(std::abs(inner(y, ax) - inner(ay, x)));
    const double size = norm(y) * norm(ax) + norm(ay) * norm(x);
    return difference == 0 ? 0 : difference / size;
}

#define INSTANTIATE(T) template double adjoint_mismatch<T>(const Operator<T>&, std::uint64_t);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
