#include "detect/value_index.h"

#include "detect/hash.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace tagout::detect {

namespace {

constexpr std::uint64_t user_flag = 1;
constexpr std::uint64_t system_flag = 2;
constexpr std::uint64_t result_flag = 4;
constexpr std::uint64_t orders_flag = 8;
constexpr std::uint64_t request_flag = 16;
constexpr std::uint64_t region_flags = orders_flag | request_flag;
constexpr std::uint64_t trusted_flags = user_flag | system_flag;
constexpr std::uint64_t flag_bits = 0x1f;
constexpr std::uint64_t source_shift = 5;
constexpr std::uint64_t source_bits = 0xff;
constexpr std::uint64_t hash_bits = ~std::uint64_t{0x1fff};
constexpr std::size_t no_source = ValueIndex::sources_max;
constexpr std::size_t slots_min = 64;
constexpr std::size_t atoms_of_value_max = 12;
constexpr std::uint64_t prefix_seed = 77;
constexpr std::size_t prefix_bytes = 5;

enum CharClass : std::uint8_t { Gap = 0, Letter = 1, Digit = 2, Joiner = 3 };

constexpr auto char_classes = [] {
    std::array<std::uint8_t, 256> table{};
    for (int c = 0; c < 256; ++c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
        const bool digit = c >= '0' && c <= '9';
        const bool joiner = c == '@' || c == '.' || c == '_' || c == '-' || c == '+';
        table[static_cast<std::size_t>(c)] = letter   ? Letter
                                             : digit  ? Digit
                                             : joiner ? Joiner
                                                      : Gap;
    }
    return table;
}();

std::uint8_t class_of(char c) noexcept {
    return char_classes[static_cast<std::uint8_t>(c)];
}

/// A cut of text between gaps: no joiner at either end.
struct Atom {
    std::string_view text;
    std::size_t at = 0;
    bool digits = false;
    bool letters = false;
    bool joined = false;
};

/// Hash of an atom, blind to ASCII case: eight bytes a step, like wyhash's short path.
std::uint64_t atom_hash(std::string_view text, std::uint64_t seed = 0) noexcept {
    constexpr std::uint64_t lower = 0x2020202020202020ULL;
    std::uint64_t hash = 0x8a5cd789635d2dffULL ^ (text.size() * 0x9e3779b97f4a7c15ULL) ^ seed;
    const char* at = text.data();
    std::size_t left = text.size();
    while (left > 0) {
        std::uint64_t word = 0;
        const std::size_t bytes = std::min<std::size_t>(left, 8);
        std::memcpy(&word, at, bytes);
        word |= lower >> (8 * (8 - bytes));
        hash = combine(hash, word);
        at += bytes;
        left -= bytes;
    }
    return hash;
}

template <class Visit>
void for_each_atom(std::string_view text, Visit&& visit) {
    std::size_t i = 0;
    const std::size_t size = text.size();
    while (i < size) {
        while (i < size && (class_of(text[i]) == Gap || class_of(text[i]) == Joiner)) {
            ++i;
        }
        if (i == size) {
            return;
        }
        const std::size_t start = i;
        unsigned seen = 0;
        while (i < size) {
            const std::uint8_t kind = class_of(text[i]);
            if (kind == Gap) {
                break;
            }
            seen |= 1U << kind;
            ++i;
        }
        std::size_t end = i;
        while (class_of(text[end - 1]) == Joiner) {
            --end;
        }
        Atom atom{
            text.substr(start, end - start),
            start,
            (seen & (1U << Digit)) != 0,
            (seen & (1U << Letter)) != 0,
            (seen & (1U << Joiner)) != 0};
        visit(atom);
    }
}

/// Pieces between joiners, and runs of at least three digits.
template <class Visit>
void for_each_part(const Atom& atom, Visit&& visit) {
    std::size_t start = 0;
    for (std::size_t i = 0; i <= atom.text.size(); ++i) {
        if (i == atom.text.size() || class_of(atom.text[i]) == Joiner) {
            if (i > start && i - start < atom.text.size()) {
                visit(atom.text.substr(start, i - start));
            }
            start = i + 1;
        }
    }
    std::size_t run = 0;
    for (std::size_t i = 0; i <= atom.text.size(); ++i) {
        if (i < atom.text.size() && class_of(atom.text[i]) == Digit) {
            ++run;
            continue;
        }
        if (run >= 3 && run < atom.text.size()) {
            visit(atom.text.substr(i - run, run));
        }
        run = 0;
    }
}

bool is_worth_keeping(const Atom& atom) noexcept {
    return atom.text.size() >= 4 || (atom.digits && atom.text.size() >= 3);
}

/// Addresses, codes and long numbers: what cannot be thought up, only copied.
bool is_identifier(const Atom& atom) noexcept {
    if (atom.text.find('@') != std::string_view::npos) {
        return atom.text.size() >= 5;
    }
    if (atom.digits && atom.letters) {
        return atom.text.size() >= 5;
    }
    if (atom.digits) {
        return !atom.joined &&
               atom.text.size() >= 6;  // dates and amounts are worked out, not copied
    }
    return atom.joined && atom.text.find('.') != std::string_view::npos && atom.text.size() >= 7;
}

}  // namespace

