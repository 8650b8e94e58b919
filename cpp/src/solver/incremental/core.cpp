#include "core.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "magnitudes.hpp"
#include "small_products.hpp"
#include "svdkit/kernel/leading_eigh.hpp"
#include "svdkit/kernel/small_svd.hpp"
#include "whole_batch.hpp"

namespace svdkit::detail {
namespace {

constexpr index_t kLargeCore = 160;  // from here on, where it is large beside what is wanted, a truncated solver pays
constexpr double kCoreTolerance = 1e-13;
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kLowest = 1e-10;  // squares below, of the first one, are rounding
constexpr double kExact = 1e-9;    // rotations whose squares are rounding
constexpr double kSmall = 1e-3;    // and which are not too large for the first order
constexpr int kMostPasses = 4;

// Rows of z and y, which belong together: y_i = M z_i.
struct Rows {
    Block<double> z, y;

    // Both += C z, C y.
    void add(const Block<double>& c) {
        const Block<double> dz = product(c, z), dy = y.rows() > 0 ? product(c, y) : Block<double>();
        add_to(z, dz);
        add_to(y, dy);
    }
    void rotate(index_t i, index_t j, double cosine, double sine) {
        for (const Block<double>* const x : {&z, &y}) {
            double *const a = &(*x)(i, 0), *const b = &(*x)(j, 0);
            for (index_t c = 0; c < x->cols(); ++c) {
                const double old = a[c];
                a[c] = cosine * old - sine * b[c];
                b[c] = sine * old + cosine * b[c];
            }
        }
    }
    static void add_to(const Block<double>& to, const Block<double>& what) {
        for (index_t i = 0; i < to.rows(); ++i)
            for (index_t j = 0; j < to.cols(); ++j) to(i, j) += what(i, j);
    }
};

// Z += (I - Z Z^T) Z / 2, for rows of Z that are nearly orthonormal; how far they were from it.
double bring_to_orthonormal(Rows& rows) {
    const Block<double> e = product_with_adjoint(rows.z, rows.z);
    double most = 0;
    for (index_t i = 0; i < e.rows(); ++i) {
        for (index_t j = 0; j < e.cols(); ++j) {
            e(i, j) = ((i == j ? 1.0 : 0.0) - e(i, j)) / 2;
            most = std::max(most, std::abs(e(i, j)));
        }
    }
    rows.add(e);
    return most;
}

// Whether these are the values whose squares the Gram matrix has, or some directions came twice and others are missing.
bool are_leading(const std::vector<double>& theta, const std::vector<double>& squares) {
    const double rounding = 64 * static_cast<double>(theta.size()) * kEpsilon * squares.front();
    for (std::size_t i = 0; i < theta.size(); ++i)
        if (!(std::abs(square(theta[i]) - squares[i]) <= rounding)) return false;
    return true;
}

// One pass of rotations; the largest that was needed.
double rotate_once(Rows& rows) {
    const index_t count = rows.y.rows();
    const Block<double> t = product_with_adjoint(rows.y, rows.y);
    const Block<double> x(count, count);
    double most = 0;
    for (index_t i = 0; i < count; ++i) {
        for (index_t j = i + 1; j < count; ++j) {
            const double off = t(i, j), a = t(i, i), b = t(j, j);
            if (square(off) <= square(4 * kEpsilon) * a * b) continue;
            const double first_order = std::abs(b - a) > 0 ? off / (b - a) : std::numeric_limits<double>::infinity();
            most = std::max(most, std::abs(first_order));
            if (std::abs(first_order) <= kSmall) {
                x(i, j) = -first_order;
                x(j, i) = first_order;
            } else {
                const double angle = std::atan2(b < a ? -2 * off : 2 * off, std::abs(b - a)) / 2;
                rows.rotate(i, j, std::cos(angle), std::sin(angle));
            }
        }
    }
    if (most > 0) rows.add(x);
    return most;
}

// What M has beyond these rows: |M - Y Z|_F^2, written out because a difference of squares would end at rounding.
double rest(const Block<double>& m, const Rows& rows) {
    const Block<double> left = adjoint_product(rows.y, rows.z);
    double sum = 0;
    for (index_t i = 0; i < m.rows(); ++i)
        for (index_t j = 0; j < m.cols(); ++j) sum += square(m(i, j) - left(i, j));
    return sum;
}

Core sorted(const Rows& rows) {
    const index_t count = rows.y.rows();
    std::vector<double> lengths(static_cast<std::size_t>(count));
    for (index_t i = 0; i < count; ++i) {
        const double* const y = &rows.y(i, 0);
        lengths[static_cast<std::size_t>(i)] = std::sqrt(std::inner_product(y, y + rows.y.cols(), y, 0.0));
    }
    std::vector<index_t> order(lengths.size());
    std::iota(order.begin(), order.end(), index_t{0});
    std::ranges::stable_sort(order, std::greater<>(), [&](index_t i) { return lengths[static_cast<std::size_t>(i)]; });
    Core core{Block<double>(rows.y.cols(), count), Block<double>(rows.z.cols(), count)};
    for (index_t i = 0; i < count; ++i) {
        const index_t from = order[static_cast<std::size_t>(i)];
        core.theta.push_back(lengths[static_cast<std::size_t>(from)]);
        for (index_t c = 0; c < rows.y.cols(); ++c) core.left(c, i) = rows.y(from, c) / core.theta.back();
        for (index_t c = 0; c < rows.z.cols(); ++c) core.right(c, i) = rows.z(from, c);
    }
    return core;
}

Block<double> transposed(const Block<double>& m) {
    Block<double> out(m.cols(), m.rows());
    for (index_t i = 0; i < m.rows(); ++i)
        for (index_t j = 0; j < m.cols(); ++j) out(j, i) = m(i, j);
    return out;
}

// M^T M, where the first rows of M have entries on the diagonal only.
Block<double> gram_of(const Block<double>& m, index_t diagonal) {
    const ConstPanel<double> below = m.panel().row_range(diagonal, m.rows() - diagonal);
    Block<double> gram = adjoint_product(below, below);
    for (index_t i = 0; i < diagonal; ++i) gram(i, i) += square(m(i, i));
    return gram;
}

// Z M^T of the same.
Block<double> images(const Block<double>& z, const Block<double>& m, index_t diagonal) {
    const index_t rest = m.rows() - diagonal;
    Block<double> y(z.rows(), m.rows());
    const Block<double> others = product_with_adjoint(z, m.panel().row_range(diagonal, rest));
    for (index_t i = 0; i < z.rows(); ++i) {
        for (index_t j = 0; j < diagonal; ++j) y(i, j) = z(i, j) * m(j, j);
        std::copy_n(&others(i, 0), rest, &y(i, diagonal));
    }
    return y;
}

// False where squares do not tell the values apart.
bool decompose_by_gram(const Block<double>& m, index_t diagonal, index_t wanted, Core& core) {
    if (m.rows() < m.cols()) {
        const bool done = decompose_by_gram(transposed(m), 0, wanted, core);
        std::swap(core.left, core.right);
        return done;
    }
    const index_t n = m.cols();
    const Block<double> gram = gram_of(m, diagonal);
    std::vector<double> squares(static_cast<std::size_t>(wanted));
    Rows rows{Block<double>(wanted, n), {}};
    if (!leading_eigenvectors(gram, squares.data(), rows.z)) return false;
    if (!(squares.back() > kLowest * squares.front())) return false;
    double defect = bring_to_orthonormal(rows);
    rows.y = images(rows.z, m, diagonal);
    for (int pass = 0; pass < kMostPasses; ++pass) {
        const double turned = rotate_once(rows);
        if (std::max(defect, turned) > kExact) {
            defect = bring_to_orthonormal(rows);
            continue;
        }
        core = sorted(rows);
        if (!are_leading(core.theta, squares)) return false;
        core.beyond = rest(m, rows);
        return true;
    }
    return false;
}

}  // namespace

Core decompose(const Block<double>& m) {
    const index_t r = std::min(m.rows(), m.cols());
    Core core{Block<double>(m.rows(), r), Block<double>(m.cols(), r), std::vector<double>(static_cast<std::size_t>(r))};
    if (r > 0) small_svd<double>(m.panel(), core.left.panel(), core.theta.data(), core.right.panel());
    return core;
}

Core decompose_leading(const Block<double>& m, index_t diagonal, index_t wanted, std::uint64_t seed) {
    const index_t size = std::min(m.rows(), m.cols());
    if (size >= std::max<index_t>(kLargeCore, 3 * wanted)) {
        double energy = 0;
        for (index_t i = 0; i < m.rows(); ++i)
            for (index_t j = 0; j < m.cols(); ++j) energy += square(m(i, j));
        Result<double> result = leading_triplets(m, {.k = wanted, .tol = kCoreTolerance, .seed = seed});
        for (const double s : result.s) energy -= square(s);
        return {std::move(result.u), std::move(result.v), std::move(result.s), std::max(energy, 0.0)};
    }
    Core core;
    return wanted < size && decompose_by_gram(m, diagonal, wanted, core) ? std::move(core) : decompose(m);
}

}  // namespace svdkit::detail
