#include "server/agents_api.h"

#include "contain/control_json.h"
#include "server/body.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tagout::server {

namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> operations{
    "listAgentTokens", "makeAgentToken", "revokeAgentToken", "listRefusedCallers"};

json::object tree_of(const contain::RefusalRow& row) {
    return {
        {"road", row.caller.road},
        {"why", row.caller.why},
        {"claimed", row.caller.claimed},
        {"credential", row.caller.credential},
        {"peer", row.caller.peer},
        {"count", row.count},
        {"first", to_rfc3339(row.first)},
        {"last", to_rfc3339(row.last)}};
}

template <class Rows>
std::string list_of(std::string_view name, const Rows& rows) {
    json::array all;
    for (const auto& row : rows) {
        all.push_back(tree_of(row));
    }
    return json::serialize(json::object{{name, std::move(all)}});
}

Result<std::string> change(
    contain::AgentTokens& tokens, std::string_view operation, std::string_view argument,
    std::string_view text
) {
    Body body = TAGOUT_TRY(Body::parse(text.empty() ? "{}" : text));
    const bool makes = operation == "makeAgentToken";
    const std::string pattern =
        makes ? body.text("pattern", true, contain::agent_pattern_bytes_max) : "";
    Actor actor = read_actor(body);
    const contain::By by{
        std::move(actor), body.text("reason", true, contain::Controls::reason_bytes_max)};
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    if (!makes) {
        return json::serialize(tree_of(TAGOUT_TRY(tokens.revoke(std::string(argument), by))));
    }
    const contain::MadeToken made = TAGOUT_TRY(tokens.make_token(pattern, by));
    json::object row = tree_of(made.facts);
    row["token"] = made.token;
    return json::serialize(row);
}

}  // namespace

bool is_agents_operation(std::string_view operation) noexcept {
    return std::ranges::find(operations, operation) != operations.end();
}

Result<std::string> answer_agents(
    const AgentsDesk& desk, std::string_view operation, std::string_view argument,
    const net::ServerRequest& request
) {
    if (desk.tokens == nullptr || desk.refusals == nullptr) {
        return fail(ErrorCode::Unavailable, "this server knows no agents by credentials");
    }
    if (operation == "listAgentTokens") {
        return list_of("tokens", desk.tokens->list());
    }
    if (operation == "listRefusedCallers") {
        return list_of("refused", desk.refusals->list());
    }
    return change(*desk.tokens, operation, argument, request.body.view());
}

bool shows_agent_token(const net::ServerRequest& request) noexcept {
    return std::ranges::any_of(contain::agent_token_headers, [&](std::string_view name) {
        return contain::holds_agent_token(request.header(name));
    });
}

}  // namespace tagout::server
