#include "detect/context/answer_signs.h"

#include "base/assert.h"
#include "detect/atoms.h"

#include <hs/hs.h>

#include <algorithm>
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
    // "There is nothing you need to do" and "there is no charge" are answers, so a place is asked for.
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

struct DatabaseCloser {
    void operator()(hs_database_t* database) const noexcept { hs_free_database(database); }
};
struct ScratchCloser {
    void operator()(hs_scratch_t* scratch) const noexcept { hs_free_scratch(scratch); }
};

using Database = std::unique_ptr<hs_database_t, DatabaseCloser>;

Database compiled(std::span<const Pattern> of) {
    std::vector<const char*> texts;
    std::vector<unsigned> ids;
    for (const Pattern& pattern : of) {
        texts.push_back(pattern.expression);
        ids.push_back(pattern.id);
    }
    const std::vector<unsigned> flags(texts.size(), HS_FLAG_CASELESS);
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    const hs_error_t code = hs_compile_multi(
        texts.data(),
        flags.data(),
        ids.data(),
        static_cast<unsigned>(texts.size()),
        HS_MODE_BLOCK,
        nullptr,
        &database,
        &error
    );
    if (error != nullptr) {
        hs_free_compile_error(error);
    }
    TAGOUT_ASSERT(code == HS_SUCCESS, "our own patterns compile");
    return Database(database);
}

/// By AnswerLook's members, in their order.
constexpr std::size_t automata_count = 4;
const std::array<Database, automata_count>& automata() {
    static const std::array<Database, automata_count> made{
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

constexpr std::uint8_t bit_of(Slot slot) noexcept {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(slot));
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
    std::uint8_t told = 0;
    if (std::ranges::none_of(text, [](char c) { return is_digit(c) || c == '@'; })) {
        return told;  // Every slot has one in it.
    }
    const bool of_order = names_an_order(text);
    for_each_atom(text.substr(0, AnswerSigns::scan_bytes_max), [&](const Atom& atom) {
        const std::string_view value = atom.text;
        const std::size_t digits = atom.digits ? digits_in(value) : 0;
        if (value.find('@') != std::string_view::npos &&
            value.find('.') != std::string_view::npos) {
            told |= bit_of(Slot::Email);
        } else if (digits == 0) {
            return;
        } else if (digits == 8 && std::ranges::count(value, '-') == 2) {
            told |= bit_of(Slot::Date);
        } else if (digits == value.size() && digits == 5) {
            told |= bit_of(Slot::Zip);
        } else if (digits >= 10 && atom.letters && !atom.joined) {
            told |= bit_of(Slot::Account);
        } else if (digits >= 4 && value.size() >= 6 && value.find('_') == std::string_view::npos) {
            const bool marked = atom.at > 0 && text[atom.at - 1] == '#';
            told |= marked || of_order ? bit_of(Slot::Number) : std::uint8_t{0};
            told |= digits >= 9 && !atom.letters ? bit_of(Slot::Phone) : std::uint8_t{0};
        }
    });
    return told;
}

struct AnswerSigns::State {
    std::unique_ptr<hs_scratch_t, ScratchCloser> scratch;
};

AnswerSigns::AnswerSigns() : state_(std::make_unique<State>()) {
    hs_scratch_t* scratch = nullptr;
    for (const Database& database : automata()) {
        const hs_error_t code = hs_alloc_scratch(database.get(), &scratch);
        TAGOUT_ASSERT(code == HS_SUCCESS, "scratch is allocated once, at the start");
    }
    state_->scratch.reset(scratch);
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
    const std::array<bool, automata_count> wanted{look.memory, look.found, look.plans, look.asks};
    for (std::size_t i = 0; i < automata_count; ++i) {
        if (wanted[i]) {
            hs_scan(
                automata()[i].get(),
                text.data(),
                static_cast<unsigned>(text.size()),
                0,
                state_->scratch.get(),
                on_match,
                &reading
            );
        }
    }
    return reading;
}

}  // namespace tagout::detect
