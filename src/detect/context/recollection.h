// Recollection: what the context signals remember of a session beyond its actions: what the agent
// claimed, asked and planned, what the user told, which readings were read anew, and its writes.
//
// Made when the first of these comes. Confined to its shard's thread. Bounds: the named ones below,
// about 12 KiB for a session that fills them all; a short one takes some hundred bytes.
#pragma once

#include "detect/context/answer_signs.h"
#include "detect/names.h"
#include "detect/step_place.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tagout::detect {

/// A sentence of the agent that states something, by hashes of its words.
struct Claim {
    static constexpr std::size_t words_max = 10;
    static constexpr std::size_t numbers_max = 4;
    static constexpr std::size_t quote_bytes_max = 100;

    std::array<std::uint32_t, words_max> words{};
    std::array<std::uint64_t, numbers_max> numbers{};  ///< atom_hash() of each.
    std::uint8_t words_count = 0;
    std::uint8_t numbers_count = 0;
    bool denies = false;            ///< It says that something is not, or not yet, so.
    bool asks = false;              ///< It is a question.
    bool hedges = false;            ///< It says what may or would be.
    bool foretells = false;         ///< It says what will be.
    std::uint32_t states = 0;       ///< Pairs of states that exclude each other, one bit each ...
    std::uint32_t states_held = 0;  ///< ... and of which the first one is said to hold.
    std::uint16_t request = 0;
    std::uint32_t writes = 0;  ///< Calls that may have changed something and worked before it.
    std::uint32_t calls = 0;   ///< Calls that had worked before it.
    std::uint32_t step = 0;
    std::string quote;
};

/// A reading that was read anew and had become another.
struct Revision {
    static constexpr std::size_t atoms_max = 1'024;

    NameId tool = 0;
    std::uint32_t near = 0;      ///< Action::near of both readings.
    std::uint32_t old_step = 0;  ///< Of the newest reading that is out of date.
    std::uint32_t new_step = 0;
    std::vector<std::uint32_t> atoms;  ///< Of the newest reading, sorted.
    bool whole = false;  ///< Nothing of it was left out, and it is the old record changed.
};

/// A call that changed something, by what it changed.
struct WriteMark {
    static constexpr std::size_t targets_max = 8;

    NameId tool = 0;
    std::uint32_t noun = 0;  ///< Hash of its name without the verb.
    std::uint32_t verb = 0;  ///< Which one, see verb_of().
    std::int8_t sense = 0;   ///< 1: makes something be, -1: ends it, 0: neither.
    std::uint8_t targets_count = 0;
    std::uint16_t request = 0;
    std::uint32_t step = 0;
    std::array<std::uint32_t, targets_max> targets{};  ///< Near hashes of arguments and ids made.
};

struct Recollection {
    static constexpr std::size_t claims_max = 24;
    static constexpr std::size_t claims_usual = 4;  ///< Room for so many is made at once.
    static constexpr std::size_t revisions_max = 3;
    static constexpr std::size_t writes_max = 8;

    std::vector<Claim> claims;  ///< Oldest first, as in all of these.
    std::vector<Revision> revisions;
    std::vector<WriteMark> writes;
    std::array<std::uint16_t, slot_kinds> told{};  ///< Request in which the user told it; 0: never.
    std::uint32_t answers = 0;                     ///< Of the agent, with words.
    std::array<std::uint32_t, slot_kinds> told_calls{};  ///< Calls that had worked before.

    /// What the agent announced last and has not begun; "" for nothing.
    std::string plan;
    StepPlace plan_place;
    std::uint32_t answer_step = 0;  ///< Of the newest answer.

    [[nodiscard]] std::size_t bytes() const noexcept;
};

}  // namespace tagout::detect
