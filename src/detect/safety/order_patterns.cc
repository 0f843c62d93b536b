#include "detect/safety/order_patterns.h"

#include "detect/atoms.h"
#include "detect/word_filter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

namespace tagout::detect {

namespace {

using Rule = WordGates::Rule;
using Within = WordGates::Within;

constexpr std::size_t gates_max = 3;

/// Of a text that the pattern matches in one gate at least is open: its rule is, and `also` holds.
struct Gate {
    Rule rule;
    bool (*also)(std::string_view text) = nullptr;
};

/// `weight`: how sure of an order a text is that has it. Weak ones pass no threshold alone.
struct OrderPattern {
    const char* expression;
    double weight;
    std::array<Gate, gates_max> gates;  ///< Until one without words.
};

constexpr Gate gate(
    const char* words, const char* then = nullptr, Within within = Within::Anywhere
) {
    return {.rule = {.words = words, .then = then, .within = within}};
}
constexpr Gate gate_if(
    bool (*also)(std::string_view), const char* words, const char* then = nullptr
) {
    return {.rule = {.words = words, .then = then}, .also = also};
}

#define TAGOUT_VERBS                                                                             \
    "(send|transfer|forward|wire|e-?mail|post|upload|share|pay|delete|remove|create|add|update|" \
    "change|set|book|reserve|cancel|invite|visit|download|click|open|run|execute|buy|make|give|" \
    "grant|unlock|dispatch|initiate|schedule|enable|disable|reset|purchase|approve|install|"     \
    "reply|authori[sz]e|wipe|sell|withdraw|refund|report|block|register|subscribe|move|modify|"  \
    "edit|turn)"
#define TAGOUT_AIS                                                                              \
    "(ai|a\\.i\\.|llm|language model|ai model|assistant|ai assistant|chat ?bot|ai agent|agent|" \
    "chatgpt|gpt-?[0-9][a-z0-9.]*|claude|gemini|llama|mistral|copilot)"
// The same words for their gates: "e-mail" begins with "e", and "A.I." is read as two words.
#define TAGOUT_VERB_WORDS                                                                          \
    "send transfer forward wire email e post upload share pay delete remove create add update "    \
    "change set book reserve cancel invite visit download click open run execute buy make give "   \
    "grant unlock dispatch initiate schedule enable disable reset purchase approve install reply " \
    "authorise authorize wipe sell withdraw refund report block register subscribe move modify "   \
    "edit turn"
#define TAGOUT_AI_WORDS                                                                           \
    "ai ais i llm llms language assistant assistants chat chatbot chatbots agent agents chatgpt " \
    "gpt gpt3 gpt4 gpt4o gpt5 claude gemini llama mistral copilot"
#define TAGOUT_SECRET_WORDS \
    "api apikey apikeys password passwords credential credentials secret secrets private access"

bool has_angle(std::string_view text) {
    return text.find('<') != std::string_view::npos;
}
bool has_bracket(std::string_view text) {
    return text.find('[') != std::string_view::npos;
}
bool has_two_exclamation_marks(std::string_view text) {
    return text.find("!!") != std::string_view::npos;
}

/// Whether ten digits stand in a row.
bool has_long_number(std::string_view text) noexcept {
    // Bit i of twos: two digits end at byte i; and so on, from one block of bytes to the next.
    std::uint64_t ones = 0;
    std::uint64_t twos = 0;
    std::uint64_t fours = 0;
    const auto behind = [](std::uint64_t here, std::uint64_t before, unsigned bytes) {
        return here << bytes | before >> (ByteClasses::bytes - bytes);
    };
    for (std::size_t base = 0; base < text.size(); base += ByteClasses::bytes) {
        const std::uint64_t one = classes_at(text, base).digits;
        const std::uint64_t two = one & behind(one, ones, 1);
        const std::uint64_t four = two & behind(two, twos, 2);
        const std::uint64_t eight = four & behind(four, fours, 4);
        if ((eight & behind(two, twos, 8)) != 0) {
            return true;
        }
        ones = one;
        twos = two;
        fours = four;
    }
    return false;
}

constexpr WordFilter verbs = [] {
    WordFilter filter;
    for (std::string_view left = TAGOUT_VERB_WORDS; !left.empty();) {
        const std::size_t end = std::min(left.find(' '), left.size());
        filter.add(left.substr(0, end), 1);
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    return filter;
}();

bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Without the blanks at its end; `line_ended` when one of them ends a line.
std::string_view without_blanks(std::string_view text, bool& line_ended) {
    while (!text.empty() && is_blank(text.back())) {
        line_ended = line_ended || text.back() == '\n';
        text.remove_suffix(1);
    }
    return text;
}

/// Whether a sentence may begin behind `before`.
bool ends_a_sentence(std::string_view before) {
    constexpr std::string_view ends = ".!?>\"'";
    bool line_ended = false;
    before = without_blanks(before, line_ended);
    return line_ended || before.empty() || ends.find(before.back()) != std::string_view::npos;
}

bool ends_with_please(std::string_view before) {
    constexpr std::string_view please = "please";
    return before.size() >= please.size() &&
           std::ranges::equal(before.substr(before.size() - please.size()), please, {}, [](char c) {
               return static_cast<char>(c | 0x20);
           });
}

/// A sentence that begins with an order.
bool begins_with_an_order(std::string_view text) {
    bool found = false;
    for_each_piece(text, [&](std::string_view piece) {
        const MessageWords words(piece);
        const auto piece_at = static_cast<std::size_t>(piece.data() - text.data());
        words.each(found ? 0 : MessageWords::bytes_max, [&](std::size_t from, std::size_t size) {
            const std::size_t end = piece_at + from + size;
            if (verbs.of(words.head(from, size)) == 0 || end == text.size() ||
                !is_blank(text[end])) {
                return true;  // "email": is a name of data, not an order
            }
            bool line_ended = false;
            std::string_view before = text.substr(0, piece_at + from);
            found = ends_a_sentence(before);
            before = without_blanks(before, line_ended);
            if (!found && ends_with_please(before)) {
                before.remove_suffix(std::string_view("please").size());
                found = ends_a_sentence(before);
            }
            return !found;
        });
    });
    return found;
}

/// That, and the address of a mailbox or the number of an account.
bool orders_to_a_number(std::string_view text) {
    return (text.find('@') != std::string_view::npos || has_long_number(text)) &&
           begins_with_an_order(text);
}

constexpr std::array patterns{
    // a request to somebody, whoever that is
    OrderPattern{
        "\\bplease\\s+([a-z]+\\s+)?" TAGOUT_VERBS "\\b",
        0.3,
        {gate("please", TAGOUT_VERB_WORDS, Within::TwoWords)}},
    // orders that undo earlier orders
    OrderPattern{
        "\\b(ignore|disregard|forget|override|bypass|skip|neglect|abandon)\\s+(about\\s+)?(all\\s+|"
        "any\\s+|everything\\s+|of\\s+|the\\s+|your\\s+|my\\s+|these\\s+|those\\s+|what\\s+)*("
        "previous|prior|above|earlier|preceding|foregoing|past|initial|original|existing|former|"
        "other|current|system)\\s+([a-z]+\\s+){0,2}(iu?nstruct|direct|prompt|order|command|rule|"
        "guid|task|message|context|polic)",
        0.92,
        {gate(
            "ignore disregard forget override bypass skip neglect abandon",
            "previous prior above earlier preceding foregoing past initial original existing "
            "former other "
            "current system"
        )}},
    OrderPattern{
        "\\b(ignore|disregard|forget)\\s+(all|everything|anything)\\s+(you|that|i|above|before|"
        "said|previous)",
        0.85,
        {gate("ignore disregard forget", "all everything anything", Within::TwoWords)}},
    OrderPattern{
        "\\b(do not|don't|dont|never|stop)\\s+(follow|obey|comply with|adher\\w+ "
        "to)\\w*\\s+(the\\s+|your\\s+|any\\s+)*(previous(ly)?|prior|above|earlier|original|systems?"
        "|users?)\\b",
        0.85,
        {gate(
            "not don dont never stop",
            "previous previously prior above earlier original system systems user users"
        )}},
    OrderPattern{
        "\\b(new|updated|revised|additional|following|real|actual)\\s+(system\\s+)?(instructions?|"
        "prompt|orders|directives?)(\\s*:|\\s+(are|for you|follow))",
        0.7,
        {gate(
            "new updated revised additional following real actual",
            "instruction instructions prompt orders directive directives", Within::TwoWords
        )}},
    OrderPattern{
        "\\b(strictly|only|must|immediately)\\s+(adher|obey|follow|execut|compl)(e|y|s|es|ies|d|ed|"
        "ied|ing|ying)?\\s+(to\\s+|with\\s+)?(the|these|this|my)\\s+(following\\s+)?(instruct|"
        "command|order|direct)",
        0.85,
        {gate(
            "strictly only must immediately",
            "adhere adheres adhered adhering obey obeys obeyed obeying follow follows followed "
            "following "
            "execute executes executed executing comply complies complied complying",
            Within::TwoWords
        )}},
    OrderPattern{
        "\\binstead,?\\s+(of\\s+[^.\\n]{1,60},?\\s+)?(you\\s+)?(must|should|please|do|now|just|"
        "only)\\b",
        0.3,
        {gate("instead", "must should please do now just only")}},
    // messages that claim another sender
    OrderPattern{
        "<\\s*/"
        "?\\s*(information|important|system|instructions?|admin|sys|prompt|override|urgent|command)"
        "\\s*>",
        0.7,
        {gate_if(
            &has_angle,
            "information important system instruction instructions admin sys prompt override "
            "urgent "
            "command"
        )}},
    OrderPattern{
        "\\[\\s*/?\\s*(inst|system|admin|important instructions?|system message)\\s*\\]",
        0.7,
        {gate_if(&has_bracket, "inst system admin important")}},
    OrderPattern{
        "<\\|(im_start|im_end|system|user|assistant|endoftext)\\|?>|<<\\s*sys\\s*>>",
        0.85,
        {gate_if(&has_angle, "im system user assistant endoftext sys")}},
    OrderPattern{
        "\\b(important|urgent|critical|special)\\s+(message|instructions?|notice|note|update|"
        "request|info(rmation)?)\\s+(from|to|for)\\s+(me|you|the user|the " TAGOUT_AIS
        "|all|any|your|" TAGOUT_AIS ")\\b",
        0.85,
        {gate(
            "important urgent critical special",
            "message instruction instructions notice note update request info information",
            Within::TwoWords
        )}},
    OrderPattern{
        "\\bto you,?\\s+(the\\s+)?" TAGOUT_AIS "\\b",
        0.85,
        {gate("you", TAGOUT_AI_WORDS, Within::TwoWords)}},
    OrderPattern{
        "\\b(dear|hey|hello|hi|attention|attn|note (to|for)|message (to|for)|instructions? "
        "(to|for)|reminder (to|for)|if you are|you "
        "are)\\s*,?:?\\s+(an?\\s+|the\\s+|any\\s+|all\\s+|this\\s+)*(ai|a\\.i\\.|llm|language "
        "model|ai model|ai assistant|ai agent|chatgpt|gpt-?[0-9]\\w*|chat ?bot)s?\\b",
        0.8,
        {gate("dear hey hello hi attention attn to for are", TAGOUT_AI_WORDS)}},
    OrderPattern{
        "\\b(ai|llm|language model|ai assistant|ai "
        "agent|assistant)s?\\s*(,|:)?\\s+(you\\s+)?(must|should|shall|need to|are required to|has "
        "to|have to|please)\\s+" TAGOUT_VERBS,
        0.75,
        {gate(
            TAGOUT_AI_WORDS " model", "must should shall need are has have please", Within::TwoWords
        )}},
    OrderPattern{
        "\\bsystem\\s*(prompt|message|override|notice|note|update|instructions?|command|alert)?\\s*"
        ":\\s*(you|ignore|please|from now|the (user|assistant)|all|execute|" TAGOUT_VERBS ")",
        0.7,
        {gate("system")}},
    OrderPattern{
        "\\b(signed|sincerely|regards|thanks!?),?\\s+(the user|your "
        "(user|owner|developer|creator))\\b",
        0.75,
        {gate("signed sincerely regards thanks", "the your", Within::TwoWords)}},
    OrderPattern{
        "\\b(this is|i "
        "am|i'm)\\s+(your|the)\\s+(developer|creator|administrator|admin|owner|system|user)\\b",
        0.6,
        {gate(
            "is am m", "developer creator administrator admin owner system user", Within::TwoWords
        )}},
    // orders about the task at hand
    OrderPattern{
        "\\bbefore\\s+(you\\s+)?(can\\s+|could\\s+)?(solv|complet|continu|answer|finish|proceed|do|"
        "respond|start|perform|help|go)\\w*[^.\\n]{0,60}(task|question|request|quer|instruct|"
        "anything|further|message|ahead)[^\\n]{0,60}(please|first|must|need|should|" TAGOUT_VERBS
        ")",
        0.8,
        {gate("before")}},
    OrderPattern{
        "\\bafter\\s+you\\s+(do|have "
        "done|did|finish|complete)\\w*\\s+(that|this|it)\\b[^.\\n]{0,30}you "
        "can\\s+(solve|continue|complete|answer|proceed|go)",
        0.8,
        {gate("after", "you", Within::TwoWords)}},
    OrderPattern{
        "\\b(the\\s+)?(task|prompt|question|request)\\s+(that\\s+)?(i|the user|you "
        "were)\\s+(gave|asked|given)\\b",
        0.6,
        {gate("task prompt question request", "gave asked given", Within::FourWords)}},
    OrderPattern{
        "\\byou (should|must|need to|have "
        "to|can)\\s+(now\\s+)?(use|call|invoke|run)\\s+(the\\s+)?(tool|function|api|command|`)",
        0.7,
        {gate("should must need have can", "use call invoke run", Within::FourWords)}},
    OrderPattern{
        "\\b(use|call|invoke)\\s+the\\s+(tool|function)\\s+[`'\"]?\\w+[`'\"]?\\s+(with|to|and)\\b",
        0.7,
        {gate("use call invoke", "tool function", Within::TwoWords)}},
    OrderPattern{
        "\\bstop (what you('| a)re doing|immediately|processing|all)\\b",
        0.6,
        {gate("stop", "what immediately processing all", Within::TwoWords)}},
    OrderPattern{
        "\\b(from now on|henceforth|starting "
        "now),?\\s+(you|your|act|respond|only|always|never|the)\\b",
        0.55,
        {gate("from starting", "now", Within::TwoWords), gate("henceforth")}},
    OrderPattern{
        "\\b(you are now|act as|pretend (to be|you are)|roleplay as|switch "
        "to)\\s+(an?\\s+|the\\s+|in\\s+)?(dan\\b|developer "
        "mode|unrestricted|jailb|evil|root|admin|different|new|god mode|maintenance)",
        0.75,
        {gate("are", "now", Within::TwoWords),
         gate("act roleplay", "as", Within::TwoWords),
         gate("pretend switch", "to you", Within::TwoWords)}},
    // orders to be secret, or to give secrets away
    OrderPattern{
        "\\b(do "
        "not|don't|dont|never|without)\\s+(tell|telling|inform|informing|mention|mentioning|alert|"
        "alerting|notify|notifying|reveal|revealing|ask|asking|warn|warning|confirm|confirming|"
        "consult|consulting)\\s+(to\\s+|with\\s+|this\\s+to\\s+)?(the\\s+|this\\s+|it\\s+)?(me|"
        "user|anyone|them|human|owner|customer|any)\\b",
        0.6,
        {gate(
            "not don dont never without",
            "tell telling inform informing mention mentioning alert alerting notify notifying "
            "reveal "
            "revealing ask asking warn warning confirm confirming consult consulting",
            Within::TwoWords
        )}},
    OrderPattern{
        "\\b(reveal|print|show|repeat|output|leak|expose|disclose|include|append|exfiltrate)\\b[^."
        "\\n]{0,40}(system prompt|your (instructions|prompt|rules)|api[ "
        "_-]?keys?|password|credentials|secret|private key|access token|conversation history|chat "
        "history)",
        0.6,
        {gate(
            "reveal print show repeat output leak expose disclose include append exfiltrate",
            "prompt instructions rules " TAGOUT_SECRET_WORDS " conversation chat"
        )}},
    OrderPattern{
        "\\b(send|email|post|forward|upload|transmit)\\b[^.\\n]{0,60}(api[ "
        "_-]?keys?|passwords?|credentials|secrets?|private keys?|access tokens?|security "
        "codes?|passport|bank account|credit card)",
        0.45,
        {gate(
            "send email post forward upload transmit",
            TAGOUT_SECRET_WORDS " security passport passports bank credit"
        )}},
    OrderPattern{"\\bfill (them|it|this|that) in without asking\\b", 0.7, {gate("fill", "asking")}},
    // orders in the middle of data
    OrderPattern{
        "(^|[\\n>\"'*#])\\s*(todo|to-do|to do|task|action|action "
        "required|instruction|command|urgent|important|reminder)\\s*[:!]+\\s*(please\\s+|you "
        "(must|should)\\s+)?" TAGOUT_VERBS "\\b",
        0.65,
        {gate(
            "todo do task action required instruction command urgent important reminder",
            TAGOUT_VERB_WORDS, Within::FourWords
        )}},
    OrderPattern{
        "(important|attention|warning|urgent)\\s*!{2,}",
        0.35,
        {gate_if(&has_two_exclamation_marks, "important attention warning urgent")}},
    OrderPattern{
        "(^|[\\n.!?>\"'])\\s*(please\\s+)?" TAGOUT_VERBS
        "\\s[^.\\n]{0,100}(https?://|www\\.|[a-z0-9._-]+@[a-z0-9-]+\\.|\\b[a-z]{2}[0-9]{10,})",
        0.3,
        {gate_if(&begins_with_an_order, TAGOUT_VERB_WORDS, "http https www"),
         gate_if(&orders_to_a_number, TAGOUT_VERB_WORDS)}},
    OrderPattern{
        "(^|[\\n.!?>\"'])\\s*(please\\s+)?(send|transfer|wire|pay)\\b[^.\\n]{0,80}(money|funds|"
        "payment|transaction|amount|\\$ ?[0-9]|usd|eur|bitcoin|btc|crypto)",
        0.3,
        {gate("send transfer wire pay")}},
    OrderPattern{
        "(^|[\\n.!?>\"'])\\s*(please\\s+)?(delete|remove|erase|wipe|drop)\\b[^.\\n]{0,40}\\b(all|"
        "every|entire|files?|emails?|database|account|records?)\\b",
        0.3,
        {gate(
            "delete remove erase wipe drop",
            "all every entire file files email emails database account record records"
        )}},
    OrderPattern{
        "\\b(grant|give|unlock|disable|turn "
        "off|open)\\b[^.\\n]{0,40}\\b(access|permissions?|admin|security|alarm|camera|door|lock|"
        "firewall|2fa|mfa)\\b",
        0.25,
        {gate(
            "grant give unlock disable turn open",
            "access permission permissions admin security alarm camera door lock firewall 2fa mfa"
        )}},
    OrderPattern{
        "\\bdo\\s+" TAGOUT_VERBS "\\b[^\\n]{0,400}\\binstead\\b",
        0.6,
        {gate("do", TAGOUT_VERB_WORDS, Within::TwoWords)}},
};

#undef TAGOUT_VERBS
#undef TAGOUT_AIS
#undef TAGOUT_VERB_WORDS
#undef TAGOUT_AI_WORDS
#undef TAGOUT_SECRET_WORDS

static_assert(patterns.size() <= 64);

/// All gates in one row, and whose each is.
struct Gates {
    std::vector<Rule> rules;
    std::vector<const Gate*> gates;
    std::vector<std::size_t> patterns;
};

const Gates& all_gates() {
    static const Gates made = [] {
        Gates all;
        for (std::size_t i = 0; i < patterns.size(); ++i) {
            for (const Gate& gate : patterns[i].gates) {
                if (gate.rule.words != nullptr) {
                    all.rules.push_back(gate.rule);
                    all.gates.push_back(&gate);
                    all.patterns.push_back(i);
                }
            }
        }
        return all;
    }();
    return made;
}

}  // namespace

OrderPatterns::OrderPatterns() : gates_(all_gates().rules) {
    for (unsigned i = 0; i < patterns.size(); ++i) {
        Patterns alone;
        alone.add(patterns[i].expression, i, HS_FLAG_CASELESS | HS_FLAG_DOTALL);
        databases_.push_back(alone.compiled());
    }
}

const OrderPatterns& OrderPatterns::instance() {
    static const OrderPatterns made;
    return made;
}

std::size_t OrderPatterns::size() noexcept {
    return patterns.size();
}

double OrderPatterns::weight(std::size_t pattern) noexcept {
    return patterns[pattern].weight;
}

std::uint64_t OrderPatterns::worth_searching(std::uint64_t rules, std::string_view text)
    const noexcept {
    std::uint64_t worth = 0;
    for (; rules != 0; rules &= rules - 1) {
        const auto rule = static_cast<std::size_t>(std::countr_zero(rules));
        const std::uint64_t bit = std::uint64_t{1} << all_gates().patterns[rule];
        const auto also = all_gates().gates[rule]->also;
        if ((worth & bit) == 0 && (also == nullptr || also(text))) {
            worth |= bit;
        }
    }
    return worth;
}

}  // namespace tagout::detect
