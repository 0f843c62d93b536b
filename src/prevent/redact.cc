#include "prevent/redact.h"

#include "domain/secrets.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

namespace tagout::prevent {

namespace {

namespace json = boost::json;

constexpr std::size_t json_depth_max = 64;
constexpr std::size_t random_word_min = 32;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}
char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

/// A stretch of the text that is replaced: its kind, its length, and what makes it equal to others.
struct Hit {
    std::string_view kind;
    std::size_t length = 0;
    std::string value;
};

bool passes_luhn(std::string_view digits) {
    int sum = 0;
    bool twice = false;
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
        int value = *digit - '0';
        if (twice) {
            value = value > 4 ? value * 2 - 9 : value * 2;
        }
        sum += value;
        twice = !twice;
    }
    return sum % 10 == 0;
}

bool is_card(std::string_view digits) {
    return digits.size() >= 13 && digits.size() <= 19 && passes_luhn(digits) &&
           digits.find_first_not_of('0') != std::string_view::npos;
}

/// "2026-11-27 02:50": groups of digits that are a date and no phone.
bool is_date(std::string_view text) {
    return text.size() >= 10 && (text.starts_with("19") || text.starts_with("20")) &&
           is_digit(text[2]) && is_digit(text[3]) && (text[4] == '-' || text[4] == '.') &&
           text[7] == text[4];
}

std::optional<Hit> number_at(std::string_view text, char before) {
    if (is_word(before) || before == '.' || before == ':') {
        return std::nullopt;
    }
    const bool plus = text.front() == '+';
    std::string digits;
    std::size_t end = 0;
    std::size_t groups = 0;
    for (std::size_t i = plus ? 1 : 0; i < text.size() && digits.size() < 20; ++i) {
        const char c = text[i];
        if (is_digit(c)) {
            digits += c;
            end = i + 1;
        } else if ((c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/') &&
                   i < end + 2) {
            groups += i == end ? 1 : 0;
        } else {
            break;
        }
    }
    if (end < text.size() && is_word(text[end])) {
        return std::nullopt;
    }
    if (is_card(digits)) {
        return Hit{"card", end, digits};
    }
    const bool phone = digits.size() >= 9 && digits.size() <= 15 && (plus || groups >= 2) &&
                       !is_date(text);
    return phone ? std::optional(Hit{"phone", end, digits}) : std::nullopt;
}

bool is_local(char c) { return is_word(c) || c == '.' || c == '+' || c == '%' || c == '\''; }

std::optional<Hit> email_at(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size() && is_local(text[at])) {
        ++at;
    }
    if (at == 0 || at > 64 || at >= text.size() || text[at] != '@') {
        return std::nullopt;
    }
    std::size_t end = at + 1;
    while (end < text.size() && (is_word(text[end]) || text[end] == '.')) {
        ++end;
    }
    while (end > at && (text[end - 1] == '.' || text[end - 1] == '-')) {
        --end;
    }
    const std::string_view domain = text.substr(at + 1, end - at - 1);
    const std::size_t dot = domain.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || domain.size() - dot < 3) {
        return std::nullopt;
    }
    std::string value(text.substr(0, end));
    std::ranges::transform(value, value.begin(), lower);
    return Hit{"email", end, std::move(value)};
}

bool starts_with_nocase(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() &&
           std::ranges::equal(text.substr(0, prefix.size()), prefix, [](char a, char b) {
               return lower(a) == b;
           });
}

std::size_t token_end(std::string_view text, std::size_t from) {
    while (from < text.size() && (is_word(text[from]) || text[from] == '.' || text[from] == '/' ||
                                  text[from] == '+' || text[from] == '=' || text[from] == '~')) {
        ++from;
    }
    while (from > 0 && text[from - 1] == '.') {
        --from;
    }
    return from;
}

