#include "cli/identity_verbs.h"

#include "cli/json_text.h"
#include "cli/token_table.h"

#include <boost/json.hpp>

namespace tagout::cli {

namespace {

namespace json = boost::json;

void render_tokens(const json::value& answer, Terminal& terminal) {
    render_token_table(
        answer, "no agent has a token yet: tagout identity token NAME --reason R makes one", terminal
    );
}

void render_made(const json::value& token, Terminal& terminal) {
    terminal.line(
        field(token, "id") + " is for agents named " + field(token, "pattern") +
        ". It is shown this once:"
    );
    terminal.line(field(token, "token"));
    terminal.line(
        "Give it to the agent as header tagout-token, as its API key, or for tagout hook and "
        "tagout mcp in TAGOUT_AGENT_TOKEN."
    );
}

void render_revoked(const json::value& token, Terminal& terminal) {
    terminal.line(field(token, "id") + " is revoked; no call passes by it any more");
}

void render_refused(const json::value& answer, Terminal& terminal) {
    const json::array& refused = array_at(answer, "refused");
    if (refused.empty()) {
        terminal.line("nobody was refused for who it is");
        return;
    }
    const std::string now = now_text();
    std::vector<std::vector<std::string>> rows;
    for (const json::value& row : refused) {
        rows.push_back(
            {short_time(field(row, "last"), now),
             field(row, "road"),
             field(row, "why"),
             field(row, "claimed"),
             field(row, "credential"),
             field(row, "peer"),
             field(row, "count")}
        );
    }
    terminal.line(table(
        {"LAST", "ROAD", "WHY", "CLAIMED", "CREDENTIAL", "FROM", "COUNT"}, rows, terminal.width()
    ));
}

}  // namespace

VerbGroup identity_verbs() {
    return {
        "identity",
        "Credentials by which gateways know agents (gateway.identity)",
        {ApiVerb{
             .name = "tokens",
             .help = "Tokens of agents, revoked ones too",
             .method = "GET",
             .path = "/v1/agents/tokens",
             .render = render_tokens},
         ApiVerb{
             .name = "token",
             .help = "Make a token for agents of that name; it is shown once",
             .method = "POST",
             .path = "/v1/agents/tokens",
             .arguments =
                 {{"pattern",
                   "An agent's name, or a glob such as 'refund-*'",
                   ArgumentKind::Text,
                   true,
                   true},
                  reason_argument,
                  as_argument},
             .render = render_made},
         ApiVerb{
             .name = "revoke",
             .help = "Revoke a token: no call passes by it any more",
             .method = "POST",
             .path = "/v1/agents/tokens/{id}/revoke",
             .arguments =
                 {{"id", "The token, such as AGT-1", ArgumentKind::Text, true, true},
                  reason_argument,
                  as_argument},
             .render = render_revoked},
         ApiVerb{
             .name = "refused",
             .help = "Who was refused for who it is: at which road, why, how often",
             .method = "GET",
             .path = "/v1/agents/refused",
             .render = render_refused}}};
}

}  // namespace tagout::cli
