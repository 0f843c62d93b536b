// Answers of OpenAI's chat completions.
#include "gateway/answer_forms.h"
#include "gateway/event_splitter.h"
#include "gateway/json_edit.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace tagout::gateway {

namespace {

/// The index under which the older function_call is kept: it has none, and there is one a choice.
constexpr std::int64_t function_call_index = -1;

bool is_null(RawJson json) noexcept {
    return json.empty() || json == "null";
}

/// An answer that was cut short or filtered keeps its reason, whatever became of its calls.
bool ends_in_calls(RawJson finish) noexcept {
    return finish == "\"tool_calls\"" || finish == "\"function_call\"";
}

/// Whether an event that is passed unread seems to say something: only a line break depends on it.
bool has_words(std::string_view block) noexcept {
    constexpr std::string_view key = "\"content\":";
    const std::size_t at = block.find(key);
    if (at == std::string_view::npos) {
        return false;
    }
    const std::string_view value = trimmed(block.substr(at + key.size()));
    return value.size() > 1 && value[0] == '"' && value[1] != '"';
}

struct HeldCall {
    ProposedCall call;
    std::optional<std::string> refusal;
};

struct HeldChoice {
    std::vector<std::string> blocks;  ///< Each has a piece of a call in it.
    std::map<std::int64_t, HeldCall> calls;
    std::size_t bytes = 0;
    bool has_text = false;  ///< Something was said before the calls.
    bool has_role = false;  ///< The first held block names it.
};

class ChatEditor final : public AnswerEditor {
public:
    explicit ChatEditor(JudgeProposed judge) : judge_(std::move(judge)) {}

    std::string whole(std::string body) override {
        if (body.find("_call") == std::string::npos || !check_json(body)) {
            return body;
        }
        JsonEdits edits(body);
        for_each_element(member(trimmed(body), "choices"), [&](RawJson choice) {
            edit_choice(choice, edits);
            return Walk::GoOn;
        });
        return edits.empty() ? body : edits.text();
    }

    std::string event(std::string_view block) override {
        if (held_.empty() && block.find("_call") == std::string_view::npos) {
            said_before_ = said_before_ || has_words(block);
            return std::string(block);  // Words only: nothing to judge, nothing to wait for.
        }
        const std::string data = event_data(block);
        if (data == "[DONE]") {
            return end() + std::string(block);
        }
        if (data.empty() || !check_json(data)) {
            return std::string(block);
        }
        std::vector<RawJson> choices;
        const RawJson list = member(trimmed(data), "choices");
        for_each_element(list, [&](RawJson choice) {
            choices.push_back(choice);
            return Walk::GoOn;
        });
        if (choices.size() <= 1) {
            return choices.empty() ? std::string(block)
                                   : pass_choice(std::string(block), data, choices.front());
        }
        std::string out;
        for (const RawJson choice : choices) {  // One event each, so that one can be held alone.
            JsonEdits alone(data);
            alone.replace(list, "[" + std::string(choice) + "]");
            const std::string each = alone.text();
            const RawJson only = member(trimmed(each), "choices");
            out +=
                pass_choice(with_data(block, each), each, trimmed(only.substr(1, only.size() - 2)));
        }
        return out;
    }

