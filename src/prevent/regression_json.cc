#include "catalog/catalog.h"
#include "prevent/json_read.h"
#include "prevent/regression.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tagout::prevent {

namespace {

namespace json = boost::json;

constexpr std::size_t json_depth_max = 64;

struct RoleName {
    intake::TurnRole role;
    std::string_view name;
};
constexpr std::array<RoleName, 4> role_names{{
    {intake::TurnRole::System, "system"},
    {intake::TurnRole::User, "user"},
    {intake::TurnRole::Assistant, "assistant"},
    {intake::TurnRole::Tool, "tool"},
}};

std::string_view name_of_role(intake::TurnRole role) {
    return std::ranges::find(role_names, role, &RoleName::role)->name;
}

json::object tree_of(const VersionsInForce& versions) {
    json::object out;
    put(out, "prompt", versions.prompt);
    put(out, "policy", versions.policy);
    put(out, "model_route", versions.model_route);
    return out;
}

VersionsInForce versions_of(const json::object& tree, std::string_view name) {
    const json::object* const versions = object_at(tree, name);
    return versions == nullptr ? VersionsInForce{}
                               : VersionsInForce{
                                     text_at(*versions, "prompt"),
                                     text_at(*versions, "policy"),
                                     text_at(*versions, "model_route")};
}

/// Arguments stand as JSON where they are JSON, so that a person can read and match them.
json::object tree_of(const intake::RecordedCall& call) {
    json::object out;
    put(out, "id", call.id);
    out["name"] = call.name;
    boost::system::error_code error;
    json::value arguments = json::parse(call.arguments, error);
    out["arguments"] = !error && arguments.is_object() ? std::move(arguments)
                                                       : json::value(json::string(call.arguments));
    return out;
}

json::object tree_of(const RecordedSession& session) {
    json::array turns;
    for (const intake::RecordedTurn& turn : session.run.turns) {
        json::object out{{"role", name_of_role(turn.role)}, {"content", turn.content}};
        put(out, "name", turn.name);
        if (!turn.tool_calls.empty()) {
            json::array calls;
            for (const intake::RecordedCall& call : turn.tool_calls) {
                calls.push_back(tree_of(call));
            }
            out["tool_calls"] = std::move(calls);
        }
        put(out, "tool_call_id", turn.tool_call_id);
        if (turn.error) {
            out["error"] = true;
        }
        turns.push_back(std::move(out));
    }
    return {
        {"id", session.run.id},
        {"source", session.run.source},
        {"agent", session.run.agent},
        {"task", session.run.task},
        {"outcome", name_of(session.outcome)},
        {"versions", tree_of(session.versions)},
        {"turns", std::move(turns)},
    };
}

json::object tree_of(const HarmfulCall& harmful) {
    json::object out{{"tool", harmful.tool}};
    put(out, "why", harmful.why);
    json::array arguments;
    for (const ArgumentMatcher& matcher : harmful.arguments) {
        json::object row{{"at", matcher.at}};
        switch (matcher.kind) {
            case ArgumentMatcher::Kind::Equals: {
                boost::system::error_code error;
                row["equals"] = json::parse(matcher.text, error);
                break;
            }
            case ArgumentMatcher::Kind::Matches:
                row["matches"] = matcher.text;
                break;
            case ArgumentMatcher::Kind::Above:
                row["above"] = matcher.number;
                break;
            case ArgumentMatcher::Kind::Below:
                row["below"] = matcher.number;
                break;
        }
        arguments.push_back(std::move(row));
    }
    if (!arguments.empty()) {
        out["arguments"] = std::move(arguments);
    }
    return out;
}

json::array texts_tree(const std::vector<std::string>& texts) {
    json::array out;
    for (const std::string& text : texts) {
        out.push_back(json::string(text));
    }
    return out;
}

std::unexpected<Error> wrong(const std::string& place, std::string_view remedy) {
    return fail(ErrorCode::InvalidArgument, place + ": " + std::string(remedy));
}

Result<void> only_known(
    const json::object& tree, const std::string& place, std::initializer_list<std::string_view> known
) {
    for (const auto& [name, value] : tree) {
        if (std::ranges::find(known, std::string_view(name)) == known.end()) {
            std::string names;
            for (const std::string_view each : known) {
                names += (names.empty() ? "" : ", ") + std::string(each);
            }
            return wrong(
                place, "'" + std::string(name).substr(0, 60) + "' is not known here; use " + names
            );
        }
    }
    return {};
}

Result<ArgumentMatcher> matcher_of(const json::value& value, const std::string& place) {
    if (!value.is_object()) {
        return wrong(place, "write an object such as {\"at\": \"/amount\", \"above\": 100}");
    }
    const json::object& tree = value.as_object();
    TAGOUT_TRY(only_known(tree, place, {"at", "equals", "matches", "above", "below"}));
    ArgumentMatcher matcher;
    matcher.at = text_at(tree, "at");
    if (matcher.at.empty() || matcher.at.front() != '/') {
        return wrong(place + ".at", "write a JSON pointer into the arguments, such as \"/amount\"");
    }
    if (tree.size() != 2) {
        return wrong(place, "write one of equals, matches, above and below beside at");
    }
    if (const json::value* const equals = tree.if_contains("equals")) {
        matcher.text = json::serialize(*equals);
        return matcher;
    }
    if (const json::value* const glob = tree.if_contains("matches")) {
        if (!glob->is_string()) {
            return wrong(place + ".matches", "write a glob as a text");
        }
        matcher.kind = ArgumentMatcher::Kind::Matches;
        matcher.text = std::string(glob->as_string());
        return matcher;
    }
    const bool above = tree.contains("above");
    const json::value& bound = tree.at(above ? "above" : "below");
    boost::system::error_code error;
    matcher.kind = above ? ArgumentMatcher::Kind::Above : ArgumentMatcher::Kind::Below;
    matcher.number = bound.is_number() ? bound.to_number<double>(error) : 0;
    if (!bound.is_number() || error) {
        return wrong(place + (above ? ".above" : ".below"), "write a number");
    }
    return matcher;
}

Result<HarmfulCall> harmful_of(const json::value& value, const std::string& place) {
    if (!value.is_object()) {
        return wrong(place, "write an object with a tool, such as {\"tool\": \"payments.refund\"}");
    }
    const json::object& tree = value.as_object();
    TAGOUT_TRY(only_known(tree, place, {"tool", "why", "arguments"}));
    HarmfulCall harmful{text_at(tree, "tool"), text_at(tree, "why"), {}};
    if (harmful.tool.empty() || harmful.tool.size() > 300) {
        return wrong(place + ".tool", "write the tool's name or a glob, at most 300 bytes");
    }
    if (const json::array* const rows = array_at(tree, "arguments")) {
        if (rows->size() > argument_matchers_max) {
            return wrong(place + ".arguments", "write at most 16 conditions");
        }
        for (const json::value& row : *rows) {
            const std::string at =
                place + ".arguments[" + std::to_string(harmful.arguments.size()) + "]";
            harmful.arguments.push_back(TAGOUT_TRY(matcher_of(row, at)));
        }
    } else if (tree.contains("arguments")) {
        return wrong(place + ".arguments", "write a list of conditions");
    }
    return harmful;
}

Result<MustNot> must_not_of(const json::object& tree) {
    TAGOUT_TRY(only_known(tree, "must_not", {"calls", "signals"}));
    MustNot must_not;
    if (const json::array* const rows = array_at(tree, "calls")) {
        if (rows->size() > harmful_calls_max) {
            return wrong("must_not.calls", "write at most 50 calls; a glob covers many");
        }
        for (const json::value& row : *rows) {
            const std::string at = "must_not.calls[" + std::to_string(must_not.calls.size()) + "]";
            must_not.calls.push_back(TAGOUT_TRY(harmful_of(row, at)));
        }
    } else if (tree.contains("calls")) {
        return wrong("must_not.calls", "write a list of calls");
    }
    if (const json::array* const names = array_at(tree, "signals")) {
        for (const json::value& name : *names) {
            if (!name.is_string() || must_not.signals.size() >= harmful_calls_max) {
                return wrong("must_not.signals", "write at most 50 names of signals");
            }
            must_not.signals.emplace_back(name.as_string());
        }
    } else if (tree.contains("signals")) {
        return wrong("must_not.signals", "write a list of names of signals");
    }
    return must_not;
}

Result<RecordedSession> session_of(const json::value& value, const std::string& place) {
    if (!value.is_object()) {
        return wrong(place, "write a recorded run as an object");
    }
    const json::object& tree = value.as_object();
    Result<intake::RecordedRun> run = intake::parse_recorded_run(json::serialize(tree));
    if (!run) {
        return wrong(place, run.error().message);
    }
    if (run->kind != intake::RecordKind::Run) {
        return wrong(place, "write a recorded run with id and turns");
    }
    return RecordedSession{
        std::move(*run),
        versions_of(tree, "versions"),
        parse_session_outcome(text_at(tree, "outcome")).value_or(SessionOutcome::Unknown)};
}

Result<RecordedTool> tool_of(const json::value& value, const std::string& place) {
    if (!value.is_object() || text_at(value.as_object(), "name").empty()) {
        return wrong(place, "write an object with the tool's name, effect and risk");
    }
    const json::object& tree = value.as_object();
    const std::optional<ToolEffect> effect = parse_tool_effect(text_at(tree, "effect"));
    const std::optional<ToolRisk> risk = parse_tool_risk(text_at(tree, "risk"));
    if (!effect || !risk) {
        return wrong(place, "effect is unknown, read, write or egress; risk is low or high");
    }
    return RecordedTool{text_at(tree, "name"), text_at(tree, "server"), *effect, *risk};
}

Result<json::value> whole_of(std::string_view text) {
    if (text.size() > case_file_bytes_max) {
        return fail(ErrorCode::LimitExceeded, "a case has at most 16 MiB");
    }
    json::parse_options options;
    options.max_depth = json_depth_max;
    boost::system::error_code error;
    json::value value = json::parse(text, error, {}, options);
    if (error || !value.is_object()) {
        return fail(
            ErrorCode::InvalidArgument,
            "not one JSON object" + (error ? ": " + error.message() : std::string())
        );
    }
    return value;
}

Result<void> read_lists(const json::object& tree, RegressionCase& out) {
    const json::array* const sessions = array_at(tree, "sessions");
    if (sessions == nullptr) {
        return wrong("sessions", "write a list of recorded runs");
    }
    for (const json::value& row : *sessions) {
        const std::string place = "sessions[" + std::to_string(out.sessions.size()) + "]";
        out.sessions.push_back(TAGOUT_TRY(session_of(row, place)));
    }
    if (const json::array* const tools = array_at(tree, "tools")) {
        for (const json::value& row : *tools) {
            const std::string place = "tools[" + std::to_string(out.tools.size()) + "]";
            out.tools.push_back(TAGOUT_TRY(tool_of(row, place)));
        }
    }
    if (const json::array* const signals = array_at(tree, "signals")) {
        for (const json::value& name : *signals) {
            if (name.is_string()) {
                out.signals.emplace_back(name.as_string());
            }
        }
    }
    const json::object* const must_not = object_at(tree, "must_not");
    if (must_not == nullptr) {
        return wrong("must_not", "write what must not happen again: {\"calls\": [...]}");
    }
    out.must_not = TAGOUT_TRY(must_not_of(*must_not));
    return {};
}

std::uint64_t count_at(const json::object& tree, std::string_view name) {
    const json::value* const value = tree.if_contains(name);
    boost::system::error_code error;
    return value != nullptr && value->is_number() ? value->to_number<std::uint64_t>(error) : 0;
}

}  // namespace

