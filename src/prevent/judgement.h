// Judgement: pass, fail or inconclusive, of a regression case, of a check and of the gate.
//
// Inconclusive is no weak pass: something that the answer needs is not known, and the sentence says
// what to do to know it. Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tagout::prevent {

enum class Judgement : std::uint8_t { Pass = 0, Fail = 1, Inconclusive = 2 };

[[nodiscard]] constexpr std::string_view name_of(Judgement judgement) noexcept {
    switch (judgement) {
        case Judgement::Pass:
            return "pass";
        case Judgement::Fail:
            return "fail";
        case Judgement::Inconclusive:
            return "inconclusive";
    }
    return "?";
}

/// The exit code of a command that asked: 0, 1 or 2.
[[nodiscard]] constexpr int exit_code_of(Judgement judgement) noexcept {
    return static_cast<int>(judgement);
}

/// One thing that was looked at.
struct Check {
    std::string name;  ///< "open_incidents", "REG-3": stable, for machines.
    Judgement judgement = Judgement::Inconclusive;
    std::string sentence;  ///< Why, and what to do where it is no pass.
};

/// Fail before inconclusive before pass; nothing looked at is inconclusive.
[[nodiscard]] Judgement worst_of(std::span<const Check> checks) noexcept;

}  // namespace tagout::prevent
