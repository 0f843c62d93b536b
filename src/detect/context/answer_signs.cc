#include "detect/context/answer_signs.h"

#include "detect/atoms.h"
#include "detect/message_words.h"
#include "detect/pattern_database.h"
#include "detect/word_filter.h"
#include "detect/word_gates.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <span>
#include <vector>

namespace tagout::detect {

namespace {

constexpr unsigned slot_ids = 100;  ///< A pattern's id is its sign, or this plus its slot.

struct Pattern {
    const char* expression;
    unsigned id;
};

constexpr unsigned id_of(AnswerSign sign) {
    return static_cast<unsigned>(sign);
}
constexpr unsigned id_of(Slot slot) {
    return slot_ids + static_cast<unsigned>(slot);
}

constexpr std::uint8_t bit_of(Slot slot) noexcept {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(slot));
}

// Within one sentence, up to its thing.
#define TAGOUT_ASKS                                                                             \
    "\\b(please|could you|can you|may i|might i|provide|i('ll| will) need|i need your|what is|" \
    "what's|tell me|share|give me|send me)\\b[^.!?\\n]{0,80}\\b"

// One automaton a purpose: whoever has no use for a sign does not pay for looking.
constexpr std::array memory_patterns{
    Pattern{
        "\\bi [^.\\n]{0,20}(don't|do not|no longer|didn't) (have|see|find)( any| a| the| our)? "
        "(record|memory|recollection|trace|history) of (our |any |an |the |this |your )?(earlier|"
        "previous|prior|past|conversation|discussion|message|chat|exchange|request)",
        id_of(AnswerSign::Amnesia)},
    Pattern{
        "\\b(don't|do not|no longer|didn't) (have|see|find)( any| a| the| our| your)? (earlier|"
        "previous|prior|past) (conversation|discussion|message|chat|exchange|context|instruction)",
        id_of(AnswerSign::Amnesia)},
    Pattern{
        "\\b(no|any|without) (record|memory|recollection) (of|from) [^.\\n]{0,30}"
        "(conversation|discussion|chat|exchange)",
        id_of(AnswerSign::Amnesia)},
    Pattern{
        "\\b(beginning|start|first message) (of|in) (our|the|this) (conversation|chat|discussion|"
        "session)",
        id_of(AnswerSign::Amnesia)},
    Pattern{
        "\\b(lost|losing) (track|the thread|my place|the context|context)\\b",
        id_of(AnswerSign::Amnesia)},
    Pattern{
        "\\bi( really| currently)? (can't|cannot|don't|do not|no longer) (recall|remember)\\b",
        id_of(AnswerSign::Amnesia)},
    Pattern{"\\b(could|can|would|please)[^.!?\\n]{0,20} remind me\\b", id_of(AnswerSign::Amnesia)},
    Pattern{"\\bwhat were we (talking|doing|working|discussing)", id_of(AnswerSign::Amnesia)},
    Pattern{
        "^\\s*(hello|hi|hey|welcome|greetings|good (morning|afternoon|evening))\\b[^\\n]{0,60}"
        "(how (can|may) i|what can i|how i can|how i may|here to (help|assist))",
        id_of(AnswerSign::Greets)},
};
constexpr std::array found_patterns{
    Pattern{
        "\\b(i|we)( \\w+)? (could not|couldn't|can't|cannot|am unable to|was unable to|am not able "
        "to|was not able to|wasn't able to|didn't|did not)( seem to)? (find|locate|retrieve|get|"
        "access|see)\\b",
        id_of(AnswerSign::FoundNothing)},
    Pattern{
        "\\b(no|zero|not any|without) (\\w+ )?(results?|match(es|ing)?|entries|records|data|"
        "information)\\b[^.\\n]{0,20}(found|returned|available|there)?",
        id_of(AnswerSign::FoundNothing)},
    Pattern{
        "\\b(returned|gave|found|brought) (me )?(no|nothing|zero|empty|none)\\b",
        id_of(AnswerSign::FoundNothing)},
    // "There is nothing you need to do" and "there is no charge" are answers, so a place is asked
    // for.
    Pattern{
        "\\bthere('s| is| are) (nothing|none|no( \\w+){1,3}) (in|on|under|matching|named|called|"
        "found|listed|recorded|registered|there)\\b",
        id_of(AnswerSign::FoundNothing)},
    Pattern{"\\b(i|we) (don't|do not) have (any )?access\\b", id_of(AnswerSign::FoundNothing)},
    Pattern{
        "\\b(did not|didn't) (return|bring|give|show|yield) (anything|any)\\b",
        id_of(AnswerSign::FoundNothing)},
};
constexpr std::array plan_patterns{
    Pattern{
        "\\b(i will|i'll|i'm going to|i am going to|i shall|next,? i will)( now| then| next| also| "
        "go ahead and| proceed to| proceed with)? [a-z]{3,}",
        id_of(AnswerSign::Plans)},
    Pattern{
        "\\blet me( now| then| next| also)? (go ahead|proceed|check|look|search|find|get|retrieve|"
        "send|create|book|update|cancel|add|delete|verify|process|schedule|read|open|review)\\b",
        id_of(AnswerSign::Plans)},
};

constexpr std::array asking_patterns{
    Pattern{TAGOUT_ASKS "e-?mail\\b", id_of(Slot::Email)},
    Pattern{TAGOUT_ASKS "(zip|postal|post) ?code\\b", id_of(Slot::Zip)},
    Pattern{TAGOUT_ASKS "(phone|telephone|mobile)( number)?\\b", id_of(Slot::Phone)},
    Pattern{
        TAGOUT_ASKS
        "(order|booking|reservation|reference|invoice|ticket|case|customer|tracking|confirmation|"
        "transaction)( id| number| code| no\\.?| #)\\b",
        id_of(Slot::Number)},
    Pattern{TAGOUT_ASKS "(iban|account( number| id)?|bank details)\\b", id_of(Slot::Account)},
    Pattern{TAGOUT_ASKS "dates?\\b", id_of(Slot::Date)},
};
#undef TAGOUT_ASKS

PatternDatabase compiled(std::span<const Pattern> of) {
    Patterns patterns;
    for (const Pattern& pattern : of) {
        patterns.add(pattern.expression, pattern.id, HS_FLAG_CASELESS);
    }
    return patterns.compiled();
}

/// By AnswerLook's members, in their order.
constexpr std::size_t automata_count = 4;

/// What stands in whatever an automaton's patterns match: a text that has no such words need not be
/// searched, and most answers have none. "t" is that of "didn't", "ll" that of "I'll".
struct Gate {
    unsigned automaton;
    WordGates::Rule rule;
};
constexpr unsigned memory_automaton = 0;
constexpr unsigned found_automaton = 1;
constexpr unsigned plan_automaton = 2;
constexpr unsigned asking_automaton = 3;

constexpr std::array gates{
    Gate{
        memory_automaton,
        {"record memory recollection trace history earlier previous prior past beginning start "
         "message lost losing recall remember remind were hello hi hey welcome greetings good"}},
    Gate{
        found_automaton,
        {"not t cannot unable seem",
         "find locate retrieve get access see",
         WordGates::Within::FourWords}},
    Gate{
        found_automaton,
        {"no zero any without",
         "result results match matches matching entries records data information",
         WordGates::Within::TwoWords}},
    Gate{
        found_automaton,
        {"returned gave found brought", "no nothing zero empty none", WordGates::Within::TwoWords}},
    Gate{found_automaton, {"there", "nothing none no", WordGates::Within::TwoWords}},
    Gate{found_automaton, {"not t", "anything any", WordGates::Within::TwoWords}},
    Gate{plan_automaton, {"i", "will ll m am shall", WordGates::Within::TwoWords}},
    Gate{plan_automaton, {"let", "me", WordGates::Within::TwoWords}},
    Gate{
        asking_automaton,
        {"please could can may might provide need what tell share give send",
         "email e zip postal post zipcode postalcode postcode phone telephone mobile order booking "
         "reservation reference invoice ticket case customer tracking confirmation transaction "
         "iban "
         "account bank date dates"}},
};

/// The same of the things that are asked for, a mark a slot.
constexpr WordFilter slot_words = [] {
    using Word = std::string_view;
    WordFilter filter;
    filter.add_all(std::array<Word, 2>{"email", "mail"}, bit_of(Slot::Email));
    filter.add_all(
        std::array<Word, 6>{"zip", "postal", "post", "zipcode", "postalcode", "postcode"},
        bit_of(Slot::Zip)
    );
    filter.add_all(std::array<Word, 3>{"phone", "telephone", "mobile"}, bit_of(Slot::Phone));
    filter.add_all(
        std::array<Word, 10>{
            "order",
            "booking",
            "reservation",
            "reference",
            "invoice",
            "ticket",
            "case",
            "customer",
            "tracking",
            "confirmation"},
        bit_of(Slot::Number)
    );
    filter.add("transaction", bit_of(Slot::Number));
    filter.add_all(std::array<Word, 3>{"iban", "account", "bank"}, bit_of(Slot::Account));
    filter.add_all(std::array<Word, 2>{"date", "dates"}, bit_of(Slot::Date));
    return filter;
}();

const WordGates& word_gates() {
    static const WordGates made = [] {
        std::array<WordGates::Rule, gates.size()> rules;
        std::ranges::transform(gates, rules.begin(), &Gate::rule);
        return WordGates(rules);
    }();
    return made;
}

/// Automata that may find what is looked for in `text`, a bit each.
unsigned worth_searching(std::string_view text, const AnswerLook& look) {
    OpenGates open(word_gates());
    WordFilter::Marks slots = 0;
    for_each_piece(text, [&](std::string_view piece) {
        const MessageWords words(piece);
        open.read(words);
        if (look.asks != 0) {
            words.each(MessageWords::bytes_max, [&](std::size_t from, std::size_t size) {
                slots |= slot_words.of(words.head(from, size));
                return true;
            });
        }
    });
    unsigned worth = 0;
    for (std::uint64_t rules = open.rules(); rules != 0; rules &= rules - 1) {
        worth |= 1U << gates[static_cast<std::size_t>(std::countr_zero(rules))].automaton;
    }
    const bool asks = (slots & look.asks) != 0;
    return asks ? worth : worth & ~(1U << asking_automaton);
}

const std::array<PatternDatabase, automata_count>& automata() {
    static const std::array<PatternDatabase, automata_count> made{
        compiled(memory_patterns),
        compiled(found_patterns),
        compiled(plan_patterns),
        compiled(asking_patterns)};
    return made;
}

std::size_t digits_in(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(text, is_digit));
}

