// Robust SVD: an array and options in, (U, s, Vh, report, what else was found) out.
#include "svdkit/solver/robust.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "bind.hpp"
#include "callback.hpp"
#include "options.hpp"
#include "svdkit/base/threads.hpp"

namespace svdkit::bindings {
namespace {

constexpr std::array kRobustMethods{Word{"joint", RobustMethod::joint}, Word{"deflation", RobustMethod::deflation}};
constexpr std::array kLosses{Word{"dpd", RobustLoss::dpd}, Word{"huber", RobustLoss::huber},
                             Word{"welsch", RobustLoss::welsch}};
constexpr std::array kScales{Word{"mdpde", RobustScale::mdpde}, Word{"mad", RobustScale::mad},
                             Word{"iqr", RobustScale::iqr}, Word{"fixed", RobustScale::fixed}};

template <class T>
ConstView<T> optional_view(const std::optional<MatrixIn<T>>& a) {
    return a ? view<T>(*a) : ConstView<T>{};
}

template <class T>
nb::tuple solve(MatrixIn<T> x, std::optional<MatrixIn<T>> prior, index_t k, double alpha, std::string_view method,
                std::string_view loss, std::string_view scale, double sigma, double tol, index_t max_iter,
                bool keep_unsupported, std::optional<MatrixIn<T>> left, std::optional<MatrixIn<T>> right,
                std::uint64_t seed, int threads, nb::object callback, double time_limit) {
    const RobustOptions<T> options{.k = k,
                                   .alpha = alpha,
                                   .method = parse("method", method, kRobustMethods),
                                   .loss = parse("loss", loss, kLosses),
                                   .scale = parse("scale", scale, kScales),
                                   .sigma = sigma,
                                   .tol = tol,
                                   .max_iterations = max_iter,
                                   .keep_unsupported = keep_unsupported,
                                   .start_left = optional_view(left),
                                   .start_right = optional_view(right),
                                   .seed = seed,
                                   .threads = threads};
    Monitor watch = monitor(callback, time_limit);
    RobustResult<T> result;
    {
        const nb::gil_scoped_release release;
        result = robust_svd<T>({view<T>(x), optional_view(prior)}, options, watch);
    }
    nb::dict found;
    found["sigma"] = give(std::move(result.sigma));
    found["objective"] = give(std::move(result.objective));
    found["unsupported_rows"] = give(std::move(result.unsupported_rows));
    found["unsupported_cols"] = give(std::move(result.unsupported_cols));
    found["order_changed"] = result.order_changed;
    return nb::make_tuple(give_triplets(std::move(result.svd), true), found);
}

// The sum of the weights from half-sweeps that move nothing: for the roofline.
template <class T>
double look(MatrixIn<T> x, BlockOut<T> slow, BlockOut<T> fast, double rate, bool rows, int repeats, int threads) {
    const ThreadScope scope(threads);
    const PriorCells<T> cells{view<T>(x), {}};
    const Observed observed = observe(cells);
    std::vector<std::uint8_t> lost(static_cast<std::size_t>(std::max(cells.x.rows, cells.x.cols)));
    const nb::gil_scoped_release release;
    const RobustSweep half{.parameter = rate, .majorise = extent(slow, 1) > detail::kFusedRank, .move = false};
    double weight = 0;
    for (int i = 0; i < repeats; ++i)
        weight = half_sweep<T>(cells, observed, rows ? MovingFactor::slow : MovingFactor::fast, panel<T>(slow),
                               panel<T>(fast), half, lost.data())
                     .sums.weight;
    return weight;
}

}  // namespace

template <class T>
void bind_robust(HandleClass<T>& cls) {
    cls.def_static("robust_svd", &solve<T>, nb::arg("x").noconvert(), nb::arg("prior").noconvert().none(), nb::arg("k"),
                   nb::arg("alpha"), nb::arg("method"), nb::arg("loss"), nb::arg("scale"), nb::arg("sigma"),
                   nb::arg("tol"), nb::arg("max_iter"), nb::arg("keep_unsupported"), nb::arg("left").noconvert().none(),
                   nb::arg("right").noconvert().none(), nb::arg("seed"), nb::arg("threads"), nb::arg("callback").none(),
                   nb::arg("time_limit"), "((U, s, Vh, report), what else was found).");
    cls.def_static("robust_look", &look<T>, nb::arg("x").noconvert(), nb::arg("slow").noconvert(),
                   nb::arg("fast").noconvert(), nb::arg("rate"), nb::arg("rows"), nb::arg("repeats") = 1,
                   nb::arg("threads") = 0, "Sum of the weights, from half-sweeps that move nothing.");
}

template void bind_robust<float>(HandleClass<float>&);
template void bind_robust<double>(HandleClass<double>&);

}  // namespace svdkit::bindings
