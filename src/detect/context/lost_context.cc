#include "detect/context/lost_context.h"

#include "detect/context/repeated_actions.h"

#include <algorithm>
#include <array>

namespace tagout::detect {

namespace {

constexpr std::size_t restart_calls_min = 2;
constexpr std::size_t restart_past_min = 1;  ///< Other calls that lie behind the first ones.
constexpr std::size_t placeholder_bytes_max = 40;

Sighting lost(double score, std::string evidence) {
    Sighting sighting{.signal = SignalId::LostContext};
    sighting.score = score;
    sighting.observed = score;
    sighting.evidence = std::move(evidence);
    return sighting;
}

/// The words before `end`, to be quoted.
std::string before(std::string_view text, std::uint32_t end) {
    constexpr std::size_t shown = 110;
    const std::size_t to = std::min<std::size_t>(end + 30, text.size());
    const std::size_t from = to > shown ? to - shown : 0;
    return "\"" + std::string(text.substr(from, to - from)) + "\"";
}

/// The sentence that ends at `end` asks for one more, or for a choice, and not for what was told.
bool wants_another(std::string_view answer, std::uint32_t end) noexcept {
    constexpr std::array words{
        std::string_view{"other"},
        std::string_view{"different"},
        std::string_view{"which"},
        std::string_view{" if "},
        std::string_view{"instead"},
        std::string_view{"once you"},
        std::string_view{" new "},
        std::string_view{"double"},
        std::string_view{"correct"},
        std::string_view{" or "},
        std::string_view{"wish"},
        std::string_view{"want"},
    };
    std::size_t from = answer.find_last_of(".!?\n", end > 0 ? end - 1 : 0);
    from = from == std::string_view::npos ? 0 : from;
    std::size_t to = answer.find_first_of(".!?\n", end);
    to = to == std::string_view::npos ? answer.size() : to;
    const std::string_view sentence = answer.substr(from, to - from);
    return std::ranges::any_of(words, [&](std::string_view word) {
        return sentence.find(word) != std::string_view::npos;
    });
}

}  // namespace

std::optional<Sighting> judge_lost_words(
    const Recollection& memory, const AnswerReading& reading, std::string_view answer,
    std::uint32_t calls
) {
    if (calls < lost_calls_min) {
        return std::nullopt;
    }
    if (reading.has(AnswerSign::Amnesia)) {
        const std::uint32_t at = reading.at[static_cast<std::size_t>(AnswerSign::Amnesia)];
        return lost(
            0.8, "after " + std::to_string(calls) + " calls it says: " + before(answer, at)
        );
    }
    if (reading.has(AnswerSign::Greets)) {
        const std::uint32_t at = reading.at[static_cast<std::size_t>(AnswerSign::Greets)];
        return lost(
            0.7, "after " + std::to_string(calls) + " calls it greets: " + before(answer, at)
        );
    }
    for (std::size_t i = 0; i < slot_kinds; ++i) {
        const auto slot = static_cast<Slot>(i);
        if (reading.asks_for(slot) && memory.told[i] != 0 && calls > memory.told_calls[i] &&
            !wants_another(answer, reading.asked_at[i])) {
            return lost(
                0.65,
                "asks for the " + std::string(word_of(slot)) +
                    " that the user told before: " + before(answer, reading.asked_at[i])
            );
        }
    }
    return std::nullopt;
}

std::optional<Sighting> judge_restart(
    const std::vector<Action>& actions, const Action& newest, bool all_known, const Names& names
) {
    const std::size_t size = actions.size();
    if (!all_known || size < 2 * restart_calls_min + restart_past_min ||
        &newest != &actions.back()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < restart_calls_min; ++i) {
        const Action& first = actions[i];
        const Action& again = actions[size - restart_calls_min + i];
        if (first.near != again.near || first.result != again.result || !first.worked ||
            !again.worked || first.writes || first.withheld) {
            return std::nullopt;
        }
    }
    if (actions[0].near == actions[1].near) {
        return std::nullopt;
    }
    Sighting sighting = lost(
        0.7,
        "began again: " + names.text(actions[0].tool) + " and " + names.text(actions[1].tool) +
            " as at steps " + std::to_string(actions[0].step) + " and " +
            std::to_string(actions[1].step) + ", with the same answers, after " +
            std::to_string(size - 2 * restart_calls_min) + " other calls"
    );
    sighting.tool = newest.tool;
    return sighting;
}

bool is_placeholder(std::string_view value) noexcept {
    if (value.size() < 4 || value.size() > placeholder_bytes_max) {
        return false;
    }
    const auto wrapped = [value](std::string_view open, std::string_view close) {
        return value.starts_with(open) && value.ends_with(close) &&
               value.find_first_of(".:/\\\"") == std::string_view::npos;
    };
    if (wrapped("<", ">") || wrapped("{{", "}}") || wrapped("[", "]") || wrapped("${", "}")) {
        const std::string_view inner = value.substr(1, value.size() - 2);
        return std::ranges::any_of(
                   inner, [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
               ) &&
               inner.find(',') == std::string_view::npos;
    }
    std::string lower(value);
    std::ranges::transform(lower, lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    });
    const bool joined =
        lower.find('_') != std::string::npos && lower.find(' ') == std::string::npos;
    const bool letters = std::ranges::none_of(lower, [](char c) { return c >= '0' && c <= '9'; });
    const bool upper = std::ranges::none_of(value, [](char c) { return c >= 'a' && c <= 'z'; });
    return joined && letters &&
           (lower.starts_with("your_") || lower.ends_with("_here") ||
            (upper &&
             (lower.ends_with("_id") || lower.ends_with("_number") || lower.ends_with("_email"))));
}

std::optional<Sighting> judge_placeholder(std::string_view arguments) {
    if (arguments.find_first_of("<[{_") == std::string_view::npos) {
        return std::nullopt;
    }
    std::vector<ArgumentValue> values;
    read_values(arguments, ArgumentLimits{}, values);
    for (const ArgumentValue& value : values) {
        if (value.quoted && is_placeholder(value.text)) {
            return lost(
                0.7, "called with the placeholder \"" + value.text + "\" where a value belongs"
            );
        }
    }
    return std::nullopt;
}

}  // namespace tagout::detect
