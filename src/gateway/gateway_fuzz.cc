// Any bytes as a request's body, as a stream of events and as a list of tools: no crash, no byte
// lost, and what is JSON stays JSON. The first byte chooses how a stream is cut in pieces.
#include "gateway/event_splitter.h"
#include "gateway/rpc_body.h"
#include "gateway/tool_list.h"

#include "base/assert.h"

#include <algorithm>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace gateway = tagout::gateway;
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);

    const tagout::PaddedBytes body = tagout::PaddedBytes::copy_of(text);
    if (const auto read = gateway::read_rpc_body(body)) {
        TAGOUT_ASSERT(gateway::check_json(body).has_value(), "what is read is JSON");
        for (const gateway::RpcMessage& message : read->messages) {
            TAGOUT_ASSERT(
                !message.is_tool_call() || !message.target.empty(), "a call names its tool"
            );
            TAGOUT_ASSERT(
                message.arguments.empty() || gateway::check_json(message.arguments).has_value(),
                "a value of JSON is JSON"
            );
            (void)gateway::header_mismatch(message, text, text);
        }
    }

    const std::size_t step = std::max<std::size_t>(data[0], 1);
    gateway::EventSplitter splitter;
    std::string joined;
    for (std::size_t at = 0; at < text.size(); at += step) {
        const bool splits = splitter.feed(text.substr(at, step), [&](std::string_view block) {
            joined += block;
            (void)gateway::event_data(gateway::with_data(block, "a\nb"));
        });
        TAGOUT_ASSERT(splits, "a small stream has no large event");
    }
    joined += splitter.rest();
    TAGOUT_ASSERT(joined == text, "the blocks are the stream");

    const auto hides_some = [](std::string_view tool) { return tool.size() % 2 == 1; };
    if (const auto list = gateway::edit_tool_list(text, hides_some)) {
        TAGOUT_ASSERT(gateway::check_json(list->json).has_value(), "a list that was cut is JSON");
        const auto again = gateway::edit_tool_list(list->json, hides_some);
        TAGOUT_ASSERT(again && again->hidden == 0 && !again->changed, "nothing hidden is left");
    }
    return 0;
}
