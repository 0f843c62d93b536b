// Turns one table of names into name_of() and parse_x() for an enum declared in vocabulary.h.
// Included by .cc files only.
#pragma once

#include "domain/vocabulary.h"

namespace tagout {

template <class E, std::size_t N>
[[nodiscard]] constexpr std::string_view find_name(
    const std::array<EnumName<E>, N>& names, E value
) noexcept {
    for (const EnumName<E>& row : names) {
        if (row.value == value) {
            return row.name;
        }
    }
    return "?";
}

template <class E, std::size_t N>
[[nodiscard]] constexpr std::optional<E> find_value(
    const std::array<EnumName<E>, N>& names, std::string_view name
) noexcept {
    for (const EnumName<E>& row : names) {
        if (row.name == name) {
            return row.value;
        }
    }
    return std::nullopt;
}

}  // namespace tagout

#define TAGOUT_DEFINE_NAMED_ENUM(Type, parse, names)                                         \
    std::string_view name_of(Type value) noexcept { return find_name(names, value); }        \
    std::optional<Type> parse(std::string_view name) noexcept { return find_value(names, name); }
