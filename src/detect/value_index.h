// Where the values of a session were seen before a call used them: said by the user, written in the
// system's instructions, or read in a tool's result. "Nobody" is what is left.
//
// Texts are cut into atoms (ORD-1234, a.b@c.com, 2024-05-16, plain words); an atom is kept as a
// 64-bit entry (51 bits of hash, first source, origins), so a kilobyte of result costs about one
// kilobyte. A user's atoms are also kept in parts and as digit runs, because people write "order
// 1234" where the tool wants "ORD-1234".
//
// Thread-compatible. Bounds: entries_max entries (64 KiB at 6,000), 254 results a session; past
// them full() holds and nothing is ever called said by nobody. Cost: about 4 ns a byte added, 20
// ns a value asked.
#pragma once

#include "base/clock.h"
#include "detect/atoms.h"
#include "detect/names.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tagout::detect {

/// Bytes [from, to) of a result that read like orders to an agent, or like a mere request.
struct TextRegion {
    std::size_t from = 0;
    std::size_t to = 0;
    bool orders = true;
};

enum class TrustedOrigin : std::uint8_t { User = 1, System = 2 };

enum class ValueOrigin : std::uint8_t {
    Plain = 0,    ///< Says nothing: short, a plain number, a word of every day.
    Trusted = 1,  ///< The user or the system's instructions named it.
    Result = 2,   ///< Read in an earlier tool result and said by nobody else.
    Nobody = 3,   ///< Looks like an identifier and was never seen.
};

struct ValueSight {
    ValueOrigin origin = ValueOrigin::Plain;
    bool identifier = false;    ///< An address, number or code, not plain words.
    bool near_orders = false;   ///< Its first sight is in a region that reads like orders,
    bool near_request = false;  ///< or in one that asks somebody for something.
    std::uint32_t source = 0;   ///< Index into sources(), for Result.
};

/// Where one atom of a value was seen.
struct AtomSight {
    ValueOrigin origin = ValueOrigin::Plain;  ///< Nobody: not seen, whatever it looks like.
    bool identifier = false;
    bool near_orders = false;
    bool near_request = false;
    std::uint32_t source = 0;  ///< Index into sources(), for Result.
};

struct ResultSource {
    Instant ended_at;
    NameId tool = 0;
    std::uint32_t step = 0;
    bool orders = false;  ///< Text that reads like orders stands somewhere in it.
};

class ValueIndex {
public:
    static constexpr std::size_t sources_max = 254;

    void add_trusted(std::string_view text, TrustedOrigin origin, std::size_t entries_max);
    void add_result(
        std::string_view text, const ResultSource& source, std::span<const TextRegion> orders,
        std::size_t entries_max
    );
    /// Judges a value of a call that began at `began`: results that ended later do not count.
    /// Of a `target` (an address, a recipient) plain words count as well: none seen means nobody.
    [[nodiscard]] ValueSight find(std::string_view value, Instant began, bool target = false)
        const noexcept;
    /// The same of one atom of the value, such as for_each_atom() gives. Atoms too short to be kept
    /// of results are Plain, unless the user or the system named them as a number.
    [[nodiscard]] AtomSight sight_of(const Atom& atom, Instant began) const noexcept;
    /// Whether words that begin with the five bytes of `prefix` (lower case) were used by the user,
    /// ...
    [[nodiscard]] bool user_said(std::string_view prefix) const noexcept;
    /// ... or in a result's text that orders or requests something.
    [[nodiscard]] bool result_requested(std::string_view prefix) const noexcept;

    /// Whether the atom with this atom_hash() was read or told at all.
    [[nodiscard]] bool has(std::uint64_t atom) const noexcept { return look_up(atom) != 0; }
    /// The result that told it first; null if none did, or the user or the system named it, too.
    [[nodiscard]] const ResultSource* only_source(std::uint64_t atom) const noexcept;

    [[nodiscard]] const std::vector<ResultSource>& sources() const noexcept { return sources_; }
    [[nodiscard]] bool empty() const noexcept { return used_ == 0; }
    [[nodiscard]] bool full() const noexcept { return full_; }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return table_.capacity() * sizeof(std::uint64_t) +
               sources_.capacity() * sizeof(ResultSource);
    }
    /// Adds what `other` has; its sources come behind ours.
    void merge(const ValueIndex& other, std::size_t entries_max);
    /// Forgets everything and stays full: nothing can be told of this session's values any more.
    void drop() noexcept;

private:
    /// The entry of `hash`, made if there is none; null if there is no room for it.
    [[nodiscard]] std::uint64_t* place(std::uint64_t hash, std::size_t entries_max);
    /// False if the flags stood there already.
    bool put(std::uint64_t hash, std::uint64_t flags, std::size_t entries_max);
    /// Of what stands in a result: keeps the earliest source.
    void put_read(
        std::uint64_t hash, std::uint64_t flags, std::size_t source, std::size_t entries_max
    );
    [[nodiscard]] std::uint64_t look_up(std::uint64_t hash) const noexcept;
    [[nodiscard]] std::size_t slot_of(std::uint64_t hash) const noexcept;
    void grow();

    std::vector<std::uint64_t> table_;  ///< Open addressing, 0 is free; size is a power of two.
    std::vector<ResultSource> sources_;
    std::size_t used_ = 0;
    std::size_t grow_at_ = 0;  ///< Three quarters of the slots.
    bool full_ = false;
};

}  // namespace tagout::detect
