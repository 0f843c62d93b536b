// The desk: where findings become incidents and people act on them.
//
// Thread-safe. Every change is decided here, written to the journal as one batch, and only then
// folded into memory and told to the observer: what is seen was durable first. After a restart
// rebuild() folds the journal and gives the same state.
#pragma once

#include "base/result.h"
#include "catalog/catalog.h"
#include "incident/incident.h"
#include "incident/settings.h"
#include "journal/journal.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tagout::incident {

/// Who asks, and why; every command carries one. A change that a person makes needs a reason where
/// the method says so.
struct By {
    Actor actor;
    std::string reason;
};

/// What changed, for notices and for the page's stream. Sent after the change is durable.
struct Change {
    enum class What : std::uint8_t { Opened, Updated, Declared, Escalated, Resolved, Other };
    What what = What::Other;
    Incident incident;  ///< As it is after the change.
    journal::JournalEntry entry;
};

struct Filter {
    std::vector<IncidentState>
        states;  ///< Empty: all but signal, merged, cancelled, false_positive.
    std::optional<FailureClass> failure_class;
    std::optional<Severity> severity;
    std::optional<IncidentKind> kind;
    std::string text;  ///< Substring of id, title, agent, tool or owner.
    std::size_t limit = 100;
};

struct DeclareDraft {
    std::string title;
    FailureClass failure_class = FailureClass::Intent;
    std::optional<Severity> severity;
    IncidentKind kind = IncidentKind::Real;
    AgentName agent;
    WorkflowName workflow;
    ToolName tool;
    std::optional<Instant> onset_at;  ///< Required when the kind is backfilled.
};

class Desk {
public:
    virtual ~Desk() = default;

    static std::unique_ptr<Desk> make(
        journal::Journal& journal, const Clock& clock,
        std::shared_ptr<const catalog::Catalog> catalog, const Settings& settings
    );

    /// Folds every journal entry. Call once, before anything else.
    virtual Result<void> rebuild() = 0;
    /// Called with each change, in order, on the thread that made it, after the desk's lock is
    /// free.
    virtual void on_change(std::function<void(const Change&)> observer) = 0;
    virtual void use(std::shared_ptr<const catalog::Catalog> catalog, const Settings& settings) = 0;
    /// What time alone changes: impact ended, signals let go. Call about once a second.
    virtual Result<void> tick() = 0;

    /// Joins findings to incidents: same class, agent and cause within the join window is the same
    /// incident. A known id updates its finding. One journal batch for all of them.
    virtual Result<void> join(std::span<const Finding> findings, IncidentKind kind) = 0;

    /// Declares a new incident by hand, or (with `id`) confirms one in signal or triage.
    virtual Result<Incident> declare(const DeclareDraft& draft, const By& by) = 0;
    virtual Result<Incident> confirm(const IncidentId& id, const By& by) = 0;
    virtual Result<Incident> ack(const IncidentId& id, const By& by) = 0;
    virtual Result<Incident> note(const IncidentId& id, const std::string& text, const By& by) = 0;
    virtual Result<Incident> assign(const IncidentId& id, const std::string& to, const By& by) = 0;
    virtual Result<Incident> set_severity(
        const IncidentId& id, Severity severity, const By& by
    ) = 0;
    /// `anchor` is a name of Anchors without _at ("onset"); the old value stays in the timeline.
    virtual Result<Incident> set_anchor(
        const IncidentId& id, const std::string& anchor, Instant at, const By& by
    ) = 0;
    virtual Result<Incident> merge(const IncidentId& id, const IncidentId& into, const By& by) = 0;
    /// Moves along the allowed edges only; InvalidArgument names the states that are allowed.
    /// Covers resolve, close, false_positive, cancelled, reopen, and the steps between.
    virtual Result<Incident> move(const IncidentId& id, IncidentState to, const By& by) = 0;
    /// For notify/ and later rooms: an entry of theirs on the incident's timeline.
    virtual Result<Incident> record(
        const IncidentId& id, const std::string& kind, const std::string& text, const By& by
    ) = 0;

    [[nodiscard]] virtual Result<Incident> get(const IncidentId& id) const = 0;
    [[nodiscard]] virtual std::vector<Incident> list(const Filter& filter) const = 0;
};

}  // namespace tagout::incident
