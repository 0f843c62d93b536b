#include "store/memory/journal_store.h"

#include <algorithm>

namespace tagout::store {

Result<void> MemoryJournalStore::append(std::span<const journal::JournalEntry> entries) {
    const MutexLock lock(mutex_);
    if (failures_left_ > 0) {
        --failures_left_;
        return fail(ErrorCode::Unavailable, "journal in memory: told to fail");
    }
    std::uint64_t next = entries_.size() + 1;
    for (const journal::JournalEntry& entry : entries) {
        if (entry.sequence != next++) {
            return fail(
                ErrorCode::Conflict, "journal: entry " + std::to_string(entry.sequence) +
                                         " does not follow the " +
                                         std::to_string(entries_.size()) + " stored ones"
            );
        }
    }
    entries_.insert(entries_.end(), entries.begin(), entries.end());
    return {};
}

Result<void> MemoryJournalStore::read(
    std::uint64_t first, const std::function<bool(const journal::JournalEntry&)>& visit
) {
    for (std::size_t i = first > 0 ? first - 1 : 0;; ++i) {
        journal::JournalEntry entry;
        {
            const MutexLock lock(mutex_);
            if (i >= entries_.size()) {
                return {};
            }
            entry = entries_[i];
        }
        if (!visit(entry)) {
            return {};
        }
    }
}

Result<journal::JournalEntry> MemoryJournalStore::last() {
    const MutexLock lock(mutex_);
    return entries_.empty() ? journal::JournalEntry{} : entries_.back();
}

void MemoryJournalStore::fail_appends(std::size_t count) {
    const MutexLock lock(mutex_);
    failures_left_ = count;
}

}  // namespace tagout::store
