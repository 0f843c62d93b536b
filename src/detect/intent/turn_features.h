// What a learner sees of something that a user said in the middle of a conversation: its words and
// what it answers, as buckets without words.
//
// In one vector of buckets: words, pairs and characters of what was said (hashed as in
// request_features.h), words and characters of the answer that it replies to, how the turn
// begins together with what kind of answer that was, and plain facts about the two and the pair
// before them: how long they are, whether they ask, refuse, object or thank, what they repeat, how
// the words weigh as a correction (correction_words.h), how far the conversation is. Facts carry
// over from one deployment to another, words less.
//
// Pure. Of each text turn_text_bytes_max bytes are read. Cost: about 5 us a turn; so it is asked
// for only where somebody rates a turn or a learned judge waits for it.
#pragma once

#include "detect/intent/correction_words.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tagout::detect {

inline constexpr std::size_t turn_text_bytes_max = 300;
inline constexpr std::size_t turn_features_max = 1'024;

/// Where the buckets of each group begin; they end where the next group begins.
struct TurnBuckets {
    static constexpr std::size_t said_words = 0;
    static constexpr std::size_t said_characters = 16'384;
    static constexpr std::size_t answer_words = 32'768;
    static constexpr std::size_t answer_characters = 49'152;
    static constexpr std::size_t facts = 57'344;
    static constexpr std::size_t end = 57'472;
};

/// Sorted, each once.
using TurnFeatures = std::vector<std::uint16_t>;

/// Something that a user said, and what stood before it.
struct HeardTurn {
    std::string_view said;
    std::string_view answered;         ///< By the agent, just before; "" if nothing is known.
    std::string_view said_before;      ///< By the user, before that.
    std::string_view answered_before;  ///< By the agent, before that.
    UserTone tone;                     ///< read_tone(said)
    std::uint8_t turn = 1;             ///< The user's first is 1; stays at 255.
    std::uint8_t corrections = 0;      ///< Of the user's turns before, those that may correct,
    std::uint8_t thanks = 0;           ///< and those with thanks.
};

[[nodiscard]] TurnFeatures turn_features(const HeardTurn& turn);

}  // namespace tagout::detect
