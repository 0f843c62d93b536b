// The routes about who agents are: their tokens, and who was refused at which door.
#pragma once

#include "base/result.h"
#include "contain/agent_tokens.h"
#include "contain/refusals.h"
#include "net/http_server.h"

#include <string>
#include <string_view>

namespace tagout::server {

struct AgentsDesk {
    contain::AgentTokens* tokens = nullptr;  ///< Null: the routes answer that there are none.
    contain::Refusals* refusals = nullptr;
};

[[nodiscard]] bool is_agents_operation(std::string_view operation) noexcept;

/// `argument` is the segment of the path. Answers JSON.
[[nodiscard]] Result<std::string> answer_agents(
    const AgentsDesk& desk, std::string_view operation, std::string_view argument,
    const net::ServerRequest& request
);

/// Whether `request` shows an agent's token, wherever one may stand; it opens nothing of the API.
[[nodiscard]] bool shows_agent_token(const net::ServerRequest& request) noexcept;

}  // namespace tagout::server
