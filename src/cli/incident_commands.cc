#include "cli/commands.h"
#include "cli/json_text.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::cli {

namespace {

namespace json = boost::json;

Tone tone_of_severity(std::string_view severity) {
    return severity == "SEV1" ? Tone::Red : severity == "SEV2" ? Tone::Yellow : Tone::Plain;
}

std::string owner_of(const json::value& incident) {
    const std::string team = field(incident, "owner.team");
    return team.empty() ? "unowned" : team;
}

std::string query_of(const ListOptions& options) {
    std::string query = "?limit=" + std::to_string(options.limit);
    const auto add = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) {
            query += "&" + std::string(name) + "=" + url_encode(value);
        }
    };
    add("state", options.state);
    add("class", options.failure_class);
    add("severity", options.severity);
    add("kind", options.kind);
    add("text", options.text);
    return query;
}

void print_row(const std::string& name, const std::string& value, Terminal& terminal) {
    if (!value.empty()) {
        terminal.line(terminal.toned(name, Tone::Dim) + std::string(14 - name.size(), ' ') + value);
    }
}

/// How the sessions ended that its leading finding is about, and why, in the finding's words.
std::string outcome_text(const json::value& incident) {
    for (const json::value& finding : array_at(incident, "findings")) {
        const std::string reason = field(finding, "outcome_reason");
        if (field(finding, "explained_by").empty() && !reason.empty()) {
            return field(finding, "outcome") + ": " + reason;
        }
    }
    return "";
}

void print_facts(const json::value& incident, Terminal& terminal) {
    const std::string severity = field(incident, "severity");
    terminal.line(
        terminal.toned(field(incident, "id"), Tone::Bold) + "  " +
        terminal.toned(severity, tone_of_severity(severity)) + "  " + field(incident, "state") +
        "  " + field(incident, "class")
    );
    terminal.line(field(incident, "title"));
    terminal.line("");
    print_row("owner", owner_of(incident), terminal);
    print_row("contact", field(incident, "owner.contact"), terminal);
    print_row("assignee", field(incident, "assignee"), terminal);
    print_row("agent", field(incident, "agent"), terminal);
    print_row("workflow", field(incident, "workflow"), terminal);
    print_row("tool", field(incident, "tool"), terminal);
    print_row("cause", field(incident, "cause"), terminal);
    print_row("severity by", field(incident, "severity_reason"), terminal);
    print_row(
        "impact",
        field(incident, "impact.failed_sessions") + " of " + field(incident, "impact.sessions") +
            " sessions failed, " + field(incident, "impact.writes") + " writes, " +
            field(incident, "impact.tokens") + " tokens",
        terminal
    );
    print_row("outcome", outcome_text(incident), terminal);
    print_row("onset", field(incident, "anchors.onset_at"), terminal);
    print_row("acked by", field(incident, "acked_by"), terminal);
    print_row("merged into", field(incident, "merged_into"), terminal);
    print_row("recurs", field(incident, "recurrence_of"), terminal);
    std::string moves;
    for (const json::value& move : array_at(incident, "moves")) {
        moves +=
            (moves.empty() ? "" : ", ") + std::string(move.is_string() ? move.as_string() : "");
    }
    print_row("may go to", moves, terminal);
}

void print_findings(const json::value& incident, Terminal& terminal) {
    const json::array& findings = array_at(incident, "findings");
    terminal.line("");
    terminal.line(terminal.toned(field(incident, "finding_count") + " findings", Tone::Bold));
    std::vector<std::vector<std::string>> rows;
    constexpr std::size_t shown_max = 10;
    for (std::size_t i = 0; i < findings.size() && i < shown_max; ++i) {
        const json::value& finding = findings[i];
        rows.push_back(
            {field(finding, "signal"),
             field(finding, "outcome"),
             field(finding, "correlation"),
             field(finding, "step"),
             field(finding, "evidence")}
        );
    }
    if (!rows.empty()) {
        terminal.line(
            table({"SIGNAL", "OUTCOME", "CORRELATION", "STEP", "EVIDENCE"}, rows, terminal.width())
        );
    }
}

