#include "contain/agent_tokens.h"

#include "contain/refusals.h"
#include "incident/memory_journal.h"

#include <gtest/gtest.h>

namespace tagout::contain {
namespace {

class AgentTokensTest : public testing::Test {
protected:
    std::unique_ptr<AgentTokens> book() {
        auto tokens = AgentTokens::make(journal_, clock_, [this] {
            return std::string(63, 'a') + std::to_string(++made_);
        });
        EXPECT_TRUE(tokens->rebuild());
        return tokens;
    }
    std::vector<journal::JournalEntry> entries() {
        std::vector<journal::JournalEntry> all;
        EXPECT_TRUE(journal_.read(1, [&](const journal::JournalEntry& entry) {
            all.push_back(entry);
            return true;
        }));
        return all;
    }

    ManualClock clock_{Instant(std::chrono::hours(24 * 365 * 50))};
    incident::MemoryJournal journal_{clock_};
    MetricRegistry metrics_;
    const By ann_{Actor("person:ann"), "first of its kind"};
    int made_ = 0;
};

TEST_F(AgentTokensTest, IsToldOnceKeptAsHashAndRebuilt) {
    auto tokens = book();
    int told = 0;
    tokens->on_change([&] { ++told; });
    const auto made = tokens->make_token("refund-*", ann_);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->facts.id, "AGT-1");
    EXPECT_TRUE(made->token.starts_with(agent_token_prefix));
    ASSERT_EQ(entries().size(), 1U);
    EXPECT_EQ(entries().front().draft.kind, "agent.token_made");
    EXPECT_EQ(entries().front().draft.actor.text(), "person:ann");
    EXPECT_EQ(entries().front().draft.body.find(made->token.substr(15)), std::string::npos);

    const AgentCredentials::Known* known = tokens->credentials()->find(made->token);
    ASSERT_NE(known, nullptr);
    EXPECT_EQ(known->pattern, "refund-*");
    EXPECT_EQ(tokens->credentials()->find(made->token + "x"), nullptr);
    EXPECT_EQ(tokens->credentials()->find(""), nullptr);

    ASSERT_TRUE(tokens->revoke("AGT-1", ann_));
    EXPECT_EQ(tokens->revoke("AGT-1", ann_).error().code, ErrorCode::Conflict);
    EXPECT_EQ(tokens->revoke("AGT-9", ann_).error().code, ErrorCode::NotFound);
    EXPECT_EQ(told, 2);
    const auto again = book();
    ASSERT_EQ(again->list().size(), 1U);
    EXPECT_EQ(again->list().front().revoked_by.text(), "person:ann");
    const auto after = again->credentials();
    ASSERT_NE(after->find(made->token), nullptr);
    EXPECT_TRUE(after->find(made->token)->revoked);
}

TEST_F(AgentTokensTest, WhatIsNoNameOrHasNoReasonIsRefused) {
    const auto tokens = book();
    for (const std::string& pattern :
         {std::string(), std::string("a b"), std::string("a\nb"), std::string(300, 'a')}) {
        EXPECT_EQ(tokens->make_token(pattern, ann_).error().code, ErrorCode::InvalidArgument)
            << pattern;
    }
    EXPECT_EQ(
        tokens->make_token("bot", {Actor("person:ann"), ""}).error().code,
        ErrorCode::InvalidArgument
    );
    EXPECT_TRUE(entries().empty());
}

TEST_F(AgentTokensTest, GatewaysAreToldHashesAndNames) {
    const auto tokens = book();
    EXPECT_EQ(tokens->credentials()->part(), "");
    const auto first = tokens->make_token("bot", ann_);
    const auto second = tokens->make_token("other", ann_);
    ASSERT_TRUE(tokens->revoke("AGT-2", ann_));
    const std::string part = tokens->credentials()->part();
    EXPECT_EQ(part.find(first->token), std::string::npos);
    const auto read = AgentCredentials::parse_part(part);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->size(), 2U);
    EXPECT_EQ(read->part(), part);
    EXPECT_EQ(read->find(first->token)->pattern, "bot");
    EXPECT_TRUE(read->find(second->token)->revoked);
    for (const char* bad :
         {"",
          "[]",
          R"({"tokens":[{"sha256":"12","id":"AGT-1","pattern":"a"}]})",
          R"({"tokens":[{"id":"AGT-1","pattern":"a"}]})",
          R"({"tokens":[],"more":1})"}) {
        EXPECT_FALSE(AgentCredentials::parse_part(bad)) << bad;
    }
}

TEST_F(AgentTokensTest, AFloodOfRefusalsIsAFewEntriesAndLosesNoCount) {
    const auto refusals = Refusals::make(journal_, clock_, metrics_);
    ASSERT_TRUE(refusals->rebuild());
    refusals->note({"mcp", "other_agent", "boss\n", "AGT-1", "10.0.0.7"});
    refusals->tick();
    ASSERT_EQ(entries().size(), 1U);
    EXPECT_EQ(entries().front().draft.kind, "identity.refused");
    EXPECT_EQ(refusals->list().front().caller.claimed, "boss?");

    constexpr int flood = 100'000;
    for (int i = 0; i < flood; ++i) {
        refusals->note({"mcp", "unknown_token", "a" + std::to_string(i), "", "10.0.0.7"});
        if (i % 1'000 == 0) {
            refusals->tick();
        }
    }
    for (int second = 0; second < 60; ++second) {
        clock_.advance(std::chrono::seconds(1));
        refusals->tick();
    }
    EXPECT_LE(entries().size(), Refusals::burst_max + 1);
    for (int minute = 0; minute < 400; ++minute) {
        clock_.advance(std::chrono::minutes(1));
        refusals->tick();
    }
    std::uint64_t counted = 0;
    for (const journal::JournalEntry& entry : entries()) {
        const std::string& body = entry.draft.body;
        counted += std::stoull(body.substr(body.find("\"count\":") + 8));
    }
    EXPECT_EQ(counted, flood + 1U);
    EXPECT_LE(refusals->list().size(), Refusals::shown_max);
    const auto again = Refusals::make(journal_, clock_, metrics_);
    ASSERT_TRUE(again->rebuild());
    EXPECT_FALSE(again->list().empty());
}

}  // namespace
}  // namespace tagout::contain
