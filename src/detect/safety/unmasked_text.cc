#include "detect/safety/unmasked_text.h"

#include "detect/atoms.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

namespace tagout::detect {

namespace {

constexpr std::size_t spaced_letters_min = 5;
constexpr std::size_t base64_bytes_min = 24;
constexpr std::size_t word_bytes_max = 16;

/// What orders to a machine are made of.
constexpr std::array order_words{
    std::string_view{"ignore"},
    std::string_view{"disregard"},
    std::string_view{"override"},
    std::string_view{"forget"},
    std::string_view{"bypass"},
    std::string_view{"previous"},
    std::string_view{"instructions"},
    std::string_view{"instruction"},
    std::string_view{"system"},
    std::string_view{"prompt"},
    std::string_view{"password"},
    std::string_view{"credentials"},
    std::string_view{"important"},
    std::string_view{"message"},
    std::string_view{"assistant"},
};

constexpr bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr char lowered(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

struct CodePoint {
    std::uint32_t code = 0;
    std::size_t bytes = 1;
};

CodePoint code_point_at(std::string_view text, std::size_t at) noexcept {
    const auto byte = [&](std::size_t i) {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
    };
    const std::uint32_t first = byte(0);
    if (first >= 0xf0 && at + 3 < text.size()) {
        return {
            ((first & 7U) << 18U) | ((byte(1) & 63U) << 12U) | ((byte(2) & 63U) << 6U) |
                (byte(3) & 63U),
            4};
    }
    if (first >= 0xe0 && at + 2 < text.size()) {
        return {((first & 15U) << 12U) | ((byte(1) & 63U) << 6U) | (byte(2) & 63U), 3};
    }
    if (first >= 0xc0 && at + 1 < text.size()) {
        return {((first & 31U) << 6U) | (byte(1) & 63U), 2};
    }
    return {first, 1};
}

bool is_invisible(std::uint32_t code) noexcept {
    return code == 0xad || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2060 && code <= 0x2064) || code == 0xfeff ||
           (code >= 0xfe00 && code <= 0xfe0f);
}

/// The ASCII letter that it looks like, or 0.
char look_alike(std::uint32_t code) noexcept {
    struct Pair {
        std::uint32_t code;
        char letter;
    };
    constexpr std::array pairs{
        Pair{0x0430, 'a'}, Pair{0x0435, 'e'}, Pair{0x043e, 'o'}, Pair{0x0440, 'p'},
        Pair{0x0441, 'c'}, Pair{0x0443, 'y'}, Pair{0x0445, 'x'}, Pair{0x0456, 'i'},
        Pair{0x0455, 's'}, Pair{0x0458, 'j'}, Pair{0x0501, 'd'}, Pair{0x051b, 'q'},
        Pair{0x051d, 'w'}, Pair{0x04bb, 'h'}, Pair{0x0410, 'a'}, Pair{0x0412, 'b'},
        Pair{0x0415, 'e'}, Pair{0x041a, 'k'}, Pair{0x041c, 'm'}, Pair{0x041d, 'h'},
        Pair{0x041e, 'o'}, Pair{0x0420, 'p'}, Pair{0x0421, 'c'}, Pair{0x0422, 't'},
        Pair{0x0425, 'x'}, Pair{0x0406, 'i'}, Pair{0x03bf, 'o'}, Pair{0x03b1, 'a'},
        Pair{0x03b5, 'e'}, Pair{0x03b9, 'i'}, Pair{0x03bd, 'v'}, Pair{0x03c1, 'p'},
        Pair{0x03c4, 't'}, Pair{0x03c5, 'u'}, Pair{0x0131, 'i'}, Pair{0x0261, 'g'},
        Pair{0x0269, 'i'},
    };
    if (code >= 0xff01 && code <= 0xff5e) {
        return static_cast<char>(code - 0xff01 + '!');
    }
    if (code >= 0x1d400 && code <= 0x1d6a3) {
        const std::uint32_t place = (code - 0x1d400) % 52;
        return static_cast<char>(place < 26 ? 'A' + place : 'a' + place - 26);
    }
    if (code >= 0xe0020 && code <= 0xe007e) {
        return static_cast<char>(code - 0xe0000);  // tag characters: invisible ASCII
    }
    const auto found = std::ranges::find(pairs, code, &Pair::code);
    return found == pairs.end() ? '\0' : found->letter;
}

/// Whether a letter beyond ASCII hides something: it cannot be seen, is ASCII in disguise, or looks
/// like it and stands beside it. A word in Cyrillic is a word in Cyrillic.
bool hides(std::string_view text, std::size_t at) noexcept {
    const CodePoint point = code_point_at(text, at);
    if (is_invisible(point.code)) {
        // Between letters: alone it joins emoji or marks a text's beginning.
        return at > 0 && is_letter(text[at - 1]) && at + point.bytes < text.size() &&
               is_letter(text[at + point.bytes]);
    }
    if (look_alike(point.code) == '\0') {
        return false;
    }
    return point.bytes > 2 || (at > 0 && is_letter(text[at - 1])) ||
           (at + point.bytes < text.size() && is_letter(text[at + point.bytes]));
}

/// Whether a word has letters of both kinds, as base64 of a sentence has.
bool is_in_both_cases(std::string_view word) noexcept {
    const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    return std::ranges::any_of(word, is_lower) && std::ranges::any_of(word, is_upper);
}

/// Without invisible letters, look-alikes as ASCII: these two need bytes beyond ASCII.
bool plain_letters(std::string_view text, std::string& out) {
    bool changed = false;
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint point = code_point_at(text, i);
        const char letter = point.bytes == 1 ? '\0' : look_alike(point.code);
        if (is_invisible(point.code)) {
            changed = true;
        } else if (letter != '\0') {
            // A word in Cyrillic is a word in Cyrillic: only mixed ones hide something, and what is
            // rewritten wrongly there reads like nothing.
            out += letter;
            changed = true;
        } else {
            out.append(text, i, point.bytes);
        }
        i += point.bytes;
    }
    return changed;
}

char letter_of_digit(char c) noexcept {
    constexpr std::string_view digits = "0134578@$!";
    constexpr std::string_view letters = "oieastbasi";
    const std::size_t at = digits.find(c);
    return at == std::string_view::npos ? '\0' : letters[at];
}

/// By the first letter, the lengths that a word may have which is a slip away from an order word.
constexpr std::array<std::uint32_t, 26> lengths_by_letter = [] {
    std::array<std::uint32_t, 26> lengths{};
    for (const std::string_view word : order_words) {
        lengths[static_cast<std::size_t>(word.front() - 'a')] |= 7U << (word.size() - 1);
    }
    return lengths;
}();

bool may_be_order_word(std::string_view word) noexcept {
    const char first =
        is_letter(word.front()) ? lowered(word.front()) : letter_of_digit(word.front());
    return first != '\0' &&
           (lengths_by_letter[static_cast<std::size_t>(first - 'a')] >> word.size() & 1U) != 0;
}

/// Slips between two words (a letter wrong, missing, too many, or two swapped), up to 3.
std::size_t slips(std::string_view a, std::string_view b) {
    std::array<std::array<std::uint8_t, word_bytes_max + 1>, 3> rows{};
    for (std::size_t j = 0; j <= b.size(); ++j) {
        rows[0][j] = static_cast<std::uint8_t>(j);
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto& row = rows[i % 3];
        const auto& above = rows[(i + 2) % 3];
        const auto& before = rows[(i + 1) % 3];
        row[0] = static_cast<std::uint8_t>(i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const unsigned wrong = above[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
            unsigned best = std::min({wrong, above[j] + 1U, row[j - 1] + 1U});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = std::min(best, before[j - 2] + 1U);
            }
            row[j] = static_cast<std::uint8_t>(best);
        }
    }
    return rows[a.size() % 3][b.size()];
}

/// Which letters a word in lower case has.
constexpr std::uint32_t letters_of(std::string_view word) noexcept {
    std::uint32_t letters = 0;
    for (const char c : word) {
        letters |= 1U << (static_cast<unsigned char>(c) & 31U);
    }
    return letters;
}

constexpr std::array<std::uint32_t, order_words.size()> letters_of_orders = [] {
    std::array<std::uint32_t, order_words.size()> letters{};
    std::ranges::transform(order_words, letters.begin(), letters_of);
    return letters;
}();

/// The order word that `word` (lower case) is a slip away from, "" for none.
std::string_view meant_word(std::string_view word) {
    const std::uint32_t letters = letters_of(word);
    for (std::size_t i = 0; i < order_words.size(); ++i) {
        const std::string_view known = order_words[i];
        const std::size_t slips_max = known.size() >= 7 ? 2 : 1;
        // A slip takes a letter away and adds one, at most.
        const auto strange =
            static_cast<std::size_t>(std::popcount(letters ^ letters_of_orders[i]));
        if (strange > 2 * slips_max) {
            continue;
        }
        const std::size_t longer = std::max(word.size(), known.size());
        const std::size_t shorter = std::min(word.size(), known.size());
        if (word.front() != known.front() || longer - shorter > 1 || word.starts_with(known) ||
            known.starts_with(word)) {
            continue;  // its other forms are spelt well
        }
        if (slips(word, known) <= slips_max) {
            return known;
        }
    }
    return {};
}

std::optional<std::string> base64_text(std::string_view coded) {
    std::string text;
    std::uint32_t bits = 0;
    int held = 0;
    std::size_t printable = 0;
    for (const char c : coded) {
        const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                          : c >= 'a' && c <= 'z' ? c - 'a' + 26
                          : is_digit(c)          ? c - '0' + 52
                          : c == '+' || c == '-' ? 62
                          : c == '/' || c == '_' ? 63
                                                 : -1;
        if (value < 0) {
            break;
        }
        bits = (bits << 6U) | static_cast<std::uint32_t>(value);
        held += 6;
        if (held >= 8) {
            held -= 8;
            const char byte = static_cast<char>((bits >> static_cast<unsigned>(held)) & 255U);
            printable += (byte >= ' ' && byte <= '~') || byte == '\n' ? 1 : 0;
            text += byte;
        }
    }
    const bool reads = printable == text.size() && text.find(' ') != std::string::npos;
    return reads ? std::optional(std::move(text)) : std::nullopt;
}

/// Rewrites words in ASCII text; appends what base64 hid.
class Words {
public:
    explicit Words(std::string_view text) : text_(text) {}

