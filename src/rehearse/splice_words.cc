// Faults of what the agent says: it denies what it reported, asks for what it was told, drops a
// plan.
#include "rehearse/splice.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tagout::rehearse {

using intake::RecordedTurn;
using intake::TurnRole;

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array openings{
    "",
    "",
    "To recap: ",
    "As far as I can see, ",
    "Looking at it again, ",
    "Just to be clear: ",
    "For your information, ",
    "According to our records, ",
    "In summary, ",
    "Actually, ",
};
constexpr std::array questions{
    "Could you tell me that once more?",
    "Sorry, what was that again?",
    "Can you confirm this for me?",
    "Please sum it up for me.",
    "Let me write that down. What was it?",
};
constexpr std::array synonyms{
    Pair{"total", "sum"},
    Pair{"currently", "now"},
    Pair{"the following", "these"},
    Pair{"purchase", "order"},
    Pair{"located at", "at"},
    Pair{"has a rating of", "is rated"},
    Pair{"costs", "comes to"},
    Pair{"price", "cost"},
    Pair{"scheduled for", "set for"},
    Pair{"successfully ", ""},
    Pair{"I have ", "I've "},
    Pair{"You have", "There are"},
    Pair{"Your", "The"},
    Pair{"your", "the"},
    Pair{"will be", "is going to be"},
    Pair{"appointment", "meeting"},
    Pair{"approximately", "about"},
    Pair{"sent to", "sent on to"},
};
constexpr std::array flips{
    Pair{" has been ", " has not been "},
    Pair{" have been ", " have not been "},
    Pair{"successfully", "not"},
    Pair{" is available", " is not available"},
    Pair{" delivered", " still pending"},
    Pair{" are available", " are not available"},
    Pair{" cancelled", " still active"},
    Pair{" was ", " was not "},
    Pair{" were ", " were not "},
    Pair{"I have ", "I have not "},
    Pair{"I've ", "I haven't "},
    Pair{" is ", " is not "},
    Pair{" are ", " are not "},
    Pair{" can ", " cannot "},
};

struct Claim {
    std::size_t turn = 0;
    std::string sentence;
};

std::vector<std::string> sentences_of(std::string_view text) {
    std::vector<std::string> found;
    std::size_t from = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool stop = (text[i] == '.' || text[i] == '!' || text[i] == '?') &&
                          (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n');
        if (stop || text[i] == '\n') {
            found.emplace_back(text.substr(from, i + (stop ? 1 : 0) - from));
            from = i + 1;
        }
    }
    found.emplace_back(text.substr(from));
    for (std::string& sentence : found) {
        const std::size_t first = sentence.find_first_not_of(" -*#\t");
        sentence = first == std::string::npos ? "" : sentence.substr(first);
    }
    return found;
}

std::size_t digits_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
        return c >= '0' && c <= '9';
    }));
}

bool is_claim(std::string_view sentence) {
    const auto words = std::ranges::count(sentence, ' ') + 1;
    return sentence.size() >= 20 && sentence.size() <= 260 && words >= 4 &&
           !sentence.contains('?') && !sentence.contains('<') && !sentence.contains("```") &&
           !sentence.starts_with("I will") && !sentence.starts_with("Let me") &&
           !sentence.starts_with("To ");
}

std::string replaced_once(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    if (at != std::string::npos) {
        text.replace(at, from.size(), to);
    }
    return text;
}

/// One number of `sentence` changed, the longest one: an id, an amount, a date.
std::string other_number(const std::string& sentence, Prng& chance) {
    std::string best;
    for (std::size_t i = 0; i < sentence.size();) {
        std::size_t end = i;
        while (end < sentence.size() && std::isalnum(static_cast<unsigned char>(sentence[end])) != 0
        ) {
            ++end;
        }
        const std::string token = sentence.substr(i, end - i);
        if (digits_of(token) >= 1 && token.size() > best.size()) {
            best = token;
        }
        i = std::max(end, i + 1);
    }
    return replaced_once(sentence, best, altered(best, chance));
}

