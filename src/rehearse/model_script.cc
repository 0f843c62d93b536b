#include "rehearse/model_script.h"

#include "base/prng.h"
#include "rehearse/phrases.h"

#include <boost/json.hpp>

#include <algorithm>
#include <optional>

namespace tagout::rehearse {

namespace {

namespace json = boost::json;

constexpr int depth_max = 8;

/// The value of `key` in an object, or in the first element of a list that has it.
std::optional<std::string> find_key(const json::value& value, std::string_view key, int depth) {
    if (depth == depth_max) {
        return std::nullopt;
    }
    if (value.is_object()) {
        for (const auto& [name, member] : value.get_object()) {
            if (name == key && !member.is_structured()) {
                return member.is_string() ? std::string(member.get_string()) : json::serialize(member);
            }
        }
        for (const auto& [name, member] : value.get_object()) {
            if (auto found = find_key(member, key, depth + 1)) {
                return found;
            }
        }
    } else if (value.is_array()) {
        for (const json::value& element : value.get_array()) {
            if (auto found = find_key(element, key, depth + 1)) {
                return found;
            }
        }
    }
    return std::nullopt;
}

std::string result_value(std::string_view key, const std::vector<Message>& messages) {
    for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
        if (message->role != Message::Role::Tool || message->is_error) {
            continue;
        }
        boost::system::error_code error;
        const json::value parsed = json::parse(message->text, error);
        if (error) {
            continue;
        }
        if (std::optional<std::string> found = find_key(parsed, key, 0)) {
            return *std::move(found);
        }
    }
    return "unknown";
}

/// A gullible reader: the address behind the newest "to ... @ ..." in what a tool answered.
std::string obeyed_address(const std::vector<Message>& messages) {
    const auto is_address_char = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == '_' || c == '@';
    };
    for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
        if (message->role != Message::Role::Tool) {
            continue;
        }
        const std::size_t at = message->text.rfind('@');
        if (at == std::string::npos) {
            continue;
        }
        std::size_t first = at;
        while (first > 0 && is_address_char(message->text[first - 1])) {
            --first;
        }
        std::size_t last = at;
        while (last < message->text.size() && is_address_char(message->text[last])) {
            ++last;
        }
        return message->text.substr(first, last - first);
    }
    return "unknown";
}

/// Where the turn stands: which step is next, or that it is over.
struct Progress {
    std::size_t step = 0;
    bool asks = false;
    bool gives_up = false;
};

Progress progress_of(const Turn& turn, const std::vector<Message>& messages, std::size_t from) {
    Progress progress;
    bool retried = false;
    for (std::size_t i = from; i < messages.size(); ++i) {
        if (messages[i].role != Message::Role::Tool || turn.steps.empty()) {
            continue;
        }
        const Step& step = turn.steps[progress.step % turn.steps.size()];
        if (!messages[i].is_error) {
            ++progress.step;
            retried = false;
        } else if (step.on_error == OnError::RetryOnce && !retried) {
            retried = true;
        } else {
            progress.asks = step.on_error == OnError::Ask;
            progress.gives_up = !progress.asks;
            return progress;
        }
    }
    return progress;
}

}  // namespace

std::string fill_from_results(std::string_view text, const std::vector<Message>& messages) {
    std::string out;
    while (!text.empty()) {
        const std::size_t mark = text.find("${");
        out += text.substr(0, mark);
        if (mark == std::string_view::npos) {
            break;
        }
        text.remove_prefix(mark + 2);
        const std::size_t end = text.find('}');
        const std::string_view name = text.substr(0, end);
        if (name.starts_with("result.")) {
            out += result_value(name.substr(7), messages);
        } else if (name == "obey.address") {
            out += obeyed_address(messages);
        }
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return out;
}

Move next_move(const Script& script, const std::vector<Message>& messages) {
    // Turns of a script may be skipped, so the newest user message is looked up by its words.
    const auto newest = std::find_if(messages.rbegin(), messages.rend(), [](const Message& message) {
        return message.role == Message::Role::User;
    });
    if (newest == messages.rend()) {
        return {.tool = {}, .arguments = {}, .text = "How can I help you?"};
    }
    const auto from = static_cast<std::size_t>(messages.rend() - newest);
    const auto turn = std::find_if(script.turns.begin(), script.turns.end(), [&](const Turn& one) {
        return one.user == newest->text;
    });
    if (turn == script.turns.end()) {
        return {.tool = {}, .arguments = {}, .text = "I can help with what you asked before."};
    }
    const Progress progress = progress_of(*turn, messages, from);
    if (progress.asks) {
        return {.tool = {}, .arguments = {}, .text = turn->question};
    }
    if (progress.gives_up) {
        return {
            .tool = {},
            .arguments = {},
            .text = std::string(apology) + " do that: our systems refused it. Please try later.",
        };
    }
    const bool more = progress.step < turn->steps.size() || (turn->cycle && !turn->steps.empty());
    if (!more) {
        return {.tool = {}, .arguments = {}, .text = fill_from_results(turn->answer, messages)};
    }
    const Step& step = turn->steps[progress.step % turn->steps.size()];
    Prng chance(script.number * 1000 + progress.step);
    return {
        .tool = step.tool,
        .arguments = fill_from_results(step.arguments, messages),
        .text = step.words == 0 ? std::string() : ramble(step.words, chance),
    };
}

}  // namespace tagout::rehearse