    std::string end() override {
        std::string out;
        for (auto& [index, choice] : held_) {
            (void)release(choice, out);
        }
        held_.clear();
        return out;
    }

private:
    /// `data` is that of `block` and holds `choice`, its only one.
    std::string pass_choice(std::string block, std::string_view data, RawJson choice) {
        const std::int64_t index = number_of(choice, "index", 0);
        const RawJson delta = member(choice, "delta");
        const RawJson calls = member(delta, "tool_calls");
        const RawJson function = member(delta, "function_call");
        const RawJson finish = member(choice, "finish_reason");
        const bool has_calls = is_array(calls) || is_object(function);
        const auto known = held_.find(index);
        if (!has_calls) {
            if (known == held_.end() || is_null(finish)) {
                said_[index] = said_[index] || !text_of(delta, "content").empty();
                return block;
            }
            std::string out;
            const bool kept = release(known->second, out);
            held_.erase(known);
            if (kept || !ends_in_calls(finish)) {
                return out + block;
            }
            JsonEdits edits(data);
            edits.replace(finish, "\"stop\"");
            return out + with_data(block, edits.text());
        }
        HeldChoice& held = held_[index];
        std::string out;
        const RawJson content = member(delta, "content");
        if (!text_of(delta, "content").empty()) {
            said_[index] = true;
            JsonEdits words(data);
            (void)words.cut_members(delta, [](std::string_view key, RawJson) {
                return key == "tool_calls" || key == "function_call";
            });
            if (!is_null(finish)) {
                words.replace(finish, "null");
            }
            out += with_data(block, words.text());
        }
        held.has_text = said_before_ || said_[index];
        take(held, block, data, calls, function, content, finish);
        if (!is_null(finish)) {
            const bool kept = release(held, out);
            held_.erase(index);
            JsonEdits last(data);
            last.replace(delta, "{}");
            if (!kept && ends_in_calls(finish)) {
                last.replace(finish, "\"stop\"");
            }
            out += with_data(block, last.text());
        }
        return out;
    }

    void take(
        HeldChoice& held, const std::string& block, std::string_view data, RawJson calls,
        RawJson function, RawJson content, RawJson finish
    ) {
        for_each_element(calls, [&](RawJson piece) {
            add_piece(held, number_of(piece, "index", 0), piece);
            return Walk::GoOn;
        });
        if (is_object(function)) {
            add_arguments(held, held.calls[function_call_index], function);
        }
        JsonEdits alone(data);
        if (!string_of(content).value_or("").empty()) {
            alone.replace(content, "null");  // Went out already.
        }
        if (!is_null(finish)) {
            alone.replace(finish, "null");
        }
        held.has_role = held.has_role ||
                        (held.blocks.empty() && data.find("\"role\"") != std::string_view::npos);
        if (held.bytes <= held_bytes_max) {
            held.blocks.push_back(alone.empty() ? block : with_data(block, alone.text()));
            held.bytes += block.size();
        }
        if (held.bytes > held_bytes_max) {
            for (auto& [index, each] : held.calls) {
                each.call.too_large = true;
            }
        }
    }

    static void add_piece(HeldChoice& held, std::int64_t index, RawJson piece) {
        HeldCall& each = held.calls[index];
        each.call.id += text_of(piece, "id");
        const RawJson function = member(piece, "function");
        add_arguments(held, each, is_object(function) ? function : member(piece, "custom"));
    }
    static void add_arguments(HeldChoice& held, HeldCall& each, RawJson function) {
        each.call.tool += text_of(function, "name");
        if (held.bytes <= held_bytes_max) {
            each.call.arguments += text_of(function, "arguments");
            each.call.arguments += text_of(function, "input");
        }
    }

    /// Judges what is held and appends what goes out for it. Whether a call of it stays.
    bool release(HeldChoice& held, std::string& out) {
        std::string refusals;
        std::map<std::int64_t, std::int64_t> places;  // New index of each call that stays.
        for (auto& [index, each] : held.calls) {
            each.refusal = judge_(each.call);
            if (each.refusal) {
                refusals += (refusals.empty() ? "" : "\n") + *each.refusal;
            } else {
                const auto next = static_cast<std::int64_t>(places.size());
                places[index] = index == function_call_index ? index : next;
            }
        }
        if (refusals.empty()) {
            for (const std::string& block : held.blocks) {
                out += block;
            }
            return true;
        }
        if (!held.blocks.empty()) {
            out += words_in_place(held, refusals);
        }
        for (const std::string& block : held.blocks) {
            out += remaining(block, places);
        }
        return !places.empty();
    }

    static std::string words_in_place(const HeldChoice& held, const std::string& words) {
        const std::string data = event_data(held.blocks.front());
        RawJson delta;
        for_each_element(member(trimmed(data), "choices"), [&](RawJson choice) {
            delta = member(choice, "delta");
            return Walk::Stop;
        });
        JsonEdits edits(data);
        edits.replace(
            delta,
            std::string(held.has_role ? R"({"role":"assistant","content":)" : R"({"content":)") +
                quoted((held.has_text ? "\n\n" : "") + words) + "}"
        );
        return with_data(held.blocks.front(), edits.text());
    }

