// Work that waits for a disk, done beside the event loops: what a client's user said is written
// before it counts.
//
// Thread-safe. One thread, made with the first task; at most tasks_max wait. Inside gateway/ only.
#pragma once

#include "base/mutex.h"

#include <deque>
#include <functional>
#include <thread>
#include <utility>

namespace tagout::gateway {

class Clerk {
public:
    static constexpr std::size_t tasks_max = 1'000;

    Clerk() = default;
    ~Clerk() { stop(); }
    Clerk(const Clerk&) = delete;
    Clerk& operator=(const Clerk&) = delete;

    /// False when too many wait, or after stop(): the task is not done.
    [[nodiscard]] bool run(std::function<void()> task) {
        const MutexLock lock(mutex_);
        if (stopped_ || tasks_.size() >= tasks_max) {
            return false;
        }
        tasks_.push_back(std::move(task));
        if (!thread_.joinable()) {
            thread_ = std::thread([this] { work(); });
        }
        changed_.notify_one();
        return true;
    }
    /// The task at hand ends; those that wait are not done.
    void stop() {
        std::thread ends;
        {
            const MutexLock lock(mutex_);
            stopped_ = true;
            tasks_.clear();
            ends = std::move(thread_);
            changed_.notify_one();
        }
        if (ends.joinable()) {
            ends.join();
        }
    }

private:
    void work() {
        while (true) {
            std::function<void()> task;
            {
                const MutexLock lock(mutex_);
                while (tasks_.empty() && !stopped_) {
                    changed_.wait(mutex_);
                }
                if (stopped_) {
                    return;
                }
                task = std::move(tasks_.front());
                tasks_.pop_front();
            }
            task();
        }
    }

    Mutex mutex_;
    Condition changed_;
    std::deque<std::function<void()>> tasks_ TAGOUT_GUARDED_BY(mutex_);
    std::thread thread_ TAGOUT_GUARDED_BY(mutex_);
    bool stopped_ TAGOUT_GUARDED_BY(mutex_) = false;
};

}  // namespace tagout::gateway