    bool rewrite(std::string& out) {
        for_each_atom(text_, [&](const Atom& atom) { take(atom); });
        end_spaced();
        if (!changed_) {
            return false;
        }
        out_.append(text_, copied_);
        out = std::move(out_) + hidden_;
        return true;
    }

private:
    void replace(std::size_t from, std::size_t to, std::string_view with) {
        out_.append(text_, copied_, from - copied_);
        out_ += with;
        copied_ = to;
        changed_ = true;
    }

    void take(const Atom& atom) {
        if (atom.text.size() == 1 && is_letter(atom.text.front())) {
            if (spaced_.empty() || atom.at > spaced_end_ + 3) {
                end_spaced();
                spaced_from_ = atom.at;
            } else if (atom.at > spaced_end_ + 1) {
                spaced_ += ' ';  // a wider gap parts words
            }
            spaced_ += atom.text;
            ++letters_;
            spaced_end_ = atom.at + 1;
            return;
        }
        end_spaced();
        if (atom.joined && atom.text.size() >= 2 * spaced_letters_min - 1 && take_joined(atom)) {
            return;
        }
        if (atom.letters && atom.text.size() >= base64_bytes_min) {
            if (auto text = base64_text(text_.substr(atom.at))) {
                hidden_ += "\n" + *text;
                changed_ = true;
            }
        } else if (atom.text.size() >= 5 && atom.text.size() <= word_bytes_max) {
            take_word(atom);
        }
    }

