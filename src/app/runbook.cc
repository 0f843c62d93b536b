#include "app/runbook.h"

#include "app/metrics.h"
#include "base/log.h"
#include "base/mutex.h"

#include <deque>
#include <set>
#include <thread>

namespace tagout::app {

namespace {

constexpr std::size_t join_batch_max = 1'000;
constexpr Duration retry_pause = std::chrono::milliseconds(500);

struct Waiting {
    Finding finding;
    Instant received_at;
};

/// States in which an incident's telemetry may go when retention wants its room.
bool is_over(IncidentState state) {
    switch (state) {
        case IncidentState::Closed:
        case IncidentState::FalsePositive:
        case IncidentState::Cancelled:
            return true;
        case IncidentState::Signal:
        case IncidentState::Triage:
        case IncidentState::Declared:
        case IncidentState::Contained:
        case IncidentState::Recovering:
        case IncidentState::Verifying:
        case IncidentState::Resolved:
        case IncidentState::Review:
        case IncidentState::Merged:
            return false;
    }
    return false;
}

}  // namespace

struct Runbook::State {
    explicit State(const RunbookParts& runbook_parts) : parts(runbook_parts) {}

    void run();
    void join(std::vector<Waiting> waiting);
    void count(const Finding& finding);
    void drop(std::size_t findings, std::string_view reason);

    const RunbookParts parts;
    mutable Mutex mutex;
    Condition changed;
    std::deque<Waiting> queue TAGOUT_GUARDED_BY(mutex);
    bool busy TAGOUT_GUARDED_BY(mutex) = false;
    bool stopping TAGOUT_GUARDED_BY(mutex) = false;
    std::thread thread;

    Mutex pin_mutex;  ///< Changes come from the join thread and from people's commands.
    std::set<std::pair<std::string, std::string>> pinned TAGOUT_GUARDED_BY(pin_mutex);
};

Runbook::Runbook(const RunbookParts& parts) : state_(std::make_unique<State>(parts)) {}
Runbook::~Runbook() {
    stop();
}

void Runbook::start() {
    state_->thread = std::thread([this] { state_->run(); });
}

void Runbook::stop() {
    {
        const MutexLock lock(state_->mutex);
        state_->stopping = true;
        state_->changed.notify_all();
    }
    if (state_->thread.joinable()) {
        state_->thread.join();
    }
}

void Runbook::drain() {
    const MutexLock lock(state_->mutex);
    while (!state_->queue.empty() || state_->busy) {
        state_->changed.wait(state_->mutex);
    }
}

void Runbook::seen(std::span<const AgentEvent> events) {
    thread_local Directory::Seen seen;
    state_->parts.directory.see(events, seen);
    state_->parts.bypass.see(events, state_->parts.clock.now());
}

void Runbook::take(detect::Output output, Instant received_at) {
    State& state = *state_;
    if (!output.sessions.empty()) {
        state.parts.directory.ended(output.sessions, received_at);
        if (state.parts.sessions_ended) {
            state.parts.sessions_ended(output.sessions);
        }
        for (const detect::SessionSummary& session : output.sessions) {
            const std::string_view labels[] = {name_of(session.outcome)};
            state.parts.metrics.counter(sessions_total, labels).add();
        }
    }
    std::size_t dropped = 0;
    {
        const MutexLock lock(state.mutex);
        for (Finding& finding : output.findings) {
            if (state.queue.size() >= state.parts.findings_max) {
                ++dropped;
                continue;
            }
            state.queue.push_back(Waiting{std::move(finding), received_at});
        }
        state.changed.notify_all();
    }
    if (dropped > 0) {
        state.drop(dropped, "queue_full");
    }
}

void Runbook::State::drop(std::size_t findings, std::string_view reason) {
    const std::string_view labels[] = {reason};
    parts.metrics.counter(findings_dropped_total, labels).add(findings);
    log::error("findings_dropped", {{"reason", reason}, {"findings", findings}});
}

void Runbook::State::run() {
    while (true) {
        std::vector<Waiting> waiting;
        {
            const MutexLock lock(mutex);
            busy = false;
            changed.notify_all();
            while (queue.empty() && !stopping) {
                changed.wait(mutex);
            }
            if (queue.empty()) {
                return;
            }
            busy = true;
            while (!queue.empty() && waiting.size() < join_batch_max) {
                waiting.push_back(std::move(queue.front()));
                queue.pop_front();
            }
        }
        join(std::move(waiting));
    }
}

void Runbook::State::count(const Finding& finding) {
    const std::string_view labels[] = {name_of(finding.failure_class), finding.signal};
    parts.metrics.counter(findings_total, labels).add();
}

void Runbook::State::join(std::vector<Waiting> waiting) {
    std::vector<Finding> findings;
    findings.reserve(waiting.size());
    for (const Waiting& each : waiting) {
        count(each.finding);
        findings.push_back(each.finding);
    }
    Result<void> joined = parts.desk.join(findings, IncidentKind::Real);
    while (!joined && joined.error().code == ErrorCode::Unavailable) {
        log::error(
            "join_failed", {{"error", joined.error().message}, {"findings", findings.size()}}
        );
        {
            const MutexLock lock(mutex);
            if (stopping) {
                break;
            }
            changed.wait_for(mutex, retry_pause);
        }
        joined = parts.desk.join(findings, IncidentKind::Real);
    }
    if (!joined) {
        drop(findings.size(), name_of(joined.error().code));
        log::error("join_refused", {{"error", joined.error().message}});
        return;
    }
    const Instant now = parts.clock.now();
    for (const Waiting& each : waiting) {
        parts.metrics.histogram(finding_seconds)
            .observe(std::chrono::duration<double>(now - each.received_at).count());
    }
}

void Runbook::keep_evidence(const incident::Change& change) {
    State& state = *state_;
    const std::string& id = change.incident.id.text();
    const MutexLock lock(state.pin_mutex);
    Result<void> done;
    if (is_over(change.incident.state)) {
        done = state.parts.evidence.unpin(id);
        std::erase_if(state.pinned, [&](const auto& pin) { return pin.second == id; });
    } else {
        for (const Finding& finding : change.incident.findings) {
            // The trace too: what came before it told its conversation is filed under the trace.
            for (const std::string& name : {finding.correlation.text(), finding.trace_id}) {
                if (!name.empty() && state.pinned.emplace(name, id).second) {
                    done = state.parts.evidence.pin(name, id);
                }
            }
        }
    }
    if (!done) {
        log::error("pin_failed", {{"incident", id}, {"error", done.error().message}});
    }
}

}  // namespace tagout::app
