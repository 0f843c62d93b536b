// What the scripted model decides, given a conversation as the API request carries it. Pure.
#pragma once

#include "rehearse/script.h"

#include <string>
#include <string_view>
#include <vector>

namespace tagout::rehearse {

/// One thing in the conversation after its system prompt.
struct Message {
    enum class Role : std::uint8_t { User = 1, Assistant = 2, Tool = 3 };
    Role role = Role::User;
    std::string text;       ///< What was said; a tool's answer.
    bool calls = false;     ///< An assistant message that called a tool.
    bool is_error = false;  ///< A tool's answer that reports a failure.
};

struct Move {
    std::string tool;  ///< "" says `text` and ends the turn.
    std::string arguments;
    std::string text;
};

/// The next move in the newest turn of `messages`. The number of user messages tells the turn; what
/// tools answered tells the step, retries included.
[[nodiscard]] Move next_move(const Script& script, const std::vector<Message>& messages);

/// Fills "${result.KEY}" and "${obey.address}" from what tools answered, newest first. What is found
/// nowhere becomes "unknown".
[[nodiscard]] std::string fill_from_results(
    std::string_view text, const std::vector<Message>& messages
);

}  // namespace tagout::rehearse