    /// i-g-n-o-r-e
    bool take_joined(const Atom& atom) {
        std::string letters;
        for (std::size_t i = 0; i < atom.text.size(); ++i) {
            if ((i % 2 == 0) != is_letter(atom.text[i]) ||
                (i % 2 == 1 && !is_joiner(atom.text[i]))) {
                return false;
            }
            if (i % 2 == 0) {
                letters += atom.text[i];
            }
        }
        replace(atom.at, atom.at + atom.text.size(), letters);
        return true;
    }

    void take_word(const Atom& atom) {
        if (!may_be_order_word(atom.text)) {
            return;
        }
        std::string word;
        bool letters = true;
        for (const char c : atom.text) {
            const char letter = is_letter(c)   ? lowered(c)
                                : atom.letters ? letter_of_digit(c)
                                               : '\0';
            letters = letters && letter != '\0';
            word += letter;
        }
        if (!letters) {
            return;
        }
        const bool in_digits =
            atom.digits && std::ranges::find(order_words, word) != order_words.end();
        const std::string_view meant = in_digits ? std::string_view(word) : meant_word(word);
        if (!meant.empty()) {
            replace(atom.at, atom.at + atom.text.size(), meant);
        }
    }

    void end_spaced() {
        if (letters_ >= spaced_letters_min) {
            replace(spaced_from_, spaced_end_, spaced_);
        }
        spaced_.clear();
        letters_ = 0;
    }