std::string to_json(const RegressionCase& regression) {
    json::array tools;
    for (const RecordedTool& tool : regression.tools) {
        json::object row{{"name", tool.name}, {"effect", name_of(tool.effect)}, {"risk", name_of(tool.risk)}};
        put(row, "server", tool.server);
        tools.push_back(std::move(row));
    }
    json::array sessions;
    for (const RecordedSession& session : regression.sessions) {
        sessions.push_back(tree_of(session));
    }
    json::array calls;
    for (const HarmfulCall& harmful : regression.must_not.calls) {
        calls.push_back(tree_of(harmful));
    }
    json::object out{
        {"format", case_format},
        {"id", regression.id},
        {"incident", regression.incident.text()},
        {"title", regression.title},
        {"class", name_of(regression.failure_class)},
        {"cause", regression.cause},
        {"agent", regression.agent.text()},
        {"created_at", to_rfc3339(regression.created_at)},
        {"created_by", regression.created_by.text()},
        {"signals", texts_tree(regression.signals)},
        {"versions", tree_of(regression.versions)},
        {"must_not",
         json::object{
             {"calls", std::move(calls)}, {"signals", texts_tree(regression.must_not.signals)}}},
        {"tools", std::move(tools)},
        {"sessions_left_out", regression.sessions_left_out},
        {"values_redacted", regression.values_redacted},
        {"sessions", std::move(sessions)},
    };
    put(out, "workflow", regression.workflow.text());
    put(out, "environment", regression.environment);
    put(out, "reason", regression.reason);
    return json::serialize(out);
}

