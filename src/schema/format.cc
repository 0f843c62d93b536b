#include "schema/format.h"

#include "schema/pattern.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

namespace tagout::schema {

namespace {

constexpr std::array<std::string_view, 14> names{
    "",
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uuid",
    "json-pointer",
    "regex",
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_hex(char c) {
    const char lower = static_cast<char>(c | 0x20);
    return is_digit(c) || (lower >= 'a' && lower <= 'f');
}
bool is_alnum(char c) {
    const char lower = static_cast<char>(c | 0x20);
    return is_digit(c) || (lower >= 'a' && lower <= 'z');
}

/// Takes exactly `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
    if (text.size() < digits || !std::ranges::all_of(text.substr(0, digits), is_digit)) {
        return std::nullopt;
    }
    int number = 0;
    for (const char c : text.substr(0, digits)) {
        number = number * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return number;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

bool take_date(std::string_view& text) {
    constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const auto year = take_number(text, 4);
    const bool first = take(text, "-");
    const auto month = take_number(text, 2);
    const bool second = take(text, "-");
    const auto day = take_number(text, 2);
    if (!year || !month || !day || !first || !second || *month < 1 || *month > 12 || *day < 1) {
        return false;
    }
    const bool leap = *year % 4 == 0 && (*year % 100 != 0 || *year % 400 == 0);
    return *day <= days[static_cast<std::size_t>(*month - 1)] + (*month == 2 && leap ? 1 : 0);
}

bool take_time(std::string_view& text) {
    const auto hour = take_number(text, 2);
    const bool first = take(text, ":");
    const auto minute = take_number(text, 2);
    const bool second = take(text, ":");
    const auto seconds = take_number(text, 2);
    if (!hour || !minute || !seconds || !first || !second || *hour > 23 || *minute > 59 ||
        *seconds > 60) {
        return false;
    }
    if (take(text, ".") && !take_number(text, 1)) {
        return false;
    }
    while (take_number(text, 1)) {
    }
    int away = 0;
    if (!take(text, "zZ")) {
        const bool west = text.starts_with('-');
        const bool sign = take(text, "+-");
        const auto hours = take_number(text, 2);
        const bool third = take(text, ":");
        const auto minutes = take_number(text, 2);
        if (!sign || !third || !hours || !minutes || *hours > 23 || *minutes > 59) {
            return false;
        }
        away = (*hours * 60 + *minutes) * (west ? 1 : -1);
    }
    // A leap second is the last of a day in UTC.
    const int utc = ((*hour * 60 + *minute + away) % 1440 + 1440) % 1440;
    return *seconds != 60 || utc == 1439;
}

bool is_duration(std::string_view text) {
    if (!take(text, "P") || text.empty()) {
        return false;
    }
    const auto take_units = [&text](std::string_view units, bool& any) {
        std::size_t next = 0;
        while (!text.empty() && is_digit(text.front())) {
            while (take_number(text, 1)) {
            }
            const std::size_t unit =
                text.empty() ? std::string_view::npos : units.find(text.front(), next);
            // Units stand in order and leave none out between two.
            if (unit == std::string_view::npos || (any && unit != next)) {
                return false;
            }
            text.remove_prefix(1);
            next = unit + 1;
            any = true;
        }
        return true;
    };
    bool weeks = false;
    if (const std::string_view before = text; take_units("W", weeks) && weeks) {
        return text.empty();
    } else {
        text = before;
    }
    bool days = false;
    if (!take_units("YMD", days)) {
        return false;
    }
    bool times = false;
    if (take(text, "T") && (!take_units("HMS", times) || !times)) {
        return false;
    }
    return text.empty() && (days || times);
}

bool is_hostname(std::string_view text) {
    if (text.empty() || text.size() > 253) {
        return false;
    }
    while (true) {
        const std::size_t end = std::min(text.find('.'), text.size());
        const std::string_view label = text.substr(0, end);
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
            !std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-'; })) {
            return false;
        }
        if (end == text.size()) {
            return true;
        }
        text.remove_prefix(end + 1);
    }
}

bool is_ipv4(std::string_view text) {
    for (int part = 0; part < 4; ++part) {
        std::size_t digits = 0;
        while (digits < text.size() && is_digit(text[digits])) {
            ++digits;
        }
        const bool leading_zero = digits > 1 && text.front() == '0';
        const auto number = digits < 1 || digits > 3 ? std::nullopt : take_number(text, digits);
        if (!number || *number > 255 || leading_zero || (part < 3 && !take(text, "."))) {
            return false;
        }
    }
    return text.empty();
}

bool is_ipv6(std::string_view text) {
    int groups = 0;
    bool gap = false;
    if (text.starts_with("::")) {
        gap = true;
        text.remove_prefix(2);
    } else if (text.starts_with(':')) {
        return false;
    }
    while (!text.empty()) {
        if (text.find('.') < text.find(':')) {
            groups += 2;
            return is_ipv4(text) && (gap ? groups < 8 : groups == 8);
        }
        std::size_t digits = 0;
        while (digits < text.size() && is_hex(text[digits])) {
            ++digits;
        }
        if (digits < 1 || digits > 4) {
            return false;
        }
        text.remove_prefix(digits);
        ++groups;
        if (text.empty()) {
            break;
        }
        if (text.starts_with("::")) {
            if (gap) {
                return false;
            }
            gap = true;
            text.remove_prefix(2);
        } else if (!take(text, ":") || text.empty()) {
            return false;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

bool is_email(std::string_view text) {
    const std::size_t at = text.rfind('@');
    if (at == std::string_view::npos || at == 0 || at > 64) {
        return false;
    }
    const std::string_view local = text.substr(0, at);
    std::string_view domain = text.substr(at + 1);
    if (domain.starts_with('[') && domain.ends_with(']')) {
        domain = domain.substr(1, domain.size() - 2);
        if (domain.starts_with("IPv6:") ? !is_ipv6(domain.substr(5)) : !is_ipv4(domain)) {
            return false;
        }
    } else if (!is_hostname(domain)) {
        return false;
    }
    if (local.size() >= 2 && local.front() == '"' && local.back() == '"') {
        return true;
    }
    const auto in_word = [](char c) {
        return is_alnum(c) || static_cast<unsigned char>(c) >= 0x80 ||
               std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
    };
    return std::ranges::all_of(local, in_word) && local.front() != '.' && local.back() != '.' &&
           local.find("..") == std::string_view::npos;
}

bool is_uri_text(std::string_view text) {
    constexpr std::string_view signs = "-._~:/?#[]@!$&'()*+,;=";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) {
                return false;
            }
        } else if (!is_alnum(c) && signs.find(c) == std::string_view::npos) {
            return false;
        }
    }
    const std::size_t fragment = text.find('#');
    if (fragment != std::string_view::npos &&
        text.find('#', fragment + 1) != std::string_view::npos) {
        return false;
    }
    // Brackets stand around an IPv6 address and nowhere else.
    const std::size_t open = text.find('[');
    if (open == std::string_view::npos) {
        return text.find(']') == std::string_view::npos;
    }
    const std::size_t close = text.find(']', open);
    return close != std::string_view::npos && is_ipv6(text.substr(open + 1, close - open - 1));
}

bool has_scheme(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || is_digit(text.front())) {
        return false;
    }
    return std::ranges::all_of(text.substr(0, colon), [](char c) {
        return is_alnum(c) || c == '+' || c == '-' || c == '.';
    });
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !is_hex(text[i])) {
            return false;
        }
    }
    return true;
}

