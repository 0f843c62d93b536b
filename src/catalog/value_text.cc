#include "catalog/value_text.h"

#include "catalog/mistake.h"

#include <array>
#include <charconv>

namespace tagout::catalog {

namespace {

struct Suffix {
    std::string_view text;
    double factor;
};

constexpr std::array suffixes{
    Suffix{"%", 0.01},
    Suffix{"KiB", 1024.0},
    Suffix{"MiB", 1024.0 * 1024},
    Suffix{"GiB", 1024.0 * 1024 * 1024},
    Suffix{"TiB", 1024.0 * 1024 * 1024 * 1024},
    Suffix{"kB", 1e3},
    Suffix{"MB", 1e6},
    Suffix{"GB", 1e9},
    Suffix{"TB", 1e12},
    Suffix{"Ki", 1024.0},
    Suffix{"Mi", 1024.0 * 1024},
    Suffix{"Gi", 1024.0 * 1024 * 1024},
    Suffix{"k", 1e3},
    Suffix{"M", 1e6},
    Suffix{"G", 1e9},
    Suffix{"B", 1},
};

constexpr std::size_t number_bytes_max = 64;

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t from = text.find_first_not_of(" \t");
    if (from == std::string_view::npos) {
        return {};
    }
    return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

std::optional<double> parse_number(std::string_view text) {
    text = trimmed(text);
    double factor = 1;
    for (const Suffix& suffix : suffixes) {
        if (text.ends_with(suffix.text)) {
            factor = suffix.factor;
            text = trimmed(text.substr(0, text.size() - suffix.text.size()));
            break;
        }
    }
    if (text.empty() || text.size() > number_bytes_max) {
        return std::nullopt;
    }
    std::string digits;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto digit_at = [&](std::size_t at) {
            return at < text.size() && text[at] >= '0' && text[at] <= '9';
        };
        if (text[i] == '_' && i > 0 && digit_at(i - 1) && digit_at(i + 1)) {
            continue;
        }
        digits += text[i];
    }
    double number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, number);
    if (error != std::errc() || stopped != end || !std::isfinite(number * factor)) {
        return std::nullopt;
    }
    return number * factor;
}

std::string with_unit(const std::string& number, std::string_view unit) {
    return unit.empty() ? number : number + " " + std::string(unit);
}

std::optional<Problem> out_of_bounds(double number, const Bounds& bounds, std::string_view text) {
    if ((bounds.min == 0 && bounds.max == 0) || (number >= bounds.min && number <= bounds.max)) {
        return std::nullopt;
    }
    const std::string_view side = number < bounds.min ? "too small" : "too large";
    return Problem{
        quoted(text) + " is " + std::string(side),
        "Write a value from " + number_text(bounds.min) + " to " +
            with_unit(number_text(bounds.max), bounds.unit)};
}

Problem no_number(std::string_view text, std::string_view what) {
    return {
        quoted(text) + " is no " + std::string(what), "Write a number such as 12, 0.5, 20% or 50k"};
}

}  // namespace

std::string_view name_of(ValueType type) noexcept {
    switch (type) {
        case ValueType::Boolean:
            return "boolean";
        case ValueType::Integer:
            return "integer";
        case ValueType::Number:
            return "number";
        case ValueType::Duration:
            return "duration";
        case ValueType::Choice:
            return "choice";
        case ValueType::Text:
            return "text";
        case ValueType::List:
            return "list";
    }
    return "?";
}

std::string number_text(double number) {
    std::array<char, 64> buffer{};
    // Whole numbers are written out: 200000 and not 2e+05.
    const bool whole = std::fabs(number) < 1e15 && number == std::floor(number);
    const auto [end, error] =
        whole ? std::to_chars(
                    buffer.data(), buffer.data() + buffer.size(), static_cast<long long>(number)
                )
              : std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    return error == std::errc() ? std::string(buffer.data(), end) : "?";
}

std::optional<Problem> read_value(std::string_view text, const Bounds&, bool& out) {
    if (text == "true" || text == "false") {
        out = text == "true";
        return std::nullopt;
    }
    return Problem{quoted(text) + " is neither true nor false", "Write true or false"};
}

std::optional<Problem> read_value(std::string_view text, const Bounds& bounds, double& out) {
    const std::optional<double> number = parse_number(text);
    if (!number) {
        return no_number(text, "number");
    }
    if (auto problem = out_of_bounds(*number, bounds, text)) {
        return problem;
    }
    out = *number;
    return std::nullopt;
}

std::optional<Problem> read_whole(
    std::string_view text, const Bounds& bounds, double least, double most, double& out
) {
    const std::optional<double> number = parse_number(text);
    if (!number || *number != std::floor(*number)) {
        return no_number(text, "whole number");
    }
    if (auto problem = out_of_bounds(*number, bounds, text)) {
        return problem;
    }
    if (*number < least || *number > most) {
        return out_of_bounds(*number, {.min = least, .max = most, .unit = bounds.unit}, text);
    }
    out = *number;
    return std::nullopt;
}

std::optional<Problem> read_value(std::string_view text, const Bounds& bounds, Duration& out) {
    const Result<Duration> duration = parse_duration(text);
    if (!duration) {
        return Problem{
            quoted(text) + " is no duration",
            "Write a number with its unit, such as 30s, 15m or 1h30m"};
    }
    const double seconds = std::chrono::duration<double>(*duration).count();
    const bool bounded = bounds.min != 0 || bounds.max != 0;
    if (bounded && (seconds < bounds.min || seconds > bounds.max)) {
        const auto limit = [](double s) {
            return tagout::to_text(
                std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s))
            );
        };
        return Problem{
            quoted(text) + " is too " + (seconds < bounds.min ? "short" : "long"),
            "Write a duration from " + limit(bounds.min) + " to " + limit(bounds.max)};
    }
    out = *duration;
    return std::nullopt;
}

std::optional<Problem> read_value(std::string_view text, const Bounds&, std::string& out) {
    out = text;
    return std::nullopt;
}

std::optional<Problem> read_value(
    std::string_view text, const Bounds& bounds, std::vector<std::string>& out
) {
    std::vector<std::string> items;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view item = trimmed(text.substr(0, comma));
        if (!item.empty()) {
            items.emplace_back(item);
        }
        const auto bytes = static_cast<double>(item.size());
        if (!item.empty() && bounds.max > 0 && (bytes < bounds.min || bytes > bounds.max)) {
            return Problem{
                quoted(item) + " has " + std::to_string(item.size()) + " bytes",
                "Each text must have " + std::to_string(static_cast<long>(bounds.min)) + " to " +
                    std::to_string(static_cast<long>(bounds.max)) + " bytes"};
        }
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    if (items.size() > list_items_max) {
        return Problem{
            std::to_string(items.size()) + " texts are too many",
            "Keep to " + std::to_string(list_items_max)};
    }
    out = std::move(items);
    return std::nullopt;
}

std::optional<Problem> read_choice(
    std::string_view text, const std::vector<std::string_view>& choices, std::size_t& out
) {
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (choices[i] == text) {
            out = i;
            return std::nullopt;
        }
    }
    const std::string_view near = nearest(text, choices);
    return Problem{
        quoted(text) + " is not one of the choices",
        "Write " + any_of_text(choices) +
            (near.empty() ? std::string() : "; " + quoted(near) + " is the nearest")};
}

}  // namespace tagout::catalog
