// What a session's calls are judged by: where its values were seen, read when somebody asks.
//
// Only calls that change or send something, or may, are asked about, and many sessions have none:
// for them a text costs a copy instead of an index of its words. What waits is kept in the order in
// which it came, so reading it late gives the very same index.
//
// Thread-compatible. Bounds: those of ValueIndex; unread_bytes_max of text waits, then it is read.
// Cost: a copy of each text, and at the first question what ValueIndex says.
#pragma once

#include "base/assert.h"
#include "detect/value_index.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace tagout::detect {

class SessionValues {
public:
    static constexpr std::size_t unread_bytes_max = 8 * 1024;

    void add_trusted(std::string_view text, TrustedOrigin origin, std::size_t entries_max);
    void add_result(
        std::string_view text, const ResultSource& source, std::span<const TextRegion> orders,
        std::size_t entries_max
    );
    /// Reads what waits: to be called before index() is.
    void read(std::size_t entries_max);
    [[nodiscard]] const ValueIndex& index() const {
        TAGOUT_ASSERT(unread_.empty(), "texts are read before the index is asked");
        return index_;
    }
    /// Memory beyond the object itself: none before the first text and none after drop(), because
    /// the stage adds differences of this up and takes the whole away at the end.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return index_.bytes() + unread_.capacity() * sizeof(Unread) + text_bytes_ +
               regions_.capacity() * sizeof(TextRegion);
    }
    /// Adds what `other` has, which must be read already.
    void merge(const SessionValues& other, std::size_t entries_max);
    /// Forgets everything, for good, as ValueIndex::drop() does.
    void drop() noexcept;

private:
    /// A copy of its own for each text: one string of them all would be twice as large as it need be
    /// and be copied again with every other text, and a million sessions wait.
    struct Unread {
        std::unique_ptr<char[]> text;
        std::uint32_t bytes = 0;
        std::uint32_t regions = 0;  ///< Of regions_, behind those of the ones before.
        bool trusted = false;       ///< By `origin`; else it is the result of `source`.
        TrustedOrigin origin = TrustedOrigin::User;
        ResultSource source;
    };

    static constexpr std::size_t unread_usual = 4;  ///< Room for so many is made at once.

    void forget_unread() noexcept;
    void wait(Unread what, std::string_view text, std::size_t entries_max);

    ValueIndex index_;
    std::vector<Unread> unread_;
    std::size_t text_bytes_ = 0;  ///< Of all that is unread.
    std::vector<TextRegion> regions_;
};

}  // namespace tagout::detect
