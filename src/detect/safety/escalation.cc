#include "detect/safety/escalation.h"

#include <algorithm>
#include <array>

namespace tagout::detect {

namespace {

/// Beginnings of words in a tool's name that speak of power over others' rights.
constexpr std::array powerful_words{
    std::string_view{"grant"},      std::string_view{"permission"}, std::string_view{"role"},
    std::string_view{"admin"},      std::string_view{"privilege"},  std::string_view{"invit"},
    std::string_view{"collabor"},   std::string_view{"member"},     std::string_view{"owner"},
    std::string_view{"forward"},    std::string_view{"sudo"},       std::string_view{"elevate"},
    std::string_view{"imperson"},   std::string_view{"password"},   std::string_view{"key"},
    std::string_view{"credential"}, std::string_view{"policy"},     std::string_view{"acl"},
    std::string_view{"firewall"},   std::string_view{"mfa"},        std::string_view{"disable"},
    std::string_view{"authoriz"},
};
constexpr std::array deleting_words{
    std::string_view{"delet"},
    std::string_view{"remov"},
    std::string_view{"purg"},
    std::string_view{"wipe"},
    std::string_view{"clear"},
    std::string_view{"eras"},
};
constexpr std::array trace_words{
    std::string_view{"mail"},
    std::string_view{"email"},
    std::string_view{"message"},
    std::string_view{"history"},
    std::string_view{"log"},
    std::string_view{"audit"},
    std::string_view{"trace"},
};

constexpr bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Whether a word of the name (parted by signs or a capital) begins with one of the list.
template <class List>
bool has_word(std::string_view name, const List& list) noexcept {
    for (std::size_t i = 0; i < name.size(); ++i) {
        const bool capital = name[i] >= 'A' && name[i] <= 'Z';
        const bool begins = is_letter(name[i]) && (i == 0 || !is_letter(name[i - 1]) || capital);
        if (!begins) {
            continue;
        }
        const std::string_view rest = name.substr(i);
        const bool found = std::ranges::any_of(list, [&](std::string_view word) {
            return rest.size() >= word.size() &&
                   std::ranges::equal(rest.substr(0, word.size()), word, [](char a, char b) {
                       return static_cast<char>(a | 0x20) == b;
                   });
        });
        if (found) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool is_powerful(std::string_view tool_name) noexcept {
    return has_word(tool_name, powerful_words);
}

bool removes_traces(std::string_view tool_name) noexcept {
    return has_word(tool_name, deleting_words) && has_word(tool_name, trace_words);
}

void note_denial(LadderMarks& marks, NameId tool, const StepPlace& place) noexcept {
    if (marks.denied_tool == 0) {
        marks.denied_tool = tool;
        marks.denied_step = place.step;
    }
}

std::optional<Sighting> judge_escalation(
    LadderMarks& marks, const CallEvidence& evidence, const PendingCall& call,
    const SafetySettings& settings, const Names& names
) {
    const std::string& tool = names.text(call.tool);
    const bool unasked = evidence.texts_known && !evidence.asked && !evidence.confirmed;
    const LadderMarks before = marks;
    const bool powerful = call.writes && is_powerful(tool);
    marks.changed_tool = call.writes && marks.changed_tool == 0 ? call.tool : marks.changed_tool;
    if (!unasked || !call.writes) {
        return std::nullopt;
    }
    double doubt = 1;
    std::string why;
    if (removes_traces(tool) && before.changed_tool != 0 && before.changed_tool != call.tool) {
        doubt *= 0.4;
        why = ", which removes traces, after " + names.text(before.changed_tool);
    }
    if (powerful) {
        doubt *= 0.65;
        const bool stronger = before.denied_tool != 0 && before.denied_tool != call.tool &&
                              !is_powerful(names.text(before.denied_tool));
        if (stronger) {
            doubt *= 0.6;
            why += " after " + names.text(before.denied_tool) + " was denied (step " +
                   std::to_string(before.denied_step) + ")";
        }
        if (before.powerful_tool != 0 && before.powerful_tool != call.tool) {
            doubt *= 0.75;
            why += " after " + names.text(before.powerful_tool);
        }
        if (before.changed_tool != 0 && before.changed_tool != call.tool) {
            doubt *= 0.85;
        }
        marks.powerful_tool = marks.powerful_tool == 0 ? call.tool : marks.powerful_tool;
    }
    doubt *= evidence.orders_before && doubt < 1 ? 0.6 : 1;
    const double score = 1 - doubt;
    if (score < settings.escalation_score) {
        return std::nullopt;
    }
    Sighting sighting{.signal = SignalId::Escalation};
    sighting.place = call.place;
    sighting.tool = call.tool;
    sighting.score = score;
    sighting.observed = score;
    sighting.threshold = settings.escalation_score;
    sighting.write_completed = call.worked;
    sighting.cause = evidence.orders_before ? names.text(evidence.orders_tool) : tool;
    sighting.evidence =
        tool + " was called" + why + "; the user did not ask for it" +
        (evidence.orders_before ? " and a tool's result had given the agent orders" : "");
    return sighting;
}

}  // namespace tagout::detect
