#include "catalog/tool_words.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tagout::catalog {

namespace {

/// How much a word says about what a tool does.
enum class Weight : std::uint8_t {
    Verb,    ///< Surely what the tool does.
    Either,  ///< A verb in `refund_order`, a noun in `refund_status`.
    Weak,    ///< Says only that something is done: `process_refund`, `run_query`.
};

struct Word {
    std::string_view text;
    Weight weight;
    ToolEffect effect;
    ToolRisk risk = ToolRisk::Low;
    Reversibility reversibility = Reversibility::Reversible;
};

using enum Weight;
constexpr auto reads = ToolEffect::Read;
constexpr auto writes = ToolEffect::Write;
constexpr auto goes_out = ToolEffect::Egress;
constexpr auto high = ToolRisk::High;
constexpr auto low = ToolRisk::Low;
constexpr auto for_good = Reversibility::Irreversible;
constexpr auto with_others = Reversibility::ExternallyReversible;

// Sorted by text, so that a lookup is a binary search; the static_assert below proves it.
constexpr std::array words{
    Word{"accept", Verb, writes},
    Word{"activate", Verb, writes},
    Word{"add", Verb, writes},
    Word{"analyse", Verb, reads},
    Word{"analyze", Verb, reads},
    Word{"append", Verb, writes},
    Word{"apply", Verb, writes},
    Word{"approve", Verb, writes, high},
    Word{"archive", Verb, writes},
    Word{"ask", Verb, reads},
    Word{"assign", Verb, writes},
    Word{"attach", Verb, writes},
    Word{"bash", Weak, writes, high, for_good},
    Word{"block", Verb, writes},
    Word{"book", Either, writes, low, with_others},
    Word{"broadcast", Verb, goes_out, high, for_good},
    Word{"browse", Verb, reads},
    Word{"buy", Verb, writes, high, for_good},
    Word{"calculate", Verb, reads},
    Word{"call", Weak, ToolEffect::Unknown},
    Word{"cancel", Verb, writes, low, with_others},
    Word{"cat", Verb, reads},
    Word{"change", Either, writes},
    Word{"charge", Either, writes, high, for_good},
    Word{"check", Verb, reads},
    Word{"checkout", Verb, writes, high, with_others},
    Word{"classify", Verb, reads},
    Word{"clear", Verb, writes},
    Word{"click", Verb, writes},
    Word{"clone", Verb, writes},
    Word{"close", Verb, writes},
    Word{"comment", Either, goes_out},
    Word{"commit", Either, writes},
    Word{"compare", Verb, reads},
    Word{"complete", Verb, writes},
    Word{"compute", Verb, reads},
    Word{"confirm", Verb, writes},
    Word{"convert", Verb, reads},
    Word{"copy", Verb, writes},
    Word{"count", Verb, reads},
    Word{"create", Verb, writes},
    Word{"credit", Either, writes, high, for_good},
    Word{"curl", Verb, goes_out, high, for_good},
    Word{"deactivate", Verb, writes},
    Word{"debit", Either, writes, high, for_good},
    Word{"delete", Verb, writes, high, for_good},
    Word{"deploy", Verb, writes, high, with_others},
    Word{"deposit", Either, writes, high, for_good},
    Word{"describe", Verb, reads},
    Word{"destroy", Verb, writes, high, for_good},
    Word{"detect", Verb, reads},
    Word{"disable", Verb, writes, high},
    Word{"do", Weak, ToolEffect::Unknown},
    Word{"download", Verb, writes},
    Word{"drop", Verb, writes, high, for_good},
    Word{"edit", Verb, writes},
    Word{"email", Either, goes_out, high, for_good},
    Word{"enable", Verb, writes},
    Word{"erase", Verb, writes, high, for_good},
    Word{"escalate", Verb, writes},
    Word{"estimate", Verb, reads},
    Word{"eval", Weak, writes, high, for_good},
    Word{"evaluate", Verb, reads},
    Word{"exchange", Either, writes, low, with_others},
    Word{"exec", Weak, writes, high, for_good},
    Word{"execute", Weak, writes, high, for_good},
    Word{"explain", Verb, reads},
    Word{"export", Verb, goes_out},
    Word{"extract", Verb, reads},
    Word{"fetch", Verb, reads},
    Word{"filter", Verb, reads},
    Word{"find", Verb, reads},
    Word{"fork", Verb, writes},
    Word{"forward", Verb, goes_out, high, for_good},
    Word{"generate", Verb, reads},
    Word{"get", Verb, reads},
    Word{"glob", Verb, reads},
    Word{"grant", Verb, writes, high},
    Word{"grep", Verb, reads},
    Word{"has", Verb, reads},
    Word{"http", Verb, goes_out, high, for_good},
    Word{"https", Verb, goes_out, high, for_good},
    Word{"import", Verb, writes},
    Word{"input", Either, goes_out, low, with_others},
    Word{"insert", Verb, writes},
    Word{"inspect", Verb, reads},
    Word{"install", Verb, writes, high},
    Word{"invite", Verb, writes, low, with_others},
    Word{"invoke", Weak, ToolEffect::Unknown},
    Word{"is", Verb, reads},
    Word{"issue", Either, writes},
    Word{"kill", Verb, writes, high, for_good},
    Word{"label", Either, writes},
    Word{"launch", Verb, writes},
    Word{"link", Either, writes},
    Word{"list", Verb, reads},
    Word{"load", Verb, reads},
    Word{"lock", Verb, writes},
    Word{"login", Verb, writes},
    Word{"logout", Verb, writes},
    Word{"lookup", Verb, reads},
    Word{"ls", Verb, reads},
    Word{"mail", Either, goes_out, high, for_good},
    Word{"make", Weak, writes},
    Word{"mark", Verb, writes},
    Word{"merge", Verb, writes, low, with_others},
    Word{"message", Either, goes_out, high, for_good},
    Word{"mkdir", Verb, writes},
    Word{"modify", Verb, writes},
    Word{"monitor", Verb, reads},
    Word{"move", Verb, writes},
    Word{"mv", Verb, writes},
    Word{"notify", Verb, goes_out, high, for_good},
    Word{"open", Verb, reads},
    Word{"order", Either, writes, low, with_others},
    Word{"overwrite", Verb, writes, high, for_good},
    Word{"parse", Verb, reads},
    Word{"patch", Verb, writes},
    Word{"pay", Verb, writes, high, for_good},
    Word{"payment", Either, writes, high, for_good},
    Word{"peek", Verb, reads},
    Word{"perform", Weak, ToolEffect::Unknown},
    Word{"ping", Verb, reads},
    Word{"place", Weak, writes},
    Word{"poll", Verb, reads},
    Word{"post", Either, goes_out, high, for_good},
    Word{"preview", Verb, reads},
    Word{"process", Weak, ToolEffect::Unknown},
    Word{"provision", Verb, writes},
    Word{"publish", Verb, goes_out, high, for_good},
    Word{"pull", Verb, writes},
    Word{"purchase", Either, writes, high, for_good},
    Word{"purge", Verb, writes, high, for_good},
    Word{"push", Verb, goes_out, high, with_others},
    Word{"put", Verb, writes},
    Word{"query", Verb, reads},
    Word{"rank", Verb, reads},
    Word{"read", Verb, reads},
    Word{"reassign", Verb, writes},
    Word{"rebook", Verb, writes, low, with_others},
    Word{"receive", Verb, writes},
    Word{"recommend", Verb, reads},
    Word{"record", Either, writes},
    Word{"redeem", Verb, writes, high, for_good},
    Word{"refund", Either, writes, high, for_good},
    Word{"register", Verb, writes},
    Word{"reject", Verb, writes},
    Word{"release", Either, writes, low, with_others},
    Word{"remove", Verb, writes},
    Word{"rename", Verb, writes},
    Word{"renew", Verb, writes, low, with_others},
    Word{"reopen", Verb, writes},
    Word{"replace", Verb, writes},
    Word{"reply", Either, goes_out, high, for_good},
    Word{"reschedule", Verb, writes, low, with_others},
    Word{"reserve", Verb, writes, low, with_others},
    Word{"reset", Verb, writes, high},
    Word{"resolve", Either, writes},
    Word{"restart", Verb, writes, high},
    Word{"restore", Verb, writes},
    Word{"retrieve", Verb, reads},
    Word{"return", Either, writes, low, with_others},
    Word{"revoke", Verb, writes, high},
    Word{"rm", Verb, writes, high, for_good},
    Word{"rotate", Verb, writes, high},
    Word{"run", Weak, writes, high, for_good},
    Word{"save", Verb, writes},
    Word{"schedule", Either, writes, low, with_others},
    Word{"scrape", Verb, reads},
    Word{"search", Verb, reads},
    Word{"select", Verb, reads},
    Word{"sell", Verb, writes, high, for_good},
    Word{"send", Verb, goes_out, high, for_good},
    Word{"set", Verb, writes},
    Word{"share", Either, goes_out, high, for_good},
    Word{"shell", Weak, writes, high, for_good},
    Word{"ship", Verb, writes, low, with_others},
    Word{"show", Verb, reads},
    Word{"shutdown", Verb, writes, high},
    Word{"sign", Either, writes},
    Word{"sms", Either, goes_out, high, for_good},
    Word{"star", Either, writes},
    Word{"start", Verb, writes},
    Word{"stat", Verb, reads},
    Word{"stop", Verb, writes},
    Word{"store", Either, writes},
    Word{"submit", Verb, goes_out, low, with_others},
    Word{"subscribe", Verb, writes},
    Word{"suggest", Verb, reads},
    Word{"summarise", Verb, reads},
    Word{"summarize", Verb, reads},
    Word{"suspend", Verb, writes, high},
    Word{"sync", Either, writes},
    Word{"tail", Verb, reads},
    Word{"terminate", Verb, writes, high, for_good},
    Word{"think", Verb, reads},
    Word{"transfer", Either, writes, high, for_good},
    Word{"translate", Verb, reads},
    Word{"trigger", Either, writes},
    Word{"truncate", Verb, writes, high, for_good},
    Word{"tweet", Either, goes_out, high, for_good},
    Word{"unblock", Verb, writes},
    Word{"unlock", Verb, writes, high},
    Word{"unshare", Verb, writes},
    Word{"unstar", Verb, writes},
    Word{"unsubscribe", Verb, writes},
    Word{"update", Verb, writes},
    Word{"upgrade", Verb, writes},
    Word{"upload", Verb, goes_out, high, for_good},
    Word{"upsert", Verb, writes},
    Word{"validate", Verb, reads},
    Word{"verify", Verb, reads},
    Word{"view", Verb, reads},
    Word{"void", Verb, writes, high, for_good},
    Word{"wait", Verb, reads},
    Word{"watch", Verb, reads},
    Word{"webhook", Verb, goes_out, high, for_good},
    Word{"wipe", Verb, writes, high, for_good},
    Word{"wire", Either, writes, high, for_good},
    Word{"withdraw", Verb, writes, high, for_good},
    Word{"write", Verb, writes},
};
static_assert(std::ranges::is_sorted(words, {}, &Word::text));

/// At the end of a name these make a noun of what stands before: `refund_status` only looks.
constexpr std::array looking_nouns{
    std::string_view{"availability"},
    std::string_view{"balance"},
    std::string_view{"count"},
    std::string_view{"detail"},
    std::string_view{"details"},
    std::string_view{"eligibility"},
    std::string_view{"history"},
    std::string_view{"info"},
    std::string_view{"information"},
    std::string_view{"policies"},
    std::string_view{"policy"},
    std::string_view{"price"},
    std::string_view{"prices"},
    std::string_view{"status"},
};

/// Objects that make any change of them a dangerous one.
constexpr std::array dangerous_objects{
    std::string_view{"credential"},
    std::string_view{"credentials"},
    std::string_view{"iban"},
    std::string_view{"money"},
    std::string_view{"ownership"},
    std::string_view{"password"},
    std::string_view{"payment"},
    std::string_view{"permission"},
    std::string_view{"permissions"},
    std::string_view{"transaction"},
};

constexpr std::size_t name_bytes_max = 160;
constexpr std::size_t words_max = 16;

constexpr bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
constexpr bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// The last part of a qualified name: after the last '.', '/', ':' or "__" that has words behind
/// it.
std::string_view last_part(std::string_view name) noexcept {
    std::size_t from = 0;
    for (std::size_t i = 0; i + 1 < name.size(); ++i) {
        const bool mark = name[i] == '.' || name[i] == '/' || name[i] == ':';
        if (mark || (name[i] == '_' && name[i + 1] == '_')) {
            from = mark ? i + 1 : i + 2;
        }
    }
    const std::string_view part = name.substr(std::min(from, name.size()));
    return part.empty() ? name : part;
}

/// The words of a name, in lower case; views into its own buffer, so it stays where it was made.
class NameWords {
public:
    explicit NameWords(std::string_view name) noexcept {
        name = last_part(name.substr(0, name_bytes_max));
        std::size_t start = 0;
        for (std::size_t i = 0; i < name.size(); ++i) {
            const char c = name[i];
            if (!is_upper(c) && !is_lower(c) && !is_digit(c)) {
                add(start);
                start = used_;
                continue;
            }
            const bool before_lower = i + 1 < name.size() && is_lower(name[i + 1]);
            if (is_upper(c) && i > 0 &&
                (is_lower(name[i - 1]) || is_digit(name[i - 1]) ||
                 (is_upper(name[i - 1]) && before_lower))) {
                add(start);
                start = used_;
            }
            buffer_[used_++] = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
        }
        add(start);
    }
    NameWords(const NameWords&) = delete;
    NameWords& operator=(const NameWords&) = delete;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept {
        return i < size_ ? words_[i] : std::string_view();
    }
    [[nodiscard]] bool any_of(auto&& list) const noexcept {
        return std::any_of(words_.begin(), words_.begin() + size_, [&](std::string_view word) {
            return std::ranges::binary_search(list, word);
        });
    }

private:
    void add(std::size_t start) noexcept {
        if (used_ > start && size_ < words_max) {
            words_[size_++] = std::string_view(buffer_.data() + start, used_ - start);
        }
    }

