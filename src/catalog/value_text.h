// Values as people write them, into the types of options: one reader for tagout.yaml and settings.
//
//   boolean   true, false
//   number    12, 0.25, 1e6, 50_000, 50k, 2M, 64MiB, 20%        (k M G: 1000s, Ki Mi Gi: 1024s)
//   duration  1d, 36h, 1h30m, 250ms
//   choice    a name of the enum, as name_of() gives it
//   list      texts separated by commas, at most list_items_max
//
// read_value() changes its output only when it succeeds; else it says what is wrong and the remedy.
// Pure, thread-safe; any bytes are fine.
#pragma once

#include "base/clock.h"
#include "base/settings.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tagout::catalog {

struct Problem {
    std::string what;
    std::string remedy;
};

/// Bounds of a number, of a duration in seconds, or of the bytes of each text in a list; both 0 means
/// unbounded.
struct Bounds {
    double min = 0;
    double max = 0;
    std::string_view unit;
};

enum class ValueType : std::uint8_t { Boolean, Integer, Number, Duration, Choice, Text, List };

[[nodiscard]] std::string_view name_of(ValueType type) noexcept;

template <class E>
requires std::is_enum_v<E>
[[nodiscard]] std::vector<std::string_view> choices_of() {
    // Enumerators are small and name_of() says "?" where there is none (domain/named_enum.h).
    std::vector<std::string_view> choices;
    for (int i = 0; i < 64; ++i) {
        const std::string_view name = name_of(static_cast<E>(i));
        if (name != "?") {
            choices.push_back(name);
        }
    }
    return choices;
}

template <class T>
[[nodiscard]] constexpr ValueType value_type_of() noexcept {
    if constexpr (std::same_as<T, bool>) {
        return ValueType::Boolean;
    } else if constexpr (std::integral<T>) {
        return ValueType::Integer;
    } else if constexpr (std::floating_point<T>) {
        return ValueType::Number;
    } else if constexpr (std::same_as<T, Duration>) {
        return ValueType::Duration;
    } else if constexpr (std::is_enum_v<T>) {
        return ValueType::Choice;
    } else if constexpr (std::same_as<T, std::vector<std::string>>) {
        return ValueType::List;
    } else {
        static_assert(std::same_as<T, std::string>, "a setting has one of the types of ValueType");
        return ValueType::Text;
    }
}

[[nodiscard]] std::optional<Problem> read_value(
    std::string_view text, const Bounds& bounds, bool& out
);
[[nodiscard]] std::optional<Problem> read_value(
    std::string_view text, const Bounds& bounds, double& out
);
[[nodiscard]] std::optional<Problem> read_value(
    std::string_view text, const Bounds& bounds, Duration& out
);
[[nodiscard]] std::optional<Problem> read_value(
    std::string_view text, const Bounds& bounds, std::string& out
);
[[nodiscard]] std::optional<Problem> read_value(
    std::string_view text, const Bounds& bounds, std::vector<std::string>& out
);
/// A whole number within [least, most] of its type, as well as within `bounds`.
[[nodiscard]] std::optional<Problem> read_whole(
    std::string_view text, const Bounds& bounds, double least, double most, double& out
);
/// The index of `text` in `choices`.
[[nodiscard]] std::optional<Problem> read_choice(
    std::string_view text, const std::vector<std::string_view>& choices, std::size_t& out
);

template <std::integral T>
requires(!std::same_as<T, bool>) [[nodiscard]] std::optional<Problem> read_value(
    std::string_view text, const Bounds& bounds, T& out
) {
    // Whole numbers past 2^53 are not written by hand; a double holds all below exactly.
    constexpr double exact = 9007199254740992.0;
    const double least = std::max(static_cast<double>(std::numeric_limits<T>::min()), -exact);
    const double most = std::min(static_cast<double>(std::numeric_limits<T>::max()), exact);
    double number = 0;
    auto problem = read_whole(text, bounds, least, most, number);
    if (!problem) {
        out = static_cast<T>(number);
    }
    return problem;
}

template <class T>
requires(std::floating_point<T> && !std::same_as<T, double>)
    [[nodiscard]] std::optional<Problem> read_value(
        std::string_view text, const Bounds& bounds, T& out
    ) {
    double number = 0;
    auto problem = read_value(text, bounds, number);
    if (!problem) {
        out = static_cast<T>(number);
    }
    return problem;
}

template <class E>
requires std::is_enum_v<E>
[[nodiscard]] std::optional<Problem> read_value(std::string_view text, const Bounds&, E& out) {
    const std::vector<std::string_view> choices = choices_of<E>();
    std::size_t chosen = 0;
    auto problem = read_choice(text, choices, chosen);
    for (int i = 0; !problem && i < 64; ++i) {
        if (name_of(static_cast<E>(i)) == choices[chosen]) {
            out = static_cast<E>(i);
            break;
        }
    }
    return problem;
}

[[nodiscard]] std::string number_text(double number);

/// The value as it would be written in tagout.yaml.
template <class T>
[[nodiscard]] std::string value_text(const T& value) {
    if constexpr (std::same_as<T, bool>) {
        return value ? "true" : "false";
    } else if constexpr (std::integral<T>) {
        return std::to_string(value);
    } else if constexpr (std::floating_point<T>) {
        return number_text(static_cast<double>(value));
    } else if constexpr (std::same_as<T, Duration>) {
        return tagout::to_text(value);
    } else if constexpr (std::is_enum_v<T>) {
        return std::string(name_of(value));
    } else if constexpr (std::same_as<T, std::vector<std::string>>) {
        std::string out;
        for (const std::string& item : value) {
            out += (out.empty() ? "" : ", ") + item;
        }
        return out;
    } else {
        return value;
    }
}

}  // namespace tagout::catalog
