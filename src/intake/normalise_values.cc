#include "intake/normalise_values.h"

#include <array>
#include <charconv>
#include <cmath>

namespace tagout::intake {

namespace {

constexpr std::size_t depth_max = 64;  // of lists in lists, as DecodeLimits has it by default

template <class Integer>
void append_integer(Integer number, std::string& out) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void append_base64(std::string_view bytes, std::string& out) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out += '"';
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t bits = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            bits = bits << 8U | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            out += j <= count ? alphabet[bits >> (18 - 6 * j) & 63U] : '=';
        }
    }
    out += '"';
}

void append_json_at(const AnyValue& value, std::size_t depth, std::string& out) {
    switch (value.type()) {
        case ValueType::Empty:
            out += "null";
            return;
        case ValueType::Text:
            append_quoted(value.text(), out);
            return;
        case ValueType::Bool:
            out += value.boolean() ? "true" : "false";
            return;
        case ValueType::Int:
            append_integer(value.integer(), out);
            return;
        case ValueType::Double:
            append_number(value.number(), WholeNumbers::WithPoint, out);
            return;
        case ValueType::Bytes:
            append_base64(value.encoded(), out);
            return;
        case ValueType::Array:
        case ValueType::KvList:
            break;
    }
    if (depth == depth_max) {
        out += "null";
        return;
    }
    const bool object = value.type() == ValueType::KvList;
    const std::size_t before = out.size() + 1;
    out += object ? '{' : '[';
    if (object) {
        KvCursor entries(value);
        for (Attribute entry; entries.next(entry);) {
            out += out.size() == before ? "" : ", ";
            append_quoted(entry.key, out);
            out += ": ";
            append_json_at(entry.value, depth + 1, out);
        }
    } else {
        ArrayCursor values(value);
        for (AnyValue element; values.next(element);) {
            out += out.size() == before ? "" : ", ";
            append_json_at(element, depth + 1, out);
        }
    }
    out += object ? '}' : ']';
}

std::optional<double> number_of_text(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '+')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && text.back() == ' ') {
        text.remove_suffix(1);
    }
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
        return std::nullopt;
    }
    return number;
}

}  // namespace

bool is_missing(const AnyValue& value) noexcept {
    switch (value.type()) {
        case ValueType::Empty:
            return true;
        case ValueType::Text: {
            const std::string_view text = value.text();
            return text.empty() || (text.size() == 15 && text == "<not specified>")
                || (text.size() == 3 && text == "N/A");
        }
        case ValueType::Array:
        case ValueType::KvList:
        case ValueType::Bytes:
            return value.encoded().empty();
        default:
            return false;
    }
}

AnyValue first_of(const AnyValue& value) noexcept {
    if (value.type() != ValueType::Array) {
        return value;
    }
    AnyValue first;
    ArrayCursor values(value);
    return values.next(first) ? first : AnyValue{};
}

std::string_view text_of(const AnyValue& value, EventBatch& batch) {
    if (value.is_text()) {
        return value.text();
    }
    if (value.empty()) {
        return {};
    }
    std::string json;
    append_json_at(value, 0, json);
    return batch.keep(json);
}

std::optional<double> number_of(const AnyValue& value) noexcept {
    switch (value.type()) {
        case ValueType::Int:
            return static_cast<double>(value.integer());
        case ValueType::Double:
            return std::isfinite(value.number()) ? std::optional(value.number()) : std::nullopt;
        case ValueType::Text:
            return number_of_text(value.text());
        default:
            return std::nullopt;
    }
}

std::int64_t count_of(const AnyValue& value) noexcept {
    if (value.type() == ValueType::Int) {
        return value.integer() < 0 ? -1 : value.integer();
    }
    const std::optional<double> number = number_of(value);
    constexpr double most = 9.0e18;
    return number && *number >= 0 && *number < most ? static_cast<std::int64_t>(*number) : -1;
}

AnyValue value_of(const JsonView& json, EventBatch& batch) {
    switch (json.type) {
        case JsonType::String:
            return AnyValue::text(text_of(json, batch));
        case JsonType::Bool:
            return AnyValue::boolean(json.is_true());
        case JsonType::Number: {
            std::int64_t whole = 0;
            const char* const end = json.raw.data() + json.raw.size();
            const auto [stop, error] = std::from_chars(json.raw.data(), end, whole);
            if (error == std::errc{} && stop == end) {
                return AnyValue::integer(whole);
            }
            const std::optional<double> number = number_of_text(json.raw);
            return number ? AnyValue::number(*number) : AnyValue{};
        }
        case JsonType::Array:
        case JsonType::Object: {
            std::string spaced;
            append_spaced(json, spaced);
            return spaced.size() > 2 ? AnyValue::text(batch.keep(spaced)) : AnyValue{};
        }
        default:
            return {};
    }
}

void append_json(const AnyValue& value, std::string& out) {
    append_json_at(value, 0, out);
}

std::string_view arguments_of_call(std::string_view recorded, EventBatch& batch) {
    if (!recorded.starts_with("{\"args\"") && !recorded.starts_with("{\"kwargs\"")
        && !recorded.starts_with("{\"input_str\"")) {
        return recorded;
    }
    const JsonView call = json_container_of(recorded);
    JsonView inputs;
    JsonView input_text;
    JsonView positional;
    JsonView named;
    std::size_t count = 0;
    JsonMembers members(call);
    std::string_view name;
    for (JsonView value; members.next(name, value); ++count) {
        if (same(name, "args") && value.type == JsonType::Array) {
            positional = value;
        } else if (same(name, "kwargs") && value.type == JsonType::Object) {
            named = value;
        } else if (same(name, "inputs") && value.type == JsonType::Object) {
            inputs = value;
        } else if (same(name, "input_str") && value.is_text()) {
            input_text = value;
        }
    }
    if (input_text.is_text()) {
        return inputs.type == JsonType::Object ? inputs.raw : text_of(input_text, batch);
    }
    JsonElements arguments(positional);
    JsonView first;
    if (!arguments.next(first)) {
        const bool decorated = positional.type == JsonType::Array || count == 1;
        return decorated && named.type == JsonType::Object ? named.raw : recorded;
    }
    JsonView other;
    const bool alone = named.type == JsonType::Object && !arguments.next(other)
        && !JsonMembers(named).next(name, other);
    return alone && first.type == JsonType::Object ? first.raw : recorded;
}

JsonView container_of(const AnyValue& value, std::string& scratch) {
    if (value.is_text()) {
        return json_container_of(value.text());
    }
    if (value.type() != ValueType::Array && value.type() != ValueType::KvList) {
        return {};
    }
    scratch.clear();
    append_json_at(value, 0, scratch);
    return json_container_of(scratch);
}

void append_number(double number, WholeNumbers whole, std::string& out) {
    constexpr double exact_whole_max = 9.007199254740992e15;
    if (!std::isfinite(number)) {
        out += "null";
        return;
    }
    if (number == std::floor(number) && std::abs(number) < exact_whole_max) {
        append_integer(static_cast<std::int64_t>(number), out);
        if (whole == WholeNumbers::WithPoint) {
            out += ".0";
        }
        return;
    }
    std::array<char, 40> buffer{};
    const double size = std::abs(number);
    // Python's repr(): the shortest digits that read back, an exponent below 1e-4 and from 1e16 on.
    const auto form = size < 1e-4 || size >= 1e16 ? std::chars_format::scientific
                                                  : std::chars_format::fixed;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, form).ptr;
    out.append(buffer.data(), end);
}

}  // namespace tagout::intake