/// Whether a number in it is that of an order, a booking, ...
bool names_an_order(std::string_view text) noexcept {
    constexpr std::array nouns{
        std::string_view{"order"},
        std::string_view{"reservation"},
        std::string_view{"booking"},
        std::string_view{"invoice"},
        std::string_view{"ticket"},
        std::string_view{"reference"},
    };
    return std::ranges::any_of(nouns, [text](std::string_view noun) {
        return text.find(noun) != std::string_view::npos;
    });
}

bool is_letter(char c) noexcept {
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

bool belongs_to_atom(char c) noexcept {
    return is_digit(c) || is_letter(c) || is_joiner(c);
}

/// The atom that the byte at `at` is in, as for_each_atom() cuts it; without its head.
Atom atom_around(std::string_view text, std::size_t at) noexcept {
    std::size_t from = at;
    while (from > 0 && belongs_to_atom(text[from - 1])) {
        --from;
    }
    while (from < at && is_joiner(text[from])) {
        ++from;
    }
    Atom atom;
    std::size_t to = from;
    for (; to < text.size() && belongs_to_atom(text[to]); ++to) {
        atom.digits = atom.digits || is_digit(text[to]);
        atom.letters = atom.letters || is_letter(text[to]);
        atom.joined = atom.joined || is_joiner(text[to]);
    }
    while (to > from && is_joiner(text[to - 1])) {
        --to;
    }
    atom.at = from;
    atom.text = text.substr(from, to - from);
    return atom;
}

}  // namespace

