#include "rehearse/delayed.h"

namespace tagout::rehearse {

Delayed::Delayed(const Clock& clock) : clock_(clock), thread_([this] { run(); }) {}

Delayed::~Delayed() { finish(); }

void Delayed::finish() {
    std::map<Due, std::function<void()>> left;
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
        left.swap(waiting_);
        changed_.notify_all();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
    for (const auto& [due, work] : left) {
        work();
    }
}

void Delayed::after(Duration delay, std::function<void()> work) {
    const MutexLock lock(mutex_);
    if (stopping_) {
        return;
    }
    waiting_.emplace(Due(clock_.now() + delay, ++count_), std::move(work));
    changed_.notify_all();
}

void Delayed::run() {
    for (;;) {
        std::function<void()> work;
        {
            const MutexLock lock(mutex_);
            while (!stopping_) {
                if (waiting_.empty()) {
                    changed_.wait(mutex_);
                    continue;
                }
                const Duration wait = waiting_.begin()->first.first - clock_.now();
                if (wait <= Duration::zero()) {
                    work = std::move(waiting_.begin()->second);
                    waiting_.erase(waiting_.begin());
                    break;
                }
                changed_.wait_for(mutex_, wait);
            }
            if (stopping_) {
                return;
            }
        }
        work();
    }
}

}  // namespace tagout::rehearse
