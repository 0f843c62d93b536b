#include "detect/context/incoherent_step.h"

#include "detect/atoms.h"
#include "detect/context/contradiction.h"

#include <algorithm>
#include <array>

namespace tagout::detect {

namespace {

constexpr double asked_alike_min = 0.75;
constexpr std::size_t ignored_answer_bytes_max = 400;  ///< A longer one says more than "nothing".
constexpr std::size_t plan_bytes_max = 200;            ///< From the plan to the end of the answer.

constexpr std::array everyday_words{
    std::string_view{"details"},
    std::string_view{"information"},
    std::string_view{"double"},
    std::string_view{"else"},
    std::string_view{"anything"},
    std::string_view{"proceed"},
    std::string_view{"confirm"},
    std::string_view{"correct"},
    std::string_view{"help"},
    std::string_view{"assist"},
    std::string_view{"yes"},
    std::string_view{"continue"},
    std::string_view{"would"},
    std::string_view{"like"},
    std::string_view{"further"},
};

/// A plan that waits for the user, or is none.
constexpr std::array waiting_words{
    std::string_view{"nce you"},
    std::string_view{"hen you"},
    std::string_view{"f you"},
    std::string_view{" need"},
    std::string_view{"as soon"},
    std::string_view{" wait"},
    std::string_view{" know"},
    std::string_view{" be happy"},
    std::string_view{" be glad"},
    std::string_view{" be able"},
    std::string_view{"confirm"},
    std::string_view{" keep"},
    std::string_view{"fter you"},
    std::string_view{"Would you"},
    std::string_view{"f so"},
};

bool has_digits(std::string_view text) noexcept {
    return std::ranges::any_of(text, is_digit);
}

Sighting incoherent(double score, std::string evidence) {
    Sighting sighting{.signal = SignalId::IncoherentStep};
    sighting.score = score;
    sighting.observed = score;
    sighting.evidence = std::move(evidence);
    return sighting;
}

bool is_everyday(const Claim& question) noexcept {
    return std::ranges::any_of(everyday_words, [&](std::string_view word) {
        const auto hash = static_cast<std::uint32_t>(atom_hash(word));
        const auto* const end = question.words.data() + question.words_count;
        return std::find(question.words.data(), end, hash) != end;
    });
}

}  // namespace

bool can_be_ignored(const Action& newest, std::string_view answer) noexcept {
    return newest.worked && newest.substantial && !newest.writes && !newest.empty &&
           !newest.withheld && !newest.unfinished && answer.size() <= ignored_answer_bytes_max &&
           !has_digits(answer);
}

std::optional<Sighting> judge_ignored(
    const AnswerReading& reading, const Action& newest, std::string_view answer, const Names& names
) {
    if (!reading.has(AnswerSign::FoundNothing) || !can_be_ignored(newest, answer)) {
        return std::nullopt;
    }
    Sighting sighting = incoherent(
        0.65,
        names.text(newest.tool) + " brought an answer at step " + std::to_string(newest.step) +
            ", and then it says: \"" + std::string(answer.substr(0, 150)) + "\""
    );
    sighting.tool = newest.tool;
    return sighting;
}

std::optional<Sighting> judge_question(const Recollection& memory, const Claim& question) {
    if (!question.asks || is_everyday(question)) {
        return std::nullopt;
    }
    for (const Claim& earlier : memory.claims) {
        // A call worked since: what was answered was of use.
        if (earlier.asks && earlier.request < question.request && earlier.calls < question.calls &&
            likeness(earlier, question) >= asked_alike_min) {
            return incoherent(
                0.65,
                "asks \"" + question.quote + "?\" as at step " + std::to_string(earlier.step) +
                    ", and the user has answered since"
            );
        }
    }
    return std::nullopt;
}

std::string_view plan_of(const AnswerReading& reading, std::string_view answer) noexcept {
    const std::size_t at = reading.at[static_cast<std::size_t>(AnswerSign::Plans)];
    if (!reading.has(AnswerSign::Plans) || at > answer.size()) {
        return {};
    }
    // Its sentence is the last one, and no question.
    std::size_t end = answer.find_first_of("\n!?", at);
    end = std::min(end, answer.find(". ", at));
    end = std::min(end, answer.size());
    const std::string_view behind = answer.substr(end);
    if (end - at > plan_bytes_max || behind.starts_with('?') ||
        std::ranges::any_of(behind, [](char c) {
            return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        })) {
        return {};
    }
    std::size_t from = answer.find_last_of("\n.!?", at > 0 ? at - 1 : 0);
    from = from == std::string_view::npos ? 0 : answer.find_first_not_of(" \n.!?", from);
    const std::string_view sentence = answer.substr(from, end - from);
    const bool waits = std::ranges::any_of(waiting_words, [sentence](std::string_view word) {
        return sentence.find(word) != std::string_view::npos;
    });
    return waits ? std::string_view() : sentence.substr(0, 160);
}

std::optional<Sighting> judge_plan(const Recollection& memory) {
    if (memory.plan.empty()) {
        return std::nullopt;
    }
    return incoherent(0.6, "announced \"" + memory.plan + "\" and did nothing more");
}

}  // namespace tagout::detect
