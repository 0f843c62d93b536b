#include "detect/arguments.h"

#include "detect/hash.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

namespace tagout::detect {

namespace {

constexpr bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/// A value as two people would write it alike: letters in lower case and digits, without the rest.
std::uint64_t near_hash(std::string_view raw) noexcept {
    while (!raw.empty() && is_blank(raw.front())) {
        raw.remove_prefix(1);
    }
    while (!raw.empty() && is_blank(raw.back())) {
        raw.remove_suffix(1);
    }
    double number = 0;
    const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
    if (error == std::errc() && end == raw.data() + raw.size()) {
        return std::bit_cast<std::uint64_t>(number + 0.0) | 1U;  // never what an empty value has
    }
    for (const std::string_view prefix : {"https://", "http://", "www."}) {
        if (raw.starts_with(prefix)) {
            raw.remove_prefix(prefix.size());
        }
    }
    std::array<char, ArgumentDigest::normal_bytes_max> normal;
    std::size_t size = 0;
    for (std::size_t i = 0; i < raw.size() && size < normal.size(); ++i) {
        const char c = raw[i];
        const auto lower = static_cast<char>(c | 0x20);
        const bool escape = c == '\\' && i + 1 < raw.size();
        if ((lower >= 'a' && lower <= 'z') || (static_cast<unsigned char>(c) & 0x80U) != 0) {
            normal[size++] = (static_cast<unsigned char>(c) & 0x80U) != 0 ? c : lower;
        } else if ((c >= '0' && c <= '9') || c == '@') {
            normal[size++] = c;
        } else if (escape) {
            ++i;  // a blank or a sign, for all that matters here
        }
    }
    return size == 0 ? 0 : hash_of({normal.data(), size}, 5);
}

/// Appends `code` as UTF-8; surrogates come as two escapes and stay as '?': values are compared,
/// not shown.
void append_code(std::uint32_t code, std::string& out) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xc0 | (code >> 6));
        out += static_cast<char>(0x80 | (code & 0x3f));
    } else if (code >= 0xd800 && code < 0xe000) {
        out += '?';
    } else {
        out += static_cast<char>(0xe0 | (code >> 12));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
    }
}

std::string unescaped(std::string_view raw, std::size_t bytes_max) {
    std::string out;
    for (std::size_t i = 0; i < raw.size() && out.size() < bytes_max; ++i) {
        if (raw[i] != '\\' || i + 1 >= raw.size()) {
            out += raw[i];
            continue;
        }
        const char next = raw[++i];
        switch (next) {
            case 'n':
            case 't':
            case 'r':
            case 'b':
            case 'f':
                out += ' ';
                break;
            case 'u': {
                std::uint32_t code = 0;
                std::size_t digits = 0;
                while (digits < 4 && i + 1 < raw.size()) {
                    const char c = raw[i + 1];
                    const bool digit = c >= '0' && c <= '9';
                    const char lower = static_cast<char>(c | 0x20);
                    if (!digit && (lower < 'a' || lower > 'f')) {
                        break;
                    }
                    code =
                        code * 16 + static_cast<std::uint32_t>(digit ? c - '0' : lower - 'a' + 10);
                    ++i;
                    ++digits;
                }
                append_code(code, out);
                break;
            }
            default:
                out += next;
        }
    }
    return out;
}

constexpr std::array target_names{
    std::string_view{"addr"},
    std::string_view{"street"},
    std::string_view{"city"},
    std::string_view{"recip"},
    std::string_view{"payee"},
    std::string_view{"benef"},
    std::string_view{"iban"},
    std::string_view{"account"},
    std::string_view{"destin"},
    std::string_view{"phone"},
    std::string_view{"postal"},
    std::string_view{"zip"},
    std::string_view{"email"},
    std::string_view{"contact"},
    std::string_view{"passport"},
};

bool is_target(std::string_view name) {
    std::string lower(name.substr(0, 60));
    for (char& c : lower) {
        c = static_cast<char>(c | 0x20);
    }
    return lower == "to" || std::ranges::any_of(target_names, [&](std::string_view part) {
               return lower.find(part) != std::string::npos;
           });
}

/// Reads one JSON value after the other, lenient: at nonsense it takes the rest as one bare text.
class Reader {
public:
    Reader(std::string_view text, const ArgumentLimits& limits, std::vector<ArgumentValue>* out)
        : text_(text), limits_(limits), out_(out) {}

    Reader(std::string_view text, const ArgumentLimits& limits, ArgumentDigest& digest)
        : text_(text), limits_(limits), out_(nullptr), digest_(&digest) {}

