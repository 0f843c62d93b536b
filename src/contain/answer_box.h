// What other threads say to one thread of the book, kept apart from the book: an answer may come after
// the book is gone.
#pragma once

#include "base/mutex.h"

#include <optional>
#include <utility>
#include <vector>

namespace tagout::contain {

/// Thread-safe; one thread takes.
template <class Answer>
class AnswerBox {
public:
    /// Nothing any more once it is closed.
    void put(Answer answer) {
        const MutexLock lock(mutex_);
        if (!closed_) {
            answers_.push_back(std::move(answer));
            wake_ = true;
            changed_.notify_all();
        }
    }
    void wake() {
        const MutexLock lock(mutex_);
        wake_ = true;
        changed_.notify_all();
    }
    void close() {
        const MutexLock lock(mutex_);
        closed_ = true;
        changed_.notify_all();
    }
    /// Waits for an answer or for wake(); nothing once it is closed.
    [[nodiscard]] std::optional<std::vector<Answer>> take() {
        MutexLock lock(mutex_);
        while (!wake_ && !closed_) {
            changed_.wait(mutex_);
        }
        if (closed_) {
            return std::nullopt;
        }
        wake_ = false;
        return std::exchange(answers_, {});
    }

private:
    Mutex mutex_;
    Condition changed_;
    std::vector<Answer> answers_ TAGOUT_GUARDED_BY(mutex_);
    bool wake_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool closed_ TAGOUT_GUARDED_BY(mutex_) = false;
};

}  // namespace tagout::contain