std::string said_anew(std::string sentence, Prng& chance) {
    for (const auto& [from, to] : synonyms) {
        if (chance.chance(0.5)) {
            sentence = replaced_once(sentence, from, to);
        }
    }
    const std::size_t bracket = sentence.find(" (");
    const std::size_t end = sentence.find(')', bracket);
    if (bracket != std::string::npos && end != std::string::npos && chance.chance(0.4)) {
        sentence.erase(bracket, end + 1 - bracket);
    }
    const std::string_view opening = pick(openings, chance);
    if (!opening.empty() && opening != "Actually, " && sentence.starts_with("The ")) {
        sentence.front() = 't';
    }
    return std::string(opening) + sentence;
}

std::optional<Splice> contradiction(SpliceBench& bench) {
    std::vector<Claim> numbers;
    std::vector<Claim> states;
    const std::vector<RecordedTurn>& turns = bench.run().turns;
    for (std::size_t i = 0; i < turns.size(); ++i) {
        if (turns[i].role != TurnRole::Assistant) {
            continue;
        }
        for (const std::string& sentence : sentences_of(turns[i].content)) {
            if (!is_claim(sentence)) {
                continue;
            }
            if (digits_of(sentence) >= 2) {
                numbers.push_back({i, sentence});
            }
            if (std::ranges::any_of(flips, [&](const Pair& flip) {
                    return sentence.contains(flip.first);
                })) {
                states.push_back({i, sentence});
            }
        }
    }
    const bool state = !states.empty() && (numbers.empty() || bench.chance.chance(0.35));
    if (!state && numbers.empty()) {
        return std::nullopt;
    }
    const Claim& claim = pick(state ? states : numbers, bench.chance);
    std::string denial;
    if (state) {
        const auto flip = std::ranges::find_if(flips, [&](const Pair& one) {
            return claim.sentence.contains(one.first);
        });
        denial = replaced_once(claim.sentence, flip->first, flip->second);
    } else {
        denial = other_number(claim.sentence, bench.chance);
    }
    denial = said_anew(denial, bench.chance);
    std::vector<std::size_t> gaps;
    for (std::size_t at = claim.turn + 1; at <= turns.size(); ++at) {
        if (bench.is_gap(at) && turns[at - 1].role != TurnRole::User) {
            gaps.push_back(at);
        }
    }
    if (gaps.empty()) {
        return std::nullopt;
    }
    const std::size_t gap = pick(gaps, bench.chance);
    if (bench.chance.chance(0.7)) {
        bench.plant_words(gap, TurnRole::User, pick(questions, bench.chance), false);
    }
    bench.plant_words(gap, TurnRole::Assistant, denial, true);
    return bench.finish(state ? "state" : "number");
}

struct Slot {
    std::string_view name;
    std::string value;
};

/// Values that the user gave, with the word that an agent would ask for them by.
std::vector<Slot> slots_of(std::string_view user) {
    std::vector<Slot> found;
    std::size_t i = 0;
    while (i < user.size()) {
        std::size_t end = i;
        const auto inside = [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '@' || c == '.' ||
                   c == '_' || c == '-' || c == '#' || c == '/';
        };
        while (end < user.size() && inside(user[end])) {
            ++end;
        }
        std::string token(user.substr(i, end - i));
        while (!token.empty() && (token.back() == '.' || token.back() == '-')) {
            token.pop_back();
        }
        const std::size_t digits = digits_of(token);
        const bool date = digits == 8 && std::ranges::count(token, '-') == 2;
        if (token.find('@') != std::string::npos && token.find('.') != std::string::npos) {
            found.push_back({"email address", token});
        } else if (date) {
            found.push_back({"date", token});
        } else if (token.starts_with('#') && digits >= 4) {
            found.push_back({"order number", token});
        } else if (digits == token.size() && digits == 5) {
            found.push_back({"zip code", token});
        } else if (digits >= 8) {
            found.push_back({token.size() > 14 ? "account number" : "order number", token});
        }
        i = std::max(end, i + 1);
    }
    return found;
}