/// Upper case, lower case and digits through one another and long: no word of any language.
bool is_random(std::string_view word) {
    bool has_upper = false;
    bool has_lower = false;
    std::size_t digits = 0;
    for (const char c : word) {
        has_upper = has_upper || (c >= 'A' && c <= 'Z');
        has_lower = has_lower || (c >= 'a' && c <= 'z');
        digits += is_digit(c) ? 1 : 0;
    }
    return word.size() >= random_word_min && has_upper && has_lower && digits >= 3 &&
           word.find('/') == std::string_view::npos && word.find('.') == std::string_view::npos;
}

constexpr std::array<std::string_view, 14> secret_names{
    "password", "passwd",        "secret",       "api_key",     "apikey",
    "api-key",  "authorization", "access_token", "accesstoken", "auth_token",
    "pin_code", "private_key",   "client_secret", "passphrase",
};

bool is_secret_name(std::string_view name) {
    std::string folded(name);
    std::ranges::transform(folded, folded.begin(), lower);
    return folded == "token" || folded == "pwd" || folded == "cvv" || folded == "cvc" ||
           std::ranges::any_of(secret_names, [&](std::string_view each) {
               return folded.find(each) != std::string::npos;
           });
}

bool is_phone_name(std::string_view name) {
    std::string folded(name);
    std::ranges::transform(folded, folded.begin(), lower);
    return folded.find("phone") != std::string::npos || folded == "mobile" || folded == "tel";
}

/// How long "Bearer " or "Basic " is at the beginning of `text`, 0 if neither stands there.
std::size_t scheme_length(std::string_view text) {
    constexpr std::array<std::string_view, 2> schemes{"bearer ", "basic "};
    const auto found = std::ranges::find_if(schemes, [&](std::string_view scheme) {
        return starts_with_nocase(text, scheme);
    });
    return found == schemes.end() ? 0 : found->size();
}

/// "password: hunter2", "api_key=abc", "Authorization: Bearer abc": where the value begins, 0 if it is
/// none.
std::size_t assigned_from(std::string_view text) {
    std::size_t end = 0;
    while (end < text.size() && is_word(text[end])) {
        ++end;
    }
    if (end == 0 || end > 40 || end >= text.size() || !is_secret_name(text.substr(0, end))) {
        return 0;
    }
    const auto skip = [&](std::size_t at) {
        return std::min(text.find_first_not_of(" \"'", at), text.size());
    };
    const std::size_t sign = skip(end);
    if (sign >= text.size() || (text[sign] != ':' && text[sign] != '=')) {
        return 0;
    }
    const std::size_t value = skip(sign + 1);
    return value + scheme_length(text.substr(value));
}

/// Where the value that begins at `from` ends: in quotes with them, else before what separates values.
std::size_t assigned_end(std::string_view text, std::size_t from) {
    const char quote = text[from - 1];
    const std::size_t closing =
        quote == '"' || quote == '\'' ? text.find(quote, from) : std::string_view::npos;
    const std::size_t end = closing != std::string_view::npos
                                ? closing
                                : text.find_first_of(" \t\n\r\"',;}", from);
    return std::min(end, text.size());
}

std::optional<Hit> random_word_at(std::string_view text) {
    const std::size_t end = token_end(text, 0);
    const std::string_view token = text.substr(0, end);
    return is_random(token) ? std::optional(Hit{"secret", end, std::string(token)}) : std::nullopt;
}

}  // namespace

std::string Redactor::placeholder(std::string_view kind, std::string_view value) {
    std::string key = std::string(kind) + " " + std::string(value);
    const auto known = placeholders_.find(key);
    if (known != placeholders_.end()) {
        return known->second;
    }
    std::size_t& count = counts_[std::string(kind)];
    std::string made = "[" + std::string(kind) + "-" + std::to_string(++count) + "]";
    placeholders_.emplace(std::move(key), made);
    return made;
}

