// Answers of Anthropic's messages.
#include "gateway/answer_forms.h"
#include "gateway/event_splitter.h"
#include "gateway/json_edit.h"

#include <utility>
#include <vector>

namespace tagout::gateway {

namespace {

std::string named_event(std::string_view name, const std::string& data) {
    return "event: " + std::string(name) + "\ndata: " + data + "\n\n";
}

class MessagesEditor final : public AnswerEditor {
public:
    explicit MessagesEditor(JudgeProposed judge) : judge_(std::move(judge)) {}

    std::string whole(std::string body) override {
        if (body.find("\"tool_use\"") == std::string::npos || !check_json(body)) {
            return body;
        }
        const RawJson message = trimmed(body);
        JsonEdits edits(body);
        for_each_element(member(message, "content"), [&](RawJson part) {
            if (text_of(part, "type") != "tool_use") {
                return Walk::GoOn;
            }
            const auto refusal = judge_(
                {text_of(part, "id"),
                 text_of(part, "name"),
                 std::string(member(part, "input")),
                 false}
            );
            refusal ? ++refused_ : ++kept_;
            if (refusal) {
                edits.replace(part, R"({"type":"text","text":)" + quoted(*refusal) + "}");
            }
            return Walk::GoOn;
        });
        mend_reason(member(message, "stop_reason"), edits);
        return edits.empty() ? body : edits.text();
    }

    std::string event(std::string_view block) override {
        // Deltas of words and thinking pass unread: only what begins or ends something is of note.
        const bool of_note = block.find("content_block_start") != std::string_view::npos ||
                             block.find("message_delta") != std::string_view::npos;
        if (!holds_ && !of_note) {
            return std::string(block);
        }
        const std::string data = event_data(block);
        if (data.empty() || !check_json(data)) {
            return std::string(block);
        }
        const RawJson event = trimmed(data);
        const std::string type = text_of(event, "type");
        if (type == "message_delta" || type == "message_stop" || type == "error") {
            std::string out = end();
            JsonEdits edits(data);
            mend_reason(member(member(event, "delta"), "stop_reason"), edits);
            return out + (edits.empty() ? std::string(block) : with_data(block, edits.text()));
        }
        const std::int64_t index = number_of(event, "index", -1);
        if (type == "content_block_start") {
            std::string out = end();
            const RawJson part = member(event, "content_block");
            if (text_of(part, "type") != "tool_use") {
                return out + std::string(block);
            }
            holds_ = true;
            index_ = index;
            call_ = {text_of(part, "id"), text_of(part, "name"), "", false};
            whole_input_ = std::string(member(part, "input"));
            hold(block);
            return out;
        }
        if (!holds_ || index != index_) {
            return std::string(block);  // A ping, or words.
        }
        hold(block);
        if (type == "content_block_delta" && !call_.too_large) {
            call_.arguments += text_of(member(event, "delta"), "partial_json");
        }
        return type == "content_block_stop" ? end() : "";
    }

    std::string end() override {
        if (!std::exchange(holds_, false)) {
            return "";
        }
        if (call_.arguments.empty()) {
            call_.arguments = std::exchange(whole_input_, {});
        }
        const auto refusal = judge_(call_);
        std::string held = std::exchange(held_, {});
        if (!refusal) {
            ++kept_;
            return held;
        }
        ++refused_;
        const std::string index = std::to_string(index_);
        return named_event(
                   "content_block_start",
                   R"({"type":"content_block_start","index":)" + index +
                       R"(,"content_block":{"type":"text","text":""}})"
               ) +
               named_event(
                   "content_block_delta",
                   R"({"type":"content_block_delta","index":)" + index +
                       R"(,"delta":{"type":"text_delta","text":)" + quoted(*refusal) + "}}"
               ) +
               named_event(
                   "content_block_stop", R"({"type":"content_block_stop","index":)" + index + "}"
               );
    }

private:
    void hold(std::string_view block) {
        if (held_.size() + block.size() > held_bytes_max) {
            call_.too_large = true;
            return;
        }
        held_ += block;
    }

    /// "tool_use" is untrue once no call is left.
    void mend_reason(RawJson reason, JsonEdits& edits) const {
        if (refused_ > 0 && kept_ == 0 && reason == "\"tool_use\"") {
            edits.replace(reason, "\"end_turn\"");
        }
    }

    const JudgeProposed judge_;
    bool holds_ = false;
    std::int64_t index_ = 0;
    ProposedCall call_;
    std::string whole_input_;  ///< Of a block that begins with its input complete.
    std::string held_;
    std::size_t kept_ = 0;
    std::size_t refused_ = 0;
};

}  // namespace

std::unique_ptr<AnswerEditor> make_messages_editor(JudgeProposed judge) {
    return std::make_unique<MessagesEditor>(std::move(judge));
}

}  // namespace tagout::gateway
