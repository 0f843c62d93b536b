#include "intake/normalise_json.h"

#include <bit>
#include <cstring>
#include <emmintrin.h>

namespace tagout::intake {

namespace {

bool is_space(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool ends_scalar(char c) noexcept {
    return is_space(c) || c == ',' || c == ']' || c == '}' || c == ':';
}

const char* skip_space(const char* at, const char* end) noexcept {
    while (at != end && is_space(*at)) {
        ++at;
    }
    return at;
}

/// How many backslashes stand right before `at`; odd means that the character is escaped.
bool is_escaped(const char* begin, const char* at) noexcept {
    const char* before = at;
    while (before != begin && before[-1] == '\\') {
        --before;
    }
    return (at - before) % 2 != 0;
}

/// Which of the 16 bytes at `at` equal `c`, lowest bit first.
unsigned equal_bits(const char* at, char c) noexcept {
    __m128i bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))));
}

/// One past the closing quote of the string that opens at `at`; `end` if it never closes. Short
/// strings, as keys are, are done with one comparison of 16 bytes.
const char* skip_string(const char* at, const char* end) noexcept {
    const char* const content = at + 1;
    const char* from = content;
    if (end - content >= 16) {
        const unsigned quotes = equal_bits(content, '"');
        const unsigned escapes = equal_bits(content, '\\');
        const unsigned before_first_quote = (quotes & -quotes) - 1U;  // all 16 without a quote
        if (quotes != 0 && (escapes & before_first_quote) == 0) {
            return content + std::countr_zero(quotes) + 1;
        }
    }
    while (from != end) {
        const auto* const quote = static_cast<const char*>(
            std::memchr(from, '"', static_cast<std::size_t>(end - from))
        );
        if (quote == nullptr) {
            return end;
        }
        if (!is_escaped(content, quote)) {
            return quote + 1;
        }
        from = quote + 1;
    }
    return end;
}

const char* skip_container(const char* at, const char* end) noexcept {
    std::size_t depth = 0;
    while (at != end) {
        switch (*at) {
            case '"':
                at = skip_string(at, end);
                continue;
            case '{':
            case '[':
                ++depth;
                break;
            case '}':
            case ']':
                if (--depth == 0) {
                    return at + 1;
                }
                break;
            default:
                break;
        }
        ++at;
    }
    return end;
}

JsonType type_of(char c) noexcept {
    switch (c) {
        case '"':
            return JsonType::String;
        case '{':
            return JsonType::Object;
        case '[':
            return JsonType::Array;
        case 't':
        case 'f':
            return JsonType::Bool;
        case 'n':
            return JsonType::Null;
        default:
            return c == '-' || (c >= '0' && c <= '9') ? JsonType::Number : JsonType::None;
    }
}

/// The value at `at`, which is no white space; `at` goes behind it.
JsonView take_value(const char*& at, const char* end) noexcept {
    if (at == end) {
        return {};
    }
    const char* const begin = at;
    const JsonType type = type_of(*at);
    if (type == JsonType::String) {
        at = skip_string(at, end);
    } else if (type == JsonType::Object || type == JsonType::Array) {
        at = skip_container(at, end);
    } else {
        while (at != end && !ends_scalar(*at)) {
            ++at;
        }
    }
    return {type, {begin, static_cast<std::size_t>(at - begin)}};
}

/// What stands between the brackets; a container cut short has no closing one.
std::string_view inside(const JsonView& container, char close) noexcept {
    std::string_view text = container.raw.substr(1);
    if (text.ends_with(close)) {
        text.remove_suffix(1);
    }
    return text;
}

