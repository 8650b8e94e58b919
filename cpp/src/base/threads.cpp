#include "svdkit/base/threads.hpp"

#include <omp.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "team.hpp"

namespace svdkit {

namespace {
thread_local int scoped_threads = 0;
thread_local detail::Team* team = nullptr;  // that waits for this thread's loops

// A forked child has no team of threads, and OpenMP would wait for the parent's: its loops are serial.
std::atomic<bool> forked_child{false};
[[maybe_unused]] const int watch_fork = pthread_atfork(nullptr, nullptr, [] { forked_child = true; });

std::atomic<int> default_threads{0};

// Waking a team of threads costs some 10 microseconds: less work than this is faster alone.
// A team that is awake takes a part of a microsecond.
constexpr double kParallelWork = 1e6;
constexpr double kTeamWork = 5e4;
}  // namespace

int default_num_threads() {
    const int chosen = default_threads.load(std::memory_order_relaxed);
    return chosen > 0 ? chosen : std::max(1, omp_get_max_threads());
}

void set_default_num_threads(int threads) { default_threads.store(threads, std::memory_order_relaxed); }

int num_threads() { return scoped_threads > 0 ? scoped_threads : default_num_threads(); }

ThreadScope::ThreadScope(int threads) : outer_(scoped_threads) {
    if (threads > 0) scoped_threads = threads;
}
ThreadScope::~ThreadScope() { scoped_threads = outer_; }

void parallel_for(index_t parts, double work, const std::function<void(index_t)>& body) {
    const int threads = work < (team ? kTeamWork : kParallelWork) || forked_child
                            ? 1
                            : static_cast<int>(std::min<index_t>(num_threads(), parts));
    if (threads <= 1) {
        for (index_t part = 0; part < parts; ++part) body(part);
        return;
    }
    if (team) return team->run(parts, body);
    std::exception_ptr failure;
    std::mutex guard;
#pragma omp parallel num_threads(threads)
    {
        const ThreadScope serial(1);
#pragma omp for schedule(dynamic, 1)
        for (index_t part = 0; part < parts; ++part) {
            try {
                body(part);
            } catch (...) {
                const std::lock_guard lock(guard);
                if (!failure) failure = std::current_exception();
            }
        }
    }
    if (failure) std::rethrow_exception(failure);
}

void with_team(const std::function<void()>& body) {
    const int threads = forked_child ? 1 : num_threads();
    if (threads <= 1 || team) return body();
    detail::Team own;
    std::exception_ptr failure;
#pragma omp parallel num_threads(threads)
    {
        if (omp_get_thread_num() > 0) {
            own.help();
        } else {
            team = &own;
            try {
                body();
            } catch (...) {
                failure = std::current_exception();
            }
            team = nullptr;
            own.dismiss();
        }
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace svdkit