    std::uint64_t read() {
        skip_blanks();
        const std::size_t start = at_;
        const std::uint64_t hash = value("", 0);
        skip_blanks();
        if (at_ < text_.size()) {  // not JSON after all
            std::string_view rest = text_.substr(start);
            while (!rest.empty() && is_blank(rest.back())) {
                rest.remove_suffix(1);
            }
            at_ = text_.size();
            if (out_ != nullptr && values_ == 0) {
                keep("", rest, false);
            }
            if (digest_ != nullptr) {
                *digest_ = {.exact = hash_of(rest), .near = near_hash(rest)};
            }
            return hash_of(rest);
        }
        if (digest_ != nullptr) {
            digest_->exact = hash;
            digest_->near = near_;
        }
        return hash;
    }

private:
    void skip_blanks() {
        while (at_ < text_.size() && is_blank(text_[at_])) {
            ++at_;
        }
    }
    [[nodiscard]] bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }

    void keep(std::string_view name, std::string_view raw, bool quoted) {
        if (out_ != nullptr && values_ < limits_.values_max && !raw.empty()) {
            ++values_;
            out_->push_back(
                {std::string(name.substr(0, limits_.name_bytes_max)),
                 unescaped(raw, limits_.value_bytes_max),
                 quoted,
                 is_target(name)}
            );
        }
    }

    /// The raw text between quotes; an unclosed one ends with the text.
    std::string_view quoted_text() {
        const std::size_t start = ++at_;
        while (at_ < text_.size() && text_[at_] != '"') {
            at_ += text_[at_] == '\\' ? 2 : 1;
        }
        at_ = std::min(at_, text_.size());
        const std::string_view raw = text_.substr(start, at_ - start);
        if (at_ < text_.size()) {
            ++at_;
        }
        return raw;
    }

    std::uint64_t value(std::string_view name, std::size_t depth) {
        if (next_is('"')) {
            const std::string_view raw = quoted_text();
            keep(name, raw, true);
            near_ = digest_ != nullptr ? near_hash(raw) : 0;
            return hash_of(raw, 1);
        }
        if ((next_is('{') || next_is('[')) && depth < limits_.depth_max) {
            return next_is('{') ? object(depth) : array(name, depth);
        }
        const std::size_t start = at_;
        while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '}' && text_[at_] != ']') {
            ++at_;
        }
        std::string_view raw = text_.substr(start, at_ - start);
        while (!raw.empty() && is_blank(raw.back())) {
            raw.remove_suffix(1);
        }
        keep(name, raw, false);
        near_ = digest_ == nullptr || raw == "null" ? 0 : near_hash(raw);
        return hash_of(raw, 2);
    }

    std::uint64_t object(std::size_t depth) {
        ++at_;
        std::uint64_t hash = 3;
        std::uint64_t near = 0;
        skip_blanks();
        while (at_ < text_.size() && !next_is('}')) {
            std::string_view name;
            if (next_is('"')) {
                name = quoted_text();
            }
            skip_blanks();
            if (next_is(':')) {
                ++at_;
                skip_blanks();
            }
            const std::size_t before = at_;
            near_ = 0;
            hash += combine(hash_of(name, 3), value(name, depth + 1));  // a sum: order is no matter
            near += near_ == 0 ? 0 : note_field(combine(near_hash(name), near_), depth);
            skip_blanks();
            if (next_is(',')) {
                ++at_;
                skip_blanks();
            } else if (at_ == before && !next_is('}')) {
                ++at_;  // nonsense: a byte of progress at least
            }
        }
        if (at_ < text_.size()) {
            ++at_;
        }
        near_ = near;
        return hash;
    }

    std::uint64_t note_field(std::uint64_t field, std::size_t depth) noexcept {
        if (digest_ != nullptr && depth == 0) {
            std::uint8_t& count = digest_->fields_count;
            if (count < ArgumentDigest::fields_max) {
                digest_->fields[count] = static_cast<std::uint16_t>(field);
            }
            count = static_cast<std::uint8_t>(std::min(count + 1, 255));
        }
        return field;
    }

    std::uint64_t array(std::string_view name, std::size_t depth) {
        ++at_;
        std::uint64_t hash = 4;
        std::uint64_t near = 0;
        skip_blanks();
        while (at_ < text_.size() && !next_is(']')) {
            const std::size_t before = at_;
            near_ = 0;
            hash = combine(hash, value(name, depth + 1));
            near = near_ == 0 ? near : combine(near, near_);
            skip_blanks();
            if (next_is(',')) {
                ++at_;
                skip_blanks();
            } else if (at_ == before && !next_is(']')) {
                ++at_;
            }
        }
        if (at_ < text_.size()) {
            ++at_;
        }
        near_ = near;
        return hash;
    }

    std::string_view text_;
    const ArgumentLimits& limits_;
    std::vector<ArgumentValue>* out_;
    ArgumentDigest* digest_ = nullptr;
    std::uint64_t near_ = 0;  ///< Of the value read last; 0: it is empty.
    std::size_t at_ = 0;
    std::size_t values_ = 0;
};

}  // namespace

std::uint64_t hash_arguments(std::string_view json) noexcept {
    const ArgumentLimits limits;
    return Reader(json, limits, nullptr).read();
}

std::uint32_t near_hash_of(std::string_view value) noexcept {
    const std::uint64_t hash = near_hash(value);
    return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

ArgumentDigest digest_arguments(std::string_view json) noexcept {
    const ArgumentLimits limits;
    ArgumentDigest digest;
    Reader(json, limits, digest).read();
    return digest;
}

void read_values(
    std::string_view json, const ArgumentLimits& limits, std::vector<ArgumentValue>& out
) {
    Reader(json, limits, &out).read();
}

}  // namespace tagout::detect
