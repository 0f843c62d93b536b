// The chain and its judgement: every way to tamper with stored rows, each found and named.

#include "journal/journal.h"

#include "journal/chain.h"
#include "journal/metrics.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tagout::journal {
namespace {

/// Rows and head record in the open, for tampering.
struct Rows {
    std::vector<JournalEntry> entries;
    JournalHead head;
    int failures = 0;
    bool commits_while_failing = false;
};

class OpenStore final : public JournalStore {
public:
    explicit OpenStore(Rows& rows) : rows_(rows) {}

    Result<void> append(std::span<const JournalEntry> entries) override {
        const bool failing = rows_.failures > 0;
        if (failing) {
            --rows_.failures;
        }
        if (!failing || rows_.commits_while_failing) {
            rows_.entries.insert(rows_.entries.end(), entries.begin(), entries.end());
            rows_.head = {entries.back().sequence, entries.back().hash};
        }
        if (failing) {
            return fail(ErrorCode::Unavailable, "disk full");
        }
        return {};
    }
    Result<void> read(
        std::uint64_t first, const std::function<bool(const JournalEntry&)>& visit
    ) override {
        for (const JournalEntry& entry : rows_.entries) {
            if (entry.sequence >= first && !visit(entry)) {
                break;
            }
        }
        return {};
    }
    Result<JournalEntry> last() override {
        return rows_.entries.empty() ? JournalEntry{} : rows_.entries.back();
    }
    Result<JournalHead> head() override { return rows_.head; }

private:
    Rows& rows_;
};

const ManualClock test_clock(Instant(std::chrono::seconds(1'800'000'000)));

EntryDraft draft(std::string subject, std::string body = "{}") {
    return {
        .kind = "incident.opened",
        .subject = std::move(subject),
        .actor = Actor("tagout"),
        .reason = "tool.4xx_spike",
        .occurred_at = test_clock.now() - std::chrono::seconds(9),
        .body = std::move(body),
    };
}

std::unique_ptr<Journal> journal_on(Rows& rows) {
    return Journal::open(std::make_unique<OpenStore>(rows), test_clock).value();
}

Rows ten_entries() {
    Rows rows;
    const auto journal = journal_on(rows);
    for (int i = 1; i <= 10; ++i) {
        const EntryDraft one = draft("INC-" + std::to_string(i), "{\"n\":" + std::to_string(i) + "}");
        EXPECT_TRUE(journal->append({&one, 1}).has_value());
    }
    return rows;
}

TEST(Chain, TheEncodingIsFixed) {
    JournalEntry entry;
    entry.sequence = 0x0102;
    entry.recorded_at = Instant(Duration(1));
    entry.previous.fill(0xaa);
    entry.draft = {
        .kind = "k", .subject = "", .actor = Actor("ab"), .reason = "r",
        .occurred_at = Instant(Duration(-2)), .body = "{}",
    };
    std::string want = "tagout.journal.1" + std::string(32, '\xaa');
    want += std::string("\x02\x01\0\0\0\0\0\0", 8) + std::string("\1\0\0\0\0\0\0\0", 8);
    want += std::string("\xfe\xff\xff\xff\xff\xff\xff\xff", 8);
    want += std::string("\1\0\0\0k\0\0\0\0\2\0\0\0ab\1\0\0\0r\2\0\0\0{}", 26);
    EXPECT_EQ(encode(entry), want);
    // Computed apart from this program: python3 hashlib.sha256 over the bytes above.
    EXPECT_EQ(
        to_hex(hash_of(entry)), "5d2ef3cb10227443e7a9e458dc558d28083db5c3f5ed91d84d8bb562bbff7a85"
    );
}

TEST(Chain, NoByteCanMoveBetweenFields) {
    JournalEntry one;
    one.draft.kind = "ab";
    one.draft.subject = "c";
    JournalEntry other;
    other.draft.kind = "a";
    other.draft.subject = "bc";
    EXPECT_NE(to_hex(hash_of(one)), to_hex(hash_of(other)));
}

TEST(Chain, DigestsAreReadBackFromHex) {
    Digest digest{};
    digest[0] = 0x0f;
    digest[31] = 0xa0;
    EXPECT_EQ(digest_of_hex(to_hex(digest)), digest);
    EXPECT_FALSE(digest_of_hex("0f").has_value());
    EXPECT_FALSE(digest_of_hex(std::string(64, 'G')).has_value());
}

TEST(Journal, AnUntouchedChainIsWhole) {
    Rows rows = ten_entries();
    const VerifyReport report = journal_on(rows)->verify().value();
    EXPECT_EQ(report.entries, 10U);
    EXPECT_TRUE(report.faults.empty());
    EXPECT_EQ(to_hex(report.head), to_hex(rows.entries.back().hash));
}

struct Tampering {
    const char* name;
    std::function<void(Rows&)> act;
    std::uint64_t named;  ///< The sequence that the first fault must name.
    const char* says;
};

const Tampering tamperings[] = {
    {"a body was edited", [](Rows& r) { r.entries[4].draft.body = "{}"; }, 5, "altered"},
    {"an actor was edited", [](Rows& r) { r.entries[4].draft.actor = Actor("ann"); }, 5, "altered"},
    {"a time was edited", [](Rows& r) { r.entries[0].recorded_at += Duration(1); }, 1, "altered"},
    {"a time of the event was edited",
     [](Rows& r) { r.entries[9].draft.occurred_at += Duration(1); }, 10, "altered"},
    {"a hash was edited", [](Rows& r) { r.entries[4].hash[0] ^= 1; }, 5, "altered"},
    {"a row was edited and hashed anew",
     [](Rows& r) {
         r.entries[4].draft.reason = "other";
         r.entries[4].hash = hash_of(r.entries[4]);
     },
     5, "replaced"},
    {"a row was removed", [](Rows& r) { r.entries.erase(r.entries.begin() + 4); }, 5, "missing"},
    {"rows in the middle were cut",
     [](Rows& r) { r.entries.erase(r.entries.begin() + 2, r.entries.begin() + 7); }, 3,
     "entries 3 to 7 are missing"},
    {"the first row was removed", [](Rows& r) { r.entries.erase(r.entries.begin()); }, 1, "missing"},
    {"two rows changed places",
     [](Rows& r) {
         std::swap(r.entries[4], r.entries[5]);
         std::swap(r.entries[4].sequence, r.entries[5].sequence);
     },
     5, "altered"},
    {"a row was inserted twice",
     [](Rows& r) { r.entries.insert(r.entries.begin() + 4, r.entries[3]); }, 4, "out of order"},
    {"a row was inserted and the rest renumbered",
     [](Rows& r) {
         r.entries.insert(r.entries.begin() + 4, r.entries[4]);
         for (std::size_t i = 5; i < r.entries.size(); ++i) {
             ++r.entries[i].sequence;
         }
     },
     6, "altered"},
    {"the tail was cut", [](Rows& r) { r.entries.resize(7); }, 8, "entries 8 to 10 are missing"},
    {"everything was cut", [](Rows& r) { r.entries.clear(); }, 1, "missing at the end"},
    {"a well chained row was added behind the head",
     [](Rows& r) {
         JournalEntry entry = r.entries.back();
         ++entry.sequence;
         entry.previous = r.entries.back().hash;
         entry.hash = hash_of(entry);
         r.entries.push_back(entry);
     },
     11, "not covered by the head record"},
    {"the last row was edited and hashed anew",
     [](Rows& r) {
         r.entries[9].draft.reason = "other";
         r.entries[9].hash = hash_of(r.entries[9]);
     },
     10, "head record"},
};

TEST(Journal, EveryTamperingIsFoundAndNamed) {
    for (const Tampering& row : tamperings) {
        SCOPED_TRACE(row.name);
        Rows rows = ten_entries();
        const auto journal = journal_on(rows);
        row.act(rows);
        const VerifyReport report = journal->verify().value();
        ASSERT_FALSE(report.faults.empty());
        EXPECT_EQ(report.faults[0].sequence, row.named) << report.faults[0].what;
        EXPECT_NE(report.faults[0].what.find(row.says), std::string::npos) << report.faults[0].what;
    }
}

TEST(Journal, ReadingNeverHandsOutAnAlteredEntry) {
    Rows rows = ten_entries();
    rows.entries[4].draft.body = "{}";
    const auto journal = journal_on(rows);
    std::vector<std::uint64_t> seen;
    const auto note = [&seen](const JournalEntry& entry) {
        seen.push_back(entry.sequence);
        return true;
    };
    const Result<void> done = journal->read(1, note);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, ErrorCode::Corrupt);
    EXPECT_NE(done.error().message.find("entry 5"), std::string::npos) << done.error().message;
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2, 3, 4}));
    EXPECT_TRUE(journal->read(6, note).has_value()) << "whoever must may go on behind it";
    EXPECT_EQ(seen.size(), 9U);
}

