#include "detect/context/contradiction.h"

#include "detect/atoms.h"
#include "detect/hash.h"
#include "detect/word_filter.h"

#include <algorithm>
#include <array>

namespace tagout::detect {

namespace {

constexpr double alike_min = 0.66;
constexpr double alike_state_min = 0.8;
constexpr std::size_t shared_words_min = 3;
constexpr std::size_t many_words_min = 5;
constexpr std::size_t state_words_min = 3;
constexpr std::size_t result_ids_bytes_max = 600;

/// Words that say nothing of what a sentence is about.
constexpr std::array common_words{
    std::string_view{"the"},    std::string_view{"and"},   std::string_view{"for"},
    std::string_view{"you"},    std::string_view{"your"},  std::string_view{"with"},
    std::string_view{"this"},   std::string_view{"that"},  std::string_view{"have"},
    std::string_view{"has"},    std::string_view{"are"},   std::string_view{"was"},
    std::string_view{"were"},   std::string_view{"been"},  std::string_view{"will"},
    std::string_view{"from"},   std::string_view{"can"},   std::string_view{"our"},
    std::string_view{"its"},    std::string_view{"their"}, std::string_view{"there"},
    std::string_view{"these"},  std::string_view{"would"}, std::string_view{"into"},
    std::string_view{"also"},   std::string_view{"all"},   std::string_view{"any"},
    std::string_view{"now"},    std::string_view{"but"},   std::string_view{"had"},
    std::string_view{"please"}, std::string_view{"could"}, std::string_view{"provide"},
};
constexpr std::array denying_words{
    std::string_view{"not"},         std::string_view{"never"},  std::string_view{"cannot"},
    std::string_view{"nothing"},     std::string_view{"unable"}, std::string_view{"without"},
    std::string_view{"isn"},         std::string_view{"wasn"},   std::string_view{"hasn"},
    std::string_view{"haven"},       std::string_view{"didn"},   std::string_view{"doesn"},
    std::string_view{"don"},         std::string_view{"aren"},   std::string_view{"weren"},
    std::string_view{"couldn"},      std::string_view{"failed"}, std::string_view{"none"},
    std::string_view{"unavailable"},
};

constexpr std::array hedging_words{
    std::string_view{"if"},
    std::string_view{"let"},
    std::string_view{"would"},
    std::string_view{"could"},
    std::string_view{"should"},
    std::string_view{"might"},
    std::string_view{"assume"},
    std::string_view{"may"},
    std::string_view{"function"},
    std::string_view{"please"},
    std::string_view{"check"},
};
constexpr std::array later_words{
    std::string_view{"will"},
    std::string_view{"going"},
    std::string_view{"ll"},
};

/// States of a thing that cannot hold at the same time.
struct State {
    std::string_view holds;
    std::string_view not_holds;
};
constexpr std::array states{
    State{"delivered", "pending"},
    State{"delivered", "undelivered"},
    State{"active", "cancelled"},
    State{"active", "canceled"},
    State{"active", "inactive"},
    State{"open", "closed"},
    State{"available", "unavailable"},
    State{"enabled", "disabled"},
    State{"paid", "unpaid"},
    State{"approved", "rejected"},
    State{"accepted", "declined"},
    State{"public", "private"},
    State{"refundable", "nonrefundable"},
    State{"free", "busy"},
    State{"locked", "unlocked"},
    State{"completed", "incomplete"},
    State{"valid", "invalid"},
    State{"valid", "expired"},
};

bool is_ordinal(const Atom& atom) noexcept {
    const std::string_view text = atom.text;
    return atom.letters && text.size() <= 4 && is_digit(text.front()) &&
           (text.ends_with("st") || text.ends_with("nd") || text.ends_with("rd") ||
            text.ends_with("th"));
}

/// What a word does in a claim; most do nothing.
struct WordMarks {
    bool denies = false;
    bool hedges = false;
    bool foretells = false;
    bool common = false;
    std::uint32_t states = 0;
    std::uint32_t states_held = 0;
};

/// The first eight bytes of an atom in lower case.
std::uint64_t lower_head(const Atom& atom) noexcept {
    return atom.head | (0x2020202020202020ULL & mask_of(atom.text.size()));
}

/// Which words do something at all: hardly any of a text.
constexpr WordFilter marked_words = [] {
    WordFilter filter;
    filter.add_all(common_words, 1);
    filter.add_all(denying_words, 1);
    filter.add_all(hedging_words, 1);
    filter.add_all(later_words, 1);
    for (const State& state : states) {
        filter.add(state.holds, 1);
        filter.add(state.not_holds, 1);
    }
    return filter;
}();

/// What each of them does.
class MarkedWords {
public:
    MarkedWords() {
        for (const std::string_view word : common_words) {
            marks(word).common = true;
        }
        for (const std::string_view word : denying_words) {
            marks(word).denies = true;
        }
        for (const std::string_view word : hedging_words) {
            marks(word).hedges = true;
        }
        for (const std::string_view word : later_words) {
            marks(word).foretells = true;
        }
        for (std::size_t i = 0; i < states.size(); ++i) {
            marks(states[i].holds).states |= 1U << i;
            marks(states[i].holds).states_held |= 1U << i;
            marks(states[i].not_holds).states |= 1U << i;
        }
    }

