// The runbook's second half: from an incident to a proved stop, and back to normal.
//
//   incident -> playbooks -> controls -> proved: contained
//   rolled back: recovering (app/recovery, and here when a crash came between)
//   journeys passed since: verifying
//
// Level-triggered: each turn compares an incident with the controls, rollbacks and journeys that name
// it and does what is missing, so that a turn may be repeated, cut short by a crash, or lost; the next
// one goes on. What was done stands in the journal of the room that did it before the incident's
// timeline says so.
//
// Thread-safe at its borders; the work is done on one thread, in order.
#pragma once

#include "contain/controls.h"
#include "contain/playbook.h"
#include "incident/desk.h"
#include "recover/journeys.h"

#include <functional>
#include <memory>
#include <string>

namespace tagout::app {

struct ResponseParts {
    incident::Desk& desk;
    contain::Controls& controls;
    recover::Journeys& journeys;
    journal::Journal& journal;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
};

class Response {
public:
    explicit Response(const ResponseParts& parts);
    ~Response();
    Response(const Response&) = delete;
    Response& operator=(const Response&) = delete;

    /// Looks at every open incident once, then waits for what changes. Reads the journal for
    /// rollbacks whose incident was not told of them.
    Result<void> start();
    void stop();

    /// Somebody or something changed what belongs to this incident: it is looked at soon.
    void look_at(const IncidentId& id);
    /// Journeys ran, or a reload changed playbooks: every open incident is looked at.
    void look_at_all();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// What playbooks need to know of an incident.
[[nodiscard]] contain::IncidentFacts facts_of(const incident::Incident& incident);

}  // namespace tagout::app
