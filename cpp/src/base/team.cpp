#include "team.hpp"

#include <thread>
#include <utility>

#include "svdkit/base/threads.hpp"

namespace svdkit::detail {
namespace {

constexpr std::uint64_t kLoop = std::uint64_t{1} << 32;  // one loop further in Team::open_

// A wait of some 50 microseconds that leaves the core to whoever else wants it after that.
class Patience {
public:
    void wait() {
        if (++waited_ > kSpins) return std::this_thread::yield();
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }
    void renew() { waited_ = 0; }

private:
    static constexpr int kSpins = 1000;
    int waited_ = 0;
};

}  // namespace

bool Team::do_one() {
    std::uint64_t seen = open_.load(std::memory_order_acquire);
    do {
        if (seen % kLoop == 0) return false;
    } while (!open_.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel, std::memory_order_acquire));
    // The loop cannot end, nor the next begin, before this part is done: body_ and parts_ are its own.
    try {
        (*body_)(parts_ - static_cast<index_t>(seen % kLoop));
    } catch (...) {
        const std::lock_guard lock(guard_);
        if (!failure_) failure_ = std::current_exception();
    }
    unfinished_.fetch_sub(1, std::memory_order_release);
    return true;
}

void Team::run(index_t parts, const std::function<void(index_t)>& body) {
    const ThreadScope serial(1);
    body_ = &body;
    parts_ = parts;
    unfinished_.store(parts, std::memory_order_relaxed);
    const std::uint64_t loop = (open_.load(std::memory_order_relaxed) / kLoop + 1) * kLoop;
    open_.store(loop + static_cast<std::uint64_t>(parts), std::memory_order_release);
    while (do_one()) {
    }
    for (Patience patience; unfinished_.load(std::memory_order_acquire) > 0;) patience.wait();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Team::help() {
    const ThreadScope serial(1);
    for (Patience patience; !dismissed_.load(std::memory_order_acquire);) do_one() ? patience.renew() : patience.wait();
}

}  // namespace svdkit::detail
