#include "detect/safety/instruction_text.h"

#include "detect/atoms.h"
#include "detect/pattern_database.h"
#include "detect/safety/unmasked_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tagout::detect {

namespace {

constexpr double sure = 0.6;  ///< Past it nothing hidden is looked for.
constexpr std::size_t slips_before = 160;
constexpr std::size_t slips_bytes = 200;
constexpr std::size_t region_before = 240;
constexpr std::size_t region_after = 700;

/// A pattern that begins with everyday words ("email", "set") and ends with rare ones sends the
/// automaton down many blind alleys: two such cost more than the other thirty-odd. They are
/// searched for on their own, and only in texts where the main scan found what every match of
/// theirs has.
struct Pattern {
    const char* expression;
    double weight;
    const char* needs = nullptr;  ///< Stands in every match; if null the main scan finds it itself.
    bool or_long_number = false;  ///< In those without that there are ten digits in a row.
};

#define TAGOUT_VERBS                                                                             \
    "(send|transfer|forward|wire|e-?mail|post|upload|share|pay|delete|remove|create|add|update|" \
    "change|set|book|reserve|cancel|invite|visit|download|click|open|run|execute|buy|make|give|" \
    "grant|unlock|dispatch|initiate|schedule|enable|disable|reset|purchase|approve|install|"     \
    "reply|authori[sz]e|wipe|sell|withdraw|refund|report|block|register|subscribe|move|modify|"  \
    "edit|turn)"
#define TAGOUT_AIS                                                                              \
    "(ai|a\\.i\\.|llm|language model|ai model|assistant|ai assistant|chat ?bot|ai agent|agent|" \
    "chatgpt|gpt-?[0-9][a-z0-9.]*|claude|gemini|llama|mistral|copilot)"

constexpr std::array patterns{
    // orders that undo earlier orders
    // a request to somebody, whoever that is
    Pattern{"\\bplease\\s+([a-z]+\\s+)?" TAGOUT_VERBS "\\b", 0.3},
    Pattern{
        "\\b(ignore|disregard|forget|override|bypass|skip|neglect|abandon)\\s+(about\\s+)?(all\\s+|"
        "any\\s+|"
        "everything\\s+|of\\s+|the\\s+|your\\s+|my\\s+|these\\s+|those\\s+|what\\s+)*(previous|"
        "prior|above|"
        "earlier|preceding|foregoing|past|initial|original|existing|former|other|current|system)"
        "\\s+"
        "([a-z]+\\s+){0,2}(iu?nstruct|direct|prompt|order|command|rule|guid|task|message|context|"
        "polic)",
        0.92},
    Pattern{
        "\\b(ignore|disregard|forget)\\s+(all|everything|anything)\\s+(you|that|i|above|before|"
        "said|previous)",
        0.85},
    Pattern{
        "\\b(do not|don't|dont|never|stop)\\s+(follow|obey|comply with|adher\\w+ "
        "to)\\w*\\s+(the\\s+|your\\s+|any\\s+)*"
        "(previous|prior|above|earlier|original|system|user)",
        0.85},
    Pattern{
        "\\b(new|updated|revised|additional|following|real|actual)\\s+(system\\s+)?(instructions?|"
        "prompt|orders|"
        "directives?)\\s*(:|are|for you|follow)",
        0.7},
    Pattern{
        "\\b(strictly|only|must|immediately)\\s+(adhere|obey|follow|execute|comply)\\w*\\s+(to\\s+|"
        "with\\s+)?"
        "(the|these|this|my)\\s+(following\\s+)?(instruct|command|order|direct)",
        0.85},
    Pattern{
        "\\binstead,?\\s+(of\\s+[^.\\n]{1,60},?\\s+)?(you\\s+)?(must|should|please|do|now|just|"
        "only)\\b",
        0.3},
    // messages that claim another sender
    Pattern{
        "<\\s*/"
        "?\\s*(information|important|system|instructions?|admin|sys|prompt|override|urgent|command)"
        "\\s*>",
        0.7},
    Pattern{"\\[\\s*/?\\s*(inst|system|admin|important instructions?|system message)\\s*\\]", 0.7},
    Pattern{"<\\|(im_start|im_end|system|user|assistant|endoftext)\\|?>|<<\\s*sys\\s*>>", 0.85},
    Pattern{
        "\\b(important|urgent|critical|special)\\s+(message|instructions?|notice|note|update|"
        "request|info\\w*)\\s+"
        "(from|to|for)\\s+(me|you|the user|the " TAGOUT_AIS "|all|any|your|" TAGOUT_AIS ")\\b",
        0.85},
    Pattern{"\\bto you,?\\s+(the\\s+)?" TAGOUT_AIS "\\b", 0.85},
    Pattern{
        "\\b(dear|hey|hello|hi|attention|attn|note (to|for)|message (to|for)|instructions? "
        "(to|for)|reminder (to|for)|"
        "if you are|you "
        "are)\\s*,?:?\\s+(an?\\s+|the\\s+|any\\s+|all\\s+|this\\s+)*(ai|a\\.i\\.|llm|language "
        "model|"
        "ai model|ai assistant|ai agent|chatgpt|gpt-?[0-9]\\w*|chat ?bot)s?\\b",
        0.8},
    Pattern{
        "\\b(ai|llm|language model|ai assistant|ai "
        "agent|assistant)s?\\s*(,|:)?\\s+(you\\s+)?(must|should|shall|"
        "need to|are required to|has to|have to|please)\\s+" TAGOUT_VERBS,
        0.75},
    Pattern{
        "\\bsystem\\s*(prompt|message|override|notice|note|update|instructions?|command|alert)?\\s*"
        ":\\s*"
        "(you|ignore|please|from now|the (user|assistant)|all|execute|" TAGOUT_VERBS ")",
        0.7},
    Pattern{
        "\\b(signed|sincerely|regards|thanks!?),?\\s+(the user|your "
        "(user|owner|developer|creator))\\b",
        0.75},
    Pattern{
        "\\b(this is|i "
        "am|i'm)\\s+(your|the)\\s+(developer|creator|administrator|admin|owner|system|user)\\b",
        0.6},
    // orders about the task at hand
    Pattern{
        "\\bbefore\\s+(you\\s+)?(can\\s+|could\\s+)?(solv|complet|continu|answer|finish|proceed|do|"
        "respond|start|"
        "perform|help|go)\\w*[^.\\n]{0,60}(task|question|request|quer|instruct|anything|further|"
        "message|ahead)"
        "[^\\n]{0,60}(please|first|must|need|should|" TAGOUT_VERBS ")",
        0.8},
    Pattern{
        "\\bafter\\s+you\\s+(do|have "
        "done|did|finish|complete)\\w*\\s+(that|this|it)\\b[^.\\n]{0,30}you can\\s+"
        "(solve|continue|complete|answer|proceed|go)",
        0.8},
    Pattern{
        "\\b(the\\s+)?(task|prompt|question|request)\\s+(that\\s+)?(i|the user|you "
        "were)\\s+(gave|asked|given)\\b",
        0.6},
    Pattern{
        "\\byou (should|must|need to|have "
        "to|can)\\s+(now\\s+)?(use|call|invoke|run)\\s+(the\\s+)?(tool|function|"
        "api|command|`)",
        0.7},
    Pattern{
        "\\b(use|call|invoke)\\s+the\\s+(tool|function)\\s+[`'\"]?\\w+[`'\"]?\\s+(with|to|and)\\b",
        0.7},
    Pattern{"\\bstop (what you('| a)re doing|immediately|processing|all)\\b", 0.6},
    Pattern{
        "\\b(from now on|henceforth|starting "
        "now),?\\s+(you|your|act|respond|only|always|never|the)\\b",
        0.55},
    Pattern{
        "\\b(you are now|act as|pretend (to be|you are)|roleplay as|switch "
        "to)\\s+(an?\\s+|the\\s+|in\\s+)?(dan\\b|"
        "developer mode|unrestricted|jailb|evil|root|admin|different|new|god mode|maintenance)",
        0.75},
    // orders to be secret, or to give secrets away
    Pattern{
        "\\b(do "
        "not|don't|dont|never|without)\\s+(tell|inform|mention|alert|notify|reveal|ask|warn|"
        "telling|informing|"
        "mentioning|alerting|notifying|asking|confirm|confirming|consult|consulting)\\w*\\s+(to\\s+"
        "|with\\s+|this\\s+to\\s+)?"
        "(the\\s+|this\\s+|it\\s+)?(me|user|anyone|them|human|owner|customer|any)\\b",
        0.6},
    Pattern{
        "\\b(reveal|print|show|repeat|output|leak|expose|disclose|include|append|exfiltrate)\\b[^."
        "\\n]{0,40}"
        "(system prompt|your (instructions|prompt|rules)|api[ "
        "_-]?keys?|password|credentials|secret|private key|"
        "access token|conversation history|chat history)",
        0.6},
    Pattern{
        "\\b(send|email|post|forward|upload|transmit)\\b[^.\\n]{0,60}(api[ "
        "_-]?keys?|passwords?|credentials|secrets?|"
        "private keys?|access tokens?|security codes?|passport|bank account|credit card)",
        0.45,
        "(api[ _-]?key|password|credential|secret|private key|access token|security code|passport|"
        "bank account|credit card)"},
    Pattern{"\\bfill (them|it|this|that) in without asking\\b", 0.7},
    // orders in the middle of data
    Pattern{
        "(^|[\\n>\"'*#])\\s*(todo|to-do|to do|task|action|action "
        "required|instruction|command|urgent|important|"
        "reminder)\\s*[:!]+\\s*(please\\s+|you (must|should)\\s+)?" TAGOUT_VERBS "\\b",
        0.65},
    Pattern{"(important|attention|warning|urgent)\\s*!{2,}", 0.35},
    Pattern{
        "(^|[\\n.!?>\"'])\\s*(please\\s+)?" TAGOUT_VERBS
        "\\b[^.\\n]{0,100}(https?://|www\\.|[a-z0-9._-]+@[a-z0-9-]+\\.|"
        "\\b[a-z]{2}[0-9]{10,})",
        0.3,
        "(https?://|www\\.|[a-z0-9._-]@[a-z0-9-])",
        true},
    Pattern{
        "(^|[\\n.!?>\"'])\\s*(please\\s+)?(send|transfer|wire|pay)\\b[^.\\n]{0,80}(money|funds|"
        "payment|transaction|"
        "amount|\\$ ?[0-9]|usd|eur|bitcoin|btc|crypto)",
        0.3},
    Pattern{
        "(^|[\\n.!?>\"'])\\s*(please\\s+)?(delete|remove|erase|wipe|drop)\\b[^.\\n]{0,40}\\b(all|"
        "every|entire|files?|"
        "emails?|database|account|records?)\\b",
        0.3},
    Pattern{
        "\\b(grant|give|unlock|disable|turn "
        "off|open)\\b[^.\\n]{0,40}\\b(access|permissions?|admin|security|alarm|"
        "camera|door|lock|firewall|2fa|mfa)\\b",
        0.25},
    Pattern{"\\bdo\\s+" TAGOUT_VERBS "\\b[^\\n]{0,400}\\binstead\\b", 0.6},
};

#undef TAGOUT_VERBS
#undef TAGOUT_AIS

/// An id is the number of a pattern, or this plus the number of one whose need was found.
constexpr unsigned needed = 1'000;

struct Automata {
    PatternDatabase main;
    std::array<PatternDatabase, patterns.size()>
        alone;  ///< Of the patterns that need something, else null.
};

const Automata& automata() {
    static const Automata made = [] {
        Automata all;
        constexpr unsigned flags = HS_FLAG_CASELESS | HS_FLAG_DOTALL;
        Patterns main;
        for (unsigned i = 0; i < patterns.size(); ++i) {
            if (patterns[i].needs == nullptr) {
                main.add(patterns[i].expression, i, flags);
                continue;
            }
            main.add(patterns[i].needs, needed + i, flags | HS_FLAG_SINGLEMATCH);
            Patterns alone;
            alone.add(patterns[i].expression, i, flags);
            all.alone[i] = alone.compiled();
        }
        all.main = main.compiled();
        return all;
    }();
    return made;
}

/// Whether ten digits stand in a row: one of every ten bytes is looked at.
bool has_long_number(std::string_view text) noexcept {
    constexpr std::size_t digits_min = 10;
    for (std::size_t i = digits_min - 1; i < text.size(); i += digits_min) {
        if (!is_digit(text[i])) {
            continue;
        }
        std::size_t from = i;
        while (from > 0 && is_digit(text[from - 1])) {
            --from;
        }
        while (i + 1 < text.size() && is_digit(text[i + 1])) {
            ++i;
        }
        if (i + 1 - from >= digits_min) {
            return true;
        }
    }
    return false;
}

struct Match {
    std::uint32_t to = 0;
    std::uint32_t pattern = 0;
};

}  // namespace

