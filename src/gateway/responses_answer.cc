// Answers of OpenAI's responses.
#include "gateway/answer_forms.h"
#include "gateway/event_splitter.h"
#include "gateway/json_edit.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace tagout::gateway {

namespace {

constexpr std::int64_t events_of_words = 6;  ///< That a message in place of a call takes.

bool is_call(std::string_view type) noexcept {
    return type == "function_call" || type == "custom_tool_call";
}

struct HeldItem {
    std::vector<std::string> blocks;
    ProposedCall call;
    std::int64_t first_number = 0;
    std::int64_t events = 0;
    std::size_t bytes = 0;

    void hold(std::string_view block) {
        ++events;
        bytes += block.size();
        call.too_large = call.too_large || bytes > AnswerEditor::held_bytes_max;
        if (!call.too_large) {
            blocks.emplace_back(block);
        }
    }
};

class ResponsesEditor final : public AnswerEditor {
public:
    explicit ResponsesEditor(JudgeProposed judge) : judge_(std::move(judge)) {}

    std::string whole(std::string body) override {
        if (body.find("_call\"") == std::string::npos || !check_json(body)) {
            return body;
        }
        JsonEdits edits(body);
        edit_output(member(trimmed(body), "output"), edits);
        return edits.empty() ? body : edits.text();
    }

    std::string event(std::string_view block) override {
        if (held_.empty() && added_ == 0 && block.find("_call") == std::string_view::npos) {
            return std::string(block);
        }
        const std::string data = event_data(block);
        if (data.empty() || !check_json(data)) {
            return std::string(block);
        }
        const RawJson event = trimmed(data);
        const std::string type = text_of(event, "type");
        const std::int64_t place = number_of(event, "output_index", -1);
        const RawJson item = member(event, "item");
        const bool ends = type == "response.output_item.done";
        const bool begins = type == "response.output_item.added" || ends;
        auto known = held_.find(place);
        if (known == held_.end() && begins && is_call(text_of(item, "type"))) {
            known = held_.emplace(place, HeldItem()).first;
            known->second.first_number = number_of(event, "sequence_number", 0);
            known->second.call.id = text_of(item, "id");
            known->second.call.tool = text_of(item, "name");
        }
        if (known == held_.end()) {
            return pass(block, data);
        }
        known->second.hold(block);
        if (!ends) {
            return "";
        }
        HeldItem held = std::move(known->second);
        held_.erase(known);
        held.call.arguments = text_of(item, "arguments") + text_of(item, "input");
        return release(std::move(held), place);
    }

    std::string end() override {
        std::string out;
        for (auto& [place, held] : held_) {
            out += release(std::move(held), place);
        }
        held_.clear();
        return out;
    }

private:
    std::string release(HeldItem held, std::int64_t place) {
        const auto refusal = judge_(held.call);
        if (!refusal) {
            std::string out;
            for (const std::string& block : held.blocks) {
                out += added_ == 0 ? block : pass(block, event_data(block));
            }
            return out;
        }
        refused_[held.call.id] = *refusal;
        const std::int64_t first = held.first_number + added_;
        added_ += std::max<std::int64_t>(0, events_of_words - held.events);
        return words_in_place(held.call.id, *refusal, place, first);
    }

    /// An event without a call of its own: under its new number, its copy of the output edited.
    std::string pass(std::string_view block, const std::string& data) {
        const RawJson event = trimmed(data);
        JsonEdits edits(data);
        edit_output(member(member(event, "response"), "output"), edits);
        const RawJson number = member(event, "sequence_number");
        if (added_ != 0 && !number.empty()) {
            edits.replace(number, std::to_string(number_of(event, "sequence_number", 0) + added_));
        }
        return edits.empty() ? std::string(block) : with_data(block, edits.text());
    }

    void edit_output(RawJson output, JsonEdits& edits) {
        for_each_element(output, [&](RawJson item) {
            if (!is_call(text_of(item, "type"))) {
                return Walk::GoOn;
            }
            const std::string id = text_of(item, "id");
            std::optional<std::string> refusal;
            if (const auto known = refused_.find(id); !id.empty() && known != refused_.end()) {
                refusal = known->second;
            } else {
                refusal = judge_(
                    {id,
                     text_of(item, "name"),
                     text_of(item, "arguments") + text_of(item, "input"),
                     false}
                );
            }
            if (refusal) {
                edits.replace(item, message_item(id, *refusal));
            }
            return Walk::GoOn;
        });
    }

    static std::string text_part(const std::string& words) {
        return R"({"type":"output_text","annotations":[],"text":)" + quoted(words) + "}";
    }
    static std::string message_item(const std::string& id, const std::string& words) {
        return R"({"id":)" + quoted("msg_" + id) +
               R"(,"type":"message","status":"completed","role":"assistant","content":[)" +
               text_part(words) + "]}";
    }

    static std::string words_in_place(
        const std::string& id, const std::string& words, std::int64_t place, std::int64_t number
    ) {
        std::string out;
        const std::string at = R"(,"output_index":)" + std::to_string(place);
        const std::string part = at + R"(,"content_index":0,"item_id":)" + quoted("msg_" + id);
        const auto tell = [&](const std::string& type, const std::string& members) {
            out += "event: " + type + "\ndata: {\"type\":" + quoted(type) +
                   ",\"sequence_number\":" + std::to_string(number++) + members + "}\n\n";
        };
        tell(
            "response.output_item.added",
            at + R"(,"item":{"id":)" + quoted("msg_" + id) +
                R"(,"type":"message","status":"in_progress","role":"assistant","content":[]})"
        );
        tell("response.content_part.added", part + R"(,"part":)" + text_part(""));
        tell("response.output_text.delta", part + R"(,"logprobs":[],"delta":)" + quoted(words));
        tell("response.output_text.done", part + R"(,"logprobs":[],"text":)" + quoted(words));
        tell("response.content_part.done", part + R"(,"part":)" + text_part(words));
        tell("response.output_item.done", at + R"(,"item":)" + message_item(id, words));
        return out;
    }

    const JudgeProposed judge_;
    std::map<std::int64_t, HeldItem> held_;       ///< By output_index.
    std::map<std::string, std::string> refused_;  ///< By the call's id: what was said in its place.
    std::int64_t added_ = 0;  ///< By how much later events are numbered higher than they came.
};

}  // namespace

std::unique_ptr<AnswerEditor> make_responses_editor(JudgeProposed judge) {
    return std::make_unique<ResponsesEditor>(std::move(judge));
}

}  // namespace tagout::gateway
