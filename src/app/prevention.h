// Step five of the runbook, put together: cases, reviews, actions and the gate, and what they mean to
// incidents.
//
//   a case made, an action added or closed  -> a line on the incident's timeline
//   an action overdue                        -> a line, a warning in the log, and `overdue` is told
//   a review published                       -> a line, and a resolved incident moves to review
//
// Thread-safe.
#pragma once

#include "app/gate_facts.h"
#include "journal/evidence_log.h"
#include "journal/journal.h"

#include <functional>
#include <memory>

namespace tagout::app {

struct PreventionParts {
    journal::Journal& journal;
    const Clock& clock;
    incident::Desk& desk;
    journal::EvidenceLog& evidence;
    GateSources gate;
    /// What releases say was in force when an incident began; may be empty.
    std::function<prevent::VersionsInForce(const incident::Incident&)> released = {};
    /// Called once for each action whose due date passed; may be empty.
    std::function<void(const prevent::Action&)> overdue = {};
};

class Prevention {
public:
    explicit Prevention(PreventionParts parts);

    /// Folds the journal; after the incident desk's.
    Result<void> rebuild();
    /// Once a second: actions that became overdue.
    void tick();

    /// For the API.
    [[nodiscard]] server::PreventDesks desks();
    [[nodiscard]] prevent::Actions& actions() noexcept { return *actions_; }
    [[nodiscard]] prevent::Reviews& reviews() noexcept { return *reviews_; }
    [[nodiscard]] prevent::RegressionBook& regressions() noexcept { return *regressions_; }

private:
    void record(
        const IncidentId& incident, const char* kind, const std::string& text, const incident::By& by
    );
    void tell(const prevent::ActionChange& change);
    void tell(const prevent::ReviewChange& change);
    [[nodiscard]] bool has_evidence(const IncidentId& incident) const;

    const PreventionParts parts_;
    std::unique_ptr<prevent::Actions> actions_;
    std::unique_ptr<prevent::Reviews> reviews_;
    std::unique_ptr<prevent::RegressionBook> regressions_;
};

}  // namespace tagout::app
