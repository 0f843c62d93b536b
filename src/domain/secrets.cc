#include "domain/secrets.h"

#include "base/assert.h"

#include <re2/re2.h>

#include <string>

namespace tagout {

namespace {

constexpr std::int64_t pattern_memory_max = 8 << 20;

/// Only to be hidden: too wide to accuse anybody.
constexpr std::array wide_forms{
    "\\b(?:[spr]k[-_]|gh[pousr]_|github_pat_|glpat-|xapp-|AIza|hf_|npm_|whsec_)[A-Za-z0-9_-]{16}",
    "\\beyJ[A-Za-z0-9_-]{13}",
    "(?i:\\bbearer) [A-Za-z0-9._~+/-]{16}",
    "(?i:\\bbasic) [A-Za-z0-9+/]{8,}=",  // without its padding it could be any word
    "(?i:\\bauthorization\\W{1,5}(?:bearer|basic|digest|token)) [A-Za-z0-9._~+/-]{4}",
};

bool continues_secret(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '+' || c == '/' || c == '=' || c == '~';
}

const re2::RE2& pattern() {
    static const re2::RE2 compiled = [] {
        std::string all;
        const auto add = [&](const char* expression) {
            all += all.empty() ? "(?:" : "|(?:";
            all += expression;
            all += ")";
        };
        for (const SecretForm& form : secret_forms) {
            add(form.expression);
        }
        for (const char* form : wide_forms) {
            add(form);
        }
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_never_capture(true);
        options.set_max_mem(pattern_memory_max);
        return re2::RE2(all, options);
    }();
    return compiled;
}

}  // namespace

std::size_t end_of_secret(std::string_view text, std::size_t to) noexcept {
    constexpr std::string_view key = "PRIVATE KEY";
    if (text.substr(0, to).ends_with(key)) {
        constexpr std::string_view last_line = "-----END ";
        constexpr std::string_view rule = "-----";
        const std::size_t at = text.find(last_line, to);
        const std::size_t end =
            at == std::string_view::npos ? at : text.find(rule, at + last_line.size());
        return end == std::string_view::npos ? text.size() : end + rule.size();
    }
    while (to < text.size() && continues_secret(text[to])) {
        ++to;
    }
    while (to > 0 && text[to - 1] == '.') {
        --to;  // the sentence's
    }
    return to;
}

std::vector<SecretPlace> find_secrets(std::string_view text) {
    TAGOUT_ASSERT(pattern().ok(), "our own patterns compile");
    std::vector<SecretPlace> found;
    const re2::StringPiece whole(text.data(), text.size());
    re2::StringPiece match;
    std::size_t at = 0;
    while (at < text.size() &&
           pattern().Match(whole, at, text.size(), re2::RE2::UNANCHORED, &match, 1)) {
        const auto from = static_cast<std::size_t>(match.data() - text.data());
        const std::size_t to = end_of_secret(text, from + match.size());
        found.push_back({from, to});
        at = to;
    }
    return found;
}

}  // namespace tagout
