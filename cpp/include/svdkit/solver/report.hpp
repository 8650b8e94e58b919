// Report: what a solver did and how good its answer is. Part of every result; not converging is data, not an error.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "svdkit/base/types.hpp"

namespace svdkit {

struct Report {
    std::string method;             ///< "full", "lanczos", ...
    std::string reason;             ///< why that method
    bool converged = false;         ///< every residual is below tol * s[0]
    std::vector<double> residuals;  ///< max(|A v - s u|, |A^H u - s v|) of every triplet, from fresh products
    double tol = 0;                 ///< relative to s[0], as used
    index_t passes = 0;             ///< times A was read
    index_t iterations = 0;         ///< block steps
    std::vector<std::pair<std::string, double>> seconds;  ///< by phase
    std::size_t peak_bytes = 0;                           ///< workspace and result, A not counted
    int threads = 0;
    std::uint64_t seed = 0;
    std::vector<std::string> notes;  ///< copies made, fallbacks taken, why it stopped early
};

}  // namespace svdkit