void print_timeline(const json::value& incident, Terminal& terminal) {
    terminal.line("");
    terminal.line(terminal.toned("timeline", Tone::Bold));
    const std::string now = now_text();
    std::vector<std::vector<std::string>> rows;
    for (const json::value& entry : array_at(incident, "timeline")) {
        std::string text = field(entry, "text");
        if (const std::string reason = field(entry, "reason"); !reason.empty()) {
            text += " (" + reason + ")";
        }
        rows.push_back(
            {short_time(field(entry, "occurred_at"), now),
             field(entry, "source"),
             field(entry, "actor"),
             text}
        );
    }
    terminal.line(table({"AT", "SOURCE", "BY", "WHAT"}, rows, terminal.width()));
}

void print_summary_rows(const json::array& incidents, Terminal& terminal) {
    const std::string now = now_text();
    std::vector<std::vector<std::string>> rows;
    for (const json::value& incident : incidents) {
        const std::string severity = field(incident, "severity");
        const std::string onset = field(incident, "anchors.onset_at");
        rows.push_back(
            {field(incident, "id"),
             terminal.toned(severity, tone_of_severity(severity)),
             field(incident, "state"),
             field(incident, "class"),
             owner_of(incident),
             short_time(onset.empty() ? field(incident, "anchors.declared_at") : onset, now),
             field(incident, "title")}
        );
    }
    terminal.line(
        table({"ID", "SEV", "STATE", "CLASS", "OWNER", "SINCE", "WHAT"}, rows, terminal.width())
    );
}

}  // namespace

Result<int> list_incidents(const Common& common, const ListOptions& options, Terminal& terminal) {
    ApiClient api(connection(common.connection));
    const std::string body = TAGOUT_TRY(api.get("/v1/incidents" + query_of(options)));
    const json::value answer = TAGOUT_TRY(parse_answer(body));
    if (common.format != Format::Table) {
        terminal.line(rendered(answer, common.format));
        return 0;
    }
    const json::array& incidents = array_at(answer, "incidents");
    if (incidents.empty()) {
        terminal.line(
            options.state.empty() ? "no open incidents (--state all shows the others)"
                                  : "no such incidents"
        );
        return 0;
    }
    print_summary_rows(incidents, terminal);
    return 0;
}

Result<int> show_incident(const Common& common, const std::string& id, Terminal& terminal) {
    ApiClient api(connection(common.connection));
    const std::string body = TAGOUT_TRY(api.get("/v1/incidents/" + url_encode(id)));
    const json::value incident = TAGOUT_TRY(parse_answer(body));
    if (common.format != Format::Table) {
        terminal.line(rendered(incident, common.format));
        return 0;
    }
    print_facts(incident, terminal);
    print_findings(incident, terminal);
    print_timeline(incident, terminal);
    return 0;
}

Result<int> change_incident(
    const Common& common, const ChangeOptions& options, Terminal& terminal
) {
    json::object body;
    for (const auto& [name, value] : options.members) {
        if (!value.empty()) {
            body[name] = value;
        }
    }
    const std::string path = options.id.empty()
                                 ? "/v1/incidents"
                                 : "/v1/incidents/" + url_encode(options.id) + "/" + options.verb;
    if (common.dry_run) {
        terminal.line("would POST " + path + " " + json::serialize(body));
        return 0;
    }
    ApiClient api(connection(common.connection));
    const std::string text = TAGOUT_TRY(api.post(path, json::serialize(body)));
    const json::value incident = TAGOUT_TRY(parse_answer(text));
    if (common.format != Format::Table) {
        terminal.line(rendered(incident, common.format));
        return 0;
    }
    print_summary_rows(json::array{incident}, terminal);
    return 0;
}

