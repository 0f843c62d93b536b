#include "contain/fleet/fleet_book.h"

#include "incident/memory_journal.h"

#include <gtest/gtest.h>

namespace tagout::contain::fleet {
namespace {

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 56));
const By ann{Actor("person:ann"), "a gateway beside the shop"};

class FleetBookTest : public testing::Test {
protected:
    FleetBookTest() { open(); }
    void open() {
        book_ = FleetBook::make(journal_, clock_, [this] {
            return std::string(60, 'f') + std::to_string(1'000 + ++secrets_);
        });
        ASSERT_TRUE(book_->rebuild().has_value());
    }

    int secrets_ = 0;
    ManualClock clock_{noon};
    incident::MemoryJournal journal_{clock_};
    std::unique_ptr<FleetBook> book_;
};

TEST_F(FleetBookTest, ATokenHoldsUntilItIsRevokedAlsoAfterARestart) {
    const auto made = book_->make_token("edge-*", ann);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ(made->facts.id, "GWT-1");
    EXPECT_GT(made->token.size(), 60U);
    for (const journal::JournalEntry& entry : journal_.entries()) {
        EXPECT_EQ(entry.draft.body.find(made->token), std::string::npos) << "only its hash is kept";
    }
    open();
    ASSERT_TRUE(book_->find(made->token).has_value());
    EXPECT_EQ(book_->find(made->token)->made_by, ann.actor);
    EXPECT_FALSE(book_->find(made->token + "0").has_value());
    EXPECT_FALSE(book_->find("").has_value());
    EXPECT_FALSE(book_->find(std::string(1'000'000, 'x')).has_value());
    ASSERT_TRUE(book_->revoke("GWT-1", ann).has_value());
    EXPECT_FALSE(book_->find(made->token).has_value());
    EXPECT_EQ(book_->revoke("GWT-1", ann).error().code, ErrorCode::Conflict);
    EXPECT_EQ(book_->revoke("GWT-2", ann).error().code, ErrorCode::NotFound);
    open();
    EXPECT_FALSE(book_->find(made->token).has_value());
    EXPECT_NE(book_->make_token("edge-1", ann)->token, made->token);
    EXPECT_EQ(book_->tokens().size(), 2U);
}

TEST_F(FleetBookTest, ATokenIsForTheNamesThatFitIt) {
    const IssuedToken token = book_->make_token("edge-*", ann)->facts;
    EXPECT_TRUE(book_->join("edge-1", token).has_value());
    EXPECT_EQ(book_->join("core-1", token).error().code, ErrorCode::Unauthorized);
    EXPECT_EQ(book_->join("edge-1/../x", token).error().code, ErrorCode::InvalidArgument);
    const IssuedToken any = book_->make_token("*", ann)->facts;
    EXPECT_FALSE(book_->join("gateway", any).has_value()) << "the server's own";
    for (const char* bad : {"", "a b", "a/b", "../*"}) {
        EXPECT_FALSE(book_->make_token(bad, ann).has_value()) << bad;
    }
    EXPECT_FALSE(book_->make_token("edge-1", {Actor("person:ann"), ""}).has_value());
}

TEST_F(FleetBookTest, WhoCameOnceIsExpectedUntilItIsRetired) {
    const IssuedToken token = book_->make_token("*", ann)->facts;
    ASSERT_TRUE(book_->join("edge-1", token).has_value());
    ASSERT_TRUE(book_->join("edge-2", token).has_value());
    const std::size_t entries = journal_.entries().size();
    ASSERT_TRUE(book_->join("edge-1", token).has_value());
    EXPECT_EQ(journal_.entries().size(), entries) << "journaled the first time";
    open();
    EXPECT_EQ(book_->members().size(), 2U);
    ASSERT_TRUE(book_->retire("edge-1", ann).has_value());
    EXPECT_EQ(book_->retire("edge-1", ann).error().code, ErrorCode::NotFound);
    open();
    ASSERT_EQ(book_->members().size(), 1U);
    EXPECT_EQ(book_->members()[0].point, "edge-2");
}

}  // namespace
}  // namespace tagout::contain::fleet
