// A text as it was meant to be read, where somebody hid what it says from a search for words:
//
//   invisible letters     zero-width spaces and joiners, soft hyphens, tag characters: left out
//   look-alikes           Cyrillic and Greek letters, full-width and mathematical ones: as ASCII
//   digits for letters    1gn0r3: as letters, in words that have letters as well
//   spaced letters        i g n o r e, i-g-n-o-r-e: joined
//   misspelt words        ignroe prevoius instrctions: the few words that orders are made of, one
//                         or two slips away from them
//   base64                decoded, where it decodes to text; put at the end
//
// Nothing is judged here: InstructionText reads the result with its usual patterns.
//
// MaskSigns looks at the words' places and is asked first. It does not see slips and digits in
// words: InstructionText looks for those where something else already reads like a request.
//
// Bound: unmasked_bytes_max are unmasked. Cost: signs some 4 instructions a word of plain ASCII;
// unmask() some 3 ns a byte.
#pragma once

#include "detect/message_words.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace tagout::detect {

inline constexpr std::size_t unmasked_bytes_max = 16 * 1024;

/// Whether the words of a text make it worth while to unmask() it: letters that hide something,
/// letters one by one, a long word in both cases as base64 of a sentence is.
class MaskSigns {
public:
    /// The next piece of the text.
    void read(std::string_view piece, const MessageWords& words) noexcept;
    [[nodiscard]] bool found() const noexcept { return found_; }

private:
    bool found_ = false;
};

/// False and `out` untouched where nothing is hidden.
[[nodiscard]] bool unmask(std::string_view text, std::string& out);

}  // namespace tagout::detect
