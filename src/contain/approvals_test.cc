#include "contain/approvals.h"

#include "contain/metrics.h"
#include "incident/memory_journal.h"

#include <gtest/gtest.h>

namespace tagout::contain {
namespace {

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));
const By ann{Actor("person:ann"), "the customer is right"};

class ApprovalsTest : public testing::Test {
protected:
    ApprovalsTest() { open(); }
    void open() {
        approvals_ = Approvals::make(journal_, clock_, settings_, metrics_);
        ASSERT_TRUE(approvals_->rebuild().has_value());
    }
    Result<std::string> ask(std::string_view arguments = R"({"amount":12})") {
        ToolCall call;
        call.tool = "refund";
        call.server = "payments";
        call.agent = "refund-agent";
        call.session = "session-1";
        return approvals_->ask(
            call, arguments, ControlId("CTL-1"),
            [this](ApprovalAnswer answer, const By& by) {
                answers_.push_back(std::string(name_of(answer)) + " by " + by.actor.text());
            }
        );
    }
    [[nodiscard]] std::string last_kind() const {
        const auto entries = journal_.entries();
        return entries.empty() ? "" : entries.back().draft.kind;
    }

    ManualClock clock_{noon};
    incident::MemoryJournal journal_{clock_};
    MetricRegistry metrics_;
    Settings settings_;
    std::vector<std::string> answers_;
    std::unique_ptr<Approvals> approvals_;
};

TEST_F(ApprovalsTest, ACallWaitsUntilAPersonAnswersExactlyIt) {
    const auto first = ask();
    const auto second = ask(R"({"amount":900})");
    ASSERT_TRUE(first.has_value());
    ASSERT_TRUE(second.has_value());
    const auto pending = approvals_->pending();
    ASSERT_EQ(pending.size(), 2U);
    EXPECT_EQ(pending[0].id, "APR-1");
    EXPECT_EQ(pending[0].tool, "refund");
    EXPECT_EQ(pending[0].expires_at, noon + settings_.approval_timeout);
    EXPECT_EQ(pending[0].arguments_hash.size(), 64U);
    EXPECT_NE(pending[0].arguments_hash, pending[1].arguments_hash);
    const auto approved = approvals_->approve(*second, ann);
    ASSERT_TRUE(approved.has_value());
    EXPECT_EQ(approved->arguments, R"({"amount":900})");
    EXPECT_EQ(answers_, std::vector<std::string>{"approved by person:ann"});
    EXPECT_EQ(last_kind(), "approval.approved");
    EXPECT_EQ(approvals_->pending().size(), 1U);
    ASSERT_TRUE(approvals_->deny(*first, ann).has_value());
    EXPECT_EQ(answers_.back(), "denied by person:ann");
    EXPECT_EQ(last_kind(), "approval.denied");
}

TEST_F(ApprovalsTest, AnAnswerIsGivenOnce) {
    const auto id = ask();
    ASSERT_TRUE(approvals_->deny(*id, ann).has_value());
    const auto again = approvals_->approve(*id, {Actor("person:bob"), ""});
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, ErrorCode::NotFound);
    EXPECT_NE(again.error().message.find("denied by person:ann"), std::string::npos);
    EXPECT_EQ(answers_.size(), 1U);
    EXPECT_FALSE(approvals_->approve("APR-99", ann).has_value());
}

TEST_F(ApprovalsTest, TimeDenies) {
    const auto id = ask();
    clock_.advance(settings_.approval_timeout - std::chrono::milliseconds(1));
    approvals_->tick();
    EXPECT_TRUE(answers_.empty());
    clock_.advance(std::chrono::milliseconds(1));
    EXPECT_FALSE(approvals_->approve(*id, ann).has_value()) << "too late, though no tick came yet";
    approvals_->tick();
    EXPECT_EQ(answers_, std::vector<std::string>{"expired by tagout"});
    EXPECT_EQ(last_kind(), "approval.expired");
    ASSERT_TRUE(ask().has_value());
    journal_.fail_after(0);
    clock_.advance(settings_.approval_timeout);
    approvals_->tick();
    EXPECT_EQ(answers_.size(), 2U) << "a full disk lets nothing pass and nobody wait";
}

TEST_F(ApprovalsTest, WithoutAJournalNothingIsApproved) {
    const auto id = ask();
    journal_.fail_after(0);
    const auto refused = approvals_->approve(*id, ann);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
    EXPECT_TRUE(answers_.empty());
    EXPECT_EQ(approvals_->pending().size(), 1U);
    journal_.recover();
    EXPECT_TRUE(approvals_->approve(*id, ann).has_value());
}

TEST_F(ApprovalsTest, WhoIsGoneIsNotAskedFor) {
    const auto id = ask();
    approvals_->withdraw(*id);
    approvals_->withdraw(*id);
    EXPECT_TRUE(approvals_->pending().empty());
    EXPECT_TRUE(answers_.empty());
    EXPECT_NE(
        metrics_.expose().find(R"(tagout_approvals_total{answer="withdrawn"} 1)"), std::string::npos
    );
}

TEST_F(ApprovalsTest, TooManyAreRefusedAndLongArgumentsAreClipped) {
    std::string arguments(Approvals::shown_bytes_max - 1, 'a');
    arguments += "\xC3\xA4\xC3\xA4";
    ASSERT_TRUE(ask(arguments).has_value());
    const auto shown = approvals_->pending()[0];
    EXPECT_EQ(shown.arguments, std::string(Approvals::shown_bytes_max - 1, 'a'));
    ASSERT_TRUE(ask(shown.arguments).has_value());
    EXPECT_NE(approvals_->pending()[1].arguments_hash, shown.arguments_hash)
        << "the hash is over all of it";
    for (std::size_t i = 2; i < Approvals::pending_max; ++i) {
        ASSERT_TRUE(ask("{}").has_value());
    }
    const auto refused = ask("{}");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
}

TEST_F(ApprovalsTest, NumbersGoOnAfterARestart) {
    ASSERT_TRUE(approvals_->deny(*ask(), ann).has_value());
    open();
    EXPECT_TRUE(approvals_->pending().empty());
    EXPECT_EQ(*ask(), "APR-2");
}

}  // namespace
}  // namespace tagout::contain