std::size_t ValueIndex::slot_of(std::uint64_t hash) const noexcept {
    const std::size_t mask = table_.size() - 1;
    const std::uint64_t key = hash & hash_bits;
    std::size_t slot = (hash >> 20) & mask;
    while (table_[slot] != 0 && (table_[slot] & hash_bits) != key) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

std::uint64_t ValueIndex::look_up(std::uint64_t hash) const noexcept {
    return table_.empty() ? 0 : table_[slot_of(hash)];
}

void ValueIndex::grow() {
    std::vector<std::uint64_t> old(std::max(slots_min, table_.size() * 2), 0);
    old.swap(table_);
    for (const std::uint64_t entry : old) {
        if (entry != 0) {
            table_[slot_of(entry)] = entry;
        }
    }
}

void ValueIndex::put(
    std::uint64_t hash, std::uint64_t flags, std::size_t source, std::size_t entries_max
) {
    if (used_ * 4 >= table_.size() * 3) {
        if (used_ >= entries_max) {
            full_ = true;
            return;
        }
        grow();
    }
    std::uint64_t& entry = table_[slot_of(hash)];
    if (entry == 0) {
        if (used_ >= entries_max) {
            full_ = true;
            return;
        }
        entry = (hash & hash_bits) | (no_source << source_shift);
        ++used_;
    }
    if ((flags & result_flag) != 0) {
        const std::size_t known = (entry >> source_shift) & source_bits;
        const bool earlier = known >= sources_.size() || source >= sources_.size() ||
                             sources_[source].ended_at < sources_[known].ended_at;
        if ((entry & result_flag) == 0 || earlier) {
            entry &= ~((source_bits << source_shift) | region_flags);
            entry |= (source & source_bits) << source_shift;
        } else {
            flags &= ~region_flags;  // it was read before, where no orders stood
        }
    }
    entry |= flags;
}

void ValueIndex::add_trusted(std::string_view text, TrustedOrigin origin, std::size_t entries_max) {
    const bool user = origin == TrustedOrigin::User;
    const std::uint64_t flag = user ? user_flag : system_flag;
    for_each_atom(text, [&](const Atom& atom) {
        if (atom.text.size() < 3) {
            return;
        }
        put(atom_hash(atom.text), flag, no_source, entries_max);
        if (atom.joined || (atom.digits && atom.letters)) {
            for_each_part(atom, [&](std::string_view part) {
                if (part.size() >= 3) {
                    put(atom_hash(part), flag, no_source, entries_max);
                }
            });
        }
        if (user && atom.letters && atom.text.size() >= 3) {
            put(atom_hash(atom.text.substr(0, prefix_bytes), prefix_seed),
                flag,
                no_source,
                entries_max);
        }
    });
}

void ValueIndex::add_result(
    std::string_view text, const ResultSource& source, std::span<const TextRegion> orders,
    std::size_t entries_max
) {
    std::size_t number = no_source;
    if (sources_.size() < sources_max) {
        number = sources_.size();
        sources_.push_back(source);
    } else {
        full_ = true;
        return;
    }
    std::size_t region = 0;
    for_each_atom(text, [&](const Atom& atom) {
        if (atom.text.size() < 3) {
            return;
        }
        while (region < orders.size() && orders[region].to <= atom.at) {
            ++region;
        }
        const bool inside = region < orders.size() && orders[region].from <= atom.at;
        const std::uint64_t mark = !inside ? 0 : orders[region].orders ? orders_flag : request_flag;
        if (inside && atom.letters) {
            const std::string_view prefix = atom.text.substr(0, prefix_bytes);
            put(atom_hash(prefix, prefix_seed), mark, no_source, entries_max);
        }
        if (is_worth_keeping(atom)) {
            put(atom_hash(atom.text), result_flag | mark, number, entries_max);
        }
    });
}

ValueSight ValueIndex::find(std::string_view value, Instant began, bool target) const noexcept {
    ValueSight sight;
    std::size_t atoms = 0;
    std::size_t words = 0;
    std::size_t words_of_result = 0;
    std::uint32_t word_source = 0;
    bool word_orders = false;
    bool word_request = false;
    bool unseen = false;
    bool copied = false;
    bool any_trusted = false;
    std::size_t kept = 0;
    std::size_t kept_unseen = 0;
    for_each_atom(value, [&](const Atom& atom) {
        if (++atoms > atoms_of_value_max || !is_worth_keeping(atom)) {
            return;
        }
        std::uint64_t entry = look_up(atom_hash(atom.text));
        bool trusted = (entry & trusted_flags) != 0;
        if (!trusted && atom.digits) {
            for_each_part(atom, [&](std::string_view part) {
                const bool digits = class_of(part.back()) == Digit && part.size() >= 3;
                trusted = trusted || (digits && (look_up(atom_hash(part)) & trusted_flags) != 0);
            });
        }
        const std::size_t source = (entry >> source_shift) & source_bits;
        const bool read = (entry & result_flag) != 0 && source < sources_.size() &&
                          sources_[source].ended_at <= began;
        const bool identifier = is_identifier(atom);
        any_trusted = any_trusted || trusted;
        ++kept;
        kept_unseen += !trusted && !read ? 1 : 0;
        if (identifier && !trusted) {
            if (read) {
                const bool first = !copied;
                copied = true;
                const bool orders = (entry & orders_flag) != 0;
                if (first || (orders && !sight.near_orders)) {
                    sight.source = static_cast<std::uint32_t>(source);
                    sight.near_orders = orders;
                    sight.near_request = (entry & request_flag) != 0;
                }
            } else if (atom.digits || atom.text.find('@') != std::string_view::npos) {
                unseen = true;  // a file name may be made up, a code may not
            }
        } else if (!identifier && !trusted && atom.letters) {
            ++words;
            if (read) {
                ++words_of_result;
                word_source = static_cast<std::uint32_t>(source);
                word_orders = word_orders || (entry & orders_flag) != 0;
                word_request = word_request || (entry & request_flag) != 0;
            }
        }
    });
    if (copied) {
        sight.origin = ValueOrigin::Result;
        sight.identifier = true;
    } else if (target && kept >= 2 && kept_unseen == kept) {
        sight.origin = full_ ? ValueOrigin::Plain : ValueOrigin::Nobody;
    } else if (unseen) {
        sight.origin = full_ ? ValueOrigin::Plain : ValueOrigin::Nobody;
        sight.identifier = true;
    } else if (words > 0 && words_of_result == words && words * 2 >= std::min(atoms, words + 2)) {
        sight.origin = ValueOrigin::Result;
        sight.source = word_source;
        sight.near_orders = word_orders;
        sight.near_request = word_request;
    } else if (any_trusted) {
        sight.origin = ValueOrigin::Trusted;
    }
    return sight;
}

bool ValueIndex::user_said(std::string_view prefix) const noexcept {
    return (look_up(atom_hash(prefix.substr(0, prefix_bytes), prefix_seed)) & user_flag) != 0;
}

bool ValueIndex::result_requested(std::string_view prefix) const noexcept {
    return (look_up(atom_hash(prefix.substr(0, prefix_bytes), prefix_seed)) & region_flags) != 0;
}

void ValueIndex::merge(const ValueIndex& other, std::size_t entries_max) {
    const std::size_t shift = sources_.size();
    for (const ResultSource& source : other.sources_) {
        if (sources_.size() < sources_max) {
            sources_.push_back(source);
        }
    }
    for (const std::uint64_t entry : other.table_) {
        if (entry != 0) {
            const std::size_t source = ((entry >> source_shift) & source_bits) + shift;
            put(entry & hash_bits, entry & flag_bits, std::min(source, no_source), entries_max);
        }
    }
    full_ = full_ || other.full_;
}

void ValueIndex::drop() noexcept {
    table_ = {};
    sources_ = {};
    used_ = 0;
    full_ = true;
}

}  // namespace tagout::detect