    /// `block` with the calls that stay, under their new indexes; "" if it has no piece of one.
    static std::string remaining(
        const std::string& block, const std::map<std::int64_t, std::int64_t>& places
    ) {
        const std::string data = event_data(block);
        JsonEdits edits(data);
        std::size_t stay = 0;
        for_each_element(member(trimmed(data), "choices"), [&](RawJson choice) {
            const RawJson delta = member(choice, "delta");
            stay += edits.cut_elements(member(delta, "tool_calls"), [&](RawJson piece) {
                return !places.contains(number_of(piece, "index", 0));
            });
            for_each_element(member(delta, "tool_calls"), [&](RawJson piece) {
                const auto place = places.find(number_of(piece, "index", 0));
                const RawJson index = member(piece, "index");
                if (place != places.end() && !index.empty() && place->first != place->second) {
                    edits.replace(index, std::to_string(place->second));
                }
                return Walk::GoOn;
            });
            if (is_object(member(delta, "function_call"))) {
                const bool stays = places.contains(function_call_index);
                stay += stays ? 1 : 0;
                (void)edits.cut_members(delta, [&](std::string_view key, RawJson) {
                    return key == "function_call" && !stays;
                });
            }
            return Walk::GoOn;
        });
        if (stay == 0) {
            return "";
        }
        return edits.empty() ? block : with_data(block, edits.text());
    }

    void edit_choice(RawJson choice, JsonEdits& edits) {
        const RawJson message = member(choice, "message");
        const RawJson calls = member(message, "tool_calls");
        const RawJson function = member(message, "function_call");
        std::string refusals;
        const auto is_refused = [&](const std::string& id, RawJson named) {
            std::string arguments = text_of(named, "arguments");
            arguments += text_of(named, "input");
            const auto refusal = judge_({id, text_of(named, "name"), std::move(arguments), false});
            if (refusal) {
                refusals += (refusals.empty() ? "" : "\n") + *refusal;
            }
            return refusal.has_value();
        };
        std::vector<bool> refused;
        for_each_element(calls, [&](RawJson call) {
            const RawJson named = member(call, "function");
            refused.push_back(
                is_refused(text_of(call, "id"), is_object(named) ? named : member(call, "custom"))
            );
            return Walk::GoOn;
        });
        const bool function_refused = is_object(function) && is_refused("", function);
        if (refusals.empty()) {
            return;
        }
        const auto cut = static_cast<std::size_t>(std::ranges::count(refused, true));
        const bool none_left = cut == refused.size() && (function_refused || !is_object(function));
        const RawJson content = member(message, "content");
        const std::string said = text_of(message, "content");
        const std::string words = (said.empty() ? "" : said + "\n\n") + refusals;
        if (content.empty()) {
            edits.add_members(message, "\"content\":" + quoted(words));
        } else {
            edits.replace(content, quoted(words));
        }
        (void)edits.cut_members(message, [&](std::string_view key, RawJson) {
            return (key == "tool_calls" && cut > 0 && cut == refused.size()) ||
                   (key == "function_call" && function_refused);
        });
        if (cut > 0 && cut < refused.size()) {
            std::size_t at = 0;
            (void)edits.cut_elements(calls, [&](RawJson) { return refused[at++]; });
        }
        if (const RawJson finish = member(choice, "finish_reason");
            none_left && ends_in_calls(finish)) {
            edits.replace(finish, "\"stop\"");
        }
    }

    const JudgeProposed judge_;
    std::map<std::int64_t, HeldChoice> held_;  ///< By the choice's index.
    std::map<std::int64_t, bool> said_;  ///< By the choice's index, in events that were read ...
    bool said_before_ = false;           ///< ... and in those that passed unread, by any choice.
};

}  // namespace

std::unique_ptr<AnswerEditor> make_chat_editor(JudgeProposed judge) {
    return std::make_unique<ChatEditor>(std::move(judge));
}

}  // namespace tagout::gateway
