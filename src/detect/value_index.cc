#include "detect/value_index.h"

#include "detect/atoms.h"

#include <algorithm>

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

std::uint64_t prefix_hash(const Atom& atom) noexcept {
    return atom_hash(
        atom.text.substr(0, prefix_bytes), atom.head & mask_of(prefix_bytes), prefix_seed
    );
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
    const std::uint64_t* const table = table_.data();
    const std::size_t mask = table_.size() - 1;
    const std::uint64_t key = hash & hash_bits;
    std::size_t slot = (hash >> 20) & mask;
    while (table[slot] != 0 && (table[slot] & hash_bits) != key) {
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
    grow_at_ = table_.size() / 4 * 3;
    for (const std::uint64_t entry : old) {
        if (entry != 0) {
            table_[slot_of(entry)] = entry;
        }
    }
}

std::uint64_t* ValueIndex::place(std::uint64_t hash, std::size_t entries_max) {
    if (used_ >= std::min(grow_at_, entries_max)) {
        if (used_ < entries_max) {
            grow();
        } else if (used_ >= grow_at_ || table_[slot_of(hash)] == 0) {
            full_ = true;
            return nullptr;
        }
    }
    std::uint64_t& entry = table_[slot_of(hash)];
    const bool fresh = entry == 0;
    entry = fresh ? (hash & hash_bits) | (no_source << source_shift) : entry;
    used_ += fresh ? 1 : 0;
    return &entry;
}

bool ValueIndex::put(std::uint64_t hash, std::uint64_t flags, std::size_t entries_max) {
    std::uint64_t* const entry = place(hash, entries_max);
    if (entry == nullptr) {
        return true;
    }
    const bool known = (*entry & flags) == flags;
    *entry |= flags;
    return !known;
}

void ValueIndex::put_read(
    std::uint64_t hash, std::uint64_t flags, std::size_t source, std::size_t entries_max
) {
    std::uint64_t* const entry = place(hash, entries_max);
    if (entry == nullptr) {
        return;
    }
    const std::size_t known = (*entry >> source_shift) & source_bits;
    const bool earlier = known >= sources_.size() || source >= sources_.size() ||
                         sources_[source].ended_at < sources_[known].ended_at;
    if ((*entry & result_flag) == 0 || earlier) {
        *entry &= ~((source_bits << source_shift) | region_flags);
        *entry |= (source & source_bits) << source_shift;
    } else {
        flags &= ~region_flags;  // it was read before, where no orders stood
    }
    *entry |= flags;
}

void ValueIndex::add_trusted(std::string_view text, TrustedOrigin origin, std::size_t entries_max) {
    const bool user = origin == TrustedOrigin::User;
    const std::uint64_t flag = user ? user_flag : system_flag;
    for_each_atom(text, [&](const Atom& atom) {
        if (atom.text.size() < 3 && !atom.digits) {
            return;
        }
        if (!put(atom_hash(atom.text, atom.head, 0), flag, entries_max)) {
            return;  // as for most words of a long text: its parts and its beginning stand here too
        }
        if (atom.joined || (atom.digits && atom.letters)) {
            for_each_part(atom, [&](std::string_view part) {
                if (part.size() >= 3) {
                    put(atom_hash(part), flag, entries_max);
                }
            });
        }
        if (user && atom.letters) {
            put(prefix_hash(atom), flag, entries_max);
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
            put(prefix_hash(atom), mark, entries_max);
        }
        if (is_worth_keeping(atom)) {
            put_read(atom_hash(atom.text, atom.head, 0), result_flag | mark, number, entries_max);
        }
    });
}

AtomSight ValueIndex::sight_of(const Atom& atom, Instant began) const noexcept {
    AtomSight sight;
    const std::uint64_t entry = look_up(atom_hash(atom.text, atom.head, 0));
    bool trusted = (entry & trusted_flags) != 0;
    if (!trusted && atom.digits) {
        for_each_part(atom, [&](std::string_view part) {
            const bool digits = is_digit(part.back()) && part.size() >= 3;
            trusted = trusted || (digits && (look_up(atom_hash(part)) & trusted_flags) != 0);
        });
    }
    const std::size_t source = (entry >> source_shift) & source_bits;
    const bool read = (entry & result_flag) != 0 && source < sources_.size() &&
                      sources_[source].ended_at <= began;
    sight.identifier = is_identifier(atom);
    if (trusted) {
        sight.origin = ValueOrigin::Trusted;
    } else if (read) {
        sight.origin = ValueOrigin::Result;
        sight.source = static_cast<std::uint32_t>(source);
        sight.near_orders = (entry & orders_flag) != 0;
        sight.near_request = (entry & request_flag) != 0;
    } else if (is_worth_keeping(atom)) {
        sight.origin = ValueOrigin::Nobody;
    }
    return sight;
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
        const AtomSight seen = sight_of(atom, began);
        const bool trusted = seen.origin == ValueOrigin::Trusted;
        const bool read = seen.origin == ValueOrigin::Result;
        const bool identifier = seen.identifier;
        any_trusted = any_trusted || trusted;
        ++kept;
        kept_unseen += !trusted && !read ? 1 : 0;
        if (identifier && !trusted) {
            if (read) {
                const bool first = !copied;
                copied = true;
                if (first || (seen.near_orders && !sight.near_orders)) {
                    sight.source = seen.source;
                    sight.near_orders = seen.near_orders;
                    sight.near_request = seen.near_request;
                }
            } else if (atom.digits || atom.text.find('@') != std::string_view::npos) {
                unseen = true;  // a file name may be made up, a code may not
            }
        } else if (!identifier && !trusted && atom.letters) {
            ++words;
            if (read) {
                ++words_of_result;
                word_source = seen.source;
                word_orders = word_orders || seen.near_orders;
                word_request = word_request || seen.near_request;
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

const ResultSource* ValueIndex::only_source(std::uint64_t atom) const noexcept {
    const std::uint64_t entry = look_up(atom);
    const std::size_t source = (entry >> source_shift) & source_bits;
    const bool read = (entry & result_flag) != 0 && (entry & trusted_flags) == 0;
    return read && source < sources_.size() ? &sources_[source] : nullptr;
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
            if ((entry & result_flag) == 0) {
                put(entry & hash_bits, entry & flag_bits, entries_max);
                continue;
            }
            const std::size_t source = ((entry >> source_shift) & source_bits) + shift;
            put_read(
                entry & hash_bits, entry & flag_bits, std::min(source, no_source), entries_max
            );
        }
    }
    full_ = full_ || other.full_;
}

void ValueIndex::drop() noexcept {
    std::vector<std::uint64_t>().swap(table_);  // an assignment of {} would keep the memory
    std::vector<ResultSource>().swap(sources_);
    used_ = 0;
    grow_at_ = 0;
    full_ = true;
}

}  // namespace tagout::detect
