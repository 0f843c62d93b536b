// A mutex whose use the compiler can prove: clang-19's -Wthread-safety refuses a member marked
// TAGOUT_GUARDED_BY that is touched without its lock. For g++ the marks are empty.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define TAGOUT_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define TAGOUT_THREAD_ATTRIBUTE(x)
#endif
#define TAGOUT_GUARDED_BY(lock) TAGOUT_THREAD_ATTRIBUTE(guarded_by(lock))
#define TAGOUT_REQUIRES(lock) TAGOUT_THREAD_ATTRIBUTE(requires_capability(lock))

namespace tagout {

class TAGOUT_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
public:
    void lock() TAGOUT_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
    void unlock() TAGOUT_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
    bool try_lock() TAGOUT_THREAD_ATTRIBUTE(try_acquire_capability(true)) {
        return mutex_.try_lock();
    }
    /// Says, to the compiler, that whoever runs this holds it: first line of a function object that is
    /// called by code under the lock.
    void assert_held() const TAGOUT_THREAD_ATTRIBUTE(assert_capability(this)) {}

private:
    std::mutex mutex_;
};

/// Holds a Mutex to the end of its scope; may let go of it in between.
class TAGOUT_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
public:
    explicit MutexLock(Mutex& mutex) TAGOUT_THREAD_ATTRIBUTE(acquire_capability(mutex))
        : mutex_(mutex) {
        mutex_.lock();
    }
    ~MutexLock() TAGOUT_THREAD_ATTRIBUTE(release_capability()) {
        if (held_) {
            mutex_.unlock();
        }
    }
    void unlock() TAGOUT_THREAD_ATTRIBUTE(release_capability()) {
        mutex_.unlock();
        held_ = false;
    }
    void lock() TAGOUT_THREAD_ATTRIBUTE(acquire_capability()) {
        mutex_.lock();
        held_ = true;
    }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

private:
    Mutex& mutex_;
    bool held_ = true;
};

/// Waits on a Mutex: `while (!ready_) { changed_.wait(mutex_); }` with mutex_ held.
using Condition = std::condition_variable_any;

}  // namespace tagout
