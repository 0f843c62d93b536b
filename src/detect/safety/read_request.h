// Did the user only ask to be told something? "Read the latest mail about the project" asks for no
// change, whoever's wishes stand in that mail: a write that follows it and carries a value which
// only a result named was hardly the user's.
//
// Told from English words: one that asks for knowledge (read, find, what, how many) and none that
// asks for an act (send, add, pay). Words that name a thing as well (mail, message, call, book) are
// acts where such a word may begin a wish: first in a sentence, or after "and", "then", "to",
// "please". Anything else leaves the question open, so it leans to no.
//
// Pure. Cost: about 15 ns a word; asked only of a session's write with a value out of a result.
#pragma once

#include <string_view>

namespace tagout::detect {

[[nodiscard]] bool asks_only_to_read(std::string_view request) noexcept;

}  // namespace tagout::detect
