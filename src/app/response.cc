#include "app/response.h"

#include "app/crossings.h"
#include "base/log.h"
#include "base/mutex.h"
#include "incident/transitions.h"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <thread>
#include <vector>

namespace tagout::app {

namespace {

constexpr Duration retry_pause = std::chrono::seconds(1);

const Actor& program() {
    static const Actor actor("tagout");
    return actor;
}

bool stands_in(const incident::Incident& incident, std::string_view kind, std::string_view text) {
    return std::ranges::any_of(incident.timeline, [&](const incident::TimelineEntry& entry) {
        return entry.kind == kind && entry.text == text;
    });
}

/// Playbooks act on what has failed outcomes and is still somebody's work.
bool wants_containment(const incident::Incident& incident) {
    return incident::is_open(incident.state) && incident.state < IncidentState::Recovering;
}

std::string points_text(const contain::ControlView& view) {
    const contain::PointTally& tally = view.tally;
    return std::to_string(tally.reached) + "/" + std::to_string(tally.of) +
           (tally.of == 1 ? " point" : " points") +
           (tally.away == 0 ? "" : ", " + std::to_string(tally.away) + " not connected");
}

std::string milliseconds_text(Duration time) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    return std::to_string(micros / 1'000) + "." + std::to_string(micros % 1'000 / 100) + " ms";
}

std::string name_of_control(const contain::ControlView& view) {
    return std::string(name_of(view.control.mode)) + " " + to_text(view.control.scope) + " (" +
           view.control.id.text() + ")";
}

}  // namespace

contain::IncidentFacts facts_of(const incident::Incident& incident) {
    return {
        .id = incident.id,
        .failure_class = incident.failure_class,
        .severity = incident.severity,
        .agent = incident.agent,
        .workflow = incident.workflow,
        .tool = incident.tool,
    };
}

struct Response::State {
    explicit State(const ResponseParts& response_parts) : parts(response_parts) {}

    void run();
    /// Everything that is missing of one incident; an Error is tried again.
    Result<void> turn(const IncidentId& id);
    Result<void> follow_playbooks(const incident::Incident& incident);
    Result<void> enforce(const incident::Incident& incident, const contain::Proposal& proposal);
    Result<void> follow_controls(const incident::Incident& incident);
    Result<void> follow_control(
        const incident::Incident& incident, const contain::ControlView& view
    );
    /// Puts releases in stages back, where `why` says so.
    Result<void> follow_stages(
        const std::function<std::string(const contain::ControlView&)>& why
    );
    Result<void> follow_recovery(const incident::Incident& incident);
    Result<void> once(
        const incident::Incident& incident, std::string_view kind, std::string text,
        const incident::By& by
    );
    [[nodiscard]] std::vector<contain::ControlView> controls_of(const IncidentId& id) const;
    [[nodiscard]] bool journeys_hold(const incident::Incident& incident, Instant since) const;
    void queue_open_incidents();
    void note_rollback(const journal::JournalEntry& entry);

    const ResponseParts parts;
    std::map<IncidentId, incident::By> unheard_rollbacks;  ///< As of the start; read only after it.
    Mutex mutex;
    Condition changed;
    std::set<IncidentId> touched TAGOUT_GUARDED_BY(mutex);
    bool journeys_ran TAGOUT_GUARDED_BY(mutex) = true;  ///< Or may have, before this start.
    bool stopping TAGOUT_GUARDED_BY(mutex) = false;
    std::thread thread;
};

Response::Response(const ResponseParts& parts) : state_(std::make_unique<State>(parts)) {}
Response::~Response() {
    stop();
}

Result<void> Response::start() {
    TAGOUT_TRY(state_->parts.journal.read(1, [this](const journal::JournalEntry& entry) {
        state_->note_rollback(entry);
        return true;
    }));
    state_->queue_open_incidents();
    state_->thread = std::thread([this] { state_->run(); });
    return {};
}

