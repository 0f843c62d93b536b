#include "incident/fold.h"

#include "incident/grade.h"
#include "incident/incident_json.h"
#include "incident/transitions.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace tagout::incident {

namespace {

namespace json = boost::json;

std::string text_at(const json::object& body, std::string_view name) {
    const json::value* const value = body.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::optional<Instant> time_at(const json::object& body, std::string_view name) {
    const Result<Instant> at = parse_rfc3339(text_at(body, name));
    return at ? std::optional(*at) : std::nullopt;
}

const json::object& object_at(const json::object& body, std::string_view name) {
    static const json::object none;
    const json::value* const value = body.if_contains(name);
    return value != nullptr && value->is_object() ? value->as_object() : none;
}

const json::array& array_at(const json::object& body, std::string_view name) {
    static const json::array none;
    const json::value* const value = body.if_contains(name);
    return value != nullptr && value->is_array() ? value->as_array() : none;
}

bool flag_at(const json::object& body, std::string_view name) {
    const json::value* const value = body.if_contains(name);
    return value != nullptr && value->is_bool() && value->as_bool();
}

Owner owner_of(const json::object& tree) {
    return {
        text_at(tree, "team"),
        text_at(tree, "contact"),
        text_at(tree, "channel"),
        text_at(tree, "rule")};
}

std::optional<JoinedFinding> joined_of(const json::value& row) {
    if (!row.is_array() || row.as_array().size() < 7) {
        return std::nullopt;
    }
    const json::array& fields = row.as_array();
    if (!fields[0].is_string() || !fields[1].is_string() || !fields[2].is_string() ||
        !fields[3].is_bool() || !fields[4].is_bool() || !fields[5].is_bool() ||
        !fields[6].is_number()) {
        return std::nullopt;
    }
    JoinedFinding joined;
    joined.id = fields[0].as_string();
    joined.known.correlation = fields[1].as_string();
    joined.known.outcome =
        parse_session_outcome(fields[2].as_string()).value_or(SessionOutcome::Unknown);
    joined.known.rate = fields[3].as_bool();
    joined.known.write_completed = fields[4].as_bool();
    joined.known.supports = fields[5].as_bool();
    joined.known.sessions = fields[6].to_number<std::uint64_t>();
    // Journals of before have rows that end here.
    if (fields.size() >= 10 && fields[7].is_string() && fields[8].is_number() &&
        fields[9].is_number()) {
        joined.known.users = distinct_count_of(fields[7].as_string());
        joined.known.tokens = fields[8].to_number<std::int64_t>();
        joined.known.cost_usd = fields[9].to_number<double>();
    }
    return joined;
}

std::string counted(std::uint64_t count, std::string_view what) {
    return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

constexpr std::chrono::minutes findings_line_for{1};

/// Which room a line is from, by the first word of its kind.
std::string_view source_of(std::string_view kind) {
    struct Row {
        std::string_view prefix;
        std::string_view source;
    };
    static constexpr Row rows[] = {
        {"notice.", "notice"},       {"containment.", "containment"}, {"version.", "change"},
        {"rollback.", "change"},     {"bundle.", "change"},           {"journey.", "verification"},
        {"evidence.", "verification"}, {"learning.", "change"},
    };
    for (const Row& row : rows) {
        if (kind.starts_with(row.prefix)) {
            return row.source;
        }
    }
    return kind.starts_with("incident.") ? "state" : "verification";
}

}  // namespace

std::uint64_t number_of(std::string_view id) noexcept {
    constexpr std::string_view prefix = "INC-";
    if (!id.starts_with(prefix) || id.size() > prefix.size() + 18) {
        return 0;
    }
    std::uint64_t number = 0;
    const auto [end, error] =
        std::from_chars(id.data() + prefix.size(), id.data() + id.size(), number);
    return error == std::errc{} && end == id.data() + id.size() ? number : 0;
}

/// One entry on its way into one incident.
struct Fold::Applying {
    Fold& fold;
    const journal::JournalEntry& entry;
    const json::object& body;
    Folded& folded;

    [[nodiscard]] Incident& incident() const { return folded.incident; }

    void tell(std::string_view source, std::string text, std::string evidence = {}) const {
        if (incident().timeline.size() >= timeline_max) {
            return;
        }
        if (incident().timeline.size() + 1 == timeline_max) {
            text = "The timeline is full: what follows stands in the journal only";
        }
        incident().timeline.push_back(TimelineEntry{
            entry.sequence,
            entry.draft.occurred_at,
            entry.recorded_at,
            entry.draft.kind,
            std::string(source),
            entry.draft.actor,
            std::move(text),
            entry.draft.reason,
            std::move(evidence)});
    }

    void opened() const {
        Incident& to = incident();
        to.id = IncidentId(entry.draft.subject);
        to.failure_class =
            parse_failure_class(text_at(body, "class")).value_or(FailureClass::Intent);
        to.kind = parse_incident_kind(text_at(body, "kind")).value_or(IncidentKind::Real);
        to.state = parse_incident_state(text_at(body, "state")).value_or(IncidentState::Signal);
        to.severity = parse_severity(text_at(body, "severity")).value_or(Severity::Sev3);
        to.severity_reason = text_at(body, "severity_reason");
        to.cause = text_at(body, "cause");
        to.agent = AgentName(text_at(body, "agent"));
        to.workflow = WorkflowName(text_at(body, "workflow"));
        to.tool = ToolName(text_at(body, "tool"));
        to.service = text_at(body, "service");
        to.environment = text_at(body, "environment");
        to.owner = owner_of(object_at(body, "owner"));
        to.recurrence_of = IncidentId(text_at(body, "recurrence_of"));
        const json::object& anchors = object_at(body, "anchors");
        for (const char* name :
             {"onset", "signal", "triage", "declared", "impact_ended", "resolved", "closed"}) {
            *anchor_named(to.anchors, name) = time_at(anchors, std::string(name) + "_at");
        }
        to.title = text_at(body, "title");
        folded.title_by_person = !to.title.empty();
        folded.severity_by_person = flag_at(body, "severity_by_person");
        tell(
            "state",
            "Opened as " + std::string(name_of(to.state)) + ", " +
                std::string(name_of(to.severity)) + ", class " +
                std::string(name_of(to.failure_class))
        );
        if (!to.recurrence_of.empty()) {
            tell("state", "Recurs: the same class, agent and cause as " + to.recurrence_of.text());
        }
    }

    void findings() const {
        Incident& to = incident();
        std::uint64_t fresh = 0;
        std::uint64_t newly_failed = 0;
        for (const json::value& row : array_at(body, "joined")) {
            std::optional<JoinedFinding> joined = joined_of(row);
            if (!joined) {
                ++fold.unreadable_;
                continue;
            }
            const bool failed = joined->known.outcome == SessionOutcome::Failed;
            const auto known = folded.known.find(joined->id);
            if (known == folded.known.end()) {
                ++fresh;
                newly_failed += failed ? 1 : 0;
                know(joined->id, std::move(joined->known));
            } else {
                newly_failed += failed && known->second.outcome != SessionOutcome::Failed ? 1 : 0;
                folded.tally.remove(known->second);
                folded.tally.add(joined->known);
                known->second = std::move(joined->known);
            }
        }
        see(time_at(body, "onset_at"), time_at(body, "last_at"));
        for (const json::value& signal : array_at(body, "signals")) {
            if (signal.is_string()) {
                see_signal(std::string(signal.as_string()));
            }
        }
        for (const json::value& tree : array_at(body, "findings")) {
            if (tree.is_object()) {
                Finding finding = finding_of(tree.as_object());
                if (const auto row = folded.known.find(finding.id); row != folded.known.end()) {
                    finding.users = row->second.users;  // stands in the rows alone
                }
                keep(std::move(finding));
            }
        }
        folded.tally.fill(to.impact, to.failure_class);
        retitle();
        if (fresh > 0 || newly_failed > 0) {
            tell_findings(fresh, newly_failed);
        }
        go_on(fresh);
    }

    void know(const std::string& id, KnownFinding known) const {
        ++incident().finding_count;
        if (folded.known.size() < findings_known_max) {
            fold.holder_[id] = number_of(incident().id.text());
            folded.tally.add(known);
            folded.known.emplace(id, std::move(known));
        }
    }

    void see(std::optional<Instant> onset, std::optional<Instant> last) const {
        Incident& to = incident();
        if (last) {
            to.last_finding_at = std::max(to.last_finding_at, *last);
        }
        if (onset && (!to.anchors.onset_at || *onset < *to.anchors.onset_at)) {
            to.anchors.onset_at = onset;
        }
    }

    void see_signal(const std::string& signal) const {
        std::vector<std::string>& signals = incident().signals;
        if (std::ranges::find(signals, signal) == signals.end()) {
            signals.push_back(signal);
        }
    }

    /// A new finding after a rule took the impact to have ended says that it has not.
    void go_on(std::uint64_t fresh) const {
        std::optional<Instant>& ended = incident().anchors.impact_ended_at;
        if (fresh > 0 && folded.quiet_by_rule && ended && is_open(incident().state) &&
            incident().last_finding_at > *ended) {
            ended.reset();
            folded.quiet_by_rule = false;
            tell("signal", "The impact goes on: a new finding after it seemed to have ended");
        }
    }

    void keep(Finding finding) const {
        Incident& to = incident();
        const auto same = std::ranges::find(to.findings, finding.id, &Finding::id);
        if (same != to.findings.end()) {
            *same = std::move(finding);
        } else if (to.findings.size() < findings_kept_max) {
            to.findings.push_back(std::move(finding));
        }
    }

    /// One line for the findings of a minute; the first of them gives signal and evidence.
    void tell_findings(std::uint64_t fresh, std::uint64_t failed) const {
        std::vector<TimelineEntry>& timeline = incident().timeline;
        const bool same_minute =
            folded.findings_line < timeline.size() &&
            entry.recorded_at - timeline[folded.findings_line].recorded_at < findings_line_for;
        folded.line_fresh = fresh + (same_minute ? folded.line_fresh : 0);
        folded.line_failed = failed + (same_minute ? folded.line_failed : 0);
        std::string text = counted(folded.line_fresh, "finding");
        if (folded.line_fresh == 0) {
            text = counted(folded.line_failed, "session") + " known to have failed";
        } else if (folded.line_failed > 0) {
            text += ", " + counted(folded.line_failed, "session") + " failed";
        }
        if (same_minute) {
            std::string& line = timeline[folded.findings_line].text;
            const std::size_t colon = line.find(": ");
            line = text + (colon == std::string::npos ? "" : line.substr(colon));
            return;
        }
        if (timeline.size() >= timeline_of_findings_max) {
            folded.findings_line = Folded::npos;
            return;  // The counts stay exact; only this line is not told.
        }
        const json::array& whole = array_at(body, "findings");
        const json::array& signals = array_at(body, "signals");
        std::string evidence;
        if (!whole.empty() && whole.front().is_object()) {
            const json::object& first = whole.front().as_object();
            text += ": " + text_at(first, "signal") + " - " + text_at(first, "evidence");
            evidence = "finding:" + text_at(first, "id");
        } else if (!signals.empty() && signals.front().is_string()) {
            text += ": " + std::string(signals.front().as_string());
        }
        tell("signal", std::move(text), std::move(evidence));
        folded.findings_line = timeline.size() - 1;
    }

    void retitle() const {
        if (!folded.title_by_person) {
            incident().title = title_of(incident());
        }
    }

    void state() const {
        const std::optional<IncidentState> to = parse_incident_state(text_at(body, "to"));
        if (!to) {
            ++fold.unreadable_;
            return;
        }
        const IncidentState from = incident().state;
        incident().state = *to;
        if (*to == IncidentState::Declared && from > IncidentState::Declared) {
            // Reopened: it is not over after all, so the times that say so are taken back.
            incident().anchors.resolved_at.reset();
            incident().anchors.impact_ended_at.reset();
            incident().anchors.closed_at.reset();
        }
        set_anchor_of(incident().anchors, *to, entry.draft.occurred_at);
        const std::string text = text_at(body, "text");
        tell(
            "state",
            text.empty() ? std::string(name_of(from)) + " to " + std::string(name_of(*to)) : text
        );
    }

    void severity() const {
        const std::optional<Severity> to = parse_severity(text_at(body, "to"));
        if (!to) {
            ++fold.unreadable_;
            return;
        }
        const std::string from(name_of(incident().severity));
        incident().severity = *to;
        incident().severity_reason = entry.draft.reason;
        folded.severity_by_person = folded.severity_by_person || flag_at(body, "by_person");
        folded.proposed.reset();
        tell("state", "Severity " + from + " to " + std::string(name_of(*to)));
    }

    void anchor() const {
        const std::string name = text_at(body, "anchor");
        std::optional<Instant>* const anchor = anchor_named(incident().anchors, name);
        const std::optional<Instant> at = time_at(body, "at");
        if (anchor == nullptr || !at) {
            ++fold.unreadable_;
            return;
        }
        const std::string was = *anchor ? to_rfc3339(**anchor) : "not set";
        *anchor = *at;
        if (anchor == &incident().anchors.impact_ended_at) {
            folded.quiet_by_rule = false;
        }
        retitle();
        tell("person", "Time of " + name + " set to " + to_rfc3339(*at) + " (was " + was + ")");
    }

    void merged() const {
        incident().merged_into = IncidentId(text_at(body, "into"));
        incident().state = IncidentState::Merged;
        tell("state", "Merged into " + incident().merged_into.text());
    }

    /// The other's findings count here from now on.
    void absorbed() const {
        const IncidentId from(text_at(body, "from"));
        if (const Folded* const other = fold.find(from); other != nullptr) {
            for (const auto& [id, known] : other->known) {
                if (!folded.known.contains(id)) {
                    know(id, known);
                }
            }
            for (const Finding& finding : other->incident.findings) {
                keep(finding);
            }
            for (const std::string& signal : other->incident.signals) {
                see_signal(signal);
            }
            see(other->incident.anchors.onset_at, other->incident.last_finding_at);
            folded.tally.fill(incident().impact, incident().failure_class);
            retitle();
        }
        tell("state", from.text() + " was merged into this");
    }

    void line() const {
        if (entry.draft.kind == "notice.told" && !incident().anchors.paged_at) {
            incident().anchors.paged_at = entry.draft.occurred_at;
        }
        if (entry.draft.kind == "incident.proposal") {
            folded.proposed = parse_severity(text_at(body, "severity"));
        }
        tell(source_of(entry.draft.kind), text_at(body, "text"));
    }

    /// False for an entry that is not the desk's business.
    [[nodiscard]] bool run() const {
        const std::string& kind = entry.draft.kind;
        if (kind == "incident.opened") {
            opened();
        } else if (kind == "incident.findings") {
            findings();
        } else if (kind == "incident.state") {
            state();
        } else if (kind == "incident.severity") {
            severity();
        } else if (kind == "incident.owner") {
            incident().owner = owner_of(body);
            tell(
                "state",
                "Owner is " +
                    (incident().owner.team.empty() ? std::string("nobody") : incident().owner.team)
            );
        } else if (kind == "incident.assigned") {
            incident().assignee = text_at(body, "to");
            tell("person", "Assigned to " + incident().assignee);
        } else if (kind == "incident.acked") {
            if (!incident().anchors.acked_at) {
                incident().anchors.acked_at = entry.draft.occurred_at;
                incident().acked_by = entry.draft.actor.text();
            }
            tell("person", "Acknowledged");
        } else if (kind == "incident.note") {
            tell("person", text_at(body, "text"));
        } else if (kind == "incident.anchor") {
            anchor();
        } else if (kind == "incident.merged") {
            merged();
        } else if (kind == "incident.absorbed") {
            absorbed();
        } else if (kind == "incident.quiet") {
            incident().anchors.impact_ended_at = time_at(body, "at");
            folded.quiet_by_rule = true;
            tell("signal", text_at(body, "text"));
        } else if (flag_at(body, "timeline")) {
            line();
        } else {
            return false;
        }
        return true;
    }
};

Folded* Fold::apply(const journal::JournalEntry& entry) {
    const std::uint64_t number = number_of(entry.draft.subject);
    const bool is_new = entry.draft.kind == "incident.opened";
    if (number == 0 || (!is_new && !incidents_.contains(number))) {
        return nullptr;
    }
    boost::system::error_code error;
    const json::value body = json::parse(entry.draft.body, error);
    if (error || !body.is_object()) {
        ++unreadable_;
        return nullptr;
    }
    Folded& folded = incidents_[number];
    if (!Applying{*this, entry, body.as_object(), folded}.run()) {
        return nullptr;
    }
    folded.incident.revision = entry.sequence;
    next_number_ = std::max(next_number_, number + 1);
    return &folded;
}

Folded* Fold::find(const IncidentId& id) {
    const auto found = incidents_.find(number_of(id.text()));
    return found == incidents_.end() ? nullptr : &found->second;
}

const Folded* Fold::find(const IncidentId& id) const {
    const auto found = incidents_.find(number_of(id.text()));
    return found == incidents_.end() ? nullptr : &found->second;
}

Folded* Fold::holder_of(const std::string& finding) {
    const auto found = holder_.find(finding);
    return found == holder_.end() ? nullptr : &incidents_.at(found->second);
}

}  // namespace tagout::incident
