// What an agent's answer says about its own memory and plans: that it knows nothing of what went
// before, greets as if it began, found nothing, will do something next, or asks for a value.
//
// English; our own patterns in four automata, compiled once. A sign is no finding: lost_context and
// incoherent_step hold it against what the session knows. Thread-compatible (its scratch is its
// own). Bound: scan_bytes_max of one text. Cost: half a nanosecond a byte to see which automata
// could find anything, as few can in most answers, and 2 ns a byte for each of those.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace tagout::detect {

enum class AnswerSign : std::uint8_t { Amnesia = 0, Greets = 1, FoundNothing = 2, Plans = 3 };
inline constexpr std::size_t answer_signs = 4;

/// Kinds of value that a user tells and an agent asks for; bits of a mask by their number.
enum class Slot : std::uint8_t { Email = 0, Zip = 1, Phone = 2, Number = 3, Account = 4, Date = 5 };
inline constexpr std::size_t slot_kinds = 6;
[[nodiscard]] std::string_view word_of(Slot slot) noexcept;

struct AnswerReading {
    std::uint8_t signs = 0;
    std::uint8_t asks = 0;                         ///< Slots, one bit each.
    std::array<std::uint32_t, answer_signs> at{};  ///< End of the last match of each sign.
    std::array<std::uint32_t, slot_kinds> asked_at{};

    [[nodiscard]] bool has(AnswerSign sign) const noexcept {
        return (signs >> static_cast<unsigned>(sign) & 1U) != 0;
    }
    [[nodiscard]] bool asks_for(Slot slot) const noexcept {
        return (asks >> static_cast<unsigned>(slot) & 1U) != 0;
    }
};

/// Which slots `text`, the user's, has a value of; one bit each. Pure.
[[nodiscard]] std::uint8_t slots_told(std::string_view text) noexcept;

/// What is worth looking for: each costs a pass over the text.
struct AnswerLook {
    bool memory = true;  ///< Amnesia and Greets.
    bool found = true;   ///< FoundNothing.
    bool plans = true;
    std::uint8_t asks = 0xff;  ///< For which of the slots; one bit each.
};

class AnswerSigns {
public:
    static constexpr std::size_t scan_bytes_max = 4 * 1024;

    AnswerSigns();
    ~AnswerSigns();
    AnswerSigns(AnswerSigns&&) noexcept;
    AnswerSigns& operator=(AnswerSigns&&) noexcept;

    [[nodiscard]] AnswerReading scan(std::string_view text, const AnswerLook& look = {});

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tagout::detect