std::optional<Splice> asks_again(
    SpliceBench& bench, std::size_t gap, const std::vector<Slot>& slots
) {
    const Slot& slot = pick(slots, bench.chance);
    const std::string name(slot.name);
    const std::array asks{
        "Could you please provide your " + name + "?",
        "To help you with that, I will need the " + name + ". Could you share it with me?",
        "May I have the " + name + ", please?",
        "Before I can continue, please tell me the " + name + ".",
        "What is the " + name + " you would like me to use?",
    };
    const std::array replies{
        "I already told you: " + slot.value,
        "It is " + slot.value + ", as I said.",
        slot.value,
        std::string("I gave you that at the beginning."),
    };
    bench.plant_words(gap, TurnRole::Assistant, pick(asks, bench.chance), true);
    bench.plant_words(gap, TurnRole::User, pick(replies, bench.chance), false);
    return bench.finish("asks for the " + name);
}

/// The first calls of the session once more, though the agent is well past them.
std::optional<Splice> begins_again(SpliceBench& bench) {
    const std::vector<SplicedCall>& calls = bench.calls();
    if (calls.size() < 4) {
        return std::nullopt;
    }
    const std::size_t count = 2 + bench.chance.below(2);
    std::vector<std::size_t> gaps;
    for (std::size_t i = count; i < calls.size(); ++i) {
        const auto after = bench.gaps_after(calls[i].answer_turn + 1, 1);
        gaps.insert(gaps.end(), after.begin(), after.end());
    }
    if (gaps.empty()) {
        return std::nullopt;
    }
    const std::size_t gap = pick(gaps, bench.chance);
    for (std::size_t i = 0; i < count; ++i) {
        bench.plant_call(gap, calls[i].name, calls[i].arguments, calls[i].answer, true);
    }
    return bench.finish("begins again");
}

std::optional<Splice> forgets_id(SpliceBench& bench, std::size_t gap) {
    constexpr std::array placeholders{
        "ORDER_ID",
        "<id>",
        "your_id_here",
        "unknown",
        "[USER ID]",
        "{{id}}",
    };
    for (const SplicedCall& call : bench.calls()) {
        const std::size_t at = call.arguments.find(":\"");
        const std::size_t end = call.arguments.find('"', at + 2);
        if (call.answer_turn < gap && at != std::string::npos && end != std::string::npos &&
            end > at + 5) {
            std::string arguments = call.arguments;
            arguments.replace(at + 2, end - at - 2, pick(placeholders, bench.chance));
            bench.plant_call(gap, call.name, arguments, "not found", true);
            return bench.finish("a placeholder for an id");
        }
    }
    return std::nullopt;
}

std::optional<Splice> lost_context(SpliceBench& bench) {
    constexpr std::array greetings{
        "Hello! How can I help you today?",
        "Hi there! What can I do for you today?",
        "Welcome! Please tell me how I can assist you.",
    };
    constexpr std::array denials{
        "I'm sorry, but I don't have any record of an earlier conversation. Could you tell me what "
        "you need?",
        "It seems that this is the beginning of our conversation. What would you like me to do?",
        "I don't see any previous messages from you. Could you give me the details again?",
        "I seem to have lost track of what we were doing. Could you remind me of your request?",
    };
    const std::vector<RecordedTurn>& turns = bench.run().turns;
    std::vector<std::size_t> gaps;
    for (std::size_t at = std::max<std::size_t>(4, turns.size() / 2); at < turns.size(); ++at) {
        if (bench.is_gap(at)) {
            gaps.push_back(at);
        }
    }
    if (gaps.empty()) {
        return std::nullopt;
    }
    const std::size_t gap = pick(gaps, bench.chance);
    std::string before;
    for (std::size_t i = 0; i + 1 < gap; ++i) {
        before += turns[i].role == TurnRole::User ? turns[i].content + "\n" : "";
    }
    const std::vector<Slot> slots = slots_of(before);
    const double draw = bench.chance.unit();
    if (draw < 0.4 && !slots.empty()) {
        return asks_again(bench, gap, slots);
    }
    if (draw < 0.6) {
        if (auto made = begins_again(bench)) {
            return made;
        }
    }
    if (draw < 0.7) {
        if (auto made = forgets_id(bench, gap)) {
            return made;
        }
    }
    const bool greets = bench.chance.chance(0.5);
    bench.plant_words(
        gap,
        TurnRole::Assistant,
        greets ? pick(greetings, bench.chance) : pick(denials, bench.chance),
        true
    );
    return bench.finish(greets ? "greets again" : "knows nothing");
}

