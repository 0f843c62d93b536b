#include "verify/said.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace tagout::verify {

namespace {

namespace json = boost::json;

constexpr std::size_t values_max = 8;
constexpr int depth_max = 16;
constexpr std::size_t value_bytes_min = 4;
constexpr std::size_t value_bytes_max = 200;

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

/// Filled in by programs, not by people: never said, never wrong for that.
bool is_machine_key(std::string_view key) {
    constexpr std::array words{
        "idempot", "request_id", "requestid", "uuid", "nonce", "timestamp", "trace", "date", "time"};
    const std::string small = lower(key);
    return std::ranges::any_of(words, [&](const char* word) {
        return small.find(word) != std::string::npos;
    });
}

bool is_telling(std::string_view value) {
    return value.size() >= value_bytes_min && value.size() <= value_bytes_max &&
           value.find_first_of(" \t\n") == std::string_view::npos &&
           value.find_first_of("0123456789@") != std::string_view::npos;
}

bool contains(const SaidText& said, const std::string& value) {
    return said.text.find(value) != std::string::npos;
}

/// As people write it: no exponent.
std::string plain(double number) {
    std::array<char, 400> text{};
    const auto [end, error] = std::to_chars(
        text.data(), text.data() + text.size(), number, std::chars_format::fixed
    );
    return error == std::errc{} ? std::string(text.data(), end) : std::string();
}

/// 4200, 4,200 and 42.00 may be one amount: the last where a tool counts in cents.
bool is_number_said(double number, const SaidText& said) {
    const double whole = std::abs(number);
    if (whole < 100 || whole > 1e15) {
        return true;
    }
    const std::string digits = plain(whole);
    const double rounded = std::round(whole);
    if (rounded == whole) {
        std::string grouped = digits;
        for (std::size_t at = grouped.size(); at > 3;) {
            at -= 3;
            grouped.insert(at, ",");
        }
        const auto cents = static_cast<std::int64_t>(rounded) % 100;
        const std::string units = std::to_string(static_cast<std::int64_t>(rounded) / 100);
        const std::string money = units + (cents < 10 ? ".0" : ".") + std::to_string(cents);
        return contains(said, digits) || contains(said, grouped) || contains(said, money) ||
               (cents == 0 && contains(said, units));
    }
    return contains(said, digits);
}

void look(
    const json::value& value, const std::string& key, int depth, const SaidText& said,
    std::vector<UnsaidValue>& unsaid
) {
    if (depth > depth_max || unsaid.size() >= values_max) {
        return;
    }
    if (value.is_object()) {
        for (const auto& [name, child] : value.as_object()) {
            if (!is_machine_key(name)) {
                look(child, std::string(name), depth + 1, said, unsaid);
            }
        }
    } else if (value.is_array()) {
        for (const json::value& child : value.as_array()) {
            look(child, key, depth + 1, said, unsaid);
        }
    } else if (value.is_string()) {
        const std::string_view text(value.as_string());
        if (is_telling(text) && !contains(said, lower(text))) {
            unsaid.push_back({key, std::string(text)});
        }
    } else if (value.is_number()) {
        boost::system::error_code error;
        const auto number = value.to_number<double>(error);
        if (!error && !is_number_said(number, said)) {
            unsaid.push_back({key, plain(number)});
        }
    }
}

}  // namespace

SaidText said_before(const EventBatch& batch, Instant before) {
    SaidText said;
    bool cut = false;
    const auto add = [&](std::string_view text) {
        if (said.text.size() + text.size() > said_bytes_max) {
            cut = true;
        } else if (!text.empty()) {
            said.text += lower(text);
            said.text += '\n';
        }
    };
    for (const AgentEvent& event : batch.events) {
        if (event.started_at <= before) {
            said.complete = said.complete || !event.user_text.empty();
            add(event.user_text);
            add(event.system_text);
        }
        if (event.ended_at <= before) {
            add(event.tool_result);
        }
    }
    said.complete = said.complete && !cut && batch.texts_clipped == 0;
    return said;
}

std::vector<UnsaidValue> unsaid_values(std::string_view arguments, const SaidText& said) {
    std::vector<UnsaidValue> unsaid;
    if (!said.complete) {
        return unsaid;
    }
    json::parse_options options;
    options.max_depth = depth_max;
    boost::system::error_code error;
    const json::value tree = json::parse(arguments, error, {}, options);
    if (!error && tree.is_object()) {
        look(tree, "", 0, said, unsaid);
    }
    return unsaid;
}

}  // namespace tagout::verify
