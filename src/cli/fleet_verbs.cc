#include "cli/fleet_verbs.h"

#include "cli/json_text.h"
#include "cli/token_table.h"

#include <boost/json.hpp>

#include <array>
#include <cstdio>

namespace tagout::cli {

namespace {

namespace json = boost::json;

std::string millis(const json::value& point, std::string_view which) {
    const json::value* const times = point.as_object().if_contains("time_to_effect_ms");
    if (times == nullptr || !times->is_object()) {
        return "";
    }
    const json::value* const count = times->as_object().if_contains("count");
    const json::value* const time = times->as_object().if_contains(which);
    if (count == nullptr || time == nullptr || count->to_number<double>() == 0) {
        return "-";
    }
    std::array<char, 32> text{};
    const int length = std::snprintf(text.data(), text.size(), "%.1f ms", time->to_number<double>());
    return {text.data(), static_cast<std::size_t>(length)};
}

void render_points(const json::value& answer, Terminal& terminal) {
    const json::array& points = array_at(answer, "points");
    if (points.empty()) {
        terminal.line("no enforcement point has joined");
        return;
    }
    const std::string now = now_text();
    const std::string newest = field(answer, "revision");
    std::vector<std::vector<std::string>> rows;
    for (const json::value& point : points) {
        const bool connected = field(point, "connected") == "true";
        const std::string revision = field(point, "revision");
        const bool well = connected && revision == newest && field(point, "error").empty();
        rows.push_back(
            {field(point, "name"),
             terminal.toned(
                 !connected ? "NOT CONNECTED" : well ? "enforces" : "BEHIND",
                 well ? Tone::Green : Tone::Red
             ),
             revision + (revision == newest ? "" : " of " + newest),
             field(point, "remote") == "true" ? short_time(field(point, "last_contact"), now)
                                              : "this process",
             millis(point, "p50"),
             millis(point, "p99"),
             field(point, "calls_denied") + "/" + field(point, "calls"),
             field(point, "rules") == "0" && field(point, "controls") == "0" ? "NONE"
                                                                             : field(point, "rules"),
             field(point, "error")}
        );
    }
    terminal.line(table(
        {"POINT", "STATE", "REVISION", "HEARD", "P50", "P99", "DENIED", "RULES", "TROUBLE"}, rows,
        terminal.width()
    ));
}

void render_tokens(const json::value& answer, Terminal& terminal) {
    render_token_table(
        answer, "no gateway may come yet: tagout fleet token NAME --reason R makes a token", terminal
    );
}

void render_made(const json::value& token, Terminal& terminal) {
    terminal.line(
        field(token, "id") + " is for gateways named " + field(token, "pattern") +
        ". It is shown this once:"
    );
    terminal.line(field(token, "token"));
}

void render_revoked(const json::value& token, Terminal& terminal) {
    terminal.line(field(token, "id") + " is revoked; gateways that came by it are cut off");
}

void render_retired(const json::value& answer, Terminal& terminal) {
    terminal.line(field(answer, "retired") + " is retired: nothing waits for it any more");
}

}  // namespace

VerbGroup fleet_verbs() {
    return {
        "fleet",
        "Gateways that are processes of their own",
        {ApiVerb{
             .name = "list",
             .help = "Every enforcement point: what it enforces, since when, how fast, what it denied",
             .method = "GET",
             .path = "/v1/fleet",
             .render = render_points},
         ApiVerb{
             .name = "tokens",
             .help = "Tokens by which gateways may come",
             .method = "GET",
             .path = "/v1/fleet",
             .render = render_tokens},
         ApiVerb{
             .name = "token",
             .help = "Make a token for gateways of that name",
             .method = "POST",
             .path = "/v1/fleet/tokens",
             .arguments =
                 {{"pattern", "A gateway's name, or a glob such as 'edge-*'", ArgumentKind::Text,
                   true, true},
                  reason_argument,
                  as_argument},
             .render = render_made},
         ApiVerb{
             .name = "revoke",
             .help = "Revoke a token; gateways that came by it are cut off",
             .method = "POST",
             .path = "/v1/fleet/tokens/{id}/revoke",
             .arguments =
                 {{"id", "The token, such as GWT-1", ArgumentKind::Text, true, true},
                  reason_argument,
                  as_argument},
             .render = render_revoked},
         ApiVerb{
             .name = "retire",
             .help = "A gateway will not come back: it is expected no longer",
             .method = "POST",
             .path = "/v1/fleet/points/{name}/retire",
             .arguments =
                 {{"name", "The gateway", ArgumentKind::Text, true, true},
                  reason_argument,
                  as_argument},
             .render = render_retired}}};
}

}  // namespace tagout::cli
