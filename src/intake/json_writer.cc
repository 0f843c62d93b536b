#include "intake/json_writer.h"

namespace tagout::intake::json {

namespace {

constexpr std::uint8_t none = 0xff;

constexpr std::array<std::uint8_t, 256> digits_of_alphabet(std::string_view alphabet) {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(none);
    for (std::size_t index = 0; index < alphabet.size(); ++index) {
        digits[static_cast<std::uint8_t>(alphabet[index])] = static_cast<std::uint8_t>(index);
    }
    return digits;
}

constexpr auto hex_digits = [] {
    auto digits = digits_of_alphabet("0123456789abcdef");
    for (std::uint8_t index = 0; index < 6; ++index) {
        digits[static_cast<std::size_t>('A' + index)] = static_cast<std::uint8_t>(10 + index);
    }
    return digits;
}();

constexpr auto base64_digits = [] {
    auto digits = digits_of_alphabet(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    );
    digits['-'] = 62;  // the alphabet for URLs, which proto3 JSON takes too
    digits['_'] = 63;
    return digits;
}();

}  // namespace

bool Writer::hex(std::string_view text) {
    if (text.size() % 2 != 0) {
        return false;
    }
    for (std::size_t at = 0; at < text.size(); at += 2) {
        const std::uint8_t high = hex_digits[static_cast<std::uint8_t>(text[at])];
        const std::uint8_t low = hex_digits[static_cast<std::uint8_t>(text[at + 1])];
        if (high == none || low == none) {
            return false;
        }
        out_ += static_cast<char>(high << 4 | low);
    }
    return true;
}

bool Writer::base64(std::string_view text) {
    while (text.ends_with('=')) {
        text.remove_suffix(1);
    }
    if (text.size() % 4 == 1) {
        return false;
    }
    std::uint32_t bits = 0;
    int held = 0;
    for (const char letter : text) {
        const std::uint8_t digit = base64_digits[static_cast<std::uint8_t>(letter)];
        if (digit == none) {
            return false;
        }
        bits = bits << 6 | digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out_ += static_cast<char>(bits >> held);
        }
    }
    return true;
}

}  // namespace tagout::intake::json
