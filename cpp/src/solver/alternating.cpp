// Alternating least squares (solver/completion.hpp): rows with columns fixed, then columns with rows fixed.
#include <cmath>
#include <numeric>

#include "overrelaxation.hpp"
#include "svdkit/kernel/small_svd.hpp"
#include "svdkit/kernel/tall_pass.hpp"
#include "weighted_fit.hpp"

namespace svdkit::detail {
namespace {

constexpr std::size_t kPatience = 6;  // sweeps with a penalty that must lessen the gradient by this factor
constexpr double kProgress = 0.3;

// The gauge of Z = L N^T for the half-sweep that moves L.
template <class T>
struct Factors {
    Block<T> left, right;
    double largest = 0;  // singular value of Z
};

// N orthonormal: the normal equations are as well conditioned as the weights let them be.
template <class T>
void orthonormalise_right(Factors<T>& z, Replacements& replacements) {
    const index_t r = z.right.cols();
    const Block<T> factor = orthonormal_factor<T>(z.right, replacements), transposed(r, r), core(r, r);
    for (index_t i = 0; i < r; ++i)
        for (index_t j = 0; j < r; ++j) {
            transposed(j, i) = factor(i, j);
            core(i, j) = factor(i, j);
        }
    std::vector<real_t<T>> s(static_cast<std::size_t>(r));
    small_singular_values<T>(core, s.data());
    z.largest = static_cast<double>(s[0]);  // where the other factor was orthonormal
    rotate<T>(z.left, transposed);
}

// L and N share the singular values: |L|^2 + |N|^2 is then 2 |Z|_*, its least.
template <class T>
Factors<T> balanced(Triplets<T> z) {
    scale_columns<T>(z.u, z.s, 0.5, z.u);
    scale_columns<T>(z.v, z.s, 0.5, z.v);
    return {std::move(z.u), std::move(z.v), static_cast<double>(z.s[0])};
}

template <class T>
double squared_norm(Panel<T> panel) {
    std::vector<double> norms(static_cast<std::size_t>(panel.cols));
    column_norms<T>(panel, norms.data());
    return std::inner_product(norms.begin(), norms.end(), norms.begin(), 0.0);
}

// sum_i pull_i n_i n_i^T; empty where there is no pull.
template <class T>
std::vector<double> shared_pull(const std::vector<double>& pull, ConstPanel<T> n) {
    if (pull.empty()) return {};
    std::vector<double> shared(static_cast<std::size_t>(n.cols * n.cols));
    for (index_t i = 0; i < n.rows; ++i) {
        const double each = pull[static_cast<std::size_t>(i)];
        for (index_t a = 0; each > 0 && a < n.cols; ++a)
            for (index_t b = 0; b < n.cols; ++b)
                shared[static_cast<std::size_t>(a * n.cols + b)] +=
                    each * static_cast<double>(n(i, a)) * static_cast<double>(n(i, b));
    }
    return shared;
}

template <class T>
class Alternation {
public:
    Alternation(const WeightedFit<T>& fit, Triplets<T> z)
        : fit_(fit),
          penalty_(fit.options().penalty),
          replacements_{fit.options().seed, 0},
          relaxation_(fit.options().longest_step) {
        if (penalty_ > 0) {
            row_ridge_.assign(static_cast<std::size_t>(z.u.rows()), penalty_);
            col_ridge_.assign(static_cast<std::size_t>(z.v.rows()), penalty_);
        } else {
            row_ridge_ = fit.row_pull();
            col_ridge_ = fit.col_pull();
        }
        start(std::move(z));
    }

    /// One sweep; the objective before it goes to `history`. Returns the gradient's size in units of s[0].
    double sweep(std::vector<double>& history) {
        if (penalty_ > 0 && moved_) start(triplets());
        moved_ = true;
        const double pulled = pull_energy();
        const Slope slope = half(fit_.by_rows(), z_, row_ridge_, fit_.col_pull());
        history.push_back(slope.loss / 2 + pulled);
        const double size = penalty_ > 0 ? std::pow(z_.largest, 1.5) : z_.largest;
        const double gradient = slope.gradient / fit_.mean_weight() / (size > 0 ? size : 1);
        std::swap(z_.left, z_.right);
        if (penalty_ == 0) orthonormalise_right(z_, replacements_);
        half(fit_.by_columns(), z_, col_ridge_, fit_.row_pull());
        std::swap(z_.left, z_.right);
        if (penalty_ == 0) orthonormalise_right(z_, replacements_);
        relaxation_.observe(gradient);
        return gradient;
    }

