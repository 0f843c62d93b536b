// SIGINT and SIGTERM, waited for and not handled: every thread that is started later inherits the mask.
#pragma once

#include "base/clock.h"

#include <csignal>

namespace tagout::app {

/// Made on the main thread before any other is started.
class StopSignals {
public:
    StopSignals() {
        sigemptyset(&set_);
        sigaddset(&set_, SIGINT);
        sigaddset(&set_, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    }
    /// True when one came.
    [[nodiscard]] bool wait_for(Duration patience) const {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
        const timespec time{seconds.count(), (patience - seconds).count()};
        return sigtimedwait(&set_, nullptr, &time) >= 0;
    }

private:
    sigset_t set_{};
};

}  // namespace tagout::app
