#include "intake/json_place.h"

#include "intake/texts.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

namespace tagout::intake::json {

namespace {

/// Confined to one call of find_fault.
class Scanner {
public:
    Scanner(std::string_view text, std::size_t depth_max) : text_(text), depth_max_(depth_max) {}

    std::optional<Place> run() {
        if (scan()) {
            return std::nullopt;
        }
        return Place{.byte = std::min(at_, text_.size()), .path = path(), .what = what_};
    }

private:
    struct Level {
        bool object = false;
        std::string_view key;
        std::size_t index = 0;
    };

    [[nodiscard]] bool scan();
    [[nodiscard]] bool value();
    [[nodiscard]] bool after_value();
    [[nodiscard]] bool open(bool object);
    [[nodiscard]] bool key();
    [[nodiscard]] bool string(std::string_view& content);
    [[nodiscard]] bool escape();
    [[nodiscard]] bool number();
    [[nodiscard]] bool literal(std::string_view word);
    [[nodiscard]] std::string path() const;

    bool fault(std::string_view what) {
        what_ = what;
        return false;
    }
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    [[nodiscard]] bool digit() const { return peek() >= '0' && peek() <= '9'; }
    void blanks() {
        while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') {
            ++at_;
        }
    }
    void digits() {
        while (digit()) {
            ++at_;
        }
    }

    std::string_view text_;
    std::size_t depth_max_;
    std::size_t at_ = 0;
    std::string_view what_;
    std::vector<Level> open_;
    bool opened_ = false;  ///< What was read last is the start of an object or array.
};

bool Scanner::scan() {
    do {
        blanks();
        if (at_ >= text_.size()) {
            return fault("the text ends where a value is expected");
        }
        opened_ = false;
        if (!value() || (!opened_ && !after_value())) {
            return false;
        }
    } while (!open_.empty());
    blanks();
    return at_ == text_.size() || fault("something stands behind the end of the document");
}

bool Scanner::value() {
    std::string_view ignored;
    switch (peek()) {
        case '{':
            return open(true);
        case '[':
            return open(false);
        case '"':
            return string(ignored);
        case 't':
            return literal("true");
        case 'f':
            return literal("false");
        case 'n':
            return literal("null");
        default:
            return number();
    }
}

bool Scanner::open(bool object) {
    if (open_.size() == depth_max_) {
        return fault("nested too deep");
    }
    ++at_;
    open_.push_back({.object = object, .key = {}, .index = 0});
    blanks();
    if (peek() == (object ? '}' : ']')) {
        ++at_;
        open_.pop_back();
        return true;
    }
    opened_ = true;
    return !object || key();
}

/// Closes what a value ends, or goes to the next one.
bool Scanner::after_value() {
    while (!open_.empty()) {
        Level& level = open_.back();
        blanks();
        if (peek() == ',') {
            ++at_;
            ++level.index;
            blanks();
            return !level.object || key();
        }
        if (peek() != (level.object ? '}' : ']')) {
            return fault(level.object ? "expected , or }" : "expected , or ]");
        }
        ++at_;
        open_.pop_back();
    }
    return true;
}

bool Scanner::key() {
    if (peek() != '"') {
        return fault("expected a name in quotes");
    }
    if (!string(open_.back().key)) {
        return false;
    }
    blanks();
    if (peek() != ':') {
        return fault("expected : behind the name");
    }
    ++at_;
    return true;
}

bool Scanner::string(std::string_view& content) {
    const std::size_t start = ++at_;
    while (at_ < text_.size()) {
        const auto byte = static_cast<std::uint8_t>(text_[at_]);
        if (byte == '"') {
            content = text_.substr(start, at_ - start);
            ++at_;
            return true;
        }
        if (byte < 0x20) {
            return fault("a control character in a string: write it as \\u00..");
        }
        if (byte == '\\') {
            if (!escape()) {
                return false;
            }
            continue;
        }
        const std::size_t length = character_length(text_, at_);
        if (length == 0) {
            return fault("bytes that are not UTF-8");
        }
        at_ += length;
    }
    return fault("a string without an end");
}

bool Scanner::escape() {
    ++at_;
    if (std::string_view("\"\\/bfnrt").find(peek()) != std::string_view::npos && peek() != '\0') {
        ++at_;
        return true;
    }
    if (peek() != 'u') {
        return fault("an escape that JSON does not have");
    }
    ++at_;
    for (int index = 0; index < 4; ++index, ++at_) {
        if (std::string_view("0123456789abcdefABCDEF").find(peek()) == std::string_view::npos) {
            return fault("an escape \\u without four hex digits");
        }
    }
    return true;
}

bool Scanner::number() {
    const std::size_t start = at_;
    at_ += peek() == '-' ? 1 : 0;
    if (!digit()) {
        at_ = start;
        return fault("expected a value");
    }
    if (peek() == '0') {
        ++at_;
    } else {
        digits();
    }
    bool whole = true;
    if (peek() == '.') {
        whole = false;
        ++at_;
        if (!digit()) {
            return fault("a number without digits behind its point");
        }
        digits();
    }
    if (peek() == 'e' || peek() == 'E') {
        whole = false;
        ++at_;
        at_ += peek() == '+' || peek() == '-' ? 1 : 0;
        if (!digit()) {
            return fault("a number without digits in its exponent");
        }
        digits();
    }
    const char* const first = text_.data() + start;
    double parsed = 0;
    const auto [end, error] = std::from_chars(first, text_.data() + at_, parsed);
    const bool beyond = error == std::errc::result_out_of_range && std::abs(parsed) > 1;
    if (beyond || (whole && std::abs(parsed) > 18446744073709551615.0)) {
        at_ = start;
        return fault("a number that no 64-bit number holds");
    }
    return true;
}

bool Scanner::literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) {
        return fault("expected a value");
    }
    at_ += word.size();
    return true;
}

std::string Scanner::path() const {
    std::string path;
    for (const Level& level : open_) {
        if (level.object) {
            path += path.empty() ? "" : ".";
            path += level.key;
        } else {
            path += '[' + std::to_string(level.index) + ']';
        }
        if (path.size() > path_bytes_max) {
            return std::string(clipped(path, path_bytes_max)) + "...";
        }
    }
    return path;
}

}  // namespace

std::optional<Place> find_fault(std::string_view text, std::size_t depth_max) {
    return Scanner(text, depth_max).run();
}

}  // namespace tagout::intake::json
