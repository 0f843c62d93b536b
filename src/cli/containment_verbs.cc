#include "cli/containment_verbs.h"

#include "cli/json_text.h"
#include "cli/policy_verbs.h"

#include <boost/json.hpp>

#include <array>

namespace tagout::cli {

namespace {

namespace json = boost::json;

/// Red where something is claimed that was not seen to hold.
Tone tone_of(std::string_view state) {
    return state == "proved"                              ? Tone::Green
           : state == "unproved" || state == "requested"  ? Tone::Red
           : state == "released"                          ? Tone::Dim
                                                          : Tone::Yellow;
}

std::string joined(const json::array& texts) {
    std::string all;
    for (const json::value& text : texts) {
        all += (all.empty() ? "" : ", ") + std::string(text.is_string() ? text.as_string() : "");
    }
    return all;
}

/// "1/1" of the points enforce it.
std::string enforced_by(const json::value& control) {
    return field(control, "acknowledged.reached") + "/" + field(control, "acknowledged.of");
}

std::string effect_time(const json::value& control) {
    const std::string millis = field(control, "time_to_effect_ms");
    if (millis.empty()) {
        return "";
    }
    const json::value* const number = control.as_object().if_contains("time_to_effect_ms");
    std::array<char, 32> text{};
    const int length =
        std::snprintf(text.data(), text.size(), "%.1f ms", number->to_number<double>());
    return {text.data(), static_cast<std::size_t>(length)};
}

/// How far its release is, "" while nobody asked for it or it is over.
std::string stage_text(const json::value& control) {
    const std::string stage = field(control, "stage");
    if (stage.empty() || stage == "none" || stage == "all") {
        return "";
    }
    const std::string tenant = field(control, "stage_tenant");
    const std::string share = field(control, "stage_share");
    std::string passes = tenant.empty() ? "" : "tenant " + tenant;
    passes += share.empty() ? "" : (passes.empty() ? "" : " and ") + share + " % of the sessions";
    return stage + ": " + (passes.empty() ? "journeys alone pass" : passes + " pass") +
           ", since " + field(control, "stage_since");
}

Tone tone_of_review(std::string_view review) {
    return review == "passed" ? Tone::Red : review == "near" ? Tone::Yellow : Tone::Plain;
}

/// Its mode with what it lets pass, or where it leads: "budget 100 tokens/1h", "route to backup".
std::string mode_with_terms(const json::value& control) {
    const std::string target = field(control, "route_to");
    const std::string terms = field(control, "rate") + field(control, "budget") +
                              joined(array_at(control, "pin")) + joined(array_at(control, "redact")) +
                              (target.empty() ? "" : "to " + target);  // A mode has one of them.
    return field(control, "mode") + (terms.empty() ? "" : " " + terms);
}

/// Beside its state in a list: who passes already.
std::string short_stage(const json::value& control) {
    const std::string stage = field(control, "stage");
    return stage == "tenant"  ? ", open for " + field(control, "stage_tenant")
           : stage == "share" ? ", " + field(control, "stage_share") + " % open"
                              : "";
}

void print_rows(const json::array& controls, Terminal& terminal) {
    const std::string now = now_text();
    std::vector<std::vector<std::string>> rows;
    for (const json::value& control : controls) {
        const std::string state = field(control, "state");
        rows.push_back(
            {field(control, "id"),
             field(control, "scope"),
             mode_with_terms(control),
             terminal.toned(state, tone_of(state)) + short_stage(control),
             enforced_by(control),
             effect_time(control),
             short_time(field(control, "since"), now),
             state == "released" ? ""
                                 : terminal.toned(
                                       short_time(field(control, "review_by"), now) +
                                           (field(control, "review") == "passed" ? " PASSED" : ""),
                                       tone_of_review(field(control, "review"))
                                   ),
             field(control, "author"),
             field(control, "incident"),
             field(control, "reason")}
        );
    }
    terminal.line(table(
        {"ID", "SCOPE", "MODE", "STATE", "POINTS", "EFFECT", "SINCE", "REVIEW", "BY", "INCIDENT", "REASON"},
        rows,
        terminal.width()
    ));
}

void print_points(const json::value& answer, Terminal& terminal) {
    for (const json::value& point : array_at(answer, "points")) {
        if (const std::string error = field(point, "error"); !error.empty()) {
            terminal.line(terminal.toned(
                "point " + field(point, "name") +
                    (field(point, "connected") == "false" ? " is NOT CONNECTED: " : " is behind: ") +
                    error,
                Tone::Red
            ));
        }
    }
}

void render_list(const json::value& answer, Terminal& terminal) {
    const json::array& controls = array_at(answer, "controls");
    if (controls.empty()) {
        terminal.line("no controls in force (--state all shows those that were released)");
    } else {
        print_rows(controls, terminal);
    }
    print_points(answer, terminal);
}

void print_fact(std::string_view name, const std::string& value, Terminal& terminal) {
    if (!value.empty()) {
        terminal.line(
            terminal.toned(name, Tone::Dim) + std::string(16 - name.size(), ' ') + value
        );
    }
}

void print_point(const json::value& point, Terminal& terminal) {
    const std::string error = field(point, "error");
    const std::string at = field(point, "acknowledged_at");
    terminal.line(
        "point " + field(point, "point") + ": " +
        (at.empty() ? terminal.toned("not acknowledged", Tone::Red) : "enforces it since " + at) +
        (error.empty() ? "" : ", " + terminal.toned(error, Tone::Red))
    );
    const std::string roads = field(point, "roads");
    if (array_at(point, "probes").empty() && !field(point, "proved_at").empty() && roads != "0") {
        terminal.line("  refused on all " + roads + " roads");
    }
    for (const json::value& probe : array_at(point, "probes")) {
        terminal.line(
            "  probe " + field(probe, "road") + ": " +
            (field(probe, "reached") == "true" ? field(probe, "verdict") : "not reached") +
            (field(probe, "decided_by").empty() ? "" : " by " + field(probe, "decided_by")) + ", " +
            field(probe, "detail")
        );
    }
}

void render_one(const json::value& control, Terminal& terminal) {
    const std::string state = field(control, "state");
    terminal.line(
        terminal.toned(field(control, "id"), Tone::Bold) + "  " + field(control, "scope") + "  " +
        field(control, "mode") + "  " + terminal.toned(state, tone_of(state)) + "  enforced by " +
        enforced_by(control) + " points"
    );
    print_fact("reason", field(control, "reason"), terminal);
    print_fact("by", field(control, "author"), terminal);
    print_fact("rule", field(control, "rule"), terminal);
    print_fact("applied at", field(control, "origin"), terminal);
    print_fact("incident", field(control, "incident"), terminal);
    print_fact("route to", field(control, "route_to"), terminal);
    print_fact("rate", field(control, "rate"), terminal);
    print_fact("budget", field(control, "budget"), terminal);
    print_fact("counted by", field(control, "key"), terminal);
    print_fact("pins", joined(array_at(control, "pin")), terminal);
    print_fact("takes out", joined(array_at(control, "redact")), terminal);
    print_fact("of", field(control, "where"), terminal);
    print_fact("approver", field(control, "approver"), terminal);
    print_fact("requested", field(control, "requested_at"), terminal);
    print_fact("published", field(control, "published_at"), terminal);
    print_fact("acknowledged", field(control, "acknowledged_at"), terminal);
    print_fact("proved", field(control, "proved_at"), terminal);
    print_fact("time to effect", effect_time(control), terminal);
    const std::string review = field(control, "review");
    print_fact(
        "review by",
        terminal.toned(
            field(control, "review_by") + (review == "passed" ? " (passed; people were told)"
                                           : review == "near" ? " (near; people were told)"
                                                              : ""),
            tone_of_review(review)
        ),
        terminal
    );
    print_fact("stage", stage_text(control), terminal);
    if (const std::string back = field(control, "put_back"); !back.empty()) {
        print_fact("put back", terminal.toned(back, Tone::Red), terminal);
    }
    print_fact("release asked", field(control, "release_requested_by"), terminal);
    print_fact("released by", field(control, "released_by"), terminal);
    const std::string mode = field(control, "mode");
    const bool changes = mode == "redact" || mode == "route";
    print_fact(
        changes ? "calls changed" : "calls refused", field(control, "calls_refused"), terminal
    );
    for (const json::value& point : array_at(control, "points")) {
        print_point(point, terminal);
    }
}

int exit_of_probe(const json::value& control) {
    return field(control, "state") == "proved" ? 0 : 1;
}

void render_approvals(const json::value& answer, Terminal& terminal) {
    const json::array& waiting = array_at(answer, "approvals");
    if (waiting.empty()) {
        terminal.line("no calls wait for a person");
        return;
    }
    const std::string now = now_text();
    std::vector<std::vector<std::string>> rows;
    for (const json::value& each : waiting) {
        rows.push_back(
            {field(each, "id"),
             field(each, "tool"),
             field(each, "agent"),
             field(each, "control"),
             short_time(field(each, "expires_at"), now),
             field(each, "arguments")}
        );
    }
    terminal.line(
        table({"ID", "TOOL", "AGENT", "CONTROL", "UNTIL", "ARGUMENTS"}, rows, terminal.width())
    );
}

void render_approval(const json::value& approval, Terminal& terminal) {
    terminal.line(
        field(approval, "id") + " was answered: " + field(approval, "tool") + " " +
        field(approval, "arguments")
    );
}

void render_tools(const json::value& answer, Terminal& terminal) {
    const json::array& tools = array_at(answer, "tools");
    if (tools.empty()) {
        terminal.line("no tools: none was offered through the gateway, or none has changed");
        return;
    }
    constexpr std::size_t hash_shown = 12;
    const auto hash_of = [](const json::value& tool, const char* which) {
        const json::value* const definition = tool.as_object().if_contains(which);
        return definition == nullptr ? std::string("-")
                                     : field(*definition, "hash").substr(0, hash_shown);
    };
    std::vector<std::vector<std::string>> rows;
    for (const json::value& each : tools) {
        rows.push_back(
            {field(each, "server"), field(each, "tool"), field(each, "state"),
             hash_of(each, "pinned"), hash_of(each, "offered"), field(each, "pinned_by")}
        );
    }
    terminal.line(
        table({"SERVER", "TOOL", "STATE", "PINNED", "OFFERED", "BY"}, rows, terminal.width())
    );
}

void render_tool(const json::value& tool, Terminal& terminal) {
    terminal.line(
        field(tool, "server") + "." + field(tool, "tool") + " is " + field(tool, "state") + " by " +
        field(tool, "pinned_by") + ": " + field(tool.at("pinned"), "hash")
    );
}

const VerbArgument id_argument{"id", "The control, such as CTL-1", ArgumentKind::Text, true, true};
const VerbArgument scope_argument{
    "scope", "global, or KIND:NAME such as tool:payments.refund, agent:refund-*, tool_class:write",
    ArgumentKind::Text, true, true};
const VerbArgument incident_argument{"incident", "The incident that it belongs to"};
const VerbArgument review_argument{
    "review_by", "When somebody must look again, such as 2026-12-01T09:00:00Z"};
const VerbArgument approval_argument{
    "id", "The waiting call, such as APR-1", ArgumentKind::Text, true, true};

/// POST /v1/controls/{id}/{verb}
ApiVerb change(
    std::string_view name, std::string_view help, std::string_view path,
    std::vector<VerbArgument> more
) {
    std::vector<VerbArgument> arguments{id_argument, reason_argument, as_argument};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return {
        .name = name,
        .help = help,
        .method = "POST",
        .path = path,
        .arguments = std::move(arguments),
        .render = render_one};
}

}  // namespace

VerbGroup contain_verbs() {
    return {
        "contain",
        "Controls: what is closed, whether it holds, and who may open it again",
        {ApiVerb{
             .name = "list",
             .help = "Controls in force, and points that are behind",
             .method = "GET",
             .path = "/v1/controls",
             .arguments = {{"state", "in_force or all"}},
             .render = render_list,
             .at_gateway = true},
         ApiVerb{
             .name = "show",
             .help = "One control with its points and probes",
             .method = "GET",
             .path = "/v1/controls/{id}",
             .arguments = {id_argument},
             .render = render_one,
             .at_gateway = true},
         ApiVerb{
             .name = "stop",
             .help = "Stop it now: every call is denied, calls in flight are cancelled",
             .method = "POST",
             .path = "/v1/controls",
             .arguments = {scope_argument, reason_argument, as_argument, incident_argument,
                           review_argument},
             .fixed = {{"mode", "stopped"}},
             .render = render_one,
             .preview = "/v1/controls/backtest",
             .render_preview = render_backtest,
             .at_gateway = true},
         ApiVerb{
             .name = "set",
             .help = "Put it into a mode: observe, read_only, approvals, allowlist, stopped, route, "
                     "throttle, redact, budget, pin",
             .method = "POST",
             .path = "/v1/controls",
             .arguments =
                 {scope_argument,
                  {"mode",
                   "observe, read_only, approvals, allowlist, stopped, route, throttle, redact, budget or "
                   "pin",
                   ArgumentKind::Text, true},
                  reason_argument,
                  as_argument,
                  incident_argument,
                  review_argument,
                  {"allowed", "Tools that mode allowlist lets through", ArgumentKind::List},
                  {"route_to", "Of mode route: the workflow, or MODEL, UPSTREAM/MODEL or UPSTREAM/"},
                  {"rate", "Of mode throttle: calls and period, such as 20/1m"},
                  {"approver", "Of mode approvals: user lets the user at the MCP client say yes, too"},
                  {"redact", "Of mode redact: kinds, or re:PATTERN", ArgumentKind::List},
                  {"budget", "Of mode budget: such as '200000 tokens/1d' or '5 usd'"},
                  {"pin", "Of mode pin: such as prompts/support@v3", ArgumentKind::List},
                  {"key", "Of throttle and budget: count for each session, agent, user or tenant"}},
             .render = render_one,
             .preview = "/v1/controls/backtest",
             .render_preview = render_backtest,
             .at_gateway = true},
         ApiVerb{
             .name = "throttle",
             .help = "Let so many calls through in a period; one more is told when to come back",
             .method = "POST",
             .path = "/v1/controls",
             .arguments =
                 {scope_argument,
                  {"rate", "Calls and period, such as 20/1m", ArgumentKind::Text, true},
                  {"key", "Count for each session, agent, user, tenant or tool; all together without it"},
                  reason_argument,
                  as_argument,
                  incident_argument,
                  review_argument},
             .fixed = {{"mode", "throttle"}},
             .render = render_one,
             .preview = "/v1/controls/backtest",
             .render_preview = render_backtest,
             .at_gateway = true},
         ApiVerb{
             .name = "budget",
             .help = "Let so many tokens or dollars be spent at models; past that every call is denied",
             .method = "POST",
             .path = "/v1/controls",
             .arguments =
                 {scope_argument,
                  {"budget", "Such as '200000 tokens/1d' or '5 usd', which is for as long as it stands",
                   ArgumentKind::Text, true},
                  {"key", "Count for each session, agent, user or tenant; all together without it"},
                  reason_argument,
                  as_argument,
                  incident_argument,
                  review_argument},
             .fixed = {{"mode", "budget"}},
             .render = render_one,
             .at_gateway = true},
         ApiVerb{
             .name = "pin",
             .help = "Give whoever asks for a prompt or model route the version that is named",
             .method = "POST",
             .path = "/v1/controls",
             .arguments =
                 {scope_argument,
                  {"pin", "Such as prompts/support@v3 or model-routes/main@v2", ArgumentKind::List, true},
                  reason_argument,
                  as_argument,
                  incident_argument,
                  review_argument},
             .fixed = {{"mode", "pin"}},
             .render = render_one,
             .at_gateway = true},
         ApiVerb{
             .name = "redact",
             .help = "Take e-mail addresses, cards, secrets or patterns out of arguments and results",
             .method = "POST",
             .path = "/v1/controls",
             .arguments =
                 {scope_argument,
                  {"redact", "email, phone, card, iban, ssn, ip, secret, or re:PATTERN",
                   ArgumentKind::List, true},
                  {"where", "arguments, results or both (both without it)"},
                  reason_argument,
                  as_argument,
                  incident_argument,
                  review_argument},
             .fixed = {{"mode", "redact"}},
             .render = render_one,
             .preview = "/v1/controls/backtest",
             .render_preview = render_backtest,
             .at_gateway = true},
         ApiVerb{
             .name = "probe",
             .help = "Prove it again now; exit 1 unless every probe was refused",
             .method = "POST",
             .path = "/v1/controls/{id}/probe",
             .arguments = {id_argument, as_argument},
             .render = render_one,
             .exit_code = exit_of_probe,
             .at_gateway = true},
         change(
             "renew", "Move the time at which somebody must look again",
             "/v1/controls/{id}/renew",
             {{"review_by", "Such as 2026-12-01T09:00:00Z", ArgumentKind::Text, true}}
         ),
         change(
             "request-release", "Ask for its release; journeys pass it from now on",
             "/v1/controls/{id}/request-release", {}
         ),
         change(
             "release", "Release it as a second person, at once or a stage further",
             "/v1/controls/{id}/release",
             {{"stage", "tenant, share or all (all without it); shadow puts it back to journeys alone"},
              {"tenant", "Of stage tenant: whose calls pass"},
              {"share", "Of stage share: 1 to 99 percent of the sessions", ArgumentKind::Number},
              {"without_journeys", "Why it may be released although no journey names it"}}
         )}};
}

VerbGroup tool_verbs() {
    return {
        "tools",
        "Definitions of tools as they are pinned, and those that changed",
        {ApiVerb{
             .name = "list",
             .help = "Tools that the gateway saw offered; -o yaml shows their definitions",
             .method = "GET",
             .path = "/v1/tools",
             .arguments = {{"state", "all or changed"}},
             .render = render_tools},
         ApiVerb{
             .name = "approve",
             .help = "Pin the definition that a tool is offered with now",
             .method = "POST",
             .path = "/v1/tools/approve",
             .arguments =
                 {{"server", "The MCP server", ArgumentKind::Text, true, true},
                  {"tool", "The tool", ArgumentKind::Text, true, true},
                  {"hash", "Of the definition that you looked at; its first 12 digits do",
                   ArgumentKind::Text, true},
                  reason_argument, as_argument},
             .render = render_tool}}};
}

VerbGroup approval_verbs() {
    return {
        "approvals",
        "Calls that wait for a person",
        {ApiVerb{
             .name = "list",
             .help = "Calls that wait, oldest first",
             .method = "GET",
             .path = "/v1/approvals",
             .render = render_approvals},
         ApiVerb{
             .name = "approve",
             .help = "Let exactly this call pass, once",
             .method = "POST",
             .path = "/v1/approvals/{id}/approve",
             .arguments =
                 {approval_argument, {"reason", "Why"}, as_argument},
             .render = render_approval},
         ApiVerb{
             .name = "deny",
             .help = "Refuse exactly this call",
             .method = "POST",
             .path = "/v1/approvals/{id}/deny",
             .arguments =
                 {approval_argument, {"reason", "Why"}, as_argument},
             .render = render_approval}}};
}

}  // namespace tagout::cli
