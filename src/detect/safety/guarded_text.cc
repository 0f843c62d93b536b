#include "detect/safety/guarded_text.h"

#include "detect/atoms.h"
#include "detect/pattern_database.h"
#include "domain/secrets.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr unsigned first_place = 1'000;
constexpr unsigned first_canary = 2'000;
static_assert(first_place + list_items_max <= first_canary);

/// An expression that matches `literal` and nothing else.
std::string quoted_expression(std::string_view literal) {
    std::string expression;
    for (const char c : literal) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
        if (plain) {
            expression += c;
        } else {
            constexpr std::string_view digits = "0123456789abcdef";
            expression += "\\x";
            expression += digits[byte >> 4U];
            expression += digits[byte & 15U];
        }
    }
    return expression;
}

bool is_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

/// Not in the middle of a longer name: /etc/shadow is no part of /etc/shadowy. And the public half
/// of a key, id_rsa.pub, is made to be shown.
bool stands_alone(std::string_view text, std::size_t from, std::size_t to) noexcept {
    const bool before = from == 0 || !is_word(text[from]) || !is_word(text[from - 1]);
    const bool after = to == text.size() || !is_word(text[to - 1]) || !is_word(text[to]);
    return before && after && !text.substr(to).starts_with(".pub");
}

}  // namespace

struct GuardedText::State {
    /// Asked first, whether anything stands there; the other tells where, at twice the cost.
    PatternDatabase any;
    PatternDatabase where;
    PatternScratch scratch;
    std::vector<std::string> places;
    std::vector<std::string> canaries;
    std::vector<GuardedMatch> matches;
    std::string_view text;

    static int on_match(
        unsigned id, unsigned long long from, unsigned long long to, unsigned, void* context
    ) {
        static_cast<State*>(context)->add(id, from, to);
        return 0;
    }

    static int on_any(unsigned, unsigned long long, unsigned long long, unsigned, void* context) {
        *static_cast<bool*>(context) = true;
        return 1;
    }

    void add(unsigned id, std::size_t from, std::size_t to) {
        GuardedMatch match{.name = {}, .from = from, .to = to};
        if (id >= first_canary) {
            match.kind = GuardedKind::Canary;
            match.name = "a canary";
        } else if (id >= first_place) {
            if (!stands_alone(text, from, to)) {
                return;
            }
            match.name = places[id - first_place];
        } else {
            match.kind = GuardedKind::Secret;
            match.name = secret_forms[id].kind;
            match.to = end_of_secret(text, to);
        }
        const bool inside = std::ranges::any_of(matches, [&](const GuardedMatch& known) {
            return known.kind == match.kind && known.from <= match.from && match.from < known.to;
        });
        if (!inside && matches.size() < matches_max) {
            matches.push_back(match);
        }
    }

    void compile() {
        std::vector<std::string> literals;
        literals.reserve(places.size() + canaries.size());  // their texts must stay where they are
        Patterns telling;
        Patterns asking;
        const auto add = [&](const char* expression, unsigned id, unsigned flags) {
            telling.add(expression, id, flags | HS_FLAG_SOM_LEFTMOST);
            asking.add(expression, id, flags | HS_FLAG_SINGLEMATCH);
        };
        for (unsigned i = 0; i < secret_forms.size(); ++i) {
            add(secret_forms[i].expression, i, 0);
        }
        const auto add_all = [&](const std::vector<std::string>& texts, unsigned first) {
            for (unsigned i = 0; i < texts.size(); ++i) {
                literals.push_back(quoted_expression(texts[i]));
                add(literals.back().c_str(), first + i, HS_FLAG_CASELESS);
            }
        };
        add_all(places, first_place);
        add_all(canaries, first_canary);
        where = telling.compiled();
        any = asking.compiled();
        scratch.make_room_for(*where);
        scratch.make_room_for(*any);
    }
};

GuardedText::GuardedText(const SafetySettings& settings) : state_(std::make_unique<State>()) {
    state_->places = settings.places;
    state_->canaries = settings.canaries;
    state_->compile();
}

GuardedText::~GuardedText() = default;
GuardedText::GuardedText(GuardedText&&) noexcept = default;
GuardedText& GuardedText::operator=(GuardedText&&) noexcept = default;

const std::vector<GuardedMatch>& GuardedText::scan(std::string_view text) {
    State& state = *state_;
    state.matches.clear();
    state.text = text.substr(0, scan_bytes_max);
    bool any = false;
    if (!state.text.empty()) {
        state.scratch.search(*state.any, state.text, &State::on_any, &any);
    }
    if (any) {
        state.scratch.search(*state.where, state.text, &State::on_match, &state);
    }
    return state.matches;
}

std::string GuardedText::redact(std::string text) {
    std::vector<GuardedMatch> found = scan(text);
    std::erase_if(found, [](const GuardedMatch& match) {
        return match.kind == GuardedKind::Place;
    });
    std::ranges::sort(found, {}, &GuardedMatch::from);
    std::string out;
    std::size_t at = 0;
    for (const GuardedMatch& match : found) {
        if (match.from < at) {
            continue;  // a canary inside a secret
        }
        out.append(text, at, match.from - at);
        out += "[" + std::string(match.name) + ", " + std::to_string(match.to - match.from) +
               " bytes]";
        at = match.to;
    }
    return found.empty() ? std::move(text) : out + text.substr(at);
}

}  // namespace tagout::detect
