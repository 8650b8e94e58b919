// A Monitor that speaks to Python.
#include "callback.hpp"

namespace svdkit::bindings {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kSignalInterval = std::chrono::milliseconds(50);

bool report_progress(nb::handle callback, const Progress& progress) {
    const nb::gil_scoped_acquire acquire;
    std::vector<double> residuals(progress.residuals.begin(), progress.residuals.end());
    const nb::object answer = callback(progress.iteration, progress.converged, progress.wanted,
                                       give(std::move(residuals)), progress.passes, progress.seconds);
    const int stop = PyObject_IsTrue(answer.ptr());
    if (stop < 0) throw nb::python_error();
    return stop == 1;
}

void check_signals() {
    const nb::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

}  // namespace

Monitor monitor(nb::handle callback, double time_limit) {
    Monitor monitor;
    monitor.time_limit = time_limit;
    if (!callback.is_none()) {
        monitor.callback = [callback](const Progress& progress) { return report_progress(callback, progress); };
    }
    monitor.check_interrupt = [last = Clock::now()]() mutable {
        const auto now = Clock::now();
        if (now - last < kSignalInterval) return;
        last = now;
        check_signals();
    };
    return monitor;
}

}  // namespace svdkit::bindings
