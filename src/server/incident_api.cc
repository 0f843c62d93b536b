#include "server/incident_api.h"

#include "incident/incident_json.h"
#include "server/body.h"

#include <boost/json.hpp>

#include <charconv>

namespace tagout::server {

namespace {

constexpr std::size_t reason_bytes_max = 2'000;
constexpr std::size_t actor_bytes_max = 200;
constexpr std::size_t name_bytes_max = 300;
constexpr std::size_t note_bytes_max = 10'000;
constexpr std::size_t incidents_max = 1'000;

constexpr std::string_view class_names = "intent, tool, context, safety, cost";
constexpr std::string_view severity_names = "SEV1, SEV2, SEV3";
constexpr std::string_view kind_names = "real, drill, chaos, backfilled";

incident::By read_by(Body& body, bool reason_required) {
    Actor actor = read_actor(body);
    return {std::move(actor), body.text("reason", reason_required, reason_bytes_max)};
}

std::unexpected<Error> unknown(
    std::string_view name, std::string_view value, std::string_view choices
) {
    return fail(
        ErrorCode::InvalidArgument,
        "'" + std::string(value.substr(0, 60)) + "' is no " + std::string(name) + "; use one of " +
            std::string(choices)
    );
}

Result<std::vector<IncidentState>> states_of(std::string_view list) {
    std::vector<IncidentState> states;
    if (list == "all") {
        for (int state = 1; state <= static_cast<int>(IncidentState::Cancelled); ++state) {
            states.push_back(static_cast<IncidentState>(state));
        }
        return states;
    }
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        const std::string_view name = list.substr(0, comma);
        const std::optional<IncidentState> state = parse_incident_state(name);
        if (!state) {
            return unknown(
                "state",
                name,
                "all, signal, triage, declared, contained, recovering, verifying, resolved, "
                "review, closed, "
                "false_positive, merged, cancelled"
            );
        }
        states.push_back(*state);
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    }
    return states;
}

Result<incident::Filter> filter_of(const net::ServerRequest& request) {
    incident::Filter filter;
    filter.states = TAGOUT_TRY(states_of(request.query("state")));
    if (const std::string name = request.query("class"); !name.empty()) {
        filter.failure_class = parse_failure_class(name);
        if (!filter.failure_class) {
            return unknown("class", name, class_names);
        }
    }
    if (const std::string name = request.query("severity"); !name.empty()) {
        filter.severity = parse_severity(name);
        if (!filter.severity) {
            return unknown("severity", name, severity_names);
        }
    }
    if (const std::string name = request.query("kind"); !name.empty()) {
        filter.kind = parse_incident_kind(name);
        if (!filter.kind) {
            return unknown("kind", name, kind_names);
        }
    }
    filter.text = request.query("text").substr(0, 200);
    if (const std::string limit = request.query("limit"); !limit.empty()) {
        const auto [end, error] =
            std::from_chars(limit.data(), limit.data() + limit.size(), filter.limit);
        if (error != std::errc{} || end != limit.data() + limit.size() || filter.limit < 1 ||
            filter.limit > incidents_max) {
            return fail(ErrorCode::InvalidArgument, "'limit' must be a number from 1 to 1000");
        }
    }
    return filter;
}

std::string full(const incident::Incident& incident) {
    return incident::to_json(incident, incident::Detail::Full);
}

Result<std::string> declare(incident::Desk& desk, Body body) {
    incident::DeclareDraft draft;
    draft.title = body.text("title", true, name_bytes_max);
    const auto failure_class = body.choice("class", true, class_names, parse_failure_class);
    draft.severity = body.choice("severity", false, severity_names, parse_severity);
    const auto kind = body.choice("kind", false, kind_names, parse_incident_kind);
    draft.agent = AgentName(body.text("agent", false, name_bytes_max));
    draft.workflow = WorkflowName(body.text("workflow", false, name_bytes_max));
    draft.tool = ToolName(body.text("tool", false, name_bytes_max));
    draft.onset_at = body.time("onset_at", false);
    const incident::By by = read_by(body, true);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    draft.failure_class = *failure_class;
    draft.kind = kind.value_or(IncidentKind::Real);
    return full(TAGOUT_TRY(desk.declare(draft, by)));
}

/// Reads what every change has, then its own members with `read`, then lets `act` do it.
template <class Read, class Act>
Result<std::string> change(Body body, bool reason_required, Read read, Act act) {
    auto value = read(body);
    const incident::By by = read_by(body, reason_required);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    return full(TAGOUT_TRY(act(std::move(value), by)));
}

}  // namespace

Result<std::string> answer_incident_read(
    const incident::Desk& desk, const net::ServerRequest& request, std::string_view argument
) {
    if (!argument.empty()) {
        return full(TAGOUT_TRY(desk.get(IncidentId(argument))));
    }
    const incident::Filter filter = TAGOUT_TRY(filter_of(request));
    boost::json::array rows;
    for (const incident::Incident& each : desk.list(filter)) {
        rows.push_back(incident::tree_of(each, incident::Detail::Summary));
    }
    const std::size_t total = rows.size();
    return boost::json::serialize(boost::json::object{
        {"incidents", std::move(rows)}, {"total", total}});
}

Result<std::string> answer_incident_change(
    incident::Desk& desk, std::string_view operation, std::string_view argument,
    std::string_view text
) {
    using incident::By;
    Body body = TAGOUT_TRY(Body::parse(text.empty() ? "{}" : text));
    const IncidentId id{argument};
    const auto nothing = [](Body&) { return 0; };
    if (operation == "declareIncident") {
        return declare(desk, std::move(body));
    }
    if (operation == "confirmIncident") {
        return change(std::move(body), false, nothing, [&](int, const By& by) {
            return desk.confirm(id, by);
        });
    }
    if (operation == "ackIncident") {
        return change(std::move(body), false, nothing, [&](int, const By& by) {
            return desk.ack(id, by);
        });
    }
    if (operation == "addNote") {
        return change(
            std::move(body),
            false,
            [](Body& from) { return from.text("text", true, note_bytes_max); },
            [&](const std::string& note, const By& by) { return desk.note(id, note, by); }
        );
    }
    if (operation == "assignIncident") {
        return change(
            std::move(body),
            false,
            [](Body& from) { return from.text("to", true, actor_bytes_max); },
            [&](const std::string& to, const By& by) { return desk.assign(id, to, by); }
        );
    }
    if (operation == "setSeverity") {
        return change(
            std::move(body),
            true,
            [](Body& from) {
                return from.choice("severity", true, severity_names, parse_severity);
            },
            [&](std::optional<Severity> severity, const By& by) {
                return desk.set_severity(id, *severity, by);
            }
        );
    }
    if (operation == "setAnchor") {
        return change(
            std::move(body),
            true,
            [](Body& from) {
                return std::pair(from.text("anchor", true, 40), from.time("at", true));
            },
            [&](const auto& anchor, const By& by) {
                return desk.set_anchor(id, anchor.first, *anchor.second, by);
            }
        );
    }
    if (operation == "mergeIncident") {
        return change(
            std::move(body),
            false,
            [](Body& from) { return from.text("into", true, 40); },
            [&](const std::string& into, const By& by) {
                return desk.merge(id, IncidentId(into), by);
            }
        );
    }
    return change(
        std::move(body),
        true,
        [](Body& from) {
            return from.choice("to", true, "the incident's moves", parse_incident_state);
        },
        [&](std::optional<IncidentState> to, const By& by) { return desk.move(id, *to, by); }
    );
}

}  // namespace tagout::server