std::string_view word_of(Slot slot) noexcept {
    switch (slot) {
        case Slot::Email:
            return "e-mail address";
        case Slot::Zip:
            return "zip code";
        case Slot::Phone:
            return "phone number";
        case Slot::Number:
            return "order or reference number";
        case Slot::Account:
            return "account";
        case Slot::Date:
            return "date";
    }
    return "";
}

std::uint8_t slots_told(std::string_view text) noexcept {
    text = text.substr(0, AnswerSigns::scan_bytes_max);
    std::uint8_t told = 0;
    for (std::size_t at = text.find('@'); at != std::string_view::npos;
         at = text.find('@', at + 1)) {
        if (atom_around(text, at).text.find('.') != std::string_view::npos) {
            told |= bit_of(Slot::Email);
        }
    }
    std::optional<bool> of_order;  // found out when it matters
    std::size_t done = 0;
    const auto digits_of = [](const ByteClasses& classes) { return classes.digits; };
    for_each_run(text, digits_of, [&](std::size_t from, std::size_t to) {
        constexpr std::size_t alone_min = 4;  // fewer digits say nothing alone
        const bool alone = (from == 0 || !belongs_to_atom(text[from - 1])) &&
                           (to == text.size() || !belongs_to_atom(text[to]));
        if (from < done || (alone && to - from < alone_min)) {
            return true;
        }
        const Atom atom =
            alone ? Atom{.text = text.substr(from, to - from), .at = from, .digits = true}
                  : atom_around(text, from);
        const std::string_view value = atom.text;
        done = atom.at + value.size();
        const std::size_t digits = digits_in(value);
        if (atom.joined && value.find('@') != std::string_view::npos &&
            value.find('.') != std::string_view::npos) {
            return true;
        }
        if (digits == 8 && std::ranges::count(value, '-') == 2) {
            told |= bit_of(Slot::Date);
        } else if (digits == value.size() && digits == 5) {
            told |= bit_of(Slot::Zip);
        } else if (digits >= 10 && atom.letters && !atom.joined) {
            told |= bit_of(Slot::Account);
        } else if (digits >= 4 && value.size() >= 6 && value.find('_') == std::string_view::npos) {
            const bool marked = atom.at > 0 && text[atom.at - 1] == '#';
            if (!marked && !of_order) {
                of_order = names_an_order(text);
            }
            told |= marked || *of_order ? bit_of(Slot::Number) : std::uint8_t{0};
            told |= digits >= 9 && !atom.letters ? bit_of(Slot::Phone) : std::uint8_t{0};
        }
        return true;
    });
    return told;
}

