#include "contain/redactor.h"

#include "catalog/mistake.h"
#include "domain/secrets.h"

#include <re2/re2.h>

#include <algorithm>

namespace tagout::contain {

namespace {

constexpr std::int64_t pattern_memory_max = 1 << 20;
constexpr std::string_view own_prefix = "re:";
constexpr std::string_view secret_kind = "secret";

struct KnownKind {
    std::string_view name;
    std::string_view pattern;
    bool (*holds)(std::string_view match);  ///< What a pattern cannot say; null for nothing.
};

std::string letters_and_digits(std::string_view text) {
    std::string kept;
    for (const char c : text) {
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
            kept += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
    }
    return kept;
}

bool is_card(std::string_view match) {
    const std::string digits = letters_and_digits(match);
    int sum = 0;
    bool twice = false;
    for (std::size_t i = digits.size(); i-- > 0; twice = !twice) {
        const int value = (digits[i] - '0') * (twice ? 2 : 1);
        sum += value > 9 ? value - 9 : value;
    }
    return sum % 10 == 0 && digits.find_first_not_of('0') != std::string::npos;
}

/// ISO 13616: the first four behind the rest, letters as two digits, modulo 97 is 1.
bool is_iban(std::string_view match) {
    std::string text = letters_and_digits(match);
    std::rotate(text.begin(), text.begin() + 4, text.end());
    unsigned rest = 0;
    for (const char c : text) {
        const bool digit = c <= '9';
        rest = (rest * (digit ? 10 : 100) + static_cast<unsigned>(digit ? c - '0' : c - 'A' + 10)) % 97;
    }
    return rest == 1;
}

/// All but "secret", which find_secrets() knows.
constexpr std::array<KnownKind, redact_kinds.size() - 1> known_kinds{{
    {"email", R"([A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9.\-]{1,190}\.[A-Za-z]{2,24}\b)", nullptr},
    {"phone", R"(\+[0-9][0-9 ().\-/]{6,20}[0-9]|\([0-9]{3}\) ?[0-9]{3}-[0-9]{4}\b|\b[0-9]{3}-[0-9]{3}-[0-9]{4}\b)", nullptr},
    {"card", R"(\b[0-9](?:[ \-]?[0-9]){12,18}\b)", is_card},
    {"iban", R"(\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b)", is_iban},
    {"ssn", R"(\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b)", nullptr},
    {"ip", R"(\b(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\b)", nullptr},
}};

std::unexpected<Error> wrong(std::string_view entry, std::string_view why) {
    return fail(
        ErrorCode::InvalidArgument, "redact: '" + std::string(entry.substr(0, 80)) + "' " + std::string(why)
    );
}

}  // namespace

struct Redactor::Kind {
    std::unique_ptr<re2::RE2> pattern;  ///< Null for secrets.
    bool (*holds)(std::string_view match);
    std::string marker;

    /// Appends to `out`, and gives how far `text` went into it; 0 if nothing matched.
    std::size_t replace(std::string_view text, std::string& out) const {
        return pattern == nullptr ? replace_secrets(text, out) : replace_matches(text, out);
    }

private:
    std::size_t replace_secrets(std::string_view text, std::string& out) const {
        std::size_t copied = 0;
        for (const SecretPlace& place : find_secrets(text)) {
            out.append(text.substr(copied, place.from - copied)).append(marker);
            copied = place.to;
        }
        return copied;
    }

    std::size_t replace_matches(std::string_view text, std::string& out) const {
        const re2::StringPiece whole(text.data(), text.size());
        std::size_t at = 0;
        std::size_t copied = 0;
        re2::StringPiece match;
        while (at < text.size() &&
               pattern->Match(whole, at, text.size(), re2::RE2::UNANCHORED, &match, 1)) {
            const auto begin = static_cast<std::size_t>(match.data() - text.data());
            const std::size_t end = begin + match.size();
            if (match.empty()) {
                at = end + 1;
                continue;
            }
            if (holds == nullptr || holds(text.substr(begin, match.size()))) {
                out.append(text.substr(copied, begin - copied)).append(marker);
                copied = end;
            }
            at = end;
        }
        return copied;
    }
};

Redactor::Redactor(RedactWhere where) : where_(where) {}
Redactor::~Redactor() = default;

Result<std::shared_ptr<const Redactor>> Redactor::make(
    std::span<const std::string> what, RedactWhere where
) {
    if (what.empty()) {
        return fail(
            ErrorCode::InvalidArgument,
            "redact needs what is to be taken out: " + catalog::any_of_text(redact_kinds) +
                ", or re:PATTERN"
        );
    }
    if (what.size() > redact_kinds_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "redact: more than " + std::to_string(redact_kinds_max) + " kinds and patterns; join some"
        );
    }
    const std::shared_ptr<Redactor> made(new Redactor(where));
    for (const std::string& entry : what) {
        if (entry == secret_kind) {
            made->kinds_.push_back({nullptr, nullptr, "[redacted:secret]"});
            continue;
        }
        const bool own = entry.starts_with(own_prefix);
        const auto known = std::ranges::find(known_kinds, entry, &KnownKind::name);
        if (!own && known == known_kinds.end()) {
            return wrong(
                entry, "is no kind; write " + catalog::any_of_text(redact_kinds) + ", or re:PATTERN"
            );
        }
        const std::string_view pattern =
            own ? std::string_view(entry).substr(own_prefix.size()) : known->pattern;
        if (own && (pattern.empty() || pattern.size() > redact_pattern_bytes_max)) {
            return wrong(
                entry, "needs a pattern of 1 to " + std::to_string(redact_pattern_bytes_max) + " bytes"
            );
        }
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(pattern_memory_max);
        auto compiled = std::make_unique<re2::RE2>(
            re2::StringPiece(pattern.data(), pattern.size()), options
        );
        if (!compiled->ok()) {
            return wrong(entry, "is no pattern of RE2: " + compiled->error());
        }
        if (own && re2::RE2::FullMatch("", *compiled)) {
            return wrong(entry, "matches the empty text; make it ask for at least one character");
        }
        made->kinds_.push_back(
            {std::move(compiled), own ? nullptr : known->holds,
             own ? "[redacted]" : "[redacted:" + std::string(known->name) + "]"}
        );
    }
    return std::shared_ptr<const Redactor>(made);
}

std::optional<std::string> Redactor::redacted(std::string_view text) const {
    std::optional<std::string> result;
    for (const Kind& kind : kinds_) {
        const std::string_view from = result ? std::string_view(*result) : text;
        std::string out;
        const std::size_t copied = kind.replace(from, out);
        if (copied > 0) {
            out.append(from.substr(copied));
            result = std::move(out);
        }
    }
    return result;
}

}  // namespace tagout::contain
