// The journal: append-only, hash-chained, durable when append() returns.
//
// Thread-safe. One writer at a time appends; readers see whole batches. A batch is all or nothing:
// entries that belong to one change (an incident opened, its owner assigned, its notice queued) go
// in together. Cost: one SQLite commit with fdatasync a batch; callers on a hot path batch.
#pragma once

#include "base/metrics.h"
#include "base/result.h"
#include "journal/journal_entry.h"

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace tagout::journal {

/// Where the chain ends. Sequence 0 and a zero hash: the journal is empty.
struct JournalHead {
    std::uint64_t sequence = 0;
    Digest hash{};
    friend bool operator==(const JournalHead&, const JournalHead&) = default;
};

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

    /// What the store noted beside the entries, in the same transaction as the newest of them: rows
    /// that vanish from the end disagree with it. A store without such a record knows last() only.
    virtual Result<JournalHead> head() {
        const JournalEntry newest = TAGOUT_TRY(last());
        return JournalHead{newest.sequence, newest.hash};
    }
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
    /// Of one entry, all texts together. A longer one belongs into the evidence log.
    static constexpr std::size_t entry_bytes_max = std::size_t{1} << 20;
    static constexpr std::size_t batch_entries_max = 10'000;

    /// Reads the last entry so that the chain can go on. Corrupt if its own hash does not match, or
    /// if the store's head record names another end: appending would bury the fault.
    static Result<std::unique_ptr<Journal>> open(
        std::unique_ptr<JournalStore> store, const Clock& clock, MetricRegistry* metrics = nullptr
    );
    virtual ~Journal() = default;

    /// Stamps, chains and stores `drafts` as one batch; returns the stored entries. Without drafts
    /// nothing happens. LimitExceeded: a draft or the batch is too large; nothing was written.
    virtual Result<std::vector<JournalEntry>> append(std::span<const EntryDraft> drafts) = 0;

    /// Calls `visit` for each entry from `first` on, in order, until it returns false. Entries are
    /// checked on the way, so that state is never rebuilt from an altered one: Corrupt names the
    /// first that is not whole, after everything before it was visited. Whoever must go on
    /// regardless reads again from behind it.
    virtual Result<void> read(
        std::uint64_t first, const std::function<bool(const JournalEntry&)>& visit
    ) = 0;

    /// Recomputes the whole chain and compares its end with the store's head record; faults are in
    /// the report. What that proves and what it cannot: journal/chain.h.
    virtual Result<VerifyReport> verify() = 0;
};

}  // namespace tagout::journal