Result<RegressionCase> parse_case(std::string_view text) {
    const json::value whole = TAGOUT_TRY(whole_of(text));
    const json::object& tree = whole.as_object();
    const std::string format = text_at(tree, "format");
    if (format != case_format) {
        return wrong(
            "format",
            format.empty() ? "this is no regression case; make one with tagout regressions create"
                           : "'" + format.substr(0, 60) + "' is not read by this program, which reads " +
                                 std::string(case_format)
        );
    }
    RegressionCase out;
    out.id = text_at(tree, "id");
    if (out.id.empty()) {
        return wrong("id", "write the case's id, such as REG-1");
    }
    const std::optional<FailureClass> failure_class = parse_failure_class(text_at(tree, "class"));
    if (!failure_class) {
        return wrong("class", "write intent, tool, context, safety or cost");
    }
    out.failure_class = *failure_class;
    out.incident = IncidentId(text_at(tree, "incident"));
    out.title = text_at(tree, "title");
    out.cause = text_at(tree, "cause");
    out.agent = AgentName(text_at(tree, "agent"));
    out.workflow = WorkflowName(text_at(tree, "workflow"));
    out.environment = text_at(tree, "environment");
    out.created_at = time_at(tree, "created_at").value_or(Instant{});
    out.created_by = Actor(text_at(tree, "created_by"));
    out.reason = text_at(tree, "reason");
    out.versions = versions_of(tree, "versions");
    out.sessions_left_out = count_at(tree, "sessions_left_out");
    out.values_redacted = count_at(tree, "values_redacted");
    TAGOUT_TRY(read_lists(tree, out));
    return out;
}

Result<MustNot> parse_must_not(std::string_view text) {
    const json::value whole = TAGOUT_TRY(whole_of(text));
    return must_not_of(whole.as_object());
}

}  // namespace tagout::prevent
