// Words by which a user corrects an agent, says that it chose the wrong plan, agrees, or thanks.
//
// English; a weighted list of phrases over lower-case words, put together as if each were
// independent evidence (1 - product of 1 - weight). A cue behind a negation ("nothing wrong", "not
// a problem") does not count, thanks weaken. Only the first 600 bytes are read: who corrects does
// it at the start. Pure. Cost: one walk over the words and a few comparisons at each, once for each
// new message.
#pragma once

#include "detect/message_words.h"

#include <string_view>

namespace tagout::detect {

struct UserTone {
    double correction = 0;      ///< 0 to 1: the user corrects or rejects what the agent did.
    double wrong_workflow = 0;  ///< 0 to 1: the user says that this is the wrong place or plan.
    bool agrees = false;        ///< "yes", "go ahead": a short answer that confirms.
    bool thanks = false;
};

[[nodiscard]] UserTone read_tone(std::string_view text);
/// The same of a text whose words are read already.
[[nodiscard]] UserTone read_tone(std::string_view text, const MessageWords& words);
/// read_tone(text).agrees, of a text about which nothing else is asked: a long one is no "yes" and is
/// not read to its end.
[[nodiscard]] bool reads_as_agreement(std::string_view text);

}  // namespace tagout::detect
