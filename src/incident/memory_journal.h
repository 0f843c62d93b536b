// A journal in memory for this room's tests: survives the desk, fails when it is told to.
//
// No chain: that is journal/'s business and tested there. Thread-safe.
#pragma once

#include "base/mutex.h"
#include "journal/journal.h"

#include <limits>
#include <vector>

namespace tagout::incident {

class MemoryJournal final : public journal::Journal {
public:
    explicit MemoryJournal(const Clock& clock) : clock_(clock) {}

    /// The append after the next `good` ones answers Unavailable and writes nothing, as do all
    /// later.
    void fail_after(std::size_t good) {
        const MutexLock lock(mutex_);
        good_left_ = good;
    }
    void recover() { fail_after(std::numeric_limits<std::size_t>::max()); }

    [[nodiscard]] std::vector<journal::JournalEntry> entries() const {
        const MutexLock lock(mutex_);
        return entries_;
    }
    [[nodiscard]] std::size_t body_bytes() const {
        const MutexLock lock(mutex_);
        std::size_t bytes = 0;
        for (const journal::JournalEntry& entry : entries_) {
            bytes += entry.draft.body.size();
        }
        return bytes;
    }

    Result<std::vector<journal::JournalEntry>> append(std::span<const journal::EntryDraft> drafts
    ) override {
        const MutexLock lock(mutex_);
        if (good_left_ == 0) {
            return fail(ErrorCode::Unavailable, "the disk is full");
        }
        --good_left_;
        std::vector<journal::JournalEntry> stored;
        for (const journal::EntryDraft& draft : drafts) {
            journal::JournalEntry entry;
            entry.sequence = entries_.size() + 1;
            entry.recorded_at = clock_.now();
            entry.draft = draft;
            entries_.push_back(entry);
            stored.push_back(std::move(entry));
        }
        return stored;
    }

    Result<void> read(
        std::uint64_t first, const std::function<bool(const journal::JournalEntry&)>& visit
    ) override {
        for (const journal::JournalEntry& entry : entries()) {
            if (entry.sequence >= first && !visit(entry)) {
                break;
            }
        }
        return {};
    }

    Result<journal::VerifyReport> verify() override {
        return journal::VerifyReport{.entries = entries().size(), .head = {}, .faults = {}};
    }

private:
    const Clock& clock_;
    mutable Mutex mutex_;
    std::vector<journal::JournalEntry> entries_ TAGOUT_GUARDED_BY(mutex_);
    std::size_t good_left_ TAGOUT_GUARDED_BY(mutex_) = std::numeric_limits<std::size_t>::max();
};

}  // namespace tagout::incident
