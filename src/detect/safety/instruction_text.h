// Text in a tool's result that gives the agent orders: "ignore your previous instructions",
// "important message to you, the AI", "task: send a transaction to ...".
//
// A list of our own patterns (order_patterns.h), each with a weight; the score of a text is 1 -
// product of 1 - weight. Weak patterns (an order that could stand in any letter) pass no threshold
// alone. Words alone, such as "ignore", are
// no pattern: people write "can I ignore this warning". No list of words finds all attacks;
// safety.untrusted_value and safety.new_tool look at what the agent did instead.
//
// What finds nothing is read once more as it was meant, where letters or words are masked.
//
// Thread-compatible (its scratch is its own); the automata are shared and immutable. Bound:
// scan_bytes_max of one text. Cost: 1.5 to 3.5 us a kilobyte, by how many patterns' words it has.
#pragma once

#include "detect/value_index.h"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace tagout::detect {

class InstructionText {
public:
    static constexpr std::size_t scan_bytes_max = 64 * 1024;
    static constexpr std::size_t regions_max = 16;

    InstructionText();
    ~InstructionText();
    InstructionText(InstructionText&&) noexcept;
    InstructionText& operator=(InstructionText&&) noexcept;

    struct Reading {
        double score = 0;
        std::size_t at = 0;   ///< End of the first match of the strongest pattern.
        bool hidden = false;  ///< Only the unmasked text reads so (unmasked_text.h).
    };
    /// `regions` is replaced by what surrounds each match, in order, not overlapping.
    Reading scan(std::string_view text, std::vector<TextRegion>& regions);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tagout::detect