    std::array<char, name_bytes_max> buffer_{};
    std::size_t used_ = 0;
    std::array<std::string_view, words_max> words_{};
    std::size_t size_ = 0;
};

const Word* find_word(std::string_view text) noexcept {
    const auto* const found = std::ranges::lower_bound(words, text, {}, &Word::text);
    return found != words.end() && found->text == text ? found : nullptr;
}

/// What changes the world outweighs what looks, what leaves outweighs what stays.
const Word* graver(const Word* one, const Word* other) noexcept {
    if (one == nullptr || other == nullptr) {
        return one == nullptr ? other : one;
    }
    return other->effect > one->effect ? other : one;
}

/// `get_or_create_x`, `search_and_replace`: the verb after the conjunction counts as well.
const Word* after_conjunction(const NameWords& name, const Word* chosen) noexcept {
    for (std::size_t i = 0; i + 1 < name.size(); ++i) {
        if (name[i] == "and" || name[i] == "or") {
            chosen = graver(chosen, find_word(name[i + 1]));
        }
    }
    return chosen;
}

const Word* deciding_word(const NameWords& name) noexcept {
    const Word* verb = nullptr;
    const Word* either = nullptr;
    const Word* weak = nullptr;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const Word* const word = find_word(name[i]);
        if (word == nullptr) {
            continue;
        }
        const Word** const slot = word->weight == Verb     ? &verb
                                  : word->weight == Either ? &either
                                                           : &weak;
        if (*slot == nullptr) {
            *slot = word;
        }
    }
    if (verb != nullptr) {
        return after_conjunction(name, verb);
    }
    if (either != nullptr) {
        return either;
    }
    return weak != nullptr && weak->effect != ToolEffect::Unknown ? weak : nullptr;
}

