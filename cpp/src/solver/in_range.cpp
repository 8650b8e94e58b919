#include "svdkit/solver/in_range.hpp"

#include <algorithm>
#include <cmath>

#include "svdkit/base/random.hpp"
#include "svdkit/base/scratch.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/sign.hpp"
#include "svdkit/op/multiple.hpp"

namespace svdkit {
namespace {

// Size of A's entries, for the choice of a scale: the largest, or what a product with random vectors suggests.
template <class T>
double magnitude(const Operator<T>& a, const Setting& setting, index_t& passes) {
    if (setting.max_abs > 0) return setting.max_abs;
    if (const auto largest = a.max_abs()) return *largest;
    const Block<T> x(a.cols(), 4), y(a.rows(), 4);
    fill_gaussian(x.panel(), setting.seed, Stream::probe);
    // At half the exponent range either way the product can neither overflow nor vanish, whatever the magnitude.
    double size = 0;
    for (int exponent : {0, sizeof(real_t<T>) == 4 ? -60 : -500, sizeof(real_t<T>) == 4 ? 60 : 500}) {
        Multiple<T>(a, exponent).apply(x, y);
        ++passes;
        for (index_t i = 0; i < y.rows(); ++i)
            for (index_t j = 0; j < 4; ++j) size = std::max(size, static_cast<double>(std::abs(y(i, j))));
        if (size > 0 && std::isfinite(size)) return std::ldexp(size, -exponent);
        if (!std::isfinite(size)) size = 0;
    }
    return size;
}

// Exponent e such that the entries of 2^e A are near one; 0 while squares and fourth powers are safe as A is.
template <class T>
int scale_exponent(double size) {
    if (size == 0 || !std::isfinite(size)) return 0;
    const int exponent = std::ilogb(size);
    const int safe = sizeof(real_t<T>) == 4 ? 30 : 200;
    return std::abs(exponent) > safe ? -exponent : 0;
}

// A = 0: zeros and unit vectors.
template <class T>
Result<T> zero_result(index_t m, index_t n, index_t k) {
    Result<T> result;
    result.u = Block<T>(m, k, k);
    result.v = Block<T>(n, k, k);
    for (index_t i = 0; i < k; ++i) result.u(i, i) = result.v(i, i) = T(1);
    result.s.assign(static_cast<std::size_t>(k), real_t<T>(0));
    result.report.residuals.assign(static_cast<std::size_t>(k), 0.0);
    result.report.converged = true;
    result.report.notes.emplace_back("A is zero");
    return result;
}

}  // namespace

template <class T>
Result<T> in_range(const Operator<T>& a, const Setting& setting, Monitor& monitor, const Solve<T>& solve) {
    const ThreadScope threads(setting.threads);
    const ScratchScope scratch;
    const MemoryMeter memory;

    index_t looks = 0;  // reads of A to learn its magnitude
    const double size = magnitude(a, setting, looks);
    const int exponent = scale_exponent<T>(size);
    const OwnedOperator<T> copy = exponent == 0 ? OwnedOperator<T>{} : a.scaled_copy(exponent);
    const Multiple<T> scaled(a, exponent);
    Counted<T> counted(exponent == 0 ? a : copy.op ? *copy.op : static_cast<const Operator<T>&>(scaled));

    Result<T> result = size == 0 ? zero_result<T>(a.rows(), a.cols(), setting.k) : solve(counted, looks);
    fix_signs(result.u.panel(), result.v.panel());
    for (real_t<T>& value : result.s) value = std::ldexp(value, -exponent);

    Report& report = result.report;
    for (double& residual : report.residuals) residual = std::ldexp(residual, -exponent);
    report.passes = counted.passes() + looks;
    report.seconds = {{"products", counted.seconds()}, {"total", monitor.seconds()}};
    report.peak_bytes = memory.peak_bytes();
    report.threads = num_threads();
    report.seed = setting.seed;
    if (exponent != 0) {
        report.notes.push_back("computed on 2^" + std::to_string(exponent) + " A (exact)" +
                               (copy.op ? ", a copy" : ""));
    }
    if (!a.note().empty()) report.notes.push_back(a.note());
    return result;
}

#define INSTANTIATE(T) template Result<T> in_range<T>(const Operator<T>&, const Setting&, Monitor&, const Solve<T>&);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
