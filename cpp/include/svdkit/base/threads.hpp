// Threads: how many, and the one loop that uses them.
//
// A call's thread count lives in a ThreadScope (thread-local), so no call changes global state.
// What is summed is cut into parts by the problem alone and every part is computed serially,
// therefore the bits of a result do not depend on the number of threads.
#pragma once

#include <exception>
#include <functional>

#include "svdkit/base/types.hpp"

namespace svdkit {

/// Threads that a parallel loop started here would use.
int num_threads();

/// Default of new calls: OMP_NUM_THREADS if set, else the processors this process may use.
int default_num_threads();
void set_default_num_threads(int threads);

/// While it lives, loops started by this thread use `threads` threads (0: the default).
class ThreadScope {
public:
    explicit ThreadScope(int threads);
    ~ThreadScope();
    ThreadScope(const ThreadScope&) = delete;
    ThreadScope& operator=(const ThreadScope&) = delete;

private:
    int outer_;
};

/// Runs body(part) for part in [0, parts). Parts may run in any order and at the same time. `work` is a guess at the
/// flops or bytes in all: a loop too small to be worth waking threads for runs serially.
void parallel_for(index_t parts, double work, const std::function<void(index_t)>& body);

/// Runs body() with threads that stay awake between its loops: for hundreds of loops in a row that are too short to
/// wake threads for. A thread that another process has put off its core holds up no more than the part it was at.
void with_team(const std::function<void()>& body);

/// `parts` ranges of [0, size), equal to within one grain; part p is [begin(p), begin(p + 1)).
struct Partition {
    index_t size = 0;
    index_t parts = 1;
    index_t grain = 1;

    index_t begin(index_t part) const {
        const index_t grains = (size + grain - 1) / grain;
        const index_t at = (grains * part / parts) * grain;
        return at < size ? at : size;
    }
};

/// Runs body(first, last) for ranges of the rows of something tall, cut as above.
template <class Body>
void parallel_rows(index_t rows, double work, const Body& body) {
    const Partition parts{rows, rows / 256 > 0 ? rows / 256 : 1, 1};
    parallel_for(parts.parts, work, [&](index_t part) { body(parts.begin(part), parts.begin(part + 1)); });
}

}  // namespace svdkit
