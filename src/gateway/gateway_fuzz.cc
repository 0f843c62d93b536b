// Any bytes as a request's body, as lines of stdio, as a stream of events, as a list of tools and
// as a model's request and answer: no crash, no byte lost, and what is JSON stays JSON. The first
// byte chooses how a stream is cut in pieces, and which model API it is.
#include "gateway/answer_edit.h"
#include "gateway/event_splitter.h"
#include "gateway/offered_tools.h"
#include "gateway/rpc_body.h"
#include "gateway/stdio/wrapper.h"
#include "gateway/tool_list.h"

#include "base/assert.h"

#include <algorithm>
#include <cstdint>

namespace {

/// Allowed answers pass byte for byte; refused ones, and cut requests, are JSON if they were.
void read_as_model_api(tagout::gateway::ModelApi api, std::string_view text) {
    namespace gateway = tagout::gateway;
    const bool is_json = gateway::check_json(text).has_value();
    const auto pass = [](const gateway::ProposedCall&) { return std::optional<std::string>(); };
    const auto refuse = [](const gateway::ProposedCall& call) {
        return std::optional<std::string>("no " + call.tool);
    };
    const std::string body(text);
    TAGOUT_ASSERT(
        gateway::AnswerEditor::make(api, pass)->whole(body) == body,
        "what is allowed is not touched"
    );
    const std::string edited = gateway::AnswerEditor::make(api, refuse)->whole(body);
    TAGOUT_ASSERT(!is_json || gateway::check_json(edited).has_value(), "an edited answer is JSON");

    for (const bool allows : {true, false}) {
        const auto editor = gateway::AnswerEditor::make(
            api, allows ? gateway::JudgeProposed(pass) : gateway::JudgeProposed(refuse)
        );
        gateway::EventSplitter splitter;
        std::string out;
        (void)splitter.feed(text, [&](std::string_view block) { out += editor->event(block); });
        out += editor->event(splitter.rest());
        (void)editor->end();
    }

    const gateway::ToolStops stops{
        [](const gateway::NamedTool& tool) { return tool.tool.size() % 2 == 1; },
        [](const std::string&) {
            return std::vector<std::string>{"a", "bb"};
        }};
    if (is_json) {
        if (const auto cut = gateway::cut_stopped_tools(api, text, stops)) {
            TAGOUT_ASSERT(gateway::check_json(cut->json).has_value(), "a cut request is JSON");
        }
    }
}

}  // namespace

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
            (void)gateway::id_key(message.id);
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

    gateway::LineSplitter lines(64);
    for (std::size_t at = 0; at < text.size(); at += step) {
        lines.feed(
            text.substr(at, step),
            [](std::string_view line) {
                TAGOUT_ASSERT(
                    line.size() <= 64 && !line.contains('\n'), "a line is one, and short"
                );
            },
            [] {}
        );
    }

    const auto hides_some = [](std::string_view tool) { return tool.size() % 2 == 1; };
    if (const auto list = gateway::edit_tool_list(text, hides_some)) {
        TAGOUT_ASSERT(gateway::check_json(list->json).has_value(), "a list that was cut is JSON");
        const auto again = gateway::edit_tool_list(list->json, hides_some);
        TAGOUT_ASSERT(again && again->hidden == 0 && !again->changed, "nothing hidden is left");
    }
    constexpr gateway::ModelApi apis[] = {
        gateway::ModelApi::Chat, gateway::ModelApi::Responses, gateway::ModelApi::Messages};
    read_as_model_api(apis[data[0] % 3], text);
    return 0;
}
