// Dialogue: the newest words of a conversation, kept until the next ones show what they were worth.
//
// An agent may answer in several texts before the user speaks again: the last one counts.
//
// Thread-compatible; a value. Bounds: five texts of turn_text_bytes_max bytes. Cost: copies of what
// was said; features are made only when turn() is asked for and turn_features() of it.
#pragma once

#include "detect/intent/turn_features.h"

#include <string>
#include <string_view>

namespace tagout::detect {

class Dialogue {
public:
    void note_answer(std::string_view text);
    void note_said(std::string_view text, const UserTone& tone);

    /// What the user said last; turn is 0 before anything was said. Valid until the next change.
    [[nodiscard]] HeardTurn turn() const noexcept;

    [[nodiscard]] std::size_t bytes() const noexcept;

private:
    std::string said_;
    std::string answered_;
    std::string said_before_;
    std::string answered_before_;
    std::string answer_;  ///< Since the user spoke.
    UserTone tone_;
    std::uint8_t turn_ = 0;
    std::uint8_t corrections_ = 0;
    std::uint8_t thanks_ = 0;
};

}  // namespace tagout::detect