void Response::State::note_rollback(const journal::JournalEntry& entry) {
    if (entry.draft.kind != "rollback.done") {
        return;
    }
    boost::system::error_code error;
    const boost::json::value body = boost::json::parse(entry.draft.body, error);
    const boost::json::value* const incident =
        !error && body.is_object() ? body.as_object().if_contains("incident") : nullptr;
    if (incident != nullptr && incident->is_string() && !incident->as_string().empty()) {
        unheard_rollbacks[IncidentId(std::string(incident->as_string()))] = {
            entry.draft.actor, entry.draft.reason};
    }
}

void Response::stop() {
    {
        const MutexLock lock(state_->mutex);
        state_->stopping = true;
        state_->changed.notify_all();
    }
    if (state_->thread.joinable()) {
        state_->thread.join();
    }
}

void Response::look_at(const IncidentId& id) {
    if (id.empty()) {
        return;
    }
    const MutexLock lock(state_->mutex);
    state_->touched.insert(id);
    state_->changed.notify_all();
}

void Response::look_at_all() {
    {
        const MutexLock lock(state_->mutex);
        state_->journeys_ran = true;
    }
    state_->queue_open_incidents();
}

void Response::State::queue_open_incidents() {
    incident::Filter filter;
    filter.states = {
        IncidentState::Triage,
        IncidentState::Declared,
        IncidentState::Contained,
        IncidentState::Recovering,
    };
    filter.limit = 10'000;
    const std::vector<incident::Incident> open = parts.desk.list(filter);
    const MutexLock lock(mutex);
    for (const incident::Incident& each : open) {
        touched.insert(each.id);
    }
    changed.notify_all();
}

void Response::State::run() {
    while (true) {
        std::set<IncidentId> ids;
        bool look_at_journeys = false;
        {
            const MutexLock lock(mutex);
            while (touched.empty() && !journeys_ran && !stopping) {
                changed.wait(mutex);
            }
            if (stopping) {
                return;  // What is left is found again at the next start.
            }
            ids.swap(touched);
            look_at_journeys = std::exchange(journeys_ran, false);
        }
        std::set<IncidentId> again;
        bool journeys_again = false;
        if (look_at_journeys) {
            const Result<void> done = follow_stages([this](const contain::ControlView& view) {
                return journey_against(view, *parts.catalog(), parts.journeys);
            });
            journeys_again = !done;
        }
        for (const IncidentId& id : ids) {
            if (const Result<void> done = turn(id); !done) {
                log::error(
                    "response_delayed", {{"incident", id.text()}, {"error", done.error().message}}
                );
                again.insert(id);
            }
        }
        if (!again.empty() || journeys_again) {
            const MutexLock lock(mutex);
            journeys_ran = journeys_ran || journeys_again;
            touched.merge(again);
            if (!stopping) {
                changed.wait_for(mutex, retry_pause);
            }
        }
    }
}

/// Errors that trying again cannot mend are told and passed over.
Result<void> settled(const Result<incident::Incident>& done, const IncidentId& id) {
    if (done) {
        return {};
    }
    if (done.error().code == ErrorCode::Unavailable) {
        return std::unexpected(done.error());
    }
    log::warn("response_refused", {{"incident", id.text()}, {"error", done.error().message}});
    return {};
}

Result<void> Response::State::once(
    const incident::Incident& incident, std::string_view kind, std::string text,
    const incident::By& by
) {
    if (stands_in(incident, kind, text)) {
        return {};
    }
    return settled(parts.desk.record(incident.id, std::string(kind), text, by), incident.id);
}

Result<void> Response::State::turn(const IncidentId& id) {
    Result<incident::Incident> incident = parts.desk.get(id);
    if (!incident) {
        return {};
    }
    if (wants_containment(*incident)) {
        TAGOUT_TRY(follow_playbooks(*incident));
    }
    TAGOUT_TRY(follow_stages([&](const contain::ControlView& view) {
        return finding_against(view, *parts.catalog(), *incident);
    }));
    TAGOUT_TRY(follow_controls(*incident));
    incident = parts.desk.get(id);
    if (incident) {
        TAGOUT_TRY(follow_recovery(*incident));
    }
    return {};
}