constexpr Word just_looks{"", Verb, reads, low, Reversibility::ReadOnly};
constexpr Word changes{"", Verb, writes, low, with_others};

/// Names whose words mislead one by one.
const Word* exception_of(const NameWords& name) noexcept {
    const std::string_view first = name[0];
    if ((first == "transfer" && name[1] == "to") || first == "handoff") {
        return &just_looks;  // Frameworks name the hand-over to another agent so: nothing is
                             // written.
    }
    if (first == "check" && (name[1] == "in" || name[1] == "out")) {
        return &changes;
    }
    if (name.size() < 2) {
        return nullptr;
    }
    const std::string_view last = name[name.size() - 1];
    if (first == "resolve" && (last == "id" || last == "name" || last == "url" || last == "path")) {
        return &just_looks;
    }
    const Word* const word = find_word(first);
    const bool noun = word == nullptr || (word->weight == Either && first != "post");
    if (noun && std::ranges::binary_search(looking_nouns, last)) {
        // `refund_status` looks; `user_update_status` and `run_status_change` do not begin so.
        for (std::size_t i = 1; i + 1 < name.size(); ++i) {
            const Word* const inner = find_word(name[i]);
            if (inner != nullptr && inner->weight == Verb) {
                return nullptr;
            }
        }
        return &just_looks;
    }
    return nullptr;
}

}  // namespace

ToolFacts infer_tool(std::string_view name) noexcept {
    const NameWords split(name);
    const Word* word = exception_of(split);
    if (word == nullptr) {
        word = deciding_word(split);
    }
    static constexpr std::array web_words{
        std::string_view{"curl"}, std::string_view{"http"}, std::string_view{"https"}};
    if (split.any_of(web_words)) {
        word = find_word("http");  // Even a GET carries out what stands in its URL.
    }
    if (word == nullptr) {
        return {};
    }
    ToolFacts facts{
        .effect = word->effect, .risk = word->risk, .reversibility = word->reversibility};
    if (facts.effect == ToolEffect::Read) {
        facts.risk = ToolRisk::Low;
        facts.reversibility = Reversibility::ReadOnly;
    } else if (split.any_of(dangerous_objects)) {
        facts.risk = ToolRisk::High;
    }
    return facts;
}

}  // namespace tagout::catalog
