// The words of a condition: names, numbers, texts in all their quotes, marks.
#include "contain/cel/syntax.h"

#include <array>
#include <charconv>

namespace tagout::contain::cel {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
int hex_of(char c) noexcept {
    return is_digit(c)              ? c - '0'
           : (c >= 'a' && c <= 'f') ? c - 'a' + 10
           : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                    : -1;
}

void append_utf8(std::uint32_t code, std::string& out) {
    const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
    if (code < 0x80) {
        byte(code);
    } else if (code < 0x800) {
        byte(0xC0 | code >> 6);
        byte(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        byte(0xE0 | code >> 12);
        byte(0x80 | (code >> 6 & 0x3F));
        byte(0x80 | (code & 0x3F));
    } else {
        byte(0xF0 | code >> 18);
        byte(0x80 | (code >> 12 & 0x3F));
        byte(0x80 | (code >> 6 & 0x3F));
        byte(0x80 | (code & 0x3F));
    }
}

class Words {
public:
    explicit Words(std::string_view text) : text_(text) {}

    Expected<std::vector<Token>> read() {
        std::vector<Token> tokens;
        while (true) {
            skip_blanks();
            Token token;
            token.at = at_;
            if (at_ < text_.size()) {
                read_one(token);
            }
            if (mistake_) {
                return std::unexpected(*std::move(mistake_));
            }
            tokens.push_back(std::move(token));
            if (tokens.back().kind == TokenKind::End) {
                return tokens;
            }
        }
    }

private:
    void wrong(std::size_t at, std::string says, std::string remedy) {
        if (!mistake_) {
            mistake_ = Mistake{Mistake::What::Syntax, at, std::move(says), std::move(remedy)};
        }
    }
    [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    [[nodiscard]] std::string_view rest() const noexcept { return text_.substr(at_); }

    void skip_blanks() noexcept {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
                ++at_;
            } else if (rest().starts_with("//")) {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else {
                return;
            }
        }
    }

    void read_one(Token& token) {
        if (is_digit(peek()) || (peek() == '.' && is_digit(peek(1)))) {
            return read_number(token);
        }
        if (const std::size_t prefix = quote_prefix(); prefix != std::string_view::npos) {
            return read_text(token, prefix);
        }
        if (is_letter(peek())) {
            while (is_letter(peek()) || is_digit(peek())) {
                token.text += text_[at_++];
            }
            token.kind = TokenKind::Name;
            return read_word(token);
        }
        if (peek() == '`') {
            return read_quoted_name(token);
        }
        read_mark(token);
    }

    static void read_word(Token& token) noexcept {
        if (token.text == "true" || token.text == "false") {
            token.kind = TokenKind::Literal;
            token.literal = value_of(token.text == "true");
        } else if (token.text == "null") {
            token.kind = TokenKind::Literal;
        } else if (token.text == "in") {
            token.kind = TokenKind::Mark;
        }
    }

    void read_quoted_name(Token& token) {
        const std::size_t end = text_.find('`', at_ + 1);
        if (end == std::string_view::npos || end == at_ + 1) {
            return wrong(at_, "this name has no end", "Close it with `");
        }
        token.kind = TokenKind::Quoted;
        token.text = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
    }

    void read_mark(Token& token) {
        constexpr std::array<std::string_view, 27> marks{
            "&&", "||", "==", "!=", "<=", ">=", "[", "]", "{", "}", "(", ")", ".", ",",
            "-",  "!",  "?",  ":",  "+",  "*",  "/", "%", "<", ">", "=", "&", "|"};
        for (const std::string_view mark : marks) {
            if (rest().starts_with(mark)) {
                if (mark == "=" || mark == "&" || mark == "|") {
                    return wrong(
                        at_, "'" + std::string(mark) + "' is no operator",
                        mark == "=" ? "Compare with ==" : "Write " + std::string(2, mark[0])
                    );
                }
                token.kind = TokenKind::Mark;
                token.text = mark;
                at_ += mark.size();
                return;
            }
        }
        wrong(at_, "this character has no meaning here", "Remove it, or put it in quotes");
    }

    void read_number(Token& token) {
        token.kind = TokenKind::Literal;
        const std::size_t begin = at_;
        const bool hex = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
        bool real = false;
        if (hex) {
            at_ += 2;
            while (hex_of(peek()) >= 0) {
                ++at_;
            }
        } else {
            skip_digits();
            if (peek() == '.' && is_digit(peek(1))) {
                real = true;
                ++at_;
                skip_digits();
            }
            if (peek() == 'e' || peek() == 'E') {
                const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
                if (is_digit(peek(sign))) {
                    real = true;
                    at_ += sign;
                    skip_digits();
                }
            }
        }
        const std::string_view digits = text_.substr(begin, at_ - begin);
        if (real) {
            double value = 0;
            const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
            if (read.ec == std::errc::result_out_of_range) {
                // Too small for a double is zero.
                value = 0;
            }
            token.literal = value_of(value);
        } else {
            read_integer(token, begin, hex ? digits.substr(2) : digits, hex ? 16 : 10);
        }
        if (is_letter(peek()) || is_digit(peek())) {
            wrong(begin, "this is no number", "Write such as 20, 0x1F, 20u or 2.5");
        }
    }

    void skip_digits() noexcept {
        while (is_digit(peek())) {
            ++at_;
        }
    }

    /// An integer that only its negative fits keeps its digits as `text`; the parser negates it.
    void read_integer(Token& token, std::size_t begin, std::string_view digits, int base) {
        std::uint64_t value = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
        const bool fits = read.ec == std::errc() && !digits.empty();
        if (peek() == 'u' || peek() == 'U') {
            ++at_;
            token.literal = value_of(value);
            if (!fits) {
                wrong(begin, "this number is over 64 bits", "Write a smaller one");
            }
            return;
        }
        constexpr std::uint64_t most = std::uint64_t{1} << 63;
        if (!fits || value > most) {
            return wrong(begin, "this number is over 63 bits", "Write a smaller one, or with u behind it");
        }
        token.literal = value_of(static_cast<std::int64_t>(value));
        token.text = value == most ? "most" : "";
    }

    /// Letters before a quote, or npos when no text begins here.
    [[nodiscard]] std::size_t quote_prefix() const noexcept {
        std::size_t prefix = 0;
        bool raw = false;
        bool bytes = false;
        while (prefix < 2) {
            const char c = peek(prefix);
            if ((c == 'r' || c == 'R') && !raw) {
                raw = true;
            } else if ((c == 'b' || c == 'B') && !bytes && !raw) {
                bytes = true;
            } else {
                break;
            }
            ++prefix;
        }
        return peek(prefix) == '"' || peek(prefix) == '\'' ? prefix : std::string_view::npos;
    }

    void read_text(Token& token, std::size_t prefix) {
        const std::size_t begin = at_;
        const std::string_view letters = text_.substr(at_, prefix);
        const bool raw = letters.find_first_of("rR") != std::string_view::npos;
        const bool bytes = letters.find_first_of("bB") != std::string_view::npos;
        at_ += prefix;
        const char quote = peek();
        const std::string three(3, quote);
        const bool long_quote = rest().starts_with(three);
        at_ += long_quote ? 3 : 1;
        token.kind = TokenKind::Literal;
        while (true) {
            if (at_ >= text_.size() || (!long_quote && (peek() == '\n' || peek() == '\r'))) {
                return wrong(begin, "this text has no end", std::string("Close it with ") + quote);
            }
            if (long_quote ? rest().starts_with(three) : peek() == quote) {
                at_ += long_quote ? 3 : 1;
                break;
            }
            if (peek() == '\\' && !raw) {
                if (!read_escape(token.text, bytes)) {
                    return;
                }
            } else {
                if (peek() == '\\' && at_ + 1 < text_.size()) {
                    token.text += text_[at_++];  // Raw: what stands behind it never ends the text.
                }
                token.text += text_[at_++];
            }
        }
        token.literal = value_of(std::string_view(), bytes ? Kind::Bytes : Kind::String);
    }

    bool read_escape(std::string& out, bool bytes) {
        const std::size_t begin = at_++;
        const char c = peek();
        constexpr std::string_view plain = "abfnrtv\\?\"'`";
        constexpr std::string_view meant = "\a\b\f\n\r\t\v\\?\"'`";
        if (const std::size_t found = plain.find(c);
            found != std::string_view::npos && at_ < text_.size()) {
            out += meant[found];
            ++at_;
            return true;
        }
        std::size_t digits = 0;
        unsigned base = 16;
        if (c == 'x' || c == 'X') {
            digits = 2;
        } else if (c == 'u' && !bytes) {
            digits = 4;
        } else if (c == 'U' && !bytes) {
            digits = 8;
        } else if (c >= '0' && c <= '3') {
            digits = 3;
            base = 8;
        }
        at_ += base == 16 ? 1 : 0;
        std::uint32_t code = 0;
        for (std::size_t i = 0; i < digits; ++i, ++at_) {
            const int digit = hex_of(peek());
            if (digit < 0 || static_cast<unsigned>(digit) >= base) {
                digits = 0;
                break;
            }
            code = code * base + static_cast<unsigned>(digit);
        }
        if (digits == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
            wrong(begin, "this is no escape", "Write \\\\ for a backslash, or put r before the quote");
            return false;
        }
        if (bytes) {
            out += static_cast<char>(code);
        } else {
            append_utf8(code, out);
        }
        return true;
    }

    const std::string_view text_;
    std::size_t at_ = 0;
    std::optional<Mistake> mistake_;
};

/// Bytes of the character that begins `text`, 0 where none does.
std::size_t character_size(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    const std::size_t size = first < 0x80                     ? 1
                             : first >= 0xC2 && first <= 0xDF ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
    if (size == 0 || text.size() < size) {
        return 0;
    }
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0) != 0x80) {
            return 0;
        }
    }
    const bool too_long = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
    const bool no_character = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
    return too_long || no_character ? 0 : size;
}

}  // namespace

Expected<std::vector<Token>> tokens_of(std::string_view text) { return Words(text).read(); }

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t size = character_size(text);
        if (size == 0) {
            return false;
        }
        text.remove_prefix(size);
    }
    return true;
}

std::size_t characters_of(std::string_view text) noexcept {
    std::size_t count = 0;
    for (const char c : text) {
        count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    }
    return count;
}

}  // namespace tagout::contain::cel