Result<void> Response::State::follow_playbooks(const incident::Incident& incident) {
    for (const contain::Proposal& proposal : contain::propose(facts_of(incident), *parts.catalog())) {
        if (proposal.draft && proposal.enforcement == catalog::Enforcement::Enforce) {
            TAGOUT_TRY(enforce(incident, proposal));
        } else {
            TAGOUT_TRY(once(
                incident, "containment.proposed", proposal.sentence,
                incident::By{program(), proposal.rule}
            ));
        }
    }
    return {};
}

Result<void> Response::State::enforce(
    const incident::Incident& incident, const contain::Proposal& proposal
) {
    const contain::ControlDraft& draft = *proposal.draft;
    for (const contain::ControlView& view : parts.controls.list(true)) {
        const Control& control = view.control;
        const bool same = control.scope == draft.scope && control.mode == draft.mode;
        if (control.incident == incident.id && (same || control.rule == proposal.rule)) {
            return {};  // Done before; a person may have released it since, and that stands.
        }
    }
    const Result<contain::ControlView> applied = parts.controls.apply(
        draft, contain::By{program(), incident.title + " (" + proposal.rule + ")"}
    );
    if (applied) {
        return once(
            incident, "containment.automatic", proposal.sentence,
            incident::By{program(), proposal.rule}
        );
    }
    if (applied.error().code == ErrorCode::Unavailable) {
        return std::unexpected(applied.error());
    }
    return once(
        incident, "containment.not_applied", applied.error().message,
        incident::By{program(), proposal.rule}
    );
}

std::vector<contain::ControlView> Response::State::controls_of(const IncidentId& id) const {
    std::vector<contain::ControlView> mine = parts.controls.list(true);
    std::erase_if(mine, [&](const contain::ControlView& view) {
        return view.control.incident != id;
    });
    std::ranges::reverse(mine);  // In the order in which they were applied.
    return mine;
}

Result<void> Response::State::follow_controls(const incident::Incident& incident) {
    bool contains = false;
    bool proved = true;
    std::string proof;
    for (const contain::ControlView& view : controls_of(incident.id)) {
        TAGOUT_TRY(follow_control(incident, view));
        if (view.control.mode == ControlMode::Observe ||
            view.state == contain::ControlState::Released) {
            continue;
        }
        contains = true;
        proved = proved && view.state == contain::ControlState::Proved;
        proof += (proof.empty() ? "" : "; ") + view.control.id.text() + " is in force at " +
                 points_text(view) + " and a probe was refused by it";
    }
    const bool waits = incident.state == IncidentState::Triage ||
                       incident.state == IncidentState::Declared;
    if (!contains || !proved || !waits) {
        return {};
    }
    return settled(
        parts.desk.move(incident.id, IncidentState::Contained, {program(), proof}), incident.id
    );
}

