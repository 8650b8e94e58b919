// How far a half-sweep of alternating least squares goes beyond its minimum.
//
// With one factor fixed the objective is quadratic in the other: any step of 0 < omega < 2 times the way to the minimum
// lowers it. Sweeps with omega are successive over-relaxation on two blocks. Where plain sweeps lessen the gradient by
// mu^2 each, the theory of consistently ordered systems gives, for the factor lambda seen with omega,
//
//   (lambda + omega - 1)^2 = lambda omega^2 mu^2,   best omega = 2 / (1 + sqrt(1 - mu^2)), then lambda = omega - 1
//
// so that k plain sweeps become about sqrt(k) where they are slow. omega starts at 1, and after a change waits for two
// sweeps before it is judged. Ratios seen early can mislead, and an omega beyond the best one shows itself: the
// gradient lessens by omega - 1 on average, whatever mu is. Seen so after eight sweeps, omega goes back by a fifth of
// its way; it may grow again. Papers: Young, Trans. Amer. Math. Soc. 76 (1954); Hageman & Young, Applied Iterative
// Methods (1981), chapter 9.
#pragma once

#include <algorithm>
#include <cmath>

namespace svdkit::detail {

class Overrelaxation {
public:
    explicit Overrelaxation(double most) : most_(most) {}

    double omega() const { return omega_; }

    /// The size of the gradient before the next sweep.
    void observe(double gradient) {
        const double lambda = before_ > 0 ? gradient / before_ : 1;
        before_ = gradient;
        if (++seen_ == 1) mark_ = gradient;
        if (seen_ == kTrial && beyond_best(gradient)) return change(1 + kBack * (omega_ - 1), 0);
        if (seen_ < kSettled || lambda >= 1 || lambda <= omega_ - 1) return;
        const double mu = (lambda + omega_ - 1) / (std::sqrt(lambda) * omega_);
        const double best = std::min(most_, 2 / (1 + std::sqrt(std::max(1 - mu * mu, 0.0))));
        if (best >= omega_ + kWorthwhile) change(best, 1);
    }

private:
    void change(double omega, int seen) {
        omega_ = omega;
        seen_ = seen;
        mark_ = before_;
    }

    bool beyond_best(double gradient) const {
        const double mean = std::pow(gradient / mark_, 1.0 / (kTrial - 1));
        return omega_ > kDoubtful && mean > 0.9 * (omega_ - 1) && mean < 1.03 * (omega_ - 1);
    }

    static constexpr int kSettled = 3;  // gradients: the first ratio after a change still shows the old omega
    static constexpr int kTrial = 9;    // gradients after a change that tell whether it went too far
    static constexpr double kWorthwhile = 0.005, kDoubtful = 1.2, kBack = 0.8;
    double most_;
    double omega_ = 1, before_ = 0, mark_ = 0;
    int seen_ = 0;
};

}  // namespace svdkit::detail
