#include "gateway/json_scan.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

namespace tagout::gateway {

namespace {

constexpr std::size_t parser_kept_bytes_max = 1024 * 1024;  // Of a parser that a thread keeps.

constexpr bool is_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::size_t skip_space(std::string_view text, std::size_t at) noexcept {
    while (at < text.size() && is_space(text[at])) {
        ++at;
    }
    return at;
}

/// `at` is an opening quote; the place behind the closing one.
std::size_t skip_string(std::string_view text, std::size_t at) noexcept {
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (text[at] == '"') {
            return at + 1;
        }
    }
    return text.size();
}

std::size_t skip_value(std::string_view text, std::size_t at) noexcept {
    if (at >= text.size()) {
        return text.size();
    }
    if (text[at] == '"') {
        return skip_string(text, at);
    }
    if (text[at] != '{' && text[at] != '[') {
        while (at < text.size() && text[at] != ',' && text[at] != '}' && text[at] != ']' &&
               !is_space(text[at])) {
            ++at;
        }
        return at;
    }
    for (std::size_t depth = 0; at < text.size();) {
        const char c = text[at];
        if (c == '"') {
            at = skip_string(text, at);
            continue;
        }
        ++at;
        if (c == '{' || c == '[') {
            ++depth;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return at;
        }
    }
    return text.size();
}

int hex_of(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::uint32_t unit_at(std::string_view text, std::size_t at) noexcept {
    std::uint32_t unit = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
        unit = unit * 16 +
               static_cast<std::uint32_t>(i < text.size() ? std::max(hex_of(text[i]), 0) : 0);
    }
    return unit;
}

void append_utf8(std::string& text, std::uint32_t point) {
    if (point < 0x80) {
        text += static_cast<char>(point);
    } else if (point < 0x800) {
        text += static_cast<char>(0xC0 | point >> 6);
        text += static_cast<char>(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        text += static_cast<char>(0xE0 | point >> 12);
        text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        text += static_cast<char>(0x80 | (point & 0x3F));
    } else {
        text += static_cast<char>(0xF0 | point >> 18);
        text += static_cast<char>(0x80 | (point >> 12 & 0x3F));
        text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        text += static_cast<char>(0x80 | (point & 0x3F));
    }
}

/// What stands between the quotes, undone of its escapes.
std::string unescape(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\' || at + 1 >= text.size()) {
            plain += text[at];
            continue;
        }
        const char c = text[++at];
        constexpr std::string_view letters = "bfnrt";
        constexpr std::string_view meanings = "\b\f\n\r\t";
        if (c != 'u') {
            const std::size_t letter = letters.find(c);
            plain += letter == std::string_view::npos ? c : meanings[letter];
            continue;
        }
        std::uint32_t point = unit_at(text, at + 1);
        at += 4;
        const bool pair = point >= 0xD800 && point < 0xDC00 && text.substr(at + 1, 2) == "\\u";
        if (pair) {
            point = 0x10000 + ((point - 0xD800) << 10) + (unit_at(text, at + 3) - 0xDC00);
            at += 6;
        }
        append_utf8(plain, point);
    }
    return plain;
}

Result<void> check(const char* data, std::size_t size) {
    thread_local simdjson::dom::parser kept{parser_kept_bytes_max};
    simdjson::dom::parser large;
    simdjson::dom::parser& parser = size > parser_kept_bytes_max ? large : kept;
    if (parser.max_depth() != json_depth_max) {
        const auto failed = parser.allocate(std::max(size, std::size_t{4096}), json_depth_max);
        if (failed != simdjson::SUCCESS) {
            return fail(ErrorCode::LimitExceeded, "the JSON is too large");
        }
    }
    const simdjson::error_code wrong = parser.parse(data, size, false).error();
    if (wrong != simdjson::SUCCESS) {
        return fail(
            ErrorCode::InvalidArgument, std::string("not JSON: ") + simdjson::error_message(wrong)
        );
    }
    return {};
}

}  // namespace

