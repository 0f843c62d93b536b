// Where an agent takes its prompt from: the version behind the label `production`, fetched through the
// gateway at the start of each conversation with its ETag, so that a rollback reaches the next
// conversation. Without a gateway, or while no version is published, the built-in text.
#pragma once

#include "net/http_client.h"
#include "rehearse/script.h"

#include <array>
#include <string>

namespace tagout::rehearse {

struct Prompt {
    std::string version;  ///< As telemetry names it: "v2", or the built-in's own number.
    std::string text;
};

/// Thread-compatible: one agent's.
class PromptShelf {
public:
    explicit PromptShelf(std::string gateway) : gateway_(std::move(gateway)) {}

    /// `built_in` is the version to fall back to. What was fetched last is used while the gateway is
    /// away: an agent does not change its prompt because a server is down.
    Prompt fetch(AgentKind kind, const std::string& built_in);

private:
    struct Held {
        std::string etag;
        Prompt prompt;
    };

    std::string gateway_;
    net::HttpClient http_;
    std::array<Held, agent_kinds> held_;
};

}  // namespace tagout::rehearse
