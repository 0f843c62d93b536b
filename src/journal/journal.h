// The journal: append-only, hash-chained, durable when append() returns.
//
// Thread-safe. One writer at a time appends; readers see whole batches. A batch is all or nothing:
// entries that belong to one change (an incident opened, its owner assigned, its notice queued) go
// in together. Cost: one SQLite commit with fdatasync a batch; callers on a hot path batch.
#pragma once

#include "base/result.h"
#include "journal/journal_entry.h"

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace tagout::journal {

/// Thread-safe. The port: store/sqlite keeps it on disk, store/memory in tests.
class JournalStore {
public:
    virtual ~JournalStore() = default;

    /// Writes `entries`, whose sequence follows the last stored one, all or nothing. Durable on return.
    /// Unavailable: nothing was written (disk full, locked). Corrupt: the file is damaged.
    virtual Result<void> append(std::span<const JournalEntry> entries) = 0;

    /// Calls `visit` for each entry with sequence >= `first`, in order, until it returns false.
    virtual Result<void> read(
        std::uint64_t first, const std::function<bool(const JournalEntry&)>& visit
    ) = 0;

    /// The newest entry, or one with sequence 0 if there is none.
    virtual Result<JournalEntry> last() = 0;
};

struct ChainFault {
    std::uint64_t sequence = 0;
    std::string what;  ///< "entry 41 was altered: its hash does not match its content"
};

struct VerifyReport {
    std::uint64_t entries = 0;
    Digest head{};
    std::vector<ChainFault> faults;  ///< At most 100; empty when the chain is whole.
};

/// Thread-safe.
class Journal {
public:
    /// Reads the last entry so that the chain can go on. Corrupt if its own hash does not match.
    static Result<std::unique_ptr<Journal>> open(std::unique_ptr<JournalStore> store, const Clock& clock);
    virtual ~Journal() = default;

    /// Stamps, chains and stores `drafts` as one batch; returns the stored entries.
    virtual Result<std::vector<JournalEntry>> append(std::span<const EntryDraft> drafts) = 0;
    virtual Result<void> read(
        std::uint64_t first, const std::function<bool(const JournalEntry&)>& visit
    ) = 0;
    /// Recomputes the whole chain.
    virtual Result<VerifyReport> verify() = 0;
};

}  // namespace tagout::journal
