#include "svdkit/base/monitor.hpp"

namespace svdkit {

bool Monitor::poll(Progress progress) {
    if (check_interrupt) check_interrupt();
    progress.seconds = seconds();
    if (callback && callback(progress)) {
        stop_reason_ = "the callback asked to stop";
        return true;
    }
    if (time_limit > 0 && progress.seconds >= time_limit) {
        stop_reason_ = "the time limit was reached";
        return true;
    }
    return false;
}

}  // namespace svdkit