TEST(Journal, AJournalWithADamagedEndIsNotContinued) {
    const std::function<void(Rows&)> acts[] = {
        [](Rows& r) { r.entries[9].draft.body = "x"; },
        [](Rows& r) { r.entries.resize(7); },
        [](Rows& r) { r.entries.clear(); },
        [](Rows& r) { r.head.hash[0] ^= 1; },
    };
    for (const auto& act : acts) {
        Rows rows = ten_entries();
        act(rows);
        const auto opened = Journal::open(std::make_unique<OpenStore>(rows), test_clock);
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().code, ErrorCode::Corrupt);
        EXPECT_NE(opened.error().message.find("tagout journal verify"), std::string::npos);
    }
}

TEST(Journal, AChainGoesOnAfterReopening) {
    Rows rows = ten_entries();
    const EntryDraft one = draft("INC-11");
    const auto stored = journal_on(rows)->append({&one, 1}).value();
    EXPECT_EQ(stored[0].sequence, 11U);
    EXPECT_EQ(to_hex(stored[0].previous), to_hex(rows.entries[9].hash));
    EXPECT_EQ(stored[0].recorded_at, test_clock.now());
    EXPECT_TRUE(journal_on(rows)->verify().value().faults.empty());
}

TEST(Journal, AFailedCommitIsLookedAtBeforeTheChainGoesOn) {
    for (const bool reached_the_disk : {false, true}) {
        SCOPED_TRACE(reached_the_disk);
        Rows rows = ten_entries();
        const auto journal = journal_on(rows);
        const EntryDraft one = draft("INC-11");
        rows.failures = 1;
        rows.commits_while_failing = reached_the_disk;
        EXPECT_EQ(journal->append({&one, 1}).error().code, ErrorCode::Unavailable);
        EXPECT_EQ(journal->append({&one, 1}).value()[0].sequence, reached_the_disk ? 12U : 11U);
        EXPECT_TRUE(journal->verify().value().faults.empty());
    }
}

