// The arguments of a call of which nobody knows them: whether a tool is on offer, what a probe meets,
// a call of the past that was recorded without its content.
#pragma once

#include "domain/control.h"

#include <string_view>

namespace tagout::contain {

inline constexpr char unknown_arguments_text[] = "?";
/// As ToolCall::arguments: rules that ask for arguments do not fit. Known by its place in memory, so
/// that no caller can send it.
inline constexpr std::string_view unknown_arguments{unknown_arguments_text, 1};

[[nodiscard]] inline bool has_unknown_arguments(const ToolCall& call) noexcept {
    return call.arguments.data() == unknown_arguments_text;
}

}  // namespace tagout::contain
