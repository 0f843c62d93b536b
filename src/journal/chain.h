// The hash chain of the journal: which bytes are hashed, and how a chain is judged.
//
// The encoding is a contract: evidence packs carry it and `tagout evidence verify` needs no server.
// It never changes under this tag; another form would get another tag. All integers are
// little-endian and unpadded.
//
//   offset size  field
//        0   16  the ASCII text "tagout.journal.1"
//       16   32  hash of the entry before (32 zero bytes for sequence 1)
//       48    8  sequence, unsigned
//       56    8  recorded_at: nanoseconds since 1970-01-01T00:00:00Z, two's complement
//       64    8  occurred_at: the same
//       72       kind, subject, actor, reason, body, in this order, each as
//                  4  length in bytes, unsigned
//                  n  the bytes as they are
//
//   hash = SHA-256 (FIPS 180-4) of all of it, taken with OpenSSL EVP.
//
// Lengths stand before their texts, so no two entries share an encoding: moving a byte from one
// field into the next changes the hash.
//
// What the chain proves: no entry up to the head was altered, removed, replaced, inserted or swapped
// since the head's hash was noted. What it cannot prove by itself: that nothing was cut off the end,
// or that the whole file was not written anew. Against the first, the store keeps a head record,
// (sequence, hash) of the newest entry, written in the same transaction: cutting rows alone is
// found. Against someone who rewrites file and head record together only a head noted elsewhere
// helps: VerifyReport.head is made to be exported (evidence packs, notices, the page), and a later
// chain must still contain it.
//
// Cost: about 0.6 us an entry of 500 bytes.
#pragma once

#include "journal/journal.h"
#include "journal/journal_entry.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tagout::journal {

inline constexpr std::string_view chain_tag = "tagout.journal.1";
inline constexpr std::size_t faults_max = 100;  ///< Of one report; the rest is the same story.

/// The bytes above. `entry.hash` is not part of them.
[[nodiscard]] std::string encode(const JournalEntry& entry);
[[nodiscard]] Digest hash_of(const JournalEntry& entry);

/// 64 lower-case hex digits.
[[nodiscard]] std::string to_hex(const Digest& digest);
[[nodiscard]] std::optional<Digest> digest_of_hex(std::string_view hex) noexcept;

/// Confined to its caller's thread. Judges entries that are shown to it in the order in which they
/// were stored, whole journal or a stretch of it; goes on after a fault, so that each is named.
class ChainCheck {
public:
    /// The first entry expected, and the hash of the one before it (zero for sequence 1).
    explicit ChainCheck(std::uint64_t first = 1, const Digest& previous = {});

    /// A head noted earlier: the chain must contain it with this very hash.
    void expect(const JournalHead& noted);
    void observe(const JournalEntry& entry);
    /// The store could not read on: everything from the next expected entry is missing.
    void unreadable(std::string_view why);

    /// `head` is the store's head record as of after the reading: the chain must not end before the
    /// noted head nor after this one.
    [[nodiscard]] VerifyReport finish(const JournalHead& head);

    [[nodiscard]] std::uint64_t next() const noexcept { return next_; }

private:
    void fault(std::uint64_t sequence, std::string what);

    VerifyReport report_;
    std::uint64_t next_;
    Digest previous_;
    JournalHead noted_;
    bool previous_known_ = true;  ///< False behind a gap: then there is nothing to be linked to.
    bool previous_whole_ = true;  ///< The entry before was not itself at fault.
    bool readable_ = true;        ///< The store gave everything that it holds.
};

}  // namespace tagout::journal
