#include "svdkit/base/threads.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.hpp"
#include "svdkit/base/error.hpp"

using namespace svdkit;

namespace {
constexpr double kMuch = 1e12;  // work that is worth waking threads for
}

TEST(partition_covers_everything_once) {
    for (index_t size : {0, 1, 5, 100, 1023})
        for (index_t parts : {1, 2, 3, 7, 64})
            for (index_t grain : {1, 4, 32}) {
                const Partition partition{size, parts, grain};
                CHECK(partition.begin(0) == 0 && partition.begin(parts) == size);
                for (index_t p = 0; p < parts; ++p) {
                    const index_t first = partition.begin(p), last = partition.begin(p + 1);
                    CHECK(first <= last && (first % grain == 0 || first == size));
                    CHECK(last - first <= (size / parts / grain + 2) * grain);
                }
            }
}

TEST(partition_of_a_huge_range) {
    const Partition partition{index_t{1} << 40, 1000, 8};
    CHECK(partition.begin(999) < partition.size && partition.begin(1000) == partition.size);
}

TEST(parallel_for_runs_every_part_once) {
    for (int threads : {1, 2, 3, 8}) {
        const ThreadScope scope(threads);
        std::vector<std::atomic<int>> runs(257);
        parallel_for(257, kMuch, [&](index_t part) { ++runs[static_cast<std::size_t>(part)]; });
        for (const auto& count : runs) CHECK(count == 1);
    }
    parallel_for(0, kMuch, [](index_t) { throw std::logic_error("no part to run"); });
}

TEST(parallel_for_passes_exceptions_on) {
    for (int threads : {1, 2, 4}) {
        const ThreadScope scope(threads);
        const auto fail = [](index_t part) {
            if (part == 13) throw InvalidArgument("part 13");
        };
        CHECK(CHECK_THROWS(parallel_for(100, kMuch, fail), InvalidArgument) == "part 13");
        CHECK_THROWS(parallel_for(100, kMuch, [](index_t) { throw Interrupted(); }), Interrupted);
        std::atomic<int> runs = 0;
        parallel_for(50, kMuch, [&](index_t) { ++runs; });  // and the next loop works
        CHECK(runs == 50);
    }
}

TEST(parallel_for_inside_a_part_is_serial) {
    const ThreadScope scope(4);
    std::atomic<int> wrong = 0, runs = 0;
    parallel_for(8, kMuch, [&](index_t) {
        const auto here = std::this_thread::get_id();
        parallel_for(8, kMuch, [&](index_t) {
            ++runs;
            if (std::this_thread::get_id() != here) ++wrong;
        });
    });
    CHECK(runs == 64 && wrong == 0);
}

TEST(parallel_for_uses_no_more_threads_than_allowed) {
    for (int threads : {1, 2, 3}) {
        const ThreadScope scope(threads);
        std::atomic<int> inside = 0, most = 0;
        parallel_for(64, kMuch, [&](index_t) {
            const int now = ++inside;
            for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
            }
            std::this_thread::yield();
            --inside;
        });
        CHECK(most <= threads);
    }
}

TEST(parallel_for_of_little_work_stays_here) {
    const ThreadScope scope(4);
    const auto here = std::this_thread::get_id();
    int runs = 0, elsewhere = 0;
    parallel_for(10, 10.0, [&](index_t) {
        ++runs;
        elsewhere += std::this_thread::get_id() != here;
    });
    CHECK(runs == 10 && elsewhere == 0);
}

TEST(thread_scopes_nest_and_are_local_to_a_thread) {
    const int outside = num_threads();
    {
        const ThreadScope three(3);
        CHECK(num_threads() == 3);
        {
            const ThreadScope one(1);
            CHECK(num_threads() == 1);
            const ThreadScope unchanged(0);
            CHECK(num_threads() == 1);
        }
        CHECK(num_threads() == 3);
        int elsewhere = 0;
        std::thread([&] { elsewhere = num_threads(); }).join();
        CHECK(elsewhere == default_num_threads());
    }
    CHECK(num_threads() == outside);
}

TEST(default_threads_can_be_set_and_taken_back) {
    const int before = default_num_threads();
    set_default_num_threads(5);
    CHECK(default_num_threads() == 5 && num_threads() == 5);
    set_default_num_threads(0);
    CHECK(default_num_threads() == before);
}
