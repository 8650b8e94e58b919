// Monitor: how a long computation is watched and stopped.
//
// A solver polls it after every block step. A true answer asks for a partial result; an exception
// (Interrupted) abandons the call. Polling costs nothing beside a block step.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>

#include "svdkit/base/types.hpp"

namespace svdkit {

/// What a solver knows after a block step.
struct Progress {
    index_t iteration = 0;                   ///< block steps so far
    index_t converged = 0;                   ///< triplets below tolerance
    index_t wanted = 0;                      ///< triplets asked for
    std::span<const double> residuals = {};  ///< latest estimates, largest value first; may be empty
    index_t passes = 0;                      ///< times A was read
    double seconds = 0;                      ///< since the call began
};

class Monitor {
public:
    /// Returning true stops the solver with a partial result.
    std::function<bool(const Progress&)> callback;
    /// Called at every poll; throws Interrupted to abandon the call (Ctrl-C).
    std::function<void()> check_interrupt;
    /// Seconds from construction after which the solver stops with a partial result; <= 0: none.
    double time_limit = 0;

    double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

    /// True when the solver should stop; `stop_reason()` then says why.
    bool poll(Progress progress);
    const std::string& stop_reason() const { return stop_reason_; }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point start_ = Clock::now();
    std::string stop_reason_;
};

}  // namespace svdkit