struct InstructionText::State {
    static constexpr std::size_t matches_max = 4'096;  ///< Past them a text is not read on.

    PatternScratch scratch;
    std::vector<Match> matches;
    std::vector<unsigned> needs_met;  ///< Patterns to search for on their own.
    std::vector<std::size_t> ends;
    std::vector<std::size_t> plain_ends;  ///< Of the text as it stands, while the other is read.
    std::string unmasked;

    static int on_match(
        unsigned id, unsigned long long, unsigned long long to, unsigned, void* context
    ) {
        State& state = *static_cast<State*>(context);
        if (id >= needed) {
            state.needs_met.push_back(id - needed);
            return 0;
        }
        state.matches.push_back({static_cast<std::uint32_t>(to), id});
        return state.matches.size() >= matches_max ? 1 : 0;
    }

    void search(const PatternDatabase& database, std::string_view text) {
        scratch.search(*database, text, &State::on_match, this);
    }

    /// All matches, in order of their ends.
    void find_matches(std::string_view text) {
        matches.clear();
        needs_met.clear();
        search(automata().main, text);
        const bool long_number = has_long_number(text);
        for (unsigned i = 0; long_number && i < patterns.size(); ++i) {
            if (patterns[i].or_long_number && std::ranges::find(needs_met, i) == needs_met.end()) {
                needs_met.push_back(i);
            }
        }
        for (const unsigned pattern : needs_met) {
            search(automata().alone[pattern], text);
        }
        if (!needs_met.empty()) {
            std::ranges::stable_sort(matches, {}, &Match::to);
        }
    }

