// How far a half-sweep of alternating least squares goes beyond its minimum.
//
// With one factor fixed the objective is quadratic in the other: any step of 0 < omega < 2 times the way to the minimum
// lowers it. Sweeps with omega are successive over-relaxation on two blocks. Where plain sweeps lessen the gradient by
// mu^2 each, the theory of consistently ordered systems gives, for the factor lambda seen with omega,
//
//   (lambda + omega - 1)^2 = lambda omega^2 mu^2,   best omega = 2 / (1 + sqrt(1 - mu^2)), then lambda = omega - 1
//
// so that k plain sweeps become about sqrt(k) where they are slow. omega starts at 1, only grows, and after a change
// waits for two sweeps before it is judged. Papers: Young, Trans. Amer. Math. Soc. 76 (1954); Hageman & Young, Applied
// Iterative Methods (1981), chapter 9.
#pragma once

#include <algorithm>
#include <cmath>

namespace svdkit::detail {

class Overrelaxation {
public:
    double omega() const { return omega_; }

    /// The size of the gradient before the next sweep.
    void observe(double gradient) {
        const double lambda = before_ > 0 ? gradient / before_ : 1;
        before_ = gradient;
        if (++seen_ < kSettled || lambda >= 1 || lambda <= omega_ - 1) return;
        const double mu = (lambda + omega_ - 1) / (std::sqrt(lambda) * omega_);
        const double best = std::min(kMost, 2 / (1 + std::sqrt(std::max(1 - mu * mu, 0.0))));
        if (best < omega_ + kWorthwhile) return;
        omega_ = best;
        seen_ = 1;
    }

private:
    static constexpr int kSettled = 3;  // gradients: the first ratio after a change still shows the old omega
    static constexpr double kMost = 1.9, kWorthwhile = 0.005;
    double omega_ = 1, before_ = 0;
    int seen_ = 0;
};

}  // namespace svdkit::detail
