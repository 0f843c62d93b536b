#include "cli/json_text.h"

#include "base/clock.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace tagout::cli {

namespace {

namespace json = boost::json;

void indent(std::string& out, std::size_t depth) {
    out.append(depth * 2, ' ');
}

void write_indented(std::string& out, const json::value& value, std::size_t depth) {
    if (value.is_object() && !value.as_object().empty()) {
        out += "{\n";
        std::size_t left = value.as_object().size();
        for (const auto& [key, member] : value.as_object()) {
            indent(out, depth + 1);
            out += json::serialize(json::string(key)) + ": ";
            write_indented(out, member, depth + 1);
            out += --left > 0 ? ",\n" : "\n";
        }
        indent(out, depth);
        out += '}';
    } else if (value.is_array() && !value.as_array().empty()) {
        out += "[\n";
        std::size_t left = value.as_array().size();
        for (const json::value& element : value.as_array()) {
            indent(out, depth + 1);
            write_indented(out, element, depth + 1);
            out += --left > 0 ? ",\n" : "\n";
        }
        indent(out, depth);
        out += ']';
    } else {
        out += json::serialize(value);
    }
}

/// Plain YAML scalars are letters, digits and a few marks, and do not read as another type.
bool is_plain_yaml(std::string_view text) {
    if (text.empty() || text.size() > 60 ||
        !std::isalpha(static_cast<unsigned char>(text.front()))) {
        return false;
    }
    const bool safe = std::ranges::all_of(text, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' ||
               c == '.' || c == '/' || c == ' ';
    });
    constexpr std::string_view words[] = {
        "true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return safe && text.back() != ' ' && std::ranges::find(words, lower) == std::end(words);
}

std::string yaml_scalar(const json::value& value) {
    if (value.is_string() && is_plain_yaml(value.as_string())) {
        return std::string(value.as_string());
    }
    return json::serialize(value);
}

bool is_scalar(const json::value& value) {
    return !(value.is_object() && !value.as_object().empty()) &&
           !(value.is_array() && !value.as_array().empty());
}

void write_yaml(std::string& out, const json::value& value, std::size_t depth, bool in_list) {
    if (value.is_object() && !value.as_object().empty()) {
        bool first = in_list;
        for (const auto& [key, member] : value.as_object()) {
            if (!first) {
                indent(out, depth);
            }
            first = false;
            out += yaml_scalar(json::value(json::string(key))) + ":";
            if (is_scalar(member)) {
                out += " " + yaml_scalar(member) + "\n";
            } else {
                out += '\n';
                write_yaml(out, member, depth + 1, false);
            }
        }
    } else if (value.is_array() && !value.as_array().empty()) {
        for (const json::value& element : value.as_array()) {
            indent(out, depth);
            out += "- ";
            if (is_scalar(element)) {
                out += yaml_scalar(element) + "\n";
            } else {
                write_yaml(out, element, depth + 1, true);
            }
        }
    } else {
        out += yaml_scalar(value) + "\n";
    }
}

}  // namespace

Result<json::value> parse_answer(std::string_view text) {
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    if (error) {
        return fail(ErrorCode::Corrupt, "the server's answer is not JSON: " + error.message());
    }
    return value;
}

std::string to_indented(const json::value& value) {
    std::string out;
    write_indented(out, value, 0);
    return out;
}

std::string to_yaml(const json::value& value) {
    std::string out;
    write_yaml(out, value, 0, false);
    if (out.ends_with('\n')) {
        out.pop_back();
    }
    return out;
}

std::string rendered(const json::value& value, Format format) {
    return format == Format::Json ? to_indented(value) : to_yaml(value);
}

std::string field(const json::value& value, std::string_view path) {
    const json::value* at = &value;
    while (!path.empty()) {
        const std::size_t dot = path.find('.');
        const std::string_view name = path.substr(0, dot);
        path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
        at = at->is_object() ? at->as_object().if_contains(name) : nullptr;
        if (at == nullptr) {
            return {};
        }
    }
    if (at->is_double()) {  // for people: 44.2 and not 4.42E1
        constexpr int digits = 6;
        std::array<char, 32> text{};
        const auto end = std::to_chars(
            text.data(), text.data() + text.size(), at->as_double(), std::chars_format::general, digits
        );
        return {text.data(), end.ptr};
    }
    return at->is_string() ? std::string(at->as_string()) : json::serialize(*at);
}

std::string short_time(std::string_view rfc3339, std::string_view now) {
    if (rfc3339.size() < 19) {
        return std::string(rfc3339);
    }
    if (rfc3339.substr(0, 10) == now.substr(0, 10)) {
        return std::string(rfc3339.substr(11, 8));
    }
    return std::string(rfc3339.substr(5, 5)) + " " + std::string(rfc3339.substr(11, 5));
}

const boost::json::array& array_at(const boost::json::value& value, std::string_view name) {
    static const boost::json::array none;
    const boost::json::value* const found =
        value.is_object() ? value.as_object().if_contains(name) : nullptr;
    return found != nullptr && found->is_array() ? found->as_array() : none;
}

std::string now_text() {
    return to_rfc3339(SystemClock().now());
}

}  // namespace tagout::cli
