// What the moments of a row of a factor do to it (kernel/robust_pass.hpp): its weighted equations, or a majorise step.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "robust_moments.hpp"
#include "svdkit/kernel/robust_pass.hpp"
#include "svdkit/kernel/solve_packed.hpp"

namespace svdkit::detail {

/// Over the rows of a block.
struct StepSums {
    double change = 0;             ///< squared
    std::vector<double> gradient;  ///< squared, by columns

    explicit StepSums(index_t r) : gradient(static_cast<std::size_t>(r), 0.0) {}
    void add(const StepSums& other) {
        change += other.change;
        for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] += other.gradient[k];
    }
};

template <class T>
class FactorStep {
public:
    FactorStep(Panel<T> moving, const Observed& observed, MovingFactor side, index_t fixed, const RobustSweep& options,
               std::uint8_t* unsupported)
        : moving_(moving),
          mass_(side == MovingFactor::slow ? observed.row_mass : observed.col_mass),
          cells_(side == MovingFactor::slow ? observed.row_cells : observed.col_cells),
          max_prior_(observed.max_prior),
          fixed_(static_cast<double>(fixed)),
          options_(options),
          unsupported_(unsupported) {}

    /// Rows [first, first + count), whose moments lie at i * strides.row + l * strides.moment.
    void apply(index_t first, index_t count, const double* moments, MomentStrides strides, StepSums& sums) const {
        const index_t r = moving_.cols;
        const index_t gram_size = options_.majorise ? 0 : r * (r + 1) / 2;
        std::vector<double> gradient(static_cast<std::size_t>(r));
        std::array<double, kFusedRank*(kFusedRank + 1) / 2> gram;
        for (index_t i = 0; i < count; ++i) {
            const double* own = moments + i * strides.row;
            for (index_t l = 0; l < gram_size; ++l) gram[static_cast<std::size_t>(l)] = own[l * strides.moment];
            for (index_t k = 0; k < r; ++k)
                gradient[static_cast<std::size_t>(k)] = own[(gram_size + k) * strides.moment];
            double trace = 0;  // of the Gram matrix; majorise: r times the mean weight, its expectation
            for (index_t k = 0; k < r && !options_.majorise; ++k)
                trace += gram[static_cast<std::size_t>(k * (k + 1) / 2 + k)];
            if (options_.majorise) trace = own[r * strides.moment] / fixed_ * static_cast<double>(r);
            row(first + i, gram.data(), gradient, trace, sums);
        }
    }

private:
    void row(index_t i, double* gram, std::vector<double>& gradient, double trace, StepSums& sums) const {
        const index_t r = moving_.cols;
        const auto at = static_cast<std::size_t>(i);
        T* const a = moving_.row(i);
        const double full = options_.full ? options_.full[i] : static_cast<double>(r) * mass_[at] / fixed_;
        if (options_.traces) options_.traces[i] = trace;
        unsupported_[at] = cells_[at] < r || !(trace >= options_.support * full);
        if (unsupported_[at]) {
            if (options_.keep_unsupported || !options_.move) return;
            for (index_t k = 0; k < r; ++k) {
                sums.change += static_cast<double>(a[k]) * static_cast<double>(a[k]);
                a[k] = 0;
            }
            return;
        }
        for (index_t k = 0; k < r; ++k) {
            const double g = gradient[static_cast<std::size_t>(k)];
            sums.gradient[static_cast<std::size_t>(k)] += g * g;
        }
        if (!options_.move) return;
        if (options_.majorise) {
            const double mean = trace / static_cast<double>(r);
            const double size = options_.relax ? 1 / std::max(mean, max_prior_ / 4) : 1 / max_prior_;
            for (double& g : gradient) g *= size;
        } else {
            solve_packed(gram, gradient.data(), r, trace);
        }
        for (index_t k = 0; k < r; ++k) {
            const T moved = a[k] + static_cast<T>(gradient[static_cast<std::size_t>(k)]);
            const double change = static_cast<double>(moved) - static_cast<double>(a[k]);
            sums.change += change * change;
            a[k] = moved;
        }
    }

    Panel<T> moving_;
    const std::vector<double>& mass_;
    const std::vector<std::int32_t>& cells_;
    double max_prior_, fixed_;
    const RobustSweep& options_;
    std::uint8_t* unsupported_;
};

}  // namespace svdkit::detail
