// What every JournalStore must do, as tests. An adapter is given to this suite as a factory;
// whatever is particular to it (files, locks, full disks) is tested beside it. One file of a test
// program includes this and instantiates it for every adapter.
#pragma once

#include "journal/chain.h"
#include "journal/journal.h"
#include "journal/sample_entries.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tagout::journal {

/// Gives an empty store. `reopen` is empty for a store that does not outlive its object.
struct JournalStoreFactory {
    std::string name;
    std::function<std::unique_ptr<JournalStore>()> create;
    std::function<std::unique_ptr<JournalStore>()> reopen;
};

class JournalStoreContract : public testing::TestWithParam<JournalStoreFactory> {
protected:
    std::unique_ptr<JournalStore> store_ = GetParam().create();
};

TEST_P(JournalStoreContract, AnEmptyStoreHasNoLastEntry) {
    EXPECT_EQ(store_->last().value().sequence, 0U);
    EXPECT_EQ(store_->head().value(), JournalHead{});
    EXPECT_TRUE(stored_entries(*store_).empty());
}

TEST_P(JournalStoreContract, WhatIsAppendedIsReadInOrder) {
    const auto first = chained_entries({}, 3);
    const auto second = chained_entries({3, first.back().hash}, 700);
    ASSERT_TRUE(store_->append(first).has_value());
    ASSERT_TRUE(store_->append(second).has_value());
    const auto all = stored_entries(*store_);
    ASSERT_EQ(all.size(), 703U);
    expect_same(all[0], first[0]);
    expect_same(all[2], first[2]);
    expect_same(all[702], second[699]);
    expect_same(store_->last().value(), second.back());
    EXPECT_EQ(store_->head().value(), (JournalHead{703, second.back().hash}));
}

TEST_P(JournalStoreContract, ReadingBeginsWhereItIsTold) {
    ASSERT_TRUE(store_->append(chained_entries({}, 10)).has_value());
    const auto rest = stored_entries(*store_, 8);
    ASSERT_EQ(rest.size(), 3U);
    EXPECT_EQ(rest[0].sequence, 8U);
    EXPECT_TRUE(stored_entries(*store_, 11).empty());
}

TEST_P(JournalStoreContract, AVisitorMayStop) {
    ASSERT_TRUE(store_->append(chained_entries({}, 10)).has_value());
    int visits = 0;
    ASSERT_TRUE(store_->read(1, [&visits](const JournalEntry&) { return ++visits < 4; }).has_value());
    EXPECT_EQ(visits, 4);
}

TEST_P(JournalStoreContract, AVisitorMayReadAndAppend) {
    const auto first = chained_entries({}, 2);
    ASSERT_TRUE(store_->append(first).has_value());
    bool appended = false;
    const Result<void> done = store_->read(1, [&](const JournalEntry&) {
        if (!appended) {
            appended = store_->append(chained_entries({2, first[1].hash}, 1)).has_value();
        }
        return store_->last().has_value();
    });
    ASSERT_TRUE(done.has_value());
    EXPECT_TRUE(appended);
    EXPECT_EQ(store_->last().value().sequence, 3U);
}

TEST_P(JournalStoreContract, ABatchThatDoesNotFollowIsRefusedWhole) {
    const auto first = chained_entries({}, 2);
    ASSERT_TRUE(store_->append(first).has_value());
    EXPECT_FALSE(store_->append(first).has_value()) << "the same batch again";
    EXPECT_FALSE(store_->append(chained_entries({3, first[1].hash}, 2)).has_value()) << "a gap";
    auto mixed = chained_entries({2, first[1].hash}, 3);
    mixed[2].sequence = 9;
    EXPECT_FALSE(store_->append(mixed).has_value()) << "a gap inside";
    EXPECT_EQ(stored_entries(*store_).size(), 2U);
    EXPECT_TRUE(store_->append(chained_entries({2, first[1].hash}, 1)).has_value());
}

TEST_P(JournalStoreContract, BytesAreKeptAsTheyAre) {
    auto entries = chained_entries({}, 1);
    entries[0].draft.body = std::string("{\"a\":\"\0\xff\xfe\"}", 12);
    entries[0].draft.reason = "";
    entries[0].draft.occurred_at = Instant(Duration(-1));
    entries[0].hash = hash_of(entries[0]);
    ASSERT_TRUE(store_->append(entries).has_value());
    expect_same(store_->last().value(), entries[0]);
}

TEST_P(JournalStoreContract, AJournalOnItIsWhole) {
    const ManualClock clock(Instant(std::chrono::seconds(1'800'000'000)));
    auto journal = Journal::open(std::move(store_), clock).value();
    const EntryDraft draft{
        .kind = "incident.opened",
        .subject = "INC-1",
        .actor = Actor("tagout"),
        .reason = "tool.4xx_spike",
        .occurred_at = clock.now(),
        .body = "{}",
    };
    for (int i = 0; i < 20; ++i) {
        const std::vector<EntryDraft> drafts(3, draft);
        ASSERT_TRUE(journal->append(drafts).has_value());
    }
    const VerifyReport report = journal->verify().value();
    EXPECT_EQ(report.entries, 60U);
    EXPECT_TRUE(report.faults.empty()) << report.faults[0].what;
}

TEST_P(JournalStoreContract, WhatWasAppendedOutlivesTheObject) {
    if (!GetParam().reopen) {
        GTEST_SKIP() << "lives in memory";
    }
    const auto entries = chained_entries({}, 5);
    ASSERT_TRUE(store_->append(entries).has_value());
    store_.reset();
    store_ = GetParam().reopen();
    const auto all = stored_entries(*store_);
    ASSERT_EQ(all.size(), 5U);
    expect_same(all[4], entries[4]);
    EXPECT_EQ(store_->head().value(), (JournalHead{5, entries[4].hash}));
}

}  // namespace tagout::journal
