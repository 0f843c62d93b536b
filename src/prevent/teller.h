// Tells an observer what changed, in order, when the desk's lock is free.
#pragma once

#include "base/mutex.h"

#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace tagout::prevent {

/// Thread-safe. Whoever finds nobody telling tells all that waits, its own changes and others'.
template <class Change>
class Teller {
public:
    void on_change(std::function<void(const Change&)> observer) {
        const MutexLock lock(mutex_);
        observer_ = std::move(observer);
    }
    /// Call with the desk's lock held, so that the order is that of the changes.
    void add(Change change) {
        const MutexLock lock(mutex_);
        changes_.push_back(std::move(change));
    }
    /// Call without the desk's lock.
    void tell() {
        MutexLock lock(mutex_);
        if (telling_) {
            return;
        }
        telling_ = true;
        while (!changes_.empty()) {
            const Change next = std::move(changes_.front());
            changes_.pop_front();
            const std::function<void(const Change&)> observer = observer_;
            lock.unlock();
            if (observer) {
                observer(next);
            }
            lock.lock();
        }
        telling_ = false;
    }

private:
    Mutex mutex_;
    std::function<void(const Change&)> observer_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<Change> changes_ TAGOUT_GUARDED_BY(mutex_);
    bool telling_ TAGOUT_GUARDED_BY(mutex_) = false;
};

/// 7 for "ACT-7" with the prefix "ACT-", 0 for what is no such id.
[[nodiscard]] std::uint64_t number_in(std::string_view id, std::string_view prefix) noexcept;

}  // namespace tagout::prevent
