#include "store/memory/journal_store.h"

#include <gtest/gtest.h>

namespace tagout::journal {
namespace {

TEST(MemoryJournalStore, AFailedAppendLeavesTheChainAsItWas) {
    const ManualClock clock(Instant(std::chrono::seconds(1'800'000'000)));
    auto owned = std::make_unique<store::MemoryJournalStore>();
    store::MemoryJournalStore& store = *owned;
    auto journal = Journal::open(std::move(owned), clock).value();
    const std::vector<EntryDraft> drafts(
        2, {.kind = "a", .subject = "s", .actor = Actor("x"), .reason = "r",
         .occurred_at = clock.now(), .body = "{}"}
    );
    ASSERT_TRUE(journal->append(drafts).has_value());
    store.fail_appends(1);
    EXPECT_EQ(journal->append(drafts).error().code, ErrorCode::Unavailable);
    EXPECT_EQ(journal->append(drafts).value().front().sequence, 3U);
    EXPECT_TRUE(journal->verify().value().faults.empty());
}

}  // namespace
}  // namespace tagout::journal
