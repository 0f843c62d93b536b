#include "detect/intent/dialogue.h"

#include <utility>

namespace tagout::detect {

namespace {

constexpr double may_correct = 0.5;

void count(std::uint8_t& times, bool once_more) noexcept {
    times = static_cast<std::uint8_t>(once_more && times < 255 ? times + 1 : times);
}

}  // namespace

void Dialogue::note_answer(std::string_view text) {
    answer_.assign(text.substr(0, turn_text_bytes_max));
}

void Dialogue::note_said(std::string_view text, const UserTone& tone) {
    count(corrections_, tone_.correction >= may_correct);
    count(thanks_, tone_.thanks);
    count(turn_, true);
    tone_ = tone;
    std::swap(said_before_, said_);
    said_.assign(text.substr(0, turn_text_bytes_max));
    std::swap(answered_before_, answered_);
    std::swap(answered_, answer_);
    answer_.clear();
}

HeardTurn Dialogue::turn() const noexcept {
    return {
        .said = said_,
        .answered = answered_,
        .said_before = said_before_,
        .answered_before = answered_before_,
        .tone = tone_,
        .turn = turn_,
        .corrections = corrections_,
        .thanks = thanks_};
}

std::size_t Dialogue::bytes() const noexcept {
    return sizeof(Dialogue) + said_.capacity() + answered_.capacity() + said_before_.capacity() +
           answered_before_.capacity() + answer_.capacity();
}

}  // namespace tagout::detect