    std::string_view text_;
    std::string out_;
    std::string hidden_;
    std::string spaced_;
    std::size_t spaced_from_ = 0;
    std::size_t spaced_end_ = 0;
    std::size_t letters_ = 0;
    std::size_t copied_ = 0;  ///< Bytes of text_ that stand in out_.
    bool changed_ = false;
};

}  // namespace

void MaskSigns::read(std::string_view piece, const MessageWords& words) noexcept {
    // Three letters one by one, each a byte behind the one before: "i g n", "i.g.n".
    constexpr unsigned spaced_letters = 3;
    std::size_t longest = 0;
    std::size_t end = 0;
    unsigned alone = 0;
    unsigned most_alone = 0;
    words.each(MessageWords::bytes_max, [&](std::size_t from, std::size_t size) {
        longest = std::max(longest, size);
        const bool goes_on = from == end + 1;
        const bool letter = size == 1 && *words.lower(from) >= 'a';
        alone = letter ? (goes_on ? alone + 1 : 1) : 0;
        most_alone = std::max(most_alone, alone);
        end = from + size;
        return true;
    });
    found_ = found_ || most_alone >= spaced_letters;
    if (longest >= base64_bytes_min && !found_) {
        words.each(MessageWords::bytes_max, [&](std::size_t from, std::size_t size) {
            found_ = size >= base64_bytes_min && is_in_both_cases(piece.substr(from, size));
            return !found_;
        });
    }
    for (std::size_t i = 0; words.has_high() && i < piece.size() && !found_; ++i) {
        found_ = static_cast<unsigned char>(piece[i]) >= 0xc0 && hides(piece, i);
    }
}

bool unmask(std::string_view text, std::string& out) {
    text = text.substr(0, unmasked_bytes_max);
    const bool high =
        std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    std::string plain;
    const bool changed = high && plain_letters(text, plain);
    std::string words;
    if (Words(changed ? std::string_view(plain) : text).rewrite(words)) {
        out = std::move(words);
        return true;
    }
    if (changed) {
        out = std::move(plain);
    }
    return changed;
}

}  // namespace tagout::detect