struct AnswerSigns::State {
    PatternScratch scratch;
};

AnswerSigns::AnswerSigns() : state_(std::make_unique<State>()) {
    for (const PatternDatabase& database : automata()) {
        state_->scratch.make_room_for(*database);
    }
}
AnswerSigns::~AnswerSigns() = default;
AnswerSigns::AnswerSigns(AnswerSigns&&) noexcept = default;
AnswerSigns& AnswerSigns::operator=(AnswerSigns&&) noexcept = default;

AnswerReading AnswerSigns::scan(std::string_view text, const AnswerLook& look) {
    AnswerReading reading;
    text = text.substr(0, scan_bytes_max);
    const auto on_match =
        [](unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) {
            AnswerReading& found = *static_cast<AnswerReading*>(context);
            const auto end = static_cast<std::uint32_t>(to);
            if (id >= slot_ids) {
                found.asks = static_cast<std::uint8_t>(found.asks | 1U << (id - slot_ids));
                found.asked_at[id - slot_ids] = end;
            } else {
                found.signs = static_cast<std::uint8_t>(found.signs | 1U << id);
                found.at[id] = std::max(found.at[id], end);
            }
            return 0;
        };
    const std::array<bool, automata_count> wanted{
        look.memory, look.found, look.plans, look.asks != 0};
    if (std::ranges::none_of(wanted, [](bool is) { return is; })) {
        return reading;
    }
    const unsigned worth = worth_searching(text, look);
    for (std::size_t i = 0; i < automata_count; ++i) {
        if (wanted[i] && (worth >> i & 1U) != 0) {
            state_->scratch.search(*automata()[i], text, on_match, &reading);
        }
    }
    return reading;
}

}  // namespace tagout::detect