bool is_json_pointer(std::string_view text) {
    if (!text.empty() && text.front() != '/') {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '~' &&
            (i + 1 >= text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) {
            return false;
        }
    }
    return true;
}

}  // namespace

Format format_of(std::string_view name) noexcept {
    const auto found = std::ranges::find(names, name);
    return found == names.end() ? Format::None : static_cast<Format>(found - names.begin());
}

std::string_view name_of(Format format) noexcept {
    return names[static_cast<std::size_t>(format)];
}

bool has_format(Format format, std::string_view text) {
    switch (format) {
        case Format::None:
            return true;
        case Format::DateTime:
            return take_date(text) && take(text, "tT") && take_time(text) && text.empty();
        case Format::Date:
            return take_date(text) && text.empty();
        case Format::Time:
            return take_time(text) && text.empty();
        case Format::Duration:
            return is_duration(text);
        case Format::Email:
            return is_email(text);
        case Format::Hostname:
            return is_hostname(text);
        case Format::Ipv4:
            return is_ipv4(text);
        case Format::Ipv6:
            return is_ipv6(text);
        case Format::Uri:
            return has_scheme(text) && is_uri_text(text);
        case Format::UriReference:
            return is_uri_text(text);
        case Format::Uuid:
            return is_uuid(text);
        case Format::JsonPointer:
            return is_json_pointer(text);
        case Format::Regex:
            return translate_pattern(text).has_value() &&
                   Pattern::compile(text, 1 << 16).has_value();
    }
    return true;
}

}  // namespace tagout::schema