TEST(Journal, BoundsAreHeld) {
    Rows rows;
    const auto journal = journal_on(rows);
    EXPECT_TRUE(journal->append({}).value().empty());
    const EntryDraft huge = draft("INC-1", std::string(Journal::entry_bytes_max, 'x'));
    EXPECT_EQ(journal->append({&huge, 1}).error().code, ErrorCode::LimitExceeded);
    const std::vector<EntryDraft> many(Journal::batch_entries_max + 1, draft("INC-1"));
    EXPECT_EQ(journal->append(many).error().code, ErrorCode::LimitExceeded);
    EntryDraft nameless = draft("INC-1");
    nameless.kind.clear();
    EXPECT_EQ(journal->append({&nameless, 1}).error().code, ErrorCode::InvalidArgument);
    EXPECT_TRUE(rows.entries.empty());
}

TEST(Journal, WhatItDoesIsCounted) {
    Rows rows;
    MetricRegistry metrics;
    const auto journal =
        Journal::open(std::make_unique<OpenStore>(rows), test_clock, &metrics).value();
    const std::vector<EntryDraft> three(3, draft("INC-1"));
    ASSERT_TRUE(journal->append(three).has_value());
    rows.failures = 1;
    EXPECT_FALSE(journal->append(three).has_value());
    EXPECT_EQ(metrics.counter(entries_total).value(), 3U);
    EXPECT_EQ(metrics.gauge(head_sequence).value(), 3);
    const std::string_view code = "unavailable";
    EXPECT_EQ(metrics.counter(append_failures_total, {&code, 1}).value(), 1U);
}

}  // namespace
}  // namespace tagout::journal
