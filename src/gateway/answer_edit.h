// An answer of a model on its way to the agent: text passes at once, a call of a tool is held until
// it is complete, then it is judged, and what is refused is replaced by a sentence.
//
// Replaced and not dropped, because that is what the clients' loops survive: the sentence stands as
// text where the call stood, places and indexes have no gaps, and an answer without a call left
// ends as an answer in words does (chat "stop", messages "end_turn"). What is not refused goes out
// byte for byte as it came. Thinking blocks are never touched: their signatures would break.
//
//   chat completions  tool_calls and function_call of each choice, held until its finish_reason
//   messages          tool_use blocks, held until their content_block_stop
//   responses         function_call and custom_tool_call items, held until output_item.done; the
//                     object in response.completed is edited too, because clients trust that one
//
// Calls that run at the provider (server_tool_use, mcp_call, ...) have run when they are seen: they
// are stopped in the request (offered_tools.h).
//
// Confined to its thread. Holds held_bytes_max of calls at most; a larger one is refused unread.
// Source: ../shared/reference/gateway.md 2.2 measured what each client does with each way.
#pragma once

#include "gateway/model_api.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tagout::gateway {

struct ProposedCall {
    std::string id;
    std::string tool;
    std::string arguments;   ///< JSON, or text for custom tools.
    bool too_large = false;  ///< Not all of its arguments are here.
};

/// The sentence to put in the place of a call, or nothing if it may pass. Asked once a call of a
/// stream; for objects that repeat one, again.
using JudgeProposed = std::function<std::optional<std::string>(const ProposedCall& call)>;

class AnswerEditor {
public:
    static constexpr std::size_t held_bytes_max = 4 * 1024 * 1024;

    /// Null for ModelApi::Other.
    [[nodiscard]] static std::unique_ptr<AnswerEditor> make(ModelApi api, JudgeProposed judge);
    virtual ~AnswerEditor() = default;

    /// A whole JSON answer as it is passed on; as it came if it is no such answer.
    [[nodiscard]] virtual std::string whole(std::string body) = 0;
    /// One event of a stream (EventSplitter) as it is passed on, with what it releases; "" while it
    /// is held.
    [[nodiscard]] virtual std::string event(std::string_view block) = 0;
    /// The stream ended: what was still held, judged as far as it came.
    [[nodiscard]] virtual std::string end() = 0;
};

}  // namespace tagout::gateway
