#include "schema/pattern.h"

#include <re2/re2.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

namespace tagout::schema {

namespace {

constexpr std::string_view blanks =
    R"(\x{9}-\x{d}\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff})";
constexpr std::string_view no_blanks =
    R"(\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027})"
    R"(\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff})";
constexpr std::string_view any_but_line_ends = R"([^\n\r\x{2028}\x{2029}])";
constexpr std::string_view anything = R"([\x{0}-\x{10ffff}])";
constexpr std::string_view nothing = R"([^\x{0}-\x{10ffff}])";

struct CategoryName {
    std::string_view words;
    std::string_view letters;
};
constexpr std::array<CategoryName, 36> categories{{
    {"Letter", "L"},
    {"Cased_Letter", "LC"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
}};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// One pass over the pattern; `error_` says why it stopped.
class Translator {
public:
    explicit Translator(std::string_view in) : in_(in) {}

    Result<std::string> run() {
        while (at_ < in_.size() && error_.empty()) {
            const char c = in_[at_];
            if (c == '\\') {
                escape(false);
            } else if (c == '[') {
                character_class();
            } else if (c == '(') {
                group();
            } else {
                if (c == '.') {
                    out_ += any_but_line_ends;
                } else {
                    out_ += c;
                }
                ++at_;
            }
        }
        if (!error_.empty()) {
            return fail(ErrorCode::InvalidArgument, error_);
        }
        return std::move(out_);
    }

private:
    void refuse(std::string_view what) {
        if (error_.empty()) {
            error_ = std::string(what) + " at byte " + std::to_string(at_);
        }
    }

    void code_point(std::uint32_t code) {
        std::array<char, 16> text{};
        std::snprintf(text.data(), text.size(), "\\x{%x}", code);
        out_ += text.data();
    }

    std::optional<std::uint32_t> hex(std::size_t from, std::size_t digits) const {
        if (digits == 0 || digits > 6 || from + digits > in_.size()) {
            return std::nullopt;
        }
        std::uint32_t code = 0;
        for (const char c : in_.substr(from, digits)) {
            const char lower = static_cast<char>(c | 0x20);
            if (!is_digit(c) && (lower < 'a' || lower > 'f')) {
                return std::nullopt;
            }
            code = code * 16 + static_cast<std::uint32_t>(is_digit(c) ? c - '0' : lower - 'a' + 10);
        }
        return code;
    }

    /// \uXXXX, a pair of them, or \u{...}; at_ stands on the backslash.
    void unicode_escape() {
        if (at_ + 2 < in_.size() && in_[at_ + 2] == '{') {
            const std::size_t end = in_.find('}', at_);
            const auto code =
                end == std::string_view::npos ? std::nullopt : hex(at_ + 3, end - at_ - 3);
            if (!code || *code > 0x10ffff) {
                return refuse("\\u{ without a code point");
            }
            code_point(*code);
            at_ = end + 1;
            return;
        }
        const auto code = hex(at_ + 2, 4);
        if (!code) {
            return refuse("\\u without four hex digits");
        }
        at_ += 6;
        if (*code >= 0xd800 && *code < 0xdc00 && in_.substr(at_, 2) == "\\u") {
            const auto low = hex(at_ + 2, 4);
            if (low && *low >= 0xdc00 && *low < 0xe000) {
                at_ += 6;
                return code_point(0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00));
            }
        }
        if (*code >= 0xd800 && *code < 0xe000) {
            return refuse("half of a surrogate pair");
        }
        code_point(*code);
    }

    void property() {
        const std::size_t end = in_.find('}', at_);
        if (at_ + 2 >= in_.size() || in_[at_ + 2] != '{' || end == std::string_view::npos) {
            return refuse("\\p without a {property}");
        }
        std::string_view name = in_.substr(at_ + 3, end - at_ - 3);
        for (const std::string_view prefix :
             {"General_Category=", "gc=", "Script=", "sc=", "Script_Extensions=", "scx="}) {
            if (name.starts_with(prefix)) {
                name.remove_prefix(prefix.size());
                break;
            }
        }
        for (const CategoryName& category : categories) {
            if (category.words == name) {
                name = category.letters;
            }
        }
        if (name == "ASCII") {
            return refuse("a property that RE2 does not know");
        }
        out_ += in_.substr(at_, 2);
        out_.append("{").append(name).append("}");
        at_ = end + 1;
    }

    /// Whether what stands at `at` stands for more than one character: no end of a range.
    [[nodiscard]] bool is_set_escape(std::size_t at) const {
        return at + 1 < in_.size() && in_[at] == '\\' &&
               std::string_view("dDwWsSpP").find(in_[at + 1]) != std::string_view::npos;
    }

    void escape(bool in_class) {
        if (at_ + 1 >= in_.size()) {
            return refuse("a lone backslash");
        }
        const char c = in_[at_ + 1];
        switch (c) {
            case 'd':
            case 'D':
            case 'w':
            case 'W':
            case 't':
            case 'n':
            case 'r':
            case 'f':
            case 'v':
                out_.append("\\").append(1, c);
                at_ += 2;
                return;
            case 's':
            case 'S': {
                const std::string_view set = c == 's' ? blanks : no_blanks;
                out_.append(in_class ? "" : "[").append(set).append(in_class ? "" : "]");
                at_ += 2;
                return;
            }
            case 'b':
            case 'B':
                if (in_class && c == 'b') {
                    code_point(8);
                } else if (in_class) {
                    return refuse("\\B in a class");
                } else {
                    out_.append("\\").append(1, c);
                }
                at_ += 2;
                return;
            case 'u':
                return unicode_escape();
            case 'p':
            case 'P':
                return property();
            default:
                return other_escape(c, in_class);
        }
    }

    void other_escape(char c, bool in_class) {
        if (c == 'x') {
            const auto code = hex(at_ + 2, 2);
            if (!code) {
                return refuse("\\x without two hex digits");
            }
            code_point(*code);
            at_ += 4;
        } else if (c == 'c' && at_ + 2 < in_.size() && is_letter(in_[at_ + 2])) {
            code_point(static_cast<std::uint32_t>(in_[at_ + 2]) & 0x1fU);
            at_ += 3;
        } else if (c == '0' && (at_ + 2 >= in_.size() || !is_digit(in_[at_ + 2]))) {
            code_point(0);
            at_ += 2;
        } else if (is_digit(c) || (c == 'k' && !in_class)) {
            refuse("a back-reference, which RE2 cannot run: write what it repeats");
        } else if (is_letter(c)) {
            refuse("an escape that ECMA-262 does not know: \\" + std::string(1, c));
        } else if (static_cast<unsigned char>(c) < 0x80) {
            out_.append(c == '_' ? "" : "\\").append(1, c);
            at_ += 2;
        } else {
            ++at_;  // the backslash alone goes; the character's bytes follow
        }
    }

    void group() {
        const std::string_view rest = in_.substr(at_);
        if (rest.starts_with("(?=") || rest.starts_with("(?!")) {
            return refuse("a look-ahead, which RE2 cannot run: use allOf, anyOf or not");
        }
        if (rest.starts_with("(?<=") || rest.starts_with("(?<!")) {
            return refuse("a look-behind, which RE2 cannot run: use allOf, anyOf or not");
        }
        if (rest.starts_with("(?:")) {
            out_ += "(?:";
            at_ += 3;
        } else if (rest.starts_with("(?<")) {
            const std::size_t end = rest.find('>');
            if (end == std::string_view::npos) {
                return refuse("a group's name without end");
            }
            out_ += "(";  // its name means nothing without back-references
            at_ += end + 1;
        } else if (rest.starts_with("(?")) {
            refuse("a group that ECMA-262 does not know");
        } else {
            out_ += "(";
            ++at_;
        }
    }

    void character_class() {
        const bool negated = in_.substr(at_).starts_with("[^");
        const std::size_t first = at_ + (negated ? 2 : 1);
        if (first < in_.size() && in_[first] == ']') {
            out_ += negated ? anything : nothing;
            at_ = first + 1;
            return;
        }
        out_ += negated ? "[^" : "[";
        at_ = first;
        bool after_set = true;  // nothing that could begin a range
        while (at_ < in_.size() && in_[at_] != ']' && error_.empty()) {
            const char c = in_[at_];
            if (c == '-') {
                const bool last = at_ + 1 < in_.size() && in_[at_ + 1] == ']';
                const bool literal = after_set || last || is_set_escape(at_ + 1);
                out_ += literal ? "\\-" : "-";
                after_set = literal ? false : after_set;
                ++at_;
                continue;
            }
            after_set = is_set_escape(at_);
            if (c == '\\') {
                escape(true);
            } else {
                out_.append(c == '[' || c == '^' || c == '&' || c == '~' ? "\\" : "").append(1, c);
                ++at_;
            }
        }
        if (at_ >= in_.size()) {
            return refuse("a class without its closing bracket");
        }
        out_ += ']';
        ++at_;
    }

    std::string_view in_;
    std::size_t at_ = 0;
    std::string out_;
    std::string error_;
};

}  // namespace

Result<std::string> translate_pattern(std::string_view ecma) {
    return Translator(ecma).run();
}

Result<Pattern> Pattern::compile(std::string_view ecma, std::size_t bytes_max) {
    const std::string translated = TAGOUT_TRY(translate_pattern(ecma));
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(static_cast<std::int64_t>(bytes_max));
    auto compiled = std::make_shared<const re2::RE2>(translated, options);
    if (!compiled->ok()) {
        return fail(ErrorCode::InvalidArgument, compiled->error());
    }
    Pattern pattern;
    pattern.source_ = ecma;
    pattern.compiled_ = std::move(compiled);
    return pattern;
}

bool Pattern::matches(std::string_view text) const noexcept {
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

}  // namespace tagout::schema
