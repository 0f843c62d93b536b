#include "incident/incident_json.h"

#include "incident/transitions.h"

#include <boost/json.hpp>

namespace tagout::incident {

namespace {

namespace json = boost::json;

void put(json::object& to, std::string_view name, std::string_view text) {
    if (!text.empty()) {
        to[name] = text;
    }
}

void put(json::object& to, std::string_view name, const std::optional<Instant>& at) {
    if (at) {
        to[name] = to_rfc3339(*at);
    }
}

json::object owner_tree(const Owner& owner) {
    json::object out;
    put(out, "team", owner.team);
    put(out, "contact", owner.contact);
    put(out, "channel", owner.channel);
    put(out, "rule", owner.rule);
    return out;
}

json::object anchors_tree(const Anchors& anchors) {
    json::object out;
    put(out, "onset_at", anchors.onset_at);
    put(out, "signal_at", anchors.signal_at);
    put(out, "triage_at", anchors.triage_at);
    put(out, "declared_at", anchors.declared_at);
    put(out, "paged_at", anchors.paged_at);
    put(out, "acked_at", anchors.acked_at);
    put(out, "contain_requested_at", anchors.contain_requested_at);
    put(out, "contained_at", anchors.contained_at);
    put(out, "recovery_started_at", anchors.recovery_started_at);
    put(out, "recovered_at", anchors.recovered_at);
    put(out, "verified_at", anchors.verified_at);
    put(out, "impact_ended_at", anchors.impact_ended_at);
    put(out, "resolved_at", anchors.resolved_at);
    put(out, "review_published_at", anchors.review_published_at);
    put(out, "closed_at", anchors.closed_at);
    return out;
}

json::object impact_tree(const Impact& impact) {
    return {
        {"sessions", impact.sessions},
        {"failed_sessions", impact.failed_sessions},
        {"users", impact.users},
        {"writes", impact.writes},
        {"tokens", impact.tokens},
        {"cost_usd", impact.cost_usd},
    };
}

json::object entry_tree(const TimelineEntry& entry) {
    json::object out{
        {"sequence", entry.sequence},
        {"occurred_at", to_rfc3339(entry.occurred_at)},
        {"recorded_at", to_rfc3339(entry.recorded_at)},
        {"kind", entry.kind},
        {"source", entry.source},
        {"actor", entry.actor.text()},
        {"text", entry.text},
    };
    put(out, "reason", entry.reason);
    put(out, "evidence", entry.evidence);
    return out;
}

std::string text_at(const json::object& tree, std::string_view name) {
    const json::value* const value = tree.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

double number_at(const json::object& tree, std::string_view name) {
    const json::value* const value = tree.if_contains(name);
    if (value == nullptr || !value->is_number()) {
        return 0;
    }
    return value->is_double()  ? value->as_double()
           : value->is_int64() ? static_cast<double>(value->as_int64())
                               : static_cast<double>(value->as_uint64());
}

bool flag_at(const json::object& tree, std::string_view name) {
    const json::value* const value = tree.if_contains(name);
    return value != nullptr && value->is_bool() && value->as_bool();
}

}  // namespace

json::object tree_of(const Finding& finding) {
    json::object out{
        {"id", finding.id},
        {"class", name_of(finding.failure_class)},
        {"signal", finding.signal},
        {"rate", finding.rate},
        {"correlation", finding.correlation.text()},
        {"step", finding.step},
        {"cause", finding.cause},
        {"seen_at", to_rfc3339(finding.seen_at)},
        {"score", finding.score},
        {"observed", finding.observed},
        {"threshold", finding.threshold},
        {"unit", finding.unit},
        {"evidence", finding.evidence},
        {"outcome", name_of(finding.outcome)},
        {"write_completed", finding.write_completed},
        {"sessions", finding.sessions},
        {"users", finding.users.count()},
        {"tokens", finding.tokens},
        {"cost_usd", finding.cost_usd},
    };
    put(out, "trace_id", finding.trace_id);
    put(out, "span_id", finding.span_id);
    put(out, "agent", finding.agent.text());
    put(out, "workflow", finding.workflow.text());
    put(out, "tool", finding.tool.text());
    put(out, "model", finding.model);
    put(out, "service", finding.service);
    put(out, "environment", finding.environment);
    put(out, "prompt_version", finding.prompt_version);
    put(out, "outcome_reason", finding.outcome_reason);
    put(out, "explained_by", finding.explained_by);
    return out;
}

Finding finding_of(const json::object& tree) {
    Finding finding;
    finding.id = text_at(tree, "id");
    finding.failure_class =
        parse_failure_class(text_at(tree, "class")).value_or(FailureClass::Intent);
    finding.signal = text_at(tree, "signal");
    finding.rate = flag_at(tree, "rate");
    finding.correlation = CorrelationId(text_at(tree, "correlation"));
    finding.trace_id = text_at(tree, "trace_id");
    finding.span_id = text_at(tree, "span_id");
    finding.step = static_cast<std::uint32_t>(number_at(tree, "step"));
    finding.agent = AgentName(text_at(tree, "agent"));
    finding.workflow = WorkflowName(text_at(tree, "workflow"));
    finding.tool = ToolName(text_at(tree, "tool"));
    finding.model = text_at(tree, "model");
    finding.service = text_at(tree, "service");
    finding.environment = text_at(tree, "environment");
    finding.prompt_version = text_at(tree, "prompt_version");
    finding.cause = text_at(tree, "cause");
    finding.seen_at = parse_rfc3339(text_at(tree, "seen_at")).value_or(Instant{});
    finding.score = number_at(tree, "score");
    finding.observed = number_at(tree, "observed");
    finding.threshold = number_at(tree, "threshold");
    finding.unit = text_at(tree, "unit");
    finding.evidence = text_at(tree, "evidence");
    finding.outcome =
        parse_session_outcome(text_at(tree, "outcome")).value_or(SessionOutcome::Unknown);
    finding.outcome_reason = text_at(tree, "outcome_reason");
    finding.explained_by = text_at(tree, "explained_by");
    finding.write_completed = flag_at(tree, "write_completed");
    finding.sessions = static_cast<std::uint64_t>(number_at(tree, "sessions"));
    finding.tokens = static_cast<std::int64_t>(number_at(tree, "tokens"));
    finding.cost_usd = number_at(tree, "cost_usd");
    return finding;
}

json::object tree_of(const Incident& incident, Detail detail) {
    json::array signals;
    for (const std::string& signal : incident.signals) {
        signals.push_back(json::string(signal));
    }
    json::object out{
        {"id", incident.id.text()},
        {"revision", incident.revision},
        {"title", incident.title},
        {"class", name_of(incident.failure_class)},
        {"kind", name_of(incident.kind)},
        {"state", name_of(incident.state)},
        {"severity", name_of(incident.severity)},
        {"owner", owner_tree(incident.owner)},
        {"anchors", anchors_tree(incident.anchors)},
        {"impact", impact_tree(incident.impact)},
        {"signals", std::move(signals)},
        {"finding_count", incident.finding_count},
        {"last_finding_at", to_rfc3339(incident.last_finding_at)},
    };
    put(out, "severity_reason", incident.severity_reason);
    put(out, "cause", incident.cause);
    put(out, "agent", incident.agent.text());
    put(out, "workflow", incident.workflow.text());
    put(out, "tool", incident.tool.text());
    put(out, "service", incident.service);
    put(out, "environment", incident.environment);
    put(out, "assignee", incident.assignee);
    put(out, "acked_by", incident.acked_by);
    put(out, "merged_into", incident.merged_into.text());
    put(out, "recurrence_of", incident.recurrence_of.text());
    if (detail == Detail::Summary) {
        return out;
    }
    json::array findings;
    for (const Finding& finding : incident.findings) {
        findings.push_back(tree_of(finding));
    }
    json::array timeline;
    for (const TimelineEntry& entry : incident.timeline) {
        timeline.push_back(entry_tree(entry));
    }
    json::array moves;
    for (const IncidentState state : moves_from(incident.state)) {
        moves.push_back(json::string(name_of(state)));
    }
    out["findings"] = std::move(findings);
    out["timeline"] = std::move(timeline);
    out["moves"] = std::move(moves);
    return out;
}

std::string to_json(const Incident& incident, Detail detail) {
    return json::serialize(tree_of(incident, detail));
}

}  // namespace tagout::incident
