// The runbook: what is done with what detection found. The one file that reads like step one.
//
//   findings -> joined to incidents -> their evidence kept -> people told -> page updated
//
// Thread-safe at its borders; the work is done on one thread, in order, so that joining never holds
// up a shard. A journal that is away (full disk) is tried again with what is queued; past
// findings_max the newest are counted as dropped.
#pragma once

#include "app/bypass.h"
#include "app/directory.h"
#include "app/pipeline.h"
#include "incident/desk.h"

#include <functional>
#include <memory>

namespace tagout::app {

struct RunbookParts {
    const Clock& clock;
    incident::Desk& desk;
    journal::EvidenceLog& evidence;
    Directory& directory;
    Bypass& bypass;
    MetricRegistry& metrics;
    std::size_t findings_max;
    /// Told of sessions as they end, on a shard's thread.
    std::function<void(std::span<const detect::SessionSummary>)> sessions_ended = {};
};

class Runbook final : public FindingSink {
public:
    explicit Runbook(const RunbookParts& parts);
    ~Runbook() override;

    void start();
    /// Joins what is queued and ends the thread.
    void stop();
    /// Waits until everything taken so far is joined; for a start's catching up.
    void drain();

    void take(detect::Output output, Instant received_at) override;
    void seen(std::span<const AgentEvent> events) override;
    /// An incident changed: its evidence is pinned while it is open and let go when it is over.
    void keep_evidence(const incident::Change& change);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tagout::app