    /// Null if the word, in whatever case, does nothing.
    [[nodiscard]] const WordMarks* find(const Atom& atom) const noexcept {
        const std::uint64_t head = lower_head(atom);
        if (marked_words.of(head) == 0) {
            return nullptr;
        }
        const auto first = std::ranges::lower_bound(entries_, head, {}, &Entry::head);
        for (auto entry = first; entry != entries_.end() && entry->head == head; ++entry) {
            if (std::ranges::equal(atom.text, entry->word, {}, [](char c) {
                    return static_cast<char>(c | 0x20);
                })) {
                return &entry->marks;
            }
        }
        return nullptr;
    }

private:
    struct Entry {
        std::uint64_t head = 0;
        std::string_view word;
        WordMarks marks;
    };

    WordMarks& marks(std::string_view word) {
        const auto known = std::ranges::find(entries_, word, &Entry::word);
        if (known != entries_.end()) {
            return known->marks;
        }
        const std::uint64_t head = WordFilter::head_of(word);
        const auto behind = std::ranges::upper_bound(entries_, head, {}, &Entry::head);
        return entries_.insert(behind, {head, word, WordMarks{}})->marks;
    }

    std::vector<Entry> entries_;  ///< By head.
};

const WordMarks* marks_of(const Atom& atom) noexcept {
    static const MarkedWords words;
    return words.find(atom);
}

bool ends_sentence(std::string_view gap) noexcept {
    for (std::size_t i = 0; i < gap.size(); ++i) {
        const bool stop = gap[i] == '.' || gap[i] == '!' || gap[i] == '?';
        if (gap[i] == '\n' ||
            (stop && (i + 1 == gap.size() || gap[i + 1] == ' ' || gap[i + 1] == '\n'))) {
            return true;
        }
    }
    return false;
}

bool has_number(const Claim& claim, std::uint64_t number) noexcept {
    const auto* const end = claim.numbers.data() + claim.numbers_count;
    return std::find(claim.numbers.data(), end, number) != end;
}

/// Numbers of `a` that `b` has not.
std::vector<std::uint64_t> numbers_without(const Claim& a, const Claim& b) {
    std::vector<std::uint64_t> left;
    for (std::size_t i = 0; i < a.numbers_count; ++i) {
        if (!has_number(b, a.numbers[i])) {
            left.push_back(a.numbers[i]);
        }
    }
    return left;
}

std::size_t shared_words(const Claim& a, const Claim& b) noexcept {
    const auto* const end = b.words.data() + b.words_count;
    return static_cast<std::size_t>(std::count_if(
        a.words.data(),
        a.words.data() + a.words_count,
        [&](std::uint32_t word) { return std::find(b.words.data(), end, word) != end; }
    ));
}

struct Verb {
    std::string_view word;
    std::int8_t sense;
};
constexpr std::array verbs{
    Verb{"create", 1},       Verb{"add", 1},      Verb{"book", 1},      Verb{"reserve", 1},
    Verb{"schedule", 1},     Verb{"send", 1},     Verb{"post", 1},      Verb{"upload", 1},
    Verb{"write", 1},        Verb{"append", 1},   Verb{"insert", 1},    Verb{"publish", 1},
    Verb{"open", 1},         Verb{"order", 1},    Verb{"register", 1},  Verb{"subscribe", 1},
    Verb{"invite", 1},       Verb{"share", 1},    Verb{"grant", 1},     Verb{"enable", 1},
    Verb{"start", 1},        Verb{"lock", 1},     Verb{"pay", 1},       Verb{"exchange", 1},
    Verb{"return", 1},       Verb{"restore", 1},  Verb{"reopen", 1},    Verb{"activate", 1},
    Verb{"delete", -1},      Verb{"remove", -1},  Verb{"cancel", -1},   Verb{"release", -1},
    Verb{"unsend", -1},      Verb{"retract", -1}, Verb{"uninvite", -1}, Verb{"revoke", -1},
    Verb{"unshare", -1},     Verb{"close", -1},   Verb{"disable", -1},  Verb{"undo", -1},
    Verb{"unsubscribe", -1}, Verb{"unlock", -1},  Verb{"void", -1},     Verb{"rollback", -1},
    Verb{"deactivate", -1},  Verb{"stop", -1},    Verb{"discard", -1},  Verb{"recall", -1},
};

void add_target(WriteMark& mark, std::uint32_t target) noexcept {
    if (mark.targets_count < WriteMark::targets_max) {
        mark.targets[mark.targets_count++] = target;
    }
}

}  // namespace

void read_claims(std::string_view text, std::vector<Claim>& out) {
    text = text.substr(0, answer_bytes_max);
    Claim claim;
    std::size_t from = 0;
    std::size_t end = 0;
    bool is_code = false;
    const auto finish = [&](std::size_t next) {
        const std::string_view gap = text.substr(end, next - end);
        claim.asks = gap.substr(0, 3).find('?') != std::string_view::npos;
        const bool says = claim.words_count >= state_words_min ||
                          (claim.words_count >= 2 && claim.numbers_count > 0);
        if (says && !is_code && out.size() < Recollection::claims_max) {
            claim.quote = text.substr(from, std::min(end - from, Claim::quote_bytes_max));
            out.push_back(claim);
        }
        claim = {};
        is_code = false;
        from = next;
    };
    for_each_atom(text, [&](const Atom& atom) {
        const std::string_view gap = text.substr(end, atom.at - end);
        if (gap.size() != 1 || gap.front() != ' ') {  // as most are
            if (end > 0 && ends_sentence(gap)) {
                finish(atom.at);
            } else {
                is_code = is_code || gap.find_first_of("{}<>=`") != std::string_view::npos;
            }
        }
        end = atom.at + atom.text.size();
        if (atom.digits) {
            const bool counts = atom.text.size() >= 3 && !is_ordinal(atom) &&
                                claim.numbers_count < Claim::numbers_max;
            const std::uint64_t number = atom_hash(atom.text, atom.head, 0);
            if (counts && !has_number(claim, number)) {
                claim.numbers[claim.numbers_count++] = number;
            }
            return;
        }
        const WordMarks* const marks = marks_of(atom);
        if (marks != nullptr) {
            claim.denies = claim.denies || marks->denies;
            claim.hedges = claim.hedges || marks->hedges;
            claim.foretells = claim.foretells || marks->foretells;
            claim.states |= marks->states;
            claim.states_held |= marks->states_held;
        }
        if (atom.text.size() >= 3 && claim.words_count < Claim::words_max &&
            (marks == nullptr || (!marks->common && !marks->denies))) {
            claim.words[claim.words_count++] =
                static_cast<std::uint32_t>(atom_hash(atom.text, atom.head, 0));
        }
    });
    if (end > 0) {
        finish(text.size());
    }
}

double likeness(const Claim& a, const Claim& b) noexcept {
    const std::size_t fewer = std::min(a.words_count, b.words_count);
    const std::size_t both = shared_words(a, b);
    return both < shared_words_min ? 0 : static_cast<double>(both) / static_cast<double>(fewer);
}

bool is_about_known(const Recollection& memory, const Claim& claim) noexcept {
    return !claim.asks && !claim.hedges &&
           std::ranges::any_of(memory.claims, [&](const Claim& earlier) {
               return !earlier.asks && !earlier.hedges && likeness(earlier, claim) >= alike_min;
           });
}

std::optional<Sighting> judge_claim(
    const Recollection& memory, Claim& claim, const ValueIndex& values
) {
    const auto is_known = [&](std::uint64_t number) { return values.has(number); };
    for (auto earlier = memory.claims.rbegin(); earlier != memory.claims.rend(); ++earlier) {
        const double alike = earlier->asks || earlier->hedges ? 0 : likeness(*earlier, claim);
        if (alike < alike_min || earlier->step == claim.step) {
            continue;
        }
        const std::size_t both = shared_words(*earlier, claim);
        const std::size_t longer = std::max(earlier->words_count, claim.words_count);
        // Words on both sides that the other has not: it is about something else.
        const bool one_subject = both == earlier->words_count || both == claim.words_count ||
                                 (both >= many_words_min && alike >= alike_state_min);
        const auto gone = numbers_without(*earlier, claim);
        const auto come = numbers_without(claim, *earlier);
        const bool settled = earlier->writes == claim.writes;
        const bool now = !earlier->foretells && !claim.foretells;
        bool contradicts = false;
        if (gone.empty() && come.empty()) {
            const std::uint32_t pairs = earlier->states & claim.states;
            const bool flipped = ((earlier->states_held ^ claim.states_held) & pairs) != 0;
            contradicts = settled && now && (flipped != (earlier->denies != claim.denies)) &&
                          (flipped || (both * 4 >= longer * 3 && alike >= alike_state_min));
        } else if (!gone.empty() && !come.empty() && settled && one_subject && !values.full()) {
            const bool all_gone = std::ranges::all_of(gone, is_known);
            const bool all_come = std::ranges::all_of(come, is_known);
            const bool no_gone = std::ranges::none_of(gone, is_known);
            const bool no_come = std::ranges::none_of(come, is_known);
            contradicts =
                (all_gone && no_come) || (no_gone && all_come) ||
                (no_gone && no_come && earlier->calls == claim.calls && both + 1 >= longer);
        }
        if (contradicts) {
            Sighting sighting{.signal = SignalId::Contradiction};
            sighting.score = std::min(0.9, 0.3 + 0.6 * alike);
            sighting.observed = sighting.score;
            sighting.evidence = "said \"" + earlier->quote + "\" (step " +
                                std::to_string(earlier->step) + ") and then \"" + claim.quote +
                                "\"";
            return sighting;
        }
    }
    return std::nullopt;
}

WriteMark mark_of(std::string_view tool, std::string_view arguments, std::string_view result) {
    WriteMark mark;
    std::uint64_t noun = 0;
    for_each_atom(tool, [&](const Atom& atom) {
        const auto visit = [&](std::string_view part) {
            std::string lower(part.substr(0, 24));
            std::ranges::transform(lower, lower.begin(), [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
            });
            const auto verb = std::ranges::find(verbs, lower, &Verb::word);
            if (verb != verbs.end() && mark.sense == 0) {
                mark.sense = verb->sense;
                mark.verb = static_cast<std::uint32_t>(verb - verbs.begin());
            } else {
                noun += hash_of(lower) >> 8;
            }
        };
        if (atom.joined) {
            std::size_t start = 0;
            for (std::size_t i = 0; i <= atom.text.size(); ++i) {
                if (i == atom.text.size() || is_joiner(atom.text[i])) {
                    if (i > start) {
                        visit(atom.text.substr(start, i - start));
                    }
                    start = i + 1;
                }
            }
        } else {
            visit(atom.text);
        }
    });
    mark.noun = static_cast<std::uint32_t>(noun);
    if (mark.sense == 0) {
        return mark;
    }
    std::vector<ArgumentValue> given;
    ArgumentLimits limits;
    limits.values_max = WriteMark::targets_max - 2;
    limits.value_bytes_max = 80;
    read_values(arguments, limits, given);
    for (const ArgumentValue& value : given) {
        if (value.text.size() >= 2 && value.text != "true" && value.text != "false") {
            add_target(mark, near_hash_of(value.text));
        }
    }
    for_each_atom(result.substr(0, result_ids_bytes_max), [&](const Atom& atom) {
        if (atom.digits && !(atom.joined && !atom.letters)) {
            add_target(mark, near_hash_of(atom.text));
        }
    });
    return mark;
}

const WriteMark* undone_by(const Recollection& memory, const WriteMark& newest) noexcept {
    for (auto earlier = memory.writes.rbegin(); earlier != memory.writes.rend(); ++earlier) {
        if (earlier->sense == 0 || earlier->sense == newest.sense || newest.sense == 0 ||
            earlier->noun != newest.noun || earlier->request != newest.request) {
            continue;
        }
        const auto* const end = earlier->targets.data() + earlier->targets_count;
        for (std::size_t i = 0; i < newest.targets_count; ++i) {
            if (std::find(earlier->targets.data(), end, newest.targets[i]) != end) {
                return &*earlier;
            }
        }
    }
    return nullptr;
}

std::string_view verb_of(const WriteMark& mark) noexcept {
    return mark.sense == 0 ? std::string_view() : verbs[mark.verb].word;
}

std::optional<std::uint32_t> set_back(
    const std::vector<Action>& actions, const Action& newest
) noexcept {
    if (!newest.writes || !newest.worked || newest.fields_count < 2) {
        return std::nullopt;
    }
    const Action* between = nullptr;
    for (auto action = actions.rbegin(); action != actions.rend(); ++action) {
        if (&*action == &newest || action->tool != newest.tool || !action->worked ||
            action->request != newest.request || action->ended > newest.began) {
            continue;
        }
        if (action->near == newest.near) {
            return between == nullptr ? std::nullopt : std::optional(between->step);
        }
        const auto* const end = action->fields.data() +
                                std::min<std::size_t>(action->fields_count, action->fields.size());
        std::size_t shared = 0;
        for (std::size_t i = 0;
             i < std::min<std::size_t>(newest.fields_count, newest.fields.size());
             ++i) {
            shared += std::find(action->fields.data(), end, newest.fields[i]) != end ? 1 : 0;
        }
        if (shared + 1 == newest.fields_count && action->fields_count == newest.fields_count) {
            between = between == nullptr ? &*action : between;
        }
    }
    return std::nullopt;
}

}  // namespace tagout::detect
