// Threads that stay awake between loops; base/threads.hpp says what for.
//
// Parts are taken one at a time from a counter that carries the number of its loop, so that a thread which comes late
// finds nothing and delays nobody; the caller waits for parts that were taken, never for threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>

#include "svdkit/base/types.hpp"

namespace svdkit::detail {

class Team {
public:
    /// The caller's loop; helpers take part. Rethrows what a part has thrown.
    void run(index_t parts, const std::function<void(index_t)>& body);
    /// A helper's life, until dismissed.
    void help();
    void dismiss() { dismissed_.store(true, std::memory_order_release); }

private:
    bool do_one();

    alignas(64) std::atomic<std::uint64_t> open_{0};  // number of the loop above, parts not taken yet below
    alignas(64) std::atomic<index_t> unfinished_{0};
    std::atomic<bool> dismissed_{false};
    alignas(64) const std::function<void(index_t)>* body_ = nullptr;  // this and below: of the loop at work
    index_t parts_ = 0;
    std::mutex guard_;
    std::exception_ptr failure_;
};

}  // namespace svdkit::detail
