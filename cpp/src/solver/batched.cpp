#include "svdkit/solver/batched.hpp"

#include <algorithm>

#include "svdkit/base/threads.hpp"

namespace svdkit {

template <class T>
std::vector<Result<T>> tsvd_batched(std::span<const Operator<T>* const> stack, const Options<T>& options,
                                    Monitor& monitor) {
    constexpr index_t group = 64;  // matrices between two polls
    const ThreadScope threads(options.threads);
    Options<T> each = options;
    each.threads = 0;  // whatever the loop below says: one
    const index_t count = std::ssize(stack);
    std::vector<Result<T>> results(stack.size());
    index_t done = 0;
    while (done < count) {
        const index_t size = std::min(group, count - done);
        parallel_for(size, 1e9, [&](index_t i) {
            const auto at = static_cast<std::size_t>(done + i);
            results[at] = tsvd<T>(*stack[at], each);
        });
        done += size;
        if (monitor.poll({.iteration = done, .converged = done, .wanted = count, .passes = done})) break;
    }
    results.resize(static_cast<std::size_t>(done));
    return results;
}

#define INSTANTIATE(T) \
    template std::vector<Result<T>> tsvd_batched<T>(std::span<const Operator<T>* const>, const Options<T>&, Monitor&);
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
