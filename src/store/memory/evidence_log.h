// An evidence log kept in memory: for tests and rehearsals. Nothing survives the object.
//
// It has no thread of its own: `done` is called before append() returns, so tests need not wait.
#pragma once

#include "base/mutex.h"
#include "journal/evidence_log.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tagout::store {

struct MemoryEvidenceOptions {
    std::size_t items_max = 1'000'000;  ///< Past it, appends answer LimitExceeded.
};

/// Thread-safe.
class MemoryEvidenceLog final : public journal::EvidenceLog {
public:
    explicit MemoryEvidenceLog(const Clock& clock, const MemoryEvidenceOptions& options = {});

    Result<void> append(
        std::shared_ptr<const EventBatch> batch, std::function<void(Result<void>)> done
    ) override;
    Result<std::vector<journal::EvidenceItem>> find(
        std::string_view correlation, std::size_t limit
    ) override;
    Result<void> scan(
        Instant from, Instant to, const std::function<bool(const journal::EvidenceItem&)>& visit
    ) override;
    Result<void> pin(std::string_view correlation, std::string_view pin) override;
    Result<void> unpin(std::string_view pin) override;
    [[nodiscard]] journal::EvidenceStats stats() const override;
    Result<std::vector<journal::EvidenceFault>> verify() override;

    /// The next `count` appends are queued and then answer Unavailable, as on a full disk.
    void fail_appends(std::size_t count);
    [[nodiscard]] bool is_pinned(std::string_view correlation) const;

private:
    struct Kept {
        journal::EvidenceItem item;
        Instant received_at;
    };

    const Clock& clock_;
    const MemoryEvidenceOptions options_;
    mutable Mutex mutex_;
    std::vector<Kept> kept_ TAGOUT_GUARDED_BY(mutex_);
    std::set<std::pair<std::string, std::string>> pins_ TAGOUT_GUARDED_BY(mutex_);
    std::size_t failures_left_ TAGOUT_GUARDED_BY(mutex_) = 0;
};

}  // namespace tagout::store