Result<int> list_agents(const Common& common, Terminal& terminal) {
    ApiClient api(connection(common.connection));
    const std::string body = TAGOUT_TRY(api.get("/v1/agents"));
    const json::value answer = TAGOUT_TRY(parse_answer(body));
    if (common.format != Format::Table) {
        terminal.line(rendered(answer, common.format));
        return 0;
    }
    const auto joined = [](const json::array& values, std::string_view name) {
        std::string text;
        for (const json::value& value : values) {
            text += (text.empty() ? "" : ", ") +
                    (name.empty() ? std::string(value.is_string() ? value.as_string() : "")
                                  : field(value, name));
        }
        return text;
    };
    // Calls that no gateway saw: what a stop does not reach.
    const auto unseen_of = [](const json::value& agent) {
        const std::string calls = field(agent, "calls_last_hour");
        return calls == "0" ? std::string() : field(agent, "unseen_last_hour") + " of " + calls;
    };
    std::vector<std::vector<std::string>> rows;
    for (const json::value& agent : array_at(answer, "agents")) {
        rows.push_back(
            {field(agent, "name"),
             owner_of(agent),
             field(agent, "sessions_last_hour"),
             field(agent, "failed_last_hour"),
             unseen_of(agent),
             joined(array_at(agent, "workflows"), ""),
             joined(array_at(agent, "tools"), "name")}
        );
    }
    terminal.line(table(
        {"AGENT", "OWNER", "SESSIONS/H", "FAILED/H", "UNSEEN/H", "WORKFLOWS", "TOOLS"},
        rows,
        terminal.width()
    ));
    return 0;
}

Result<int> show_now(const Common& common, Terminal& terminal) {
    ApiClient api(connection(common.connection));
    const std::string body = TAGOUT_TRY(api.get("/v1/now"));
    const json::value now = TAGOUT_TRY(parse_answer(body));
    if (common.format != Format::Table) {
        terminal.line(rendered(now, common.format));
        return 0;
    }
    terminal.line(terminal.toned(field(now, "sentence"), Tone::Bold));
    if (const json::array& incidents = array_at(now, "incidents"); !incidents.empty()) {
        print_summary_rows(incidents, terminal);
    }
    terminal.line(
        "intake " + field(now, "intake.items_per_second") + " items/s, " +
        field(now, "intake.items_total") + " in all; sessions live " + field(now, "sessions.live") +
        ", last hour " + field(now, "sessions.succeeded") + " succeeded, " +
        field(now, "sessions.failed") + " failed"
    );
    return 0;
}

Result<int> list_notices(const Common& common, const std::string& incident, Terminal& terminal) {
    ApiClient api(connection(common.connection));
    const std::string query = incident.empty() ? "" : "?incident=" + url_encode(incident);
    const std::string body = TAGOUT_TRY(api.get("/v1/notices" + query));
    const json::value answer = TAGOUT_TRY(parse_answer(body));
    if (common.format != Format::Table) {
        terminal.line(rendered(answer, common.format));
        return 0;
    }
    const std::string now = now_text();
    std::vector<std::vector<std::string>> rows;
    for (const json::value& notice : array_at(answer, "notices")) {
        rows.push_back(
            {short_time(field(notice, "created_at"), now),
             field(notice, "incident"),
             field(notice, "event"),
             field(notice, "channel"),
             field(notice, "state"),
             field(notice, "attempts"),
             field(notice, "last_error")}
        );
    }
    terminal.line(table(
        {"AT", "INCIDENT", "EVENT", "CHANNEL", "STATE", "TRIES", "ERROR"}, rows, terminal.width()
    ));
    return 0;
}

Result<int> test_notice(const Common& common, const std::string& channel, Terminal& terminal) {
    const std::string request = json::serialize(json::object{{"channel", channel}});
    if (common.dry_run) {
        terminal.line("would POST /v1/notices/test " + request);
        return 0;
    }
    ApiClient api(connection(common.connection));
    const std::string body = TAGOUT_TRY(api.post("/v1/notices/test", request));
    const json::value notice = TAGOUT_TRY(parse_answer(body));
    if (common.format != Format::Table) {
        terminal.line(rendered(notice, common.format));
    } else {
        const std::string why = field(notice, "last_error");
        terminal.line(channel + ": " + field(notice, "state") + (why.empty() ? "" : ": " + why));
    }
    return field(notice, "state") == "delivered" ? 0 : 1;
}

}  // namespace tagout::cli