std::string Redactor::text(std::string_view plain) {
    const std::vector<SecretPlace> secrets = find_secrets(plain);
    auto secret = secrets.begin();
    std::string out;
    char before = ' ';
    for (std::size_t i = 0; i < plain.size();) {
        while (secret != secrets.end() && secret->to <= i) {
            ++secret;
        }
        const std::string_view rest = plain.substr(i);
        std::size_t kept = 0;  // what stands before the value of an assignment
        std::optional<Hit> hit;
        if (!is_local(before)) {
            kept = assigned_from(rest);
            if (kept == 0 && secret != secrets.end() && secret->from == i) {
                kept = scheme_length(rest);
            }
        }
        if (kept > 0) {
            std::size_t end = assigned_end(rest, kept);
            if (secret != secrets.end() && secret->from <= i + end) {
                end = std::max(end, secret->to - i);
            }
            const std::string_view value = rest.substr(kept, end - kept);
            if (!value.empty()) {
                hit = Hit{"secret", value.size(), std::string(value)};
            }
        } else if (secret != secrets.end() && secret->from <= i) {
            hit = Hit{"secret", secret->to - i, std::string(rest.substr(0, secret->to - i))};
        } else if (is_digit(rest.front()) || rest.front() == '+') {
            hit = number_at(rest, before);
        }
        if (!hit && kept == 0 && !is_local(before)) {
            hit = email_at(rest);
            if (!hit) {
                hit = random_word_at(rest);
            }
        }
        if (hit) {
            out.append(rest.substr(0, kept)).append(placeholder(hit->kind, hit->value));
            before = ']';
            i += kept + hit->length;
            continue;
        }
        const std::size_t plainly = std::max<std::size_t>(kept, 1);
        out.append(rest.substr(0, plainly));
        before = rest[plainly - 1];
        i += plainly;
    }
    return out;
}

namespace {

/// Where the string literal that begins at `from` ends, behind its closing quote; npos if it does not.
std::size_t literal_end(std::string_view text, std::size_t from) {
    for (std::size_t i = from + 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            return i + 1;
        }
    }
    return std::string_view::npos;
}

std::string digits_of(std::string_view text) {
    std::string digits;
    std::ranges::copy_if(text, std::back_inserter(digits), is_digit);
    return digits;
}

/// What stands for a scalar of a member called `name`; the value itself where nothing tells.
std::string scalar(Redactor& redactor, std::string_view name, const std::string& value, bool text) {
    if (value.empty()) {
        return value;
    }
    if (is_secret_name(name)) {
        return redactor.placeholder("secret", value);
    }
    if (is_phone_name(name)) {
        const std::string digits = digits_of(value);
        return redactor.placeholder("phone", digits.empty() ? value : digits);
    }
    if (!text) {
        return is_card(value) ? redactor.placeholder("card", value) : value;
    }
    return redactor.text(value);
}

}  // namespace

std::string Redactor::json(std::string_view text) {
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = json_depth_max;
    const json::value whole = json::parse(text, error, {}, options);
    if (error || (!whole.is_object() && !whole.is_array())) {
        return this->text(text);
    }
    // Literal by literal, so that whatever is not replaced keeps its bytes: a number that is written
    // another way would look like another value.
    std::string out;
    std::string name;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (c == '"') {
            const std::size_t end = literal_end(text, i);
            const std::string_view literal = text.substr(i, end - i);
            const std::string value(json::parse(literal).as_string());
            const std::size_t next = text.find_first_not_of(" \t\r\n", end);
            if (next != std::string_view::npos && text[next] == ':') {
                name = value;
                out += literal;
            } else {
                const std::string made = scalar(*this, name, value, true);
                out += made == value ? std::string(literal) : json::serialize(json::string(made));
            }
            i = end;
        } else if (is_digit(c) || c == '-') {
            const std::size_t end = std::min(text.find_first_not_of("+-.0123456789eE", i), text.size());
            const std::string value(text.substr(i, end - i));
            const std::string made = scalar(*this, name, value, false);
            out += made == value ? value : json::serialize(json::string(made));
            i = end;
        } else {
            if (c == '{' || c == '}') {
                name.clear();
            }
            out += c;
            ++i;
        }
    }
    return out;
}

}  // namespace tagout::prevent
