// The chat as an OpenAI request carries it, and as spans capture it: two JSON forms of one thing.
//
// Captured forms follow the GenAI message schema (telemetry reference 1.3): roles with parts. A
// capture keeps the newest messages up to capture_bytes_max, whole ones only, as an SDK's attribute
// limit would; the request keeps them all.
#pragma once

#include "rehearse/mcp_client.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::rehearse {

inline constexpr std::size_t capture_bytes_max = 12 * 1024;

/// What one chat completion said.
struct ModelReply {
    std::string id;
    std::string model;
    std::string text;
    std::string tool;  ///< "" when it called none.
    std::string call_id;
    std::string arguments;  ///< JSON text.
    std::string finish_reason;
    std::int64_t input_tokens = 0;
    std::int64_t output_tokens = 0;
};
[[nodiscard]] std::optional<ModelReply> parse_model_reply(std::string_view body);

/// Puts a streamed completion together from the pieces of its event stream, however they are cut.
class StreamedReply {
public:
    void feed(std::string_view bytes);
    /// The whole reply once the stream said [DONE]; nothing while it has not, or if it made no sense.
    [[nodiscard]] const std::optional<ModelReply>& done() const noexcept { return whole_; }
    [[nodiscard]] bool begun() const noexcept { return begun_; }

private:
    void take(std::string_view data);

    std::string line_;
    ModelReply reply_;
    std::optional<ModelReply> whole_;
    bool begun_ = false;
};

/// `chat` is the members of the request's `messages` array, joined by commas.
[[nodiscard]] std::string begin_chat(const std::string& system);
void add_user_message(std::string& chat, const std::string& text);
void add_model_reply(std::string& chat, const ModelReply& reply);
void add_tool_result(std::string& chat, const ModelReply& call, const std::string& result);
[[nodiscard]] std::string chat_request_json(
    std::string_view model, const std::string& chat, const std::string& tools,
    const std::string& conversation, bool stream
);
[[nodiscard]] std::string tool_definitions_json(const std::vector<ListedTool>& tools);

[[nodiscard]] std::string captured_input_json(const std::string& chat);
[[nodiscard]] std::string captured_system_json(const std::string& chat);
[[nodiscard]] std::string captured_output_json(const ModelReply& reply);
[[nodiscard]] std::string captured_tools_json(const std::string& tools);
/// Quoted and escaped.
[[nodiscard]] std::string json_text(std::string_view text);
[[nodiscard]] std::string user_message_json(const std::string& text);
[[nodiscard]] std::string answer_json(const std::string& text);

}  // namespace tagout::rehearse