Result<void> Response::State::follow_control(
    const incident::Incident& incident, const contain::ControlView& view
) {
    const incident::By by{view.control.author, view.control.reason};
    const std::string name = name_of_control(view);
    TAGOUT_TRY(once(incident, "containment.applied", "Applied " + name, by));
    if (!incident.anchors.contain_requested_at && incident::is_open(incident.state)) {
        TAGOUT_TRY(settled(
            parts.desk.set_anchor(
                incident.id, "contain_requested", view.requested_at,
                {program(), view.control.id.text() + " was requested"}
            ),
            incident.id
        ));
    }
    if (view.time_to_effect) {
        TAGOUT_TRY(once(
            incident, "containment.acknowledged",
            view.control.id.text() + " took effect " + milliseconds_text(*view.time_to_effect) +
                " after it was requested",
            {program(), ""}
        ));
    }
    if (view.proved_at) {
        TAGOUT_TRY(once(
            incident, "containment.proved",
            view.control.id.text() + " is proved: a probe through each enforcement point was refused",
            {program(), ""}
        ));
    }
    if (view.state == contain::ControlState::Unproved) {
        TAGOUT_TRY(once(
            incident, "containment.unproved",
            view.control.id.text() + " is NOT proved: a probe passed or could not be sent",
            {program(), ""}
        ));
    }
    if (view.review != contain::Review::Ahead) {
        const bool passed = view.review == contain::Review::Passed;
        TAGOUT_TRY(once(
            incident, passed ? "containment.overdue" : "containment.due",
            name + (passed ? " stays in force past its review date " : " is to be looked at by ") +
                to_rfc3339(view.control.review_by),
            {program(), ""}
        ));
    }
    if (!view.release_requested_by.empty()) {
        TAGOUT_TRY(once(
            incident, "containment.release_requested", "Release of " + name + " is asked for",
            {view.release_requested_by, view.release_reason}
        ));
    }
    for (const contain::StageRow& stage : view.stages) {
        TAGOUT_TRY(once(
            incident, "containment.opened",
            name + " is open for " + contain::text_of(stage.opening) + " since " +
                to_rfc3339(stage.at),
            {stage.by.actor, stage.by.reason}
        ));
    }
    if (!view.put_back.empty()) {
        TAGOUT_TRY(once(
            incident, "containment.put_back",
            name + " was put back and is open for " + contain::text_of(view.control.opening) +
                " since " + to_rfc3339(*view.stage_since),
            {program(), view.put_back}
        ));
    }
    if (view.state == contain::ControlState::Released) {
        TAGOUT_TRY(once(
            incident, "containment.released", "Released " + name, {view.released_by, ""}
        ));
    }
    return {};
}

Result<void> Response::State::follow_stages(
    const std::function<std::string(const contain::ControlView&)>& why
) {
    for (const contain::ControlView& view : parts.controls.list(false)) {
        if (view.control.opening.is_shut()) {
            continue;
        }
        const std::string reason = why(view);
        if (reason.empty()) {
            continue;
        }
        const Result<contain::ControlView> back = parts.controls.put_back(
            view.control.id, {program(), reason.substr(0, contain::Controls::reason_bytes_max)}
        );
        log::warn(
            "release_put_back",
            {{"control", view.control.id.text()},
             {"why", reason},
             {"error", back ? std::string() : back.error().message}}
        );
        if (!back && back.error().code == ErrorCode::Unavailable) {
            return std::unexpected(back.error());
        }
    }
    return {};
}

bool Response::State::journeys_hold(const incident::Incident& incident, Instant since) const {
    if (!incident.tool.empty()) {
        return parts.journeys.passed_since(incident.tool.text(), since).holds();
    }
    bool any = false;
    for (const catalog::Agent& agent : parts.catalog()->contents().agents) {
        if (agent.name != incident.agent) {
            continue;
        }
        for (const ToolName& tool : agent.tools) {
            const recover::JourneyProof proof = parts.journeys.passed_since(tool.text(), since);
            if (proof.any() && !proof.holds()) {
                return false;
            }
            any = any || proof.holds();
        }
    }
    return any;
}

Result<void> Response::State::follow_recovery(const incident::Incident& incident) {
    if (!incident::is_open(incident.state)) {
        return {};
    }
    const auto rolled_back = unheard_rollbacks.find(incident.id);
    if (rolled_back != unheard_rollbacks.end() && incident.state < IncidentState::Recovering &&
        !incident.anchors.recovery_started_at) {
        return settled(
            parts.desk.move(incident.id, IncidentState::Recovering, rolled_back->second),
            incident.id
        );
    }
    const std::optional<Instant> since = incident.anchors.recovery_started_at;
    if (incident.state == IncidentState::Recovering && since && journeys_hold(incident, *since)) {
        return settled(
            parts.desk.move(
                incident.id, IncidentState::Verifying,
                {program(), "every journey that names what failed has passed since the rollback"}
            ),
            incident.id
        );
    }
    return {};
}

}  // namespace tagout::app
