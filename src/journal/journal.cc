#include "journal/journal.h"

#include "base/mutex.h"
#include "journal/chain.h"
#include "journal/metrics.h"

#include <utility>

namespace tagout::journal {

namespace {

constexpr std::string_view remedy =
    "run `tagout journal verify` to see which entries; to go on, restore the journal from a backup "
    "or move it away and keep it as evidence";

/// The end of the stored chain, once its last entry and the head record are seen to agree.
Result<JournalHead> sound_end(JournalStore& store) {
    const JournalEntry last = TAGOUT_TRY(store.last());
    const JournalHead head = TAGOUT_TRY(store.head());
    const std::string number = std::to_string(last.sequence);
    if (last.sequence > 0 && hash_of(last) != last.hash) {
        return fail(
            ErrorCode::Corrupt, "journal: entry " + number +
                                    " was altered: its hash does not match its content; " +
                                    std::string(remedy)
        );
    }
    if (head != JournalHead{last.sequence, last.hash}) {
        return fail(
            ErrorCode::Corrupt, "journal: it ends with entry " + number +
                                    " but its head record says " + std::to_string(head.sequence) +
                                    ": entries were cut off, added or replaced; " +
                                    std::string(remedy)
        );
    }
    return head;
}

Result<void> check_bounds(std::span<const EntryDraft> drafts) {
    if (drafts.size() > Journal::batch_entries_max) {
        return fail(
            ErrorCode::LimitExceeded, "journal: a batch of " + std::to_string(drafts.size()) +
                                          " entries; at most " +
                                          std::to_string(Journal::batch_entries_max) + " go together"
        );
    }
    for (const EntryDraft& draft : drafts) {
        if (draft.kind.empty()) {
            return fail(ErrorCode::InvalidArgument, "journal: an entry needs a kind");
        }
        const std::size_t bytes = draft.kind.size() + draft.subject.size() +
                                  draft.actor.text().size() + draft.reason.size() +
                                  draft.body.size();
        if (bytes > Journal::entry_bytes_max) {
            return fail(
                ErrorCode::LimitExceeded,
                "journal: a '" + draft.kind.substr(0, 64) + "' entry of " + std::to_string(bytes) +
                    " bytes; at most " + std::to_string(Journal::entry_bytes_max) +
                    ": keep long texts in the evidence log and refer to them"
            );
        }
    }
    return {};
}

class ChainedJournal final : public Journal {
public:
    ChainedJournal(
        std::unique_ptr<JournalStore> store, const Clock& clock, MetricRegistry* metrics,
        const JournalHead& head
    )
        : store_(std::move(store)), clock_(clock), metrics_(metrics), head_(head) {
        if (metrics_ != nullptr) {
            metrics_->gauge(journal::head_sequence).set(static_cast<double>(head.sequence));
        }
    }

    Result<std::vector<JournalEntry>> append(std::span<const EntryDraft> drafts) override {
        if (drafts.empty()) {
            return std::vector<JournalEntry>{};
        }
        const Instant begun = clock_.now();
        const MutexLock lock(mutex_);
        Result<std::vector<JournalEntry>> stored = store(drafts);
        if (metrics_ != nullptr) {
            count(stored, clock_.now() - begun);
        }
        return stored;
    }

    Result<void> read(
        std::uint64_t first, const std::function<bool(const JournalEntry&)>& visit
    ) override {
        Result<void> judged;
        std::uint64_t next = 0;
        Digest previous{};
        Result<void> done = store_->read(first, [&](const JournalEntry& entry) {
            const bool linked = next == 0 || entry.previous == previous;
            const bool ordered = next == 0 || entry.sequence == next;
            if (!ordered || !linked || hash_of(entry) != entry.hash) {
                judged = fail(
                    ErrorCode::Corrupt,
                    "journal: the chain breaks at entry " +
                        std::to_string(ordered ? entry.sequence : next) + "; " + std::string(remedy)
                );
                return false;
            }
            next = entry.sequence + 1;
            previous = entry.hash;
            return visit(entry);
        });
        return judged ? std::move(done) : std::move(judged);
    }

    Result<VerifyReport> verify() override {
        ChainCheck check;
        // Entries may be appended while the chain is read: it must reach the head noted before and
        // may not pass the one noted after.
        check.expect(TAGOUT_TRY(store_->head()));
        const Result<void> done = store_->read(0, [&check](const JournalEntry& entry) {
            check.observe(entry);
            return true;
        });
        if (!done) {
            if (done.error().code != ErrorCode::Corrupt) {
                return std::unexpected(done.error());
            }
            check.unreadable(done.error().message);
        }
        return check.finish(TAGOUT_TRY(store_->head()));
    }

private:
    Result<std::vector<JournalEntry>> store(std::span<const EntryDraft> drafts)
        TAGOUT_REQUIRES(mutex_) {
        TAGOUT_TRY(check_bounds(drafts));
        if (head_doubtful_) {
            head_ = TAGOUT_TRY(sound_end(*store_));
            head_doubtful_ = false;
        }
        std::vector<JournalEntry> entries;
        entries.reserve(drafts.size());
        JournalHead head = head_;
        const Instant now = clock_.now();
        for (const EntryDraft& draft : drafts) {
            JournalEntry& entry = entries.emplace_back();
            entry.sequence = head.sequence + 1;
            entry.recorded_at = now;
            entry.draft = draft;
            entry.previous = head.hash;
            entry.hash = hash_of(entry);
            head = {entry.sequence, entry.hash};
        }
        if (Result<void> done = store_->append(entries); !done) {
            // A commit that failed late may yet have reached the disk: look before chaining on.
            head_doubtful_ = true;
            return std::unexpected(std::move(done).error());
        }
        head_ = head;
        return entries;
    }

    void count(const Result<std::vector<JournalEntry>>& stored, Duration took)
        TAGOUT_REQUIRES(mutex_) {
        if (!stored) {
            const std::string_view code = name_of(stored.error().code);
            metrics_->counter(append_failures_total, {&code, 1}).add();
            return;
        }
        metrics_->counter(entries_total).add(stored->size());
        metrics_->gauge(journal::head_sequence).set(static_cast<double>(head_.sequence));
        metrics_->histogram(append_seconds).observe(std::chrono::duration<double>(took).count());
    }

    const std::unique_ptr<JournalStore> store_;
    const Clock& clock_;
    MetricRegistry* const metrics_;
    Mutex mutex_;
    JournalHead head_ TAGOUT_GUARDED_BY(mutex_);
    bool head_doubtful_ TAGOUT_GUARDED_BY(mutex_) = false;
};

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(
    std::unique_ptr<JournalStore> store, const Clock& clock, MetricRegistry* metrics
) {
    const JournalHead head = TAGOUT_TRY(sound_end(*store));
    return std::make_unique<ChainedJournal>(std::move(store), clock, metrics, head);
}

}  // namespace tagout::journal
