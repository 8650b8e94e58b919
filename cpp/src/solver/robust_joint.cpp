#include "robust_joint.hpp"

#include <algorithm>
#include <cmath>

#include "robust_rescue.hpp"
#include "svdkit/kernel/small_svd.hpp"

namespace svdkit::detail {
namespace {

template <class T>
void scale_columns(const Block<T>& from, const std::vector<T>& factors, const Block<T>& to) {
    for (index_t i = 0; i < from.rows(); ++i)
        for (index_t k = 0; k < from.cols(); ++k) to(i, k) = from(i, k) * factors[static_cast<std::size_t>(k)];
}

// The block without padding, as results have it.
template <class T>
Block<T> compact(const Block<T>& from) {
    Block<T> to(from.rows(), from.cols(), from.cols());
    for (index_t i = 0; i < from.rows(); ++i) std::copy_n(&from(i, 0), from.cols(), &to(i, 0));
    return to;
}

}  // namespace

template <class T>
JointFit<T>::JointFit(const PriorCells<T>& cells, const Observed& observed, const RobustOptions<T>& options,
                      double unit, RobustStart<T> start)
    : cells_(cells),
      observed_(observed),
      options_(options),
      left_(std::move(start.left)),
      right_(std::move(start.right)),
      core_(options.k, options.k),
      core_transposed_(options.k, options.k),
      noise_(cells, observed, options, unit),
      replacements_{options.seed, 0},
      lost_rows_(static_cast<std::size_t>(cells.x.rows), 0),
      lost_cols_(static_cast<std::size_t>(cells.x.cols), 0) {
    shift_core(right_, left_);
    noise_.begin(left_, right_);
}

template <class T>
RobustSweep JointFit<T>::setting(const RobustModel& model, MovingFactor side) const {
    const std::vector<double>& full = side == MovingFactor::slow ? full_rows_ : full_cols_;
    return {.shape = model.shape(),
            .parameter = model.parameter(noise_.variance()),
            .majorise = options_.k > kFusedRank,
            .relax = relax_,
            .keep_unsupported = options_.keep_unsupported,
            .support = support_,
            .full = full.empty() ? nullptr : full.data()};
}

template <class T>
double JointFit<T>::shift_core(const Block<T>& w, const Block<T>& other) {
    const Block<T> none(0, options_.k);
    std::vector<double> norms(static_cast<std::size_t>(options_.k));
    column_norms<T>(w, norms.data());
    const double floor = 2 * static_cast<double>(epsilon<T>) * *std::ranges::max_element(norms);
    extend_basis<T>(w.panel().col_range(0, 0), w, none, core_, floor, replacements_);
    double square = 0;
    for (index_t k = 0; k < options_.k; ++k) {
        for (index_t l = 0; l < options_.k; ++l) {
            core_transposed_(l, k) = core_(k, l);
            square += static_cast<double>(core_(k, l)) * static_cast<double>(core_(k, l));
        }
    }
    rotate<T>(other, core_transposed_);
    return std::sqrt(square);
}

template <class T>
bool JointFit<T>::sweep(const RobustModel& model, double tol) {
    const double variance = noise_.variance();
    const RobustSweepResult first = half_sweep<T>(cells_, observed_, MovingFactor::slow, left_, right_,
                                                  setting(model, MovingFactor::slow), lost_rows_.data());
    shift_core(left_, right_);
    const RobustSweepResult second = half_sweep<T>(cells_, observed_, MovingFactor::fast, left_, right_,
                                                   setting(model, MovingFactor::fast), lost_cols_.data());
    const double size = shift_core(right_, left_);

    objective_.push_back(model.objective(first.sums, observed_.cells, variance));
    const double between = model.objective(second.sums, observed_.cells, variance);
    if (between > objective_.back() + 1e-12 * std::abs(objective_.back())) relax_ = false;  // a step was too long
    const double moved = first.change + second.change;  // right and left are orthonormal in turn: of L
    change_ = size > 0 ? moved / size : (moved > 0 ? 1 : 0);
    const bool still = noise_.update(model, second.sums, left_, right_, tol);
    return still && change_ <= tol;
}

template <class T>
index_t JointFit<T>::rescue_side(MovingFactor side, const RobustModel& model) {
    std::vector<std::uint8_t>& lost = side == MovingFactor::slow ? lost_rows_ : lost_cols_;
    std::vector<double>& full = side == MovingFactor::slow ? full_rows_ : full_cols_;
    full.resize(lost.size());
    const RobustSweep even{.majorise = options_.k > kFusedRank, .move = false, .traces = full.data()};
    half_sweep<T>(cells_, observed_, side, left_, right_, even, lost.data());
    RobustSweep look = setting(model, side);
    look.move = false;
    half_sweep<T>(cells_, observed_, side, left_, right_, look, lost.data());
    const RowRescue<T> rescue(cells_, observed_, side, left_, right_, model, noise_.variance());
    return rescue(lost);
}

template <class T>
index_t JointFit<T>::settle(const RobustModel& model) {
    if (options_.keep_unsupported) return 0;
    support_ = model.settled_support();
    index_t rescued = rescue_side(MovingFactor::slow, model);
    shift_core(left_, right_);
    rescued += rescue_side(MovingFactor::fast, model);
    shift_core(right_, left_);
    return rescued;
}

template <class T>
RobustResult<T> JointFit<T>::finish(const RobustModel& model) {
    const index_t k = options_.k;
    const Block<T> none(0, k), x(k, k), y(k, k);
    RobustResult<T> out;
    out.svd.s.resize(static_cast<std::size_t>(k));
    extend_basis<T>(left_.panel().col_range(0, 0), left_, none, core_, 0, replacements_);
    small_svd_wide<T>(core_, x, out.svd.s.data(), y);
    rotate<T>(left_, x);
    rotate<T>(right_, y);

    RobustSweep look = setting(model, MovingFactor::slow);
    look.move = false;
    const Block<T> scaled_left(left_.rows(), k), scaled_right(right_.rows(), k);
    scale_columns(left_, out.svd.s, scaled_left);
    scale_columns(right_, out.svd.s, scaled_right);
    out.svd.report.residuals =
        half_sweep<T>(cells_, observed_, MovingFactor::slow, scaled_left, right_, look, lost_rows_.data()).gradient;
    look.full = setting(model, MovingFactor::fast).full;
    const RobustSweepResult last =
        half_sweep<T>(cells_, observed_, MovingFactor::fast, left_, scaled_right, look, lost_cols_.data());
    for (std::size_t i = 0; i < last.gradient.size(); ++i)
        out.svd.report.residuals[i] = std::max(out.svd.report.residuals[i], last.gradient[i]);

    out.objective = objective_;
    out.objective.push_back(model.objective(last.sums, observed_.cells, noise_.variance()));
    out.sigma.assign(static_cast<std::size_t>(k), noise_.sigma());
    out.unsupported_rows = flagged(lost_rows_);
    out.unsupported_cols = flagged(lost_cols_);
    out.svd.u = compact(left_);
    out.svd.v = compact(right_);
    return out;
}

template class JointFit<float>;
template class JointFit<double>;

}  // namespace svdkit::detail
