// Well chained journal entries for tests, and what tests ask of stored ones.
#pragma once

#include "journal/chain.h"
#include "journal/journal.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tagout::journal {

/// `count` chained entries behind `head`.
inline std::vector<JournalEntry> chained_entries(JournalHead head, std::size_t count) {
    std::vector<JournalEntry> entries;
    for (std::size_t i = 0; i < count; ++i) {
        JournalEntry entry;
        entry.sequence = head.sequence + 1;
        entry.recorded_at = Instant(std::chrono::seconds(1'800'000'000 + entry.sequence));
        entry.draft = {
            .kind = "incident.noted",
            .subject = "INC-" + std::to_string(entry.sequence),
            .actor = Actor("person:ann"),
            .reason = "what was seen, in words: caf\xc3\xa9",
            .occurred_at = entry.recorded_at - std::chrono::minutes(5),
            .body = R"({"text":"note )" + std::to_string(entry.sequence) + "\"}",
        };
        entry.previous = head.hash;
        entry.hash = hash_of(entry);
        head = {entry.sequence, entry.hash};
        entries.push_back(std::move(entry));
    }
    return entries;
}

inline std::vector<JournalEntry> stored_entries(JournalStore& store, std::uint64_t first = 1) {
    std::vector<JournalEntry> entries;
    const Result<void> done = store.read(first, [&entries](const JournalEntry& entry) {
        entries.push_back(entry);
        return true;
    });
    EXPECT_TRUE(done.has_value()) << done.error().message;
    return entries;
}

inline void expect_same(const JournalEntry& got, const JournalEntry& want) {
    EXPECT_EQ(got.sequence, want.sequence);
    EXPECT_EQ(to_hex(got.hash), to_hex(want.hash));
    EXPECT_EQ(encode(got), encode(want)) << "entry " << want.sequence;
}

}  // namespace tagout::journal