Result<void> check_json(const PaddedBytes& text) {
    static_assert(PaddedBytes::padding >= simdjson::SIMDJSON_PADDING);
    return text.size() == 0 ? fail(ErrorCode::InvalidArgument, "not JSON: empty")
                            : check(text.data(), text.size());
}

Result<void> check_json(std::string_view text) {
    return check_json(PaddedBytes::copy_of(text));
}

RawJson trimmed(std::string_view json) noexcept {
    const std::size_t start = skip_space(json, 0);
    std::size_t end = json.size();
    while (end > start && is_space(json[end - 1])) {
        --end;
    }
    return json.substr(start, end - start);
}

void for_each_member(
    RawJson json, const std::function<Walk(std::string_view key, RawJson value)>& visit
) {
    if (!is_object(json)) {
        return;
    }
    std::string undone;
    for (std::size_t at = skip_space(json, 1); at < json.size() && json[at] == '"';) {
        const std::size_t key_end = skip_string(json, at);
        std::string_view key = json.substr(at + 1, key_end - at - 2);
        if (key.find('\\') != std::string_view::npos) {
            undone = unescape(key);
            key = undone;
        }
        const std::size_t value =
            skip_space(json, skip_space(json, key_end) + 1);  // Behind the ':'.
        const std::size_t value_end = skip_value(json, value);
        if (value >= json.size() ||
            visit(key, json.substr(value, value_end - value)) == Walk::Stop) {
            return;
        }
        at = skip_space(json, skip_space(json, value_end) + 1);  // Behind the ',' or '}'.
    }
}

void for_each_element(RawJson json, const std::function<Walk(RawJson value)>& visit) {
    if (!is_array(json)) {
        return;
    }
    for (std::size_t at = skip_space(json, 1); at < json.size() && json[at] != ']';) {
        const std::size_t end = skip_value(json, at);
        if (visit(json.substr(at, end - at)) == Walk::Stop) {
            return;
        }
        at = skip_space(json, end);
        if (at >= json.size() || json[at] != ',') {
            return;
        }
        at = skip_space(json, at + 1);
    }
}

RawJson member(RawJson json, std::string_view key) {
    RawJson found;
    for_each_member(json, [&](std::string_view each, RawJson value) {
        if (each != key) {
            return Walk::GoOn;
        }
        found = value;
        return Walk::Stop;
    });
    return found;
}

std::optional<std::string> string_of(RawJson json) {
    if (json.size() < 2 || json.front() != '"') {
        return std::nullopt;
    }
    return unescape(json.substr(1, json.size() - 2));
}

void append_string(std::string& json, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    const bool utf8 = simdjson::validate_utf8(text.data(), text.size());
    json += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            json += '\\';
            json += c;
        } else if (c == '\n') {
            json += "\\n";
        } else if (byte < 0x20) {
            json += "\\u00";
            json += hex[byte >> 4];
            json += hex[byte & 15];
        } else if (byte >= 0x80 && !utf8) {
            json += "\\ufffd";
        } else {
            json += c;
        }
    }
    json += '"';
}

std::string quoted(std::string_view text) {
    std::string json;
    append_string(json, text);
    return json;
}

bool looks_like(std::string_view key, std::string_view known) noexcept {
    std::size_t at = 0;
    for (const char expected : known) {
        if (at >= key.size()) {
            return false;
        }
        char c = key[at];
        std::size_t width = 1;
        if (c >= 'A' && c <= 'Z') {
            c = static_cast<char>(c + 32);
        } else if (key.substr(at, 2) == "\xC5\xBF") {  // U+017F, a long s
            c = 's';
            width = 2;
        } else if (key.substr(at, 3) == "\xE2\x84\xAA") {  // U+212A, the sign of Kelvin
            c = 'k';
            width = 3;
        }
        const char folded =
            expected >= 'A' && expected <= 'Z' ? static_cast<char>(expected + 32) : expected;
        if (c != folded) {
            return false;
        }
        at += width;
    }
    return at == key.size();
}

}  // namespace tagout::gateway
