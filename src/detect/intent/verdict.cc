#include "detect/intent/verdict.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace tagout::detect {

namespace {

constexpr std::array bad_labels{
    std::string_view{"fail"},           std::string_view{"failed"},
    std::string_view{"failure"},        std::string_view{"bad"},
    std::string_view{"incorrect"},      std::string_view{"wrong"},
    std::string_view{"negative"},       std::string_view{"thumbs_down"},
    std::string_view{"thumbs-down"},    std::string_view{"down"},
    std::string_view{"dislike"},        std::string_view{"not_relevant"},
    std::string_view{"irrelevant"},     std::string_view{"unsatisfied"},
    std::string_view{"dissatisfied"},   std::string_view{"hallucinated"},
    std::string_view{"mismatch"},       std::string_view{"poor"},
    std::string_view{"wrong_workflow"}, std::string_view{"misrouted"},
    std::string_view{"unhelpful"},
};
constexpr std::array good_labels{
    std::string_view{"pass"},
    std::string_view{"passed"},
    std::string_view{"success"},
    std::string_view{"good"},
    std::string_view{"correct"},
    std::string_view{"positive"},
    std::string_view{"thumbs_up"},
    std::string_view{"thumbs-up"},
    std::string_view{"up"},
    std::string_view{"like"},
    std::string_view{"relevant"},
    std::string_view{"satisfied"},
    std::string_view{"factual"},
    std::string_view{"match"},
    std::string_view{"helpful"},
    std::string_view{"excellent"},
};
constexpr std::array harm_names{
    std::string_view{"toxic"},
    std::string_view{"hallucinat"},
    std::string_view{"bias"},
    std::string_view{"harm"},
    std::string_view{"inject"},
    std::string_view{"jailbreak"},
    std::string_view{"pii"},
    std::string_view{"risk"},
    std::string_view{"frustrat"},
    std::string_view{"error"},
};
constexpr std::array intent_names{
    std::string_view{"intent"},
    std::string_view{"routing"},
    std::string_view{"route"},
    std::string_view{"workflow"},
    std::string_view{"handoff"},
    std::string_view{"triage"},
    std::string_view{"classification"},
    std::string_view{"department"},
};

std::string lower(std::string_view text) {
    std::string out(text.substr(0, 200));
    for (char& c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == ' ' ? '_' : c;
    }
    return out;
}

bool has_any(const std::string& text, const auto& list) {
    return std::ranges::any_of(list, [&](std::string_view word) {
        return text.find(word) != std::string::npos;
    });
}

std::int8_t of_score(double score, bool harm, double fail_below) {
    if (score < 0) {
        return -1;
    }
    if (score > 1 && score <= 5) {
        return score <= 2 ? std::int8_t{-1} : score >= 4 ? std::int8_t{1} : std::int8_t{0};
    }
    if (score > 5) {
        return 0;  // no scale that we know
    }
    const bool bad = harm ? score > 1 - fail_below : score < fail_below;
    return bad ? std::int8_t{-1} : std::int8_t{1};
}

}  // namespace

VerdictReading read_verdict(const AgentEvent& event, double fail_below) {
    VerdictReading reading;
    const std::string name = lower(event.eval_name);
    const std::string label = lower(event.eval_label);
    if (event.eval_scope == "span" && event.kind != EventKind::Feedback &&
        !has_any(name, intent_names)) {
        return reading;
    }
    if (std::ranges::find(bad_labels, label) != bad_labels.end()) {
        reading.verdict = -1;
    } else if (std::ranges::find(good_labels, label) != good_labels.end()) {
        reading.verdict = 1;
    } else if (event.eval_has_score) {
        reading.verdict = of_score(event.eval_score, has_any(name, harm_names), fail_below);
    }
    reading.about_intent =
        has_any(name, intent_names) || label == "wrong_workflow" || label == "misrouted";
    return reading;
}

}  // namespace tagout::detect
