// Sixty-four bytes of a text at a time, sorted into classes: one bit a byte. Where words begin and
// end cannot be foretold, so a loop over bytes spends its time on wrong guesses; over bits, finding
// the next border is one instruction.
//
// Pure. Cost: about 2 instructions a byte with SSE2, 10 without.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tagout::detect {

/// Bit i tells of byte i. A byte of no class parts words: a blank, a bracket, a quote, ...
struct ByteClasses {
    static constexpr std::size_t bytes = 64;

    std::uint64_t letters = 0;  ///< ASCII, either case.
    std::uint64_t digits = 0;
    std::uint64_t joiners = 0;  ///< @ . _ - + stand inside addresses, names and numbers.
    std::uint64_t high = 0;     ///< 0x80 and up: parts of characters beyond ASCII.
};

/// Of the 64 bytes at `block`.
inline ByteClasses classes_of(const char* block) noexcept {
    ByteClasses classes;
#ifdef __SSE2__
    const auto any_of = [](__m128i bytes, auto... signs) {
        __m128i found = _mm_setzero_si128();
        ((found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(signs)))), ...);
        return found;
    };
    const auto within = [](__m128i bytes, char first, char count) {  // as unsigned numbers
        const __m128i from_first = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
        const auto last = _mm_set1_epi8(static_cast<char>(count - 1));
        return _mm_cmpeq_epi8(_mm_min_epu8(from_first, last), from_first);
    };
    const auto bits = [](__m128i bytes) {
        return std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(bytes))};
    };
    for (std::size_t at = 0; at < ByteClasses::bytes; at += 16) {
        const __m128i given = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + at));
        const __m128i lower = _mm_or_si128(given, _mm_set1_epi8(0x20));
        classes.letters |= bits(within(lower, 'a', 26)) << at;
        classes.digits |= bits(within(given, '0', 10)) << at;
        classes.joiners |= bits(any_of(given, '@', '.', '_', '-', '+')) << at;
        classes.high |= bits(given) << at;
    }
#else
    for (std::size_t at = 0; at < ByteClasses::bytes; ++at) {
        const auto byte = static_cast<unsigned char>(block[at]);
        const auto lower = static_cast<unsigned char>(byte | 0x20U);
        const auto bit = [at](bool is) { return std::uint64_t{is} << at; };
        classes.letters |= bit(lower >= 'a' && lower <= 'z');
        classes.digits |= bit(byte >= '0' && byte <= '9');
        classes.joiners |=
            bit(byte == '@' || byte == '.' || byte == '_' || byte == '-' || byte == '+');
        classes.high |= bit(byte >= 0x80);
    }
#endif
    return classes;
}

/// Of text[at, at + 64); what lies behind its end is of no class.
inline ByteClasses classes_at(std::string_view text, std::size_t at) noexcept {
    if (text.size() - at >= ByteClasses::bytes) {
        return classes_of(text.data() + at);
    }
    std::array<char, ByteClasses::bytes> rest{};
    std::memcpy(rest.data(), text.data() + at, text.size() - at);
    return classes_of(rest.data());
}

/// Calls visit(from, to) for each run of bytes whose bits are set in chosen(classes), in order,
/// until it returns false. A run over the border of a block comes in one piece.
template <class Chosen, class Visit>
void for_each_run(std::string_view text, Chosen&& chosen, Visit&& visit) {
    bool inside = false;
    std::size_t from = 0;
    for (std::size_t base = 0; base < text.size(); base += ByteClasses::bytes) {
        // A border is where a bit differs from the one before it.
        const std::uint64_t in = chosen(classes_at(text, base));
        std::uint64_t borders = in ^ ((in << 1) | (inside ? 1U : 0U));
        while (borders != 0) {
            const std::size_t at = base + static_cast<std::size_t>(std::countr_zero(borders));
            borders &= borders - 1;
            if (!inside) {
                from = at;
            } else if (!visit(from, at)) {
                return;
            }
            inside = !inside;
        }
    }
    if (inside) {
        visit(from, text.size());
    }
}

/// Up to eight bytes as one number, the first one lowest, zeros behind their end. Without a loop or
/// a call: short copies of changing length are what hashing words would spend its time on.
inline std::uint64_t number_of(const char* text, std::size_t size) noexcept {
    const auto load = [](const char* at, auto number) {
        std::memcpy(&number, at, sizeof(number));
        return std::uint64_t{number};
    };
    static_assert(std::endian::native == std::endian::little);
    if (size >= 8) {
        return load(text, std::uint64_t{});
    }
    if (size >= 4) {  // two halves that may overlap, in equal bits
        return load(text, std::uint32_t{}) | load(text + size - 4, std::uint32_t{})
                                                 << (8 * (size - 4));
    }
    if (size == 0) {
        return 0;
    }
    return load(text, std::uint8_t{}) | load(text + size / 2, std::uint8_t{}) << (8 * (size / 2)) |
           load(text + size - 1, std::uint8_t{}) << (8 * (size - 1));
}

}  // namespace tagout::detect