    /// Weighs the matches and fills `ends`, until there are regions_max of them.
    [[nodiscard]] Reading weigh() {
        Reading reading;
        std::array<bool, patterns.size()> seen{};
        double strongest = 0;
        double doubt = 1;
        ends.clear();
        for (const Match& match : matches) {
            if (!seen[match.pattern]) {
                seen[match.pattern] = true;
                doubt *= 1 - patterns[match.pattern].weight;
                if (patterns[match.pattern].weight > strongest) {
                    strongest = patterns[match.pattern].weight;
                    reading.at = match.to;
                }
            }
            if (ends.empty() || match.to > ends.back() + region_before) {
                ends.push_back(match.to);
            }
            if (ends.size() >= regions_max) {
                break;
            }
        }
        reading.score = 1 - doubt;
        return reading;
    }
};

InstructionText::InstructionText() : state_(std::make_unique<State>()) {
    state_->scratch.make_room_for(*automata().main);
    for (const PatternDatabase& database : automata().alone) {
        if (database) {
            state_->scratch.make_room_for(*database);
        }
    }
}

InstructionText::~InstructionText() = default;
InstructionText::InstructionText(InstructionText&&) noexcept = default;
InstructionText& InstructionText::operator=(InstructionText&&) noexcept = default;

InstructionText::Reading InstructionText::scan(
    std::string_view text, std::vector<TextRegion>& regions
) {
    regions.clear();
    State& state = *state_;
    state.find_matches(text.substr(0, scan_bytes_max));
    const Reading reading = state.weigh();
    // Misspelt orders are looked for about some sign of a request, masked ones everywhere.
    const std::size_t near = reading.at > slips_before ? reading.at - slips_before : 0;
    const std::string_view doubtful = reading.score >= sure ? std::string_view()
                                      : may_be_masked(text) ? text
                                      : reading.score > 0   ? text.substr(near, slips_bytes)
                                                            : std::string_view();
    if (!doubtful.empty() && unmask(doubtful, state.unmasked)) {
        // Where something hides, all of it is suspect: places in the unmasked text are no places.
        state.ends.swap(state.plain_ends);
        state.find_matches(state.unmasked);
        const Reading hidden = state.weigh();
        if (hidden.score > reading.score) {
            regions.push_back({0, text.size()});
            return {.score = hidden.score, .at = 0, .hidden = true};
        }
        state.ends.swap(state.plain_ends);
    }
    for (const std::size_t end : state.ends) {
        const TextRegion region{end > region_before ? end - region_before : 0, end + region_after};
        if (!regions.empty() && regions.back().to >= region.from) {
            regions.back().to = region.to;
        } else {
            regions.push_back(region);
        }
    }
    return reading;
}

}  // namespace tagout::detect