    Triplets<T> triplets() { return triplets_of<T>(std::move(z_.left), std::move(z_.right), fit_.options().seed); }

private:
    void start(Triplets<T> z) {
        if (penalty_ > 0) {
            z_ = balanced(std::move(z));
        } else {
            scale_columns<T>(z.u, z.s, 1, z.u);
            z_ = {std::move(z.u), std::move(z.v), static_cast<double>(z.s[0])};
        }
    }

    Slope half(const Cells<T>& cells, Factors<T>& z, const std::vector<double>& ridge,
               const std::vector<double>& across) {
        const std::vector<double> shared = penalty_ > 0 ? std::vector<double>{} : shared_pull<T>(across, z.right);
        return cells.solve({z.right, z.left, ridge.empty() ? nullptr : ridge.data(),
                            shared.empty() ? nullptr : shared.data(), relaxation_.omega()});
    }

    // What the objective has beside half the loss.
    double pull_energy() const {
        if (row_ridge_.empty()) return 0;
        const auto energy = [](const std::vector<double>& ridge, ConstPanel<T> panel) {
            double sum = 0;
            for (index_t i = 0; i < panel.rows; ++i)
                for (index_t j = 0; j < panel.cols; ++j)
                    sum += ridge[static_cast<std::size_t>(i)] * static_cast<double>(panel(i, j)) *
                           static_cast<double>(panel(i, j));
            return sum;
        };
        if (penalty_ > 0) return penalty_ / 2 * (squared_norm<T>(z_.left) + squared_norm<T>(z_.right));
        // sum_j pull_j |column j of Z|^2 = <L^T L, sum_j pull_j n_j n_j^T>
        const Block<double> left = gram<T>(z_.left);
        const std::vector<double> right = shared_pull<T>(fit_.col_pull(), z_.right);
        double across = 0;
        for (index_t a = 0; a < left.rows(); ++a)
            for (index_t b = 0; b < left.rows(); ++b)
                across += left(a, b) * right[static_cast<std::size_t>(a * left.rows() + b)];
        return (energy(row_ridge_, z_.left) + across) / 2;
    }

    const WeightedFit<T>& fit_;
    double penalty_;
    Replacements replacements_;
    std::vector<double> row_ridge_, col_ridge_;
    Factors<T> z_;
    Overrelaxation relaxation_;
    bool moved_ = false;
};

}  // namespace

// A sweep tells the gradient before it. Whether it was the last is asked of the gradient after it, which lessened as
// much as by the sweep before: the caller looks at the residuals, and comes back where that was too little.
template <class T>
Triplets<T> alternate(const WeightedFit<T>& fit, Triplets<T> z, double tol, Course& course, Monitor& monitor) {
    Alternation<T> alternation(fit, std::move(z));
    std::vector<double> gradients;
    for (double ahead = 2 * tol; ahead > tol && !course.halted && !course.stalled;) {
        const double gradient = alternation.sweep(course.history);
        ahead = gradients.empty() ? gradient : gradient * std::min(1.0, gradient / gradients.back());
        gradients.push_back(gradient);
        course.stalled = fit.options().penalty > 0 && gradients.size() > kPatience &&
                         gradient > kProgress * gradients[gradients.size() - 1 - kPatience];
        ++course.iterations;
        course.halted = monitor.poll({.iteration = course.iterations,
                                      .wanted = fit.options().k,
                                      .residuals = {&gradient, 1},
                                      .passes = 2 * course.iterations}) ||
                        course.iterations >= fit.options().max_iterations;
    }
    return alternation.triplets();
}

#define INSTANTIATE(T) template Triplets<T> alternate<T>(const WeightedFit<T>&, Triplets<T>, double, Course&, Monitor&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace svdkit::detail
