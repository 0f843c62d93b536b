// Runs work later on a thread of its own: how the sample servers take their time without blocking
// the event loop that called them.
#pragma once

#include "base/clock.h"
#include "base/mutex.h"

#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <utility>

namespace tagout::rehearse {

/// Thread-safe.
class Delayed {
public:
    explicit Delayed(const Clock& clock);
    ~Delayed();
    Delayed(const Delayed&) = delete;
    Delayed& operator=(const Delayed&) = delete;

    void after(Duration delay, std::function<void()> work);
    /// Runs at once what is still waiting, and whatever comes later never. Ends the thread.
    void finish();

private:
    using Due = std::pair<Instant, std::uint64_t>;  ///< When, and in which order.

    void run();

    const Clock& clock_;
    Mutex mutex_;
    Condition changed_;
    std::map<Due, std::function<void()>> waiting_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t count_ TAGOUT_GUARDED_BY(mutex_) = 0;
    bool stopping_ TAGOUT_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace tagout::rehearse