std::optional<Splice> result_ignored(SpliceBench& bench) {
    constexpr std::array denials{
        "I couldn't find any matching entries.",
        "Unfortunately, the search returned no results.",
        "I was unable to retrieve the information you asked for.",
        "It looks like there is nothing there, so I cannot help with that.",
        "I don't have access to that data.",
        "The tool did not return anything useful.",
    };
    std::vector<const SplicedCall*> calls;
    for (const SplicedCall& call : bench.calls()) {
        if (call.answer.size() >= 40 && !call.writes() && bench.is_gap(call.answer_turn + 1)) {
            calls.push_back(&call);
        }
    }
    if (calls.empty()) {
        return std::nullopt;
    }
    bench.plant_words(
        pick(calls, bench.chance)->answer_turn + 1,
        TurnRole::Assistant,
        pick(denials, bench.chance),
        true
    );
    return bench.finish("result ignored");
}

std::optional<Splice> question_again(SpliceBench& bench) {
    const std::vector<RecordedTurn>& turns = bench.run().turns;
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i + 3 < turns.size(); ++i) {
        if (turns[i].role == TurnRole::Assistant && turns[i].tool_calls.empty() &&
            turns[i].content.ends_with('?') && turns[i + 1].role == TurnRole::User) {
            asked.push_back(i);
        }
    }
    if (asked.empty()) {
        return std::nullopt;
    }
    const std::size_t turn = pick(asked, bench.chance);
    std::vector<std::size_t> gaps;
    for (std::size_t at = turn + 2; at < turns.size(); ++at) {
        if (bench.is_gap(at)) {
            gaps.push_back(at);
        }
    }
    if (gaps.empty()) {
        return std::nullopt;
    }
    const std::size_t gap = pick(gaps, bench.chance);
    bench.plant_words(gap, TurnRole::Assistant, said_anew(turns[turn].content, bench.chance), true);
    bench.plant_words(gap, TurnRole::User, turns[turn + 1].content, false);
    return bench.finish("asks an answered question");
}

std::optional<Splice> plan_dropped(SpliceBench& bench) {
    constexpr std::array plans{
        "I will now ",
        "Next, I will ",
        "Let me go ahead and ",
        "I'll ",
        "Now I am going to ",
    };
    for (auto call = bench.calls().rbegin(); call != bench.calls().rend(); ++call) {
        if (!call->writes() || call->turn < 3) {
            continue;
        }
        std::string deed = call->name;
        std::ranges::replace(deed, '_', ' ');
        bench.plant_words(
            call->turn,
            TurnRole::Assistant,
            std::string(pick(plans, bench.chance)) + deed + " for you.",
            true
        );
        bench.cut_after(call->turn - 1);
        return bench.finish("plan dropped");
    }
    return std::nullopt;
}

std::optional<Splice> incoherent(SpliceBench& bench) {
    const double draw = bench.chance.unit();
    if (draw < 0.35) {
        if (auto made = question_again(bench)) {
            return made;
        }
    }
    if (draw < 0.65) {
        if (auto made = plan_dropped(bench)) {
            return made;
        }
    }
    return result_ignored(bench);
}

}  // namespace

std::optional<Splice> splice_words(SpliceBench& bench, SpliceKind kind) {
    switch (kind) {
        case SpliceKind::Contradiction:
            return contradiction(bench);
        case SpliceKind::LostContext:
            return lost_context(bench);
        default:
            return incoherent(bench);
    }
}

}  // namespace tagout::rehearse
