#include "svdkit/solver/factored.hpp"

#include <algorithm>

#include "svdkit/kernel/orth.hpp"
#include "svdkit/kernel/sign.hpp"
#include "svdkit/kernel/small_svd.hpp"

namespace svdkit {

template <class T>
Result<T> svd_of_factors(const Block<T>& p, const Block<T>& q, std::uint64_t seed) {
    const index_t r = p.cols();
    Result<T> result;
    result.u = Block<T>(p.rows(), r, std::max<index_t>(r, 1));
    result.v = Block<T>(q.rows(), r, std::max<index_t>(r, 1));
    result.s.resize(static_cast<std::size_t>(r));
    if (r == 0) return result;
    for (index_t i = 0; i < p.rows(); ++i) std::copy_n(&p(i, 0), r, &result.u(i, 0));
    for (index_t j = 0; j < q.rows(); ++j) std::copy_n(&q(j, 0), r, &result.v(j, 0));
    Replacements replacements{seed, 0};
    const Block<T> none(0, r), rp(r, r), rq(r, r), core(r, r), left(r, r), right(r, r);
    extend_basis<T>(result.u.panel().col_range(0, 0), result.u, none, rp, 0, replacements);
    extend_basis<T>(result.v.panel().col_range(0, 0), result.v, none, rq, 0, replacements);
    for (index_t i = 0; i < r; ++i)
        for (index_t j = 0; j < r; ++j)
            for (index_t l = 0; l < r; ++l) core(i, j) += rp(i, l) * rq(j, l);
    small_svd_wide<T>(core, left.panel(), result.s.data(), right.panel());
    rotate<T>(result.u, left);
    rotate<T>(result.v, right);
    fix_signs(result.u.panel(), result.v.panel());
    return result;
}

template Result<float> svd_of_factors<float>(const Block<float>&, const Block<float>&, std::uint64_t);
template Result<double> svd_of_factors<double>(const Block<double>&, const Block<double>&, std::uint64_t);

}  // namespace svdkit
