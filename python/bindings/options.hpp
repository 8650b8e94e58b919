// Options and reports of the truncated solvers, between Python's words and C++'s.
#pragma once

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "arrays.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/solver/options.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit::bindings {

template <class Value>
struct Word {
    std::string_view word;
    Value value;
};

inline constexpr std::array kMethods{Word{"auto", Method::automatic}, Word{"lanczos", Method::lanczos},
                                     Word{"full", Method::full}};
inline constexpr std::array kEnds{Word{"largest", Which::largest}, Word{"smallest", Which::smallest}};

template <class Value, std::size_t N>
Value parse(const char* argument, std::string_view word, const std::array<Word<Value>, N>& known) {
    for (const auto& entry : known) {
        if (word == entry.word) return entry.value;
    }
    throw InvalidArgument(std::string(argument) + " = '" + std::string(word) + "' is not known");
}

/// The options that Python always passes, in this order.
template <class T>
Options<T> options_from(index_t k, double tol, std::string_view which, std::string_view method, index_t block_size,
                        index_t max_passes, std::uint64_t seed, int threads,
                        const std::optional<MatrixIn<T>>& warm_start) {
    return {.k = k,
            .tol = tol,
            .which = parse("which", which, kEnds),
            .method = parse("method", method, kMethods),
            .block_size = block_size,
            .max_passes = max_passes,
            .seed = seed,
            .threads = threads,
            .warm_start = warm_start ? view<T>(*warm_start) : ConstView<T>{}};
}

/// The fields of a Report by name; `residuals` is given apart, for it may be a matrix.
inline nb::dict describe(const Report& report, nb::object residuals) {
    nb::dict seconds;
    for (const auto& [phase, value] : report.seconds) seconds[phase.c_str()] = value;
    nb::dict out;
    out["method"] = report.method;
    out["reason"] = report.reason;
    out["converged"] = report.converged;
    out["residuals"] = residuals;
    out["tol"] = report.tol;
    out["passes"] = report.passes;
    out["iterations"] = report.iterations;
    out["seconds"] = seconds;
    out["peak_bytes"] = report.peak_bytes;
    out["threads"] = report.threads;
    out["seed"] = report.seed;
    out["notes"] = report.notes;
    return out;
}

/// (U, s, Vh, report); None for the vectors where they are not wanted.
template <class T>
nb::tuple give_triplets(Result<T> result, bool vectors) {
    nb::object u = nb::none(), vh = nb::none();
    if (vectors) {
        u = nb::cast(give(std::move(result.u)));
        vh = nb::cast(give_adjoint(std::move(result.v)));
    }
    const nb::object residuals = nb::cast(give(std::move(result.report.residuals)));
    return nb::make_tuple(u, give(std::move(result.s)), vh, describe(result.report, residuals));
}

}  // namespace svdkit::bindings
