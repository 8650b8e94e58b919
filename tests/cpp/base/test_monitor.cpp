#include "svdkit/base/monitor.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

#include "check.hpp"
#include "svdkit/base/error.hpp"

using namespace svdkit;

TEST(monitor_without_wishes_never_stops) {
    Monitor monitor;
    for (int i = 0; i < 100; ++i) CHECK(!monitor.poll({.iteration = i}));
    CHECK(monitor.stop_reason().empty());
}

TEST(monitor_hands_progress_to_the_callback) {
    Monitor monitor;
    const double residuals[] = {1e-3, 1e-2};
    Progress seen;
    monitor.callback = [&](const Progress& progress) {
        seen = progress;
        return progress.iteration == 3;
    };
    CHECK(!monitor.poll({.iteration = 2, .converged = 1, .wanted = 4, .residuals = residuals, .passes = 6}));
    CHECK(seen.converged == 1 && seen.wanted == 4 && seen.passes == 6);
    CHECK(seen.residuals.size() == 2 && seen.residuals[1] == 1e-2);
    CHECK(seen.seconds >= 0);
    CHECK(monitor.poll({.iteration = 3}));
    CHECK(monitor.stop_reason().find("callback") != std::string::npos);
}

TEST(monitor_stops_at_the_time_limit) {
    Monitor monitor;
    monitor.time_limit = 0.02;
    CHECK(!monitor.poll({}));
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    CHECK(monitor.poll({}));
    CHECK(monitor.stop_reason().find("time limit") != std::string::npos);
}

TEST(monitor_interrupt_abandons_before_the_callback) {
    Monitor monitor;
    bool called = false;
    monitor.callback = [&](const Progress&) { return called = true; };
    monitor.check_interrupt = [] { throw Interrupted(); };
    CHECK_THROWS(monitor.poll({}), Interrupted);
    CHECK(!called);
}

TEST(monitor_lets_exceptions_of_the_callback_through) {
    Monitor monitor;
    monitor.callback = [](const Progress&) -> bool { throw std::out_of_range("theirs"); };
    CHECK(CHECK_THROWS(monitor.poll({}), std::out_of_range) == "theirs");
}
