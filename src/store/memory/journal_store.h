// A journal kept in memory: for tests and rehearsals. Nothing survives the object.
#pragma once

#include "base/mutex.h"
#include "journal/journal.h"

#include <vector>

namespace tagout::store {

/// Thread-safe.
class MemoryJournalStore final : public journal::JournalStore {
public:
    Result<void> append(std::span<const journal::JournalEntry> entries) override;
    Result<void> read(
        std::uint64_t first, const std::function<bool(const journal::JournalEntry&)>& visit
    ) override;
    Result<journal::JournalEntry> last() override;

    /// The next `count` appends answer Unavailable and write nothing, as on a full disk.
    void fail_appends(std::size_t count);

private:
    mutable Mutex mutex_;
    std::vector<journal::JournalEntry> entries_ TAGOUT_GUARDED_BY(mutex_);
    std::size_t failures_left_ TAGOUT_GUARDED_BY(mutex_) = 0;
};

}  // namespace tagout::store