std::string_view content_of(const JsonView& string) noexcept {
    std::string_view text = string.raw.substr(1);
    if (text.ends_with('"')) {
        text.remove_suffix(1);
    }
    return text;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The four hex digits at the begin of `text`, else -1.
std::int32_t four_hex(std::string_view text) noexcept {
    if (text.size() < 4) {
        return -1;
    }
    std::int32_t unit = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        const int digit = hex_digit(text[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

char* put_utf8(char* out, std::uint32_t point) noexcept {
    if (point < 0x80) {
        *out++ = static_cast<char>(point);
    } else if (point < 0x800) {
        *out++ = static_cast<char>(0xC0U | point >> 6U);
        *out++ = static_cast<char>(0x80U | (point & 0x3FU));
    } else if (point < 0x10000) {
        *out++ = static_cast<char>(0xE0U | point >> 12U);
        *out++ = static_cast<char>(0x80U | (point >> 6U & 0x3FU));
        *out++ = static_cast<char>(0x80U | (point & 0x3FU));
    } else {
        *out++ = static_cast<char>(0xF0U | point >> 18U);
        *out++ = static_cast<char>(0x80U | (point >> 12U & 0x3FU));
        *out++ = static_cast<char>(0x80U | (point >> 6U & 0x3FU));
        *out++ = static_cast<char>(0x80U | (point & 0x3FU));
    }
    return out;
}

/// Takes the digits of a \u escape, and of its second half where it is a pair. Lone halves and bad
/// digits become U+FFFD.
std::uint32_t take_code_point(std::string_view& rest) noexcept {
    constexpr std::uint32_t replacement = 0xFFFD;
    const std::int32_t unit = four_hex(rest);
    if (unit < 0) {
        return replacement;
    }
    rest.remove_prefix(4);
    if (unit < 0xD800 || unit > 0xDFFF) {
        return static_cast<std::uint32_t>(unit);
    }
    if (unit > 0xDBFF || !rest.starts_with("\\u")) {
        return replacement;
    }
    const std::int32_t low = four_hex(rest.substr(2));
    if (low < 0xDC00 || low > 0xDFFF) {
        return replacement;
    }
    rest.remove_prefix(6);
    return 0x10000U + (static_cast<std::uint32_t>(unit - 0xD800) << 10U)
        + static_cast<std::uint32_t>(low - 0xDC00);
}

char unescaped(char c) noexcept {
    switch (c) {
        case 'n':
            return '\n';
        case 't':
            return '\t';
        case 'r':
            return '\r';
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        default:
            return c;
    }
}

/// Writes `content` without escapes to `out`, which has room for as many bytes: no escape is longer
/// written out than it was. Returns the end.
char* unescape(std::string_view content, char* out) noexcept {
    while (!content.empty()) {
        const std::size_t plain = std::min(content.find('\\'), content.size());
        out = std::copy_n(content.data(), plain, out);
        content.remove_prefix(plain);
        if (content.size() < 2) {
            break;
        }
        const char escape = content[1];
        content.remove_prefix(2);
        if (escape == 'u') {
            out = put_utf8(out, take_code_point(content));
        } else {
            *out++ = unescaped(escape);
        }
    }
    return out;
}

/// The first byte of the string whose closing quote is at `close`; nullptr if it never opened.
const char* string_begin(const char* begin, const char* close) noexcept {
    const char* at = close;
    if (close - begin >= 16) {
        const unsigned quotes = equal_bits(close - 16, '"');
        if (quotes != 0) {
            const char* const quote = close - 16 + std::bit_width(quotes) - 1;
            if (!is_escaped(begin, quote)) {
                return quote;
            }
            at = quote;
        } else {
            at = close - 16;
        }
    }
    while (at != begin) {
        const auto* const quote = static_cast<const char*>(
            ::memrchr(begin, '"', static_cast<std::size_t>(at - begin))
        );
        if (quote == nullptr) {
            return nullptr;
        }
        if (!is_escaped(begin, quote)) {
            return quote;
        }
        at = quote;
    }
    return nullptr;
}

}  // namespace

JsonView json_of(std::string_view text) noexcept {
    const char* const end = text.data() + text.size();
    const char* at = skip_space(text.data(), end);
    return take_value(at, end);
}

JsonView json_container_of(std::string_view text) noexcept {
    if (text.size() < 2 || (text[0] != '{' && text[0] != '[')) {
        return {};
    }
    const bool object = text[0] == '{';
    const char* last = text.data() + text.size() - 1;
    while (is_space(*last)) {
        --last;  // text[0] is no space
    }
    if (last == text.data() || *last != (object ? '}' : ']')) {
        return {};
    }
    const char first = *skip_space(text.data() + 1, last);
    const bool opens = object ? first == '"' || first == '}'
                              : first == ']' || type_of(first) != JsonType::None;
    if (!opens) {
        return {};
    }
    return {object ? JsonType::Object : JsonType::Array, text};
}

JsonMembers::JsonMembers(const JsonView& object) noexcept
    : rest_(object.type == JsonType::Object ? inside(object, '}') : std::string_view{}) {}

bool JsonMembers::next(std::string_view& key, JsonView& value) noexcept {
    const char* const end = rest_.data() + rest_.size();
    const char* at = rest_.data();
    while (at != end && (is_space(*at) || *at == ',')) {
        ++at;
    }
    if (at == end || *at != '"') {
        rest_ = {at, static_cast<std::size_t>(end - at)};
        return false;
    }
    const char* const key_end = skip_string(at, end);
    key = content_of({JsonType::String, {at, static_cast<std::size_t>(key_end - at)}});
    at = skip_space(key_end, end);
    if (at == end || *at != ':') {
        rest_ = {};
        return false;
    }
    at = skip_space(at + 1, end);
    value = take_value(at, end);
    rest_ = {at, static_cast<std::size_t>(end - at)};
    return value.type != JsonType::None;
}

JsonCursor::JsonCursor(std::string_view text) noexcept
    : at_(skip_space(text.data(), text.data() + text.size())), end_(text.data() + text.size()) {}

bool JsonCursor::enter_list() noexcept {
    if (at_ == end_ || *at_ != '[') {
        return false;
    }
    ++at_;
    return true;
}

bool JsonCursor::next_object() noexcept {
    while (at_ != end_) {
        const char c = *at_;
        if (c == '{') {
            ++at_;
            return true;
        }
        if (c == ']') {
            ++at_;
            return false;
        }
        if (is_space(c) || c == ',') {
            ++at_;
        } else if (take_value(at_, end_).raw.empty()) {
            at_ = end_;  // no JSON
        }
    }
    return false;
}

bool JsonCursor::next_key(std::string_view& key) noexcept {
    while (at_ != end_ && (is_space(*at_) || *at_ == ',')) {
        ++at_;
    }
    if (at_ == end_ || *at_ != '"') {
        at_ += at_ != end_ && *at_ == '}';
        return false;
    }
    const char* const begin = at_ + 1;
    at_ = skip_string(at_, end_);
    key = {begin, static_cast<std::size_t>(at_ - begin - (at_[-1] == '"' && at_ > begin))};
    at_ = skip_space(at_, end_);
    if (at_ == end_ || *at_ != ':') {
        at_ = end_;
        return false;
    }
    at_ = skip_space(at_ + 1, end_);
    return true;
}

JsonView JsonCursor::take() noexcept {
    return take_value(at_, end_);
}

JsonElements::JsonElements(const JsonView& list) noexcept
    : rest_(list.type == JsonType::Array ? inside(list, ']') : std::string_view{}) {}

bool JsonElements::next(JsonView& value) noexcept {
    const char* const end = rest_.data() + rest_.size();
    const char* at = rest_.data();
    while (at != end && (is_space(*at) || *at == ',')) {
        ++at;
    }
    value = take_value(at, end);
    rest_ = {at, static_cast<std::size_t>(end - at)};
    return value.type != JsonType::None;
}

JsonObjectsFromBack::JsonObjectsFromBack(std::string_view list) noexcept
    : begin_(list.data()), at_(nullptr) {
    const char* end = list.data() + list.size();
    while (end != begin_ && is_space(end[-1])) {
        --end;
    }
    if (end != begin_ && end[-1] == ']') {
        at_ = end - 1;
    }
}

/// The members of one object, met from its end. `right` is the value right of the place, among the
/// outermost object's members.
class JsonObjectsFromBack::BackWalk {
public:
    BackWalk(const char* begin, const char* end, Message& message) noexcept
        : begin_(begin), at_(end), container_end_(end), message_(message) {}

    /// The first byte of the object that ends here; nullptr if it never began.
    [[nodiscard]] const char* run() noexcept {
        do {
            step();
        } while (at_ != nullptr && depth_ != 0 && at_ != begin_);
        return depth_ == 0 ? at_ : nullptr;
    }

private:
    void step() noexcept {
        const char c = *--at_;
        switch (c) {
            case '"':
                take_string();
                break;
            case ':':
                after_key_ = depth_ == 1;
                break;
            case ',':
                if (depth_ == 1) {
                    right_ = {};
                }
                break;
            case '}':
            case ']':
                if (++depth_ == 2) {
                    container_end_ = at_ + 1;
                }
                break;
            case '{':
            case '[':
                if (--depth_ == 1) {
                    right_ = {
                        c == '{' ? JsonType::Object : JsonType::Array,
                        {at_, static_cast<std::size_t>(container_end_ - at_)}
                    };
                }
                break;
            default:
                break;
        }
    }

    /// A key with the value right of it, or a value.
    void take_string() noexcept {
        const char* const close = at_;
        at_ = string_begin(begin_, close);
        if (at_ == nullptr || depth_ != 1) {
            return;
        }
        const JsonView string{JsonType::String, {at_, static_cast<std::size_t>(close + 1 - at_)}};
        if (!after_key_) {
            right_ = string;
            return;
        }
        after_key_ = false;
        if (is_word(string, "role")) {
            message_.role = right_;
        } else if (is_word(string, "parts")) {
            message_.parts = right_;
        } else if (is_word(string, "content")) {
            message_.content = right_;
        }
    }

    const char* begin_;
    const char* at_;
    const char* container_end_;
    Message& message_;
    JsonView right_;
    std::size_t depth_ = 0;
    bool after_key_ = false;
};

bool JsonObjectsFromBack::next(Message& message) noexcept {
    message = {};
    const char* end = at_;
    at_ = nullptr;
    if (end == nullptr) {
        return false;
    }
    while (end != begin_ && (is_space(end[-1]) || end[-1] == ',')) {
        --end;
    }
    if (end == begin_ || end[-1] != '}') {
        return false;
    }
    const char* const first = BackWalk(begin_, end, message).run();
    if (first == nullptr) {
        return false;
    }
    message.whole = {JsonType::Object, {first, static_cast<std::size_t>(end - first)}};
    at_ = first;
    return true;
}

JsonView member(const JsonView& object, std::string_view key) noexcept {
    JsonMembers members(object);
    std::string_view name;
    JsonView value;
    while (members.next(name, value)) {
        if (name == key) {
            return value;
        }
    }
    return {};
}

std::string_view text_of(const JsonView& value, EventBatch& batch) {
    if (!value.is_text()) {
        return {};
    }
    const std::string_view content = content_of(value);
    if (content.find('\\') == std::string_view::npos) {
        return content;
    }
    char* const copy = static_cast<char*>(batch.arena.allocate(content.size(), 1));
    return {copy, static_cast<std::size_t>(unescape(content, copy) - copy)};
}

void append_quoted(std::string_view text, std::string& out) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            case '\b':
                out += "\\b";
                break;
            case '\f':
                out += "\\f";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += "\\u00";
                    out += digits[static_cast<unsigned char>(c) >> 4U];
                    out += digits[static_cast<unsigned char>(c) & 15U];
                } else {
                    out += c;
                }
        }
    }
    out += '"';
}

void append_spaced(const JsonView& value, std::string& out) {
    const char* at = value.raw.data();
    const char* const end = at + value.raw.size();
    std::string plain;
    while (at != end) {
        if (*at == '"') {
            const char* const after = skip_string(at, end);
            const std::string_view content =
                content_of({JsonType::String, {at, static_cast<std::size_t>(after - at)}});
            plain.resize(content.size());
            plain.resize(static_cast<std::size_t>(unescape(content, plain.data()) - plain.data()));
            append_quoted(plain, out);
            at = after;
            continue;
        }
        if (!is_space(*at)) {
            out += *at;
            if (*at == ',' || *at == ':') {
                out += ' ';
            }
        }
        ++at;
    }
}

}  // namespace tagout::intake
