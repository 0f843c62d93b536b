// JournalEntry: one state change, with who, why and when. The journal is the truth: every other
// state is a fold over its entries and can be dropped and rebuilt.
//
// Entries form a chain: hash = SHA-256 over the previous hash and every other field in the fixed
// encoding of journal/chain.h, so that an altered, missing or swapped row is found and named.
#pragma once

#include "base/clock.h"
#include "domain/vocabulary.h"

#include <array>
#include <cstdint>
#include <string>

namespace tagout::journal {

using Digest = std::array<std::uint8_t, 32>;

/// What a room hands in.
struct EntryDraft {
    std::string kind;     ///< "incident.opened", "notice.delivered": listed in docs/reference/journal.md.
    std::string subject;  ///< What it is about: an incident id, a setting, a token's name.
    Actor actor;
    std::string reason;   ///< In the actor's words, or the rule that acted.
    Instant occurred_at;  ///< When it happened, which may be earlier than when it was recorded.
    std::string body;     ///< A JSON object with the kind's own fields.
};

struct JournalEntry {
    std::uint64_t sequence = 0;  ///< From 1, without gaps.
    Instant recorded_at;
    EntryDraft draft;
    Digest previous{};
    Digest hash{};
};

}  // namespace tagout::journal
