#include "detect/safety/call_values.h"

#include "detect/hash.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr std::size_t short_bytes_max = 40;
constexpr std::size_t short_atoms_max = 3;
constexpr std::size_t hash_digits = 12;
constexpr std::size_t name_hash_digits = 8;
constexpr std::size_t name_bytes_max = 35;  ///< A value's key fits into its facet.

void append_hex(std::uint64_t number, std::size_t digits, std::string& out) {
    for (std::size_t i = 0; i < digits; ++i) {
        out += "0123456789abcdef"[number & 15U];
        number >>= 4U;
    }
}

/// 2024-05-16, 2024-05-16T10
bool begins_as_date(std::string_view text) noexcept {
    return text.size() >= 8 && is_digit(text[0]) && is_digit(text[1]) && is_digit(text[2]) &&
           is_digit(text[3]) && text[4] == '-' && is_digit(text[5]) && is_digit(text[6]) &&
           text[7] == '-';
}

/// 12:30, 9:05:00
bool begins_as_time(std::string_view text) noexcept {
    const std::size_t colon = text.find(':');
    return (colon == 1 || colon == 2) && text.size() >= colon + 3 && is_digit(text[0]) &&
           is_digit(text[colon - 1]) && is_digit(text[colon + 1]) && is_digit(text[colon + 2]);
}

/// A few words or a small number in quotes: the name of something.
bool is_name(const ArgumentValue& value) {
    if (!value.quoted || value.text.size() > short_bytes_max) {
        return false;
    }
    std::size_t atoms = 0;
    for_each_atom(value.text, [&](const Atom&) { ++atoms; });
    return atoms <= short_atoms_max;
}

bool is_telling_part(const Atom& atom) noexcept {
    if (atom.letters) {
        return atom.text.size() >= 3;
    }
    return atom.text.size() <= 3;  // longer ones that are no identifier are dates, times, amounts
}

}  // namespace

void collect_values(
    const ValueIndex& values, const PendingCall& call, std::vector<CallValue>& out
) {
    const auto& sources = values.sources();
    const auto read = std::ranges::find_if(sources, [&](const ResultSource& source) {
        return source.ended_at <= call.began;
    });
    for (std::uint32_t i = 0; i < call.values.size(); ++i) {
        const ArgumentValue& value = call.values[i];
        if (begins_as_date(value.text) || begins_as_time(value.text)) {
            continue;
        }
        const bool name = !call.reads && is_name(value);
        for_each_atom(value.text, [&](const Atom& atom) {
            if (out.size() >= CallValue::values_max || begins_as_date(atom.text)) {
                return;
            }
            AtomSight sight = values.sight_of(atom, call.began);
            if (!sight.identifier && !(name && is_telling_part(atom))) {
                return;
            }
            if (sight.origin == ValueOrigin::Plain) {
                if (atom.letters || read == sources.end()) {
                    return;
                }
                // A number too short to be kept of results, and not the user's: a result's, then.
                sight.origin = ValueOrigin::Result;
                sight.source = static_cast<std::uint32_t>(read - sources.begin());
            }
            out.push_back({i, atom_hash(atom.text, atom.head, 0), sight});
        });
    }
}

std::string_view source_name(ValueOrigin origin) noexcept {
    return origin == ValueOrigin::Trusted  ? "user"
           : origin == ValueOrigin::Result ? "result"
                                           : "nobody";
}

std::string argument_key(std::string_view argument) {
    std::string key(argument);
    for (char& c : key) {
        // Both end the name in a key; what is beyond ASCII must not be cut in the middle.
        c = c == '=' || c == ' ' || static_cast<unsigned char>(c) >= 0x80 ? '_' : c;
    }
    if (key.size() > name_bytes_max) {
        const std::uint64_t hash = hash_of(key);
        key.resize(name_bytes_max - name_hash_digits - 1);
        key += '#';
        append_hex(hash, name_hash_digits, key);
    }
    return key;
}

std::string argument_value_key(std::string_view argument_key, std::uint64_t hash) {
    std::string key(argument_key);
    key += '=';
    append_hex(hash, hash_digits, key);
    return key;
}

}  // namespace tagout::detect
