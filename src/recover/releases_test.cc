// Versions, labels and the way back, as a person meets them.

#include "recover/releases.h"

#include "recover/testing.h"

#include <thread>

namespace tagout::recover {
namespace {

TEST_F(ReleaseDesk, AVersionIsItsContent) {
    const auto first = publish(prompt("refund"), "be kind", "");
    ASSERT_TRUE(first.has_value()) << first.error().message;
    EXPECT_EQ(first->number, 1U);
    EXPECT_EQ(first->hash.size(), 16U);
    EXPECT_TRUE(first->labels.empty());
    const auto second = publish(prompt("refund"), "be kind and quick", "");
    EXPECT_EQ(second->number, 2U);
    const std::size_t entries = journal_.entries().size();
    const auto again = publish(prompt("refund"), "be kind", "");
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->number, 1U) << "the same content is the version that exists";
    EXPECT_EQ(journal_.entries().size(), entries);
    EXPECT_NE(publish(prompt("other"), "be kind", "")->hash, first->hash) << "a name is part of it";
    EXPECT_EQ(releases_->by_hash(first->hash.substr(0, 8))->number, 1U);
}

TEST_F(ReleaseDesk, WhatCannotBePublishedSaysWhy) {
    struct Row {
        const char* what;
        catalog::VersionKey key;
        std::string content;
        std::string label;
        ErrorCode code;
        const char* says;
    };
    const Row rows[] = {
        {"no content", prompt("p"), " \n", "", ErrorCode::InvalidArgument, "empty"},
        {"a bad name", prompt("a b"), "x", "", ErrorCode::InvalidArgument, "letters"},
        {"no name", prompt(""), "x", "", ErrorCode::InvalidArgument, "letters"},
        {"a label like a number", prompt("p"), "x", "v3", ErrorCode::InvalidArgument, "word"},
        {"latest", prompt("p"), "x", "latest", ErrorCode::InvalidArgument, "newest"},
        {"binary", prompt("p"), std::string("a\0b", 3), "", ErrorCode::InvalidArgument, "control"},
        {"not UTF-8", prompt("p"), "\xff\xfe", "", ErrorCode::InvalidArgument, "UTF-8"},
        {"too large", prompt("p"), std::string(256 * 1024 + 1, 'x'), "", ErrorCode::LimitExceeded, "256 KiB"},
        {"a policy that does not read", policy("p"), "broken", "", ErrorCode::InvalidArgument, "line 1"},
        {"a route that is no JSON",
         {catalog::VersionFamily::ModelRoute, "r"},
         "model: x",
         "",
         ErrorCode::InvalidArgument,
         "JSON object"},
        {"a route without model",
         {catalog::VersionFamily::ModelRoute, "r"},
         "{}",
         "",
         ErrorCode::InvalidArgument,
         "model"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        const auto refused = publish(row.key, row.content, row.label);
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().code, row.code);
        EXPECT_NE(refused.error().message.find(row.says), std::string::npos)
            << refused.error().message;
    }
    EXPECT_TRUE(journal_.entries().empty()) << "nothing is half applied";
}

TEST_F(ReleaseDesk, TheLargestContentStandsInTheJournal) {
    std::string quotes(256 * 1024, '"');
    ASSERT_TRUE(publish(prompt("p"), quotes).has_value());
    EXPECT_LT(journal_.entries().front().draft.body.size(), journal::Journal::entry_bytes_max);
    restart();
    EXPECT_EQ(production(prompt("p")), quotes);
}

TEST_F(ReleaseDesk, ANameBelongsToOneAgent) {
    ASSERT_TRUE(publish(prompt("refund"), "a").has_value());
    const auto other = releases_->publish(
        PublishDraft{prompt("refund"), "b", "m", AgentName("mail-agent"), WorkflowName()}, ann
    );
    ASSERT_FALSE(other.has_value());
    EXPECT_EQ(other.error().code, ErrorCode::Conflict);
    EXPECT_NE(other.error().message.find("refund-agent"), std::string::npos);
}

TEST_F(ReleaseDesk, AnAgentFetchesByLabelAndSeesItMove) {
    ASSERT_TRUE(publish(prompt("refund"), "one").has_value());
    const Result<Fetched> before = releases_->fetch(prompt("refund"), "");
    ASSERT_TRUE(before.has_value());
    EXPECT_EQ(before->etag.front(), '"');
    EXPECT_NE(before->body.find("\"content\":\"one\""), std::string::npos);
    EXPECT_EQ(releases_->fetch(prompt("refund"), "production")->etag, before->etag);
    ASSERT_TRUE(publish(prompt("refund"), "two").has_value());
    EXPECT_NE(releases_->fetch(prompt("refund"), "production")->etag, before->etag);
    const Result<Fetched> unknown = releases_->fetch(prompt("refund"), "canary");
    ASSERT_FALSE(unknown.has_value());
    EXPECT_EQ(unknown.error().code, ErrorCode::NotFound);
    EXPECT_NE(unknown.error().message.find("production (v2)"), std::string::npos);
}

TEST_F(ReleaseDesk, OfTwoWhoMoveALabelTheSecondIsTold) {
    ASSERT_TRUE(publish(prompt("refund"), "one").has_value());
    ASSERT_TRUE(publish(prompt("refund"), "two", "").has_value());
    ASSERT_TRUE(publish(prompt("refund"), "three", "").has_value());
    ASSERT_TRUE(
        releases_->label({prompt("refund"), "production", "v2", "v1"}, ann).has_value()
    );
    const auto second = releases_->label({prompt("refund"), "production", "3", "v1"}, bob);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::Conflict);
    EXPECT_NE(second.error().message.find("is at v2, not v1"), std::string::npos);
    EXPECT_EQ(production(prompt("refund")), "two");
}

TEST_F(ReleaseDesk, ManyWhoPublishAtOnceGetNumbersWithoutGaps) {
    constexpr int people = 4;
    constexpr int each = 25;
    {
        std::vector<std::jthread> threads;
        for (int person = 0; person < people; ++person) {
            threads.emplace_back([this, person] {
                for (int i = 0; i < each; ++i) {
                    const std::string content = "text " + std::to_string(i % 2 == 0 ? i : i + 1000 * person);
                    (void)releases_->publish(
                        PublishDraft{
                            prompt("refund"), content, "m", AgentName("refund-agent"),
                            WorkflowName(), "production"},
                        ann
                    );
                }
            });
        }
    }
    std::size_t total = 0;
    const auto versions = releases_->list(catalog::VersionFamily::Prompt, "refund", 1'000, total);
    std::set<std::uint32_t> numbers;
    std::set<std::string> hashes;
    for (const catalog::Version& version : versions) {
        numbers.insert(version.number);
        hashes.insert(version.hash);
    }
    EXPECT_EQ(numbers.size(), total);
    EXPECT_EQ(hashes.size(), total) << "no content twice";
    EXPECT_EQ(*numbers.rbegin(), total);
    EXPECT_EQ(total, 13U + 4 * 12U);
}

TEST_F(ReleaseDesk, AFreezeNamesTheIncidentAndLetsItsOwnChangesPass) {
    ASSERT_TRUE(publish(prompt("refund"), "one").has_value());
    const IncidentId incident = declare(Severity::Sev1);
    ASSERT_EQ(releases_->freezes().size(), 1U);

    const auto refused = publish(prompt("refund"), "two");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_NE(refused.error().message.find(incident.text()), std::string::npos);
    EXPECT_NE(refused.error().message.find("emergency"), std::string::npos);
    EXPECT_TRUE(publish(prompt("refund"), "one").has_value()) << "nothing changes by it";

    EXPECT_TRUE(publish(prompt("refund"), "two", "production", {incident, ""}).has_value());
    EXPECT_TRUE(
        publish(prompt("refund"), "three", "", {IncidentId(), "customers wait"}).has_value()
    );
    EXPECT_FALSE(releases_->label({prompt("refund"), "production", "1"}, ann).has_value());
    const auto unknown = publish(prompt("refund"), "four", "", {IncidentId("INC-99"), ""});
    ASSERT_FALSE(unknown.has_value());
    EXPECT_EQ(unknown.error().code, ErrorCode::NotFound);

    ASSERT_TRUE(incidents_->move(incident, IncidentState::Resolved, ann).has_value());
    EXPECT_TRUE(publish(prompt("refund"), "five").has_value()) << "it is over";
}

TEST_F(ReleaseDesk, ARollbackGoesForwardToWhatWasThereBefore) {
    ASSERT_TRUE(publish(prompt("refund"), "one").has_value());
    ASSERT_TRUE(publish(prompt("refund"), "two").has_value());
    const Result<RollbackDone> done = releases_->rollback({prompt("refund")}, ann);
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(done->target, Target::Previous);
    ASSERT_EQ(done->moves.size(), 1U);
    EXPECT_EQ(done->moves[0].from, 2U);
    EXPECT_EQ(done->moves[0].to, 1U);
    EXPECT_EQ(production(prompt("refund")), "one");
    std::size_t total = 0;
    EXPECT_EQ(releases_->list(std::nullopt, "", 10, total).size(), 2U) << "no version is gone";
    EXPECT_EQ(told_.back().what, ReleaseChange::What::BundleInForce);
    EXPECT_EQ(told_[told_.size() - 2].what, ReleaseChange::What::RolledBack);
}

TEST_F(ReleaseDesk, WhatCannotBeGoneBackToSaysWhy) {
    ASSERT_TRUE(publish(prompt("refund"), "one").has_value());
    const auto nothing = releases_->rollback({prompt("refund")}, ann);
    ASSERT_FALSE(nothing.has_value());
    EXPECT_EQ(nothing.error().code, ErrorCode::NotFound);
    ASSERT_TRUE(publish(prompt("refund"), "two").has_value());
    ASSERT_TRUE(publish(prompt("refund"), "three", "").has_value());
    struct Row {
        const char* to;
        const char* from;
        ErrorCode code;
        const char* says;
    };
    const Row rows[] = {
        {"v9", "", ErrorCode::NotFound, "v1 to v3 exist, with labels production (v2)"},
        {"canary", "", ErrorCode::NotFound, "v1 to v3 exist"},
        {"v3", "", ErrorCode::Conflict, "never in use"},
        {"v2", "", ErrorCode::Conflict, "already"},
        {"v1", "v1", ErrorCode::Conflict, "is at v2, not v1"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.to);
        const auto refused = releases_->rollback({prompt("refund"), row.to, row.from}, ann);
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().code, row.code);
        EXPECT_NE(refused.error().message.find(row.says), std::string::npos)
            << refused.error().message;
    }
    EXPECT_FALSE(releases_->rollback({prompt("nothing")}, ann).has_value());
    EXPECT_FALSE(
        releases_->rollback({prompt("refund"), "v1"}, By{Actor("person:ann"), ""}).has_value()
    ) << "without a reason";
    EXPECT_EQ(production(prompt("refund")), "two");
    const IncidentId incident = declare(Severity::Sev2);
    EXPECT_FALSE(releases_->rollback({prompt("refund"), "v1"}, ann).has_value()) << "frozen";
    EXPECT_TRUE(
        releases_->rollback({prompt("refund"), "v1", "", {incident, ""}}, ann).has_value()
    );
}

TEST_F(ReleaseDesk, APolicyThatNoLongerReadsIsNotGoneBackTo) {
    ASSERT_TRUE(publish(policy("limits"), "one").has_value());
    ASSERT_TRUE(publish(policy("limits"), "two").has_value());
    std::unique_ptr<Releases> stricter = Releases::make(
        ReleaseParts{
            journal_,
            clock_,
            *incidents_,
            metrics_,
            [](std::string_view, std::string_view) -> Result<void> {
                return fail(ErrorCode::InvalidArgument, "line 1: no longer allowed");
            },
            nullptr},
        catalog_,
        settings_
    );
    ASSERT_TRUE(stricter->rebuild().has_value());
    const auto refused = stricter->rollback({policy("limits")}, ann);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("line 1"), std::string::npos);
    EXPECT_EQ(stricter->get(policy("limits"), "production")->number, 2U);
    ASSERT_EQ(stricter->policies_in_force().size(), 1U);
    EXPECT_EQ(stricter->policies_in_force()[0].content, "two");
}

TEST_F(ReleaseDesk, ABundleIsKnownGoodByWhatSessionsShowed) {
    ASSERT_TRUE(publish(prompt("refund"), "one").has_value());
    ASSERT_TRUE(publish(policy("limits"), "rules").has_value());
    ASSERT_EQ(releases_->bundles(AgentName()).size(), 2U) << "each set that ran";
    const AgentName agent("refund-agent");
    const std::string id = releases_->bundle(agent, "")->bundle.record.bundle.id;
    const auto is_good = [&] { return releases_->bundle(agent, id)->bundle.last_known_good; };

    sessions(SessionOutcome::Succeeded, 3);
    ASSERT_TRUE(releases_->tick().has_value());
    EXPECT_FALSE(is_good()) << "too short";
    clock_.advance(settings_.good_time_min);
    journeys_pass_ = false;
    ASSERT_TRUE(releases_->tick().has_value());
    EXPECT_FALSE(is_good()) << "a journey is missing";
    journeys_pass_ = true;
    const IncidentId incident = declare(Severity::Sev3);
    ASSERT_TRUE(releases_->tick().has_value());
    EXPECT_FALSE(is_good()) << "an incident is open";
    ASSERT_TRUE(incidents_->move(incident, IncidentState::FalsePositive, ann).has_value());
    sessions(SessionOutcome::Failed, 1);
    ASSERT_TRUE(releases_->tick().has_value());
    EXPECT_FALSE(is_good()) << "one of four failed";
    sessions(SessionOutcome::Succeeded, 30);
    ASSERT_TRUE(releases_->tick().has_value());
    EXPECT_TRUE(is_good());
    EXPECT_EQ(told_.back().what, ReleaseChange::What::BundleGood);
    EXPECT_NE(told_.back().sentence.find("33 of 34 sessions succeeded"), std::string::npos)
        << told_.back().sentence;
}

TEST_F(ReleaseDesk, TheWayBackLeadsToTheLastKnownGood) {
    ASSERT_TRUE(publish(prompt("refund"), "good").has_value());
    prove();
    ASSERT_TRUE(publish(prompt("refund"), "experiment").has_value());
    ASSERT_TRUE(publish(prompt("refund"), "bad").has_value());
    const Result<RollbackDone> one = releases_->rollback({prompt("refund")}, ann);
    ASSERT_TRUE(one.has_value());
    EXPECT_EQ(one->target, Target::LastKnownGood);
    EXPECT_EQ(production(prompt("refund")), "good") << "not the experiment before it";

    ASSERT_TRUE(publish(prompt("refund"), "bad").has_value());
    ASSERT_TRUE(publish(policy("limits"), "none").has_value());
    const Result<RollbackDone> whole =
        releases_->rollback_bundle({AgentName("refund-agent")}, ann);
    ASSERT_TRUE(whole.has_value()) << whole.error().message;
    ASSERT_EQ(whole->moves.size(), 1U);
    EXPECT_EQ(production(prompt("refund")), "good");
    EXPECT_FALSE(releases_->rollback_bundle({AgentName("refund-agent")}, ann).has_value())
        << "nothing is left to move";
    const auto unknown = releases_->rollback_bundle({AgentName("refund-agent"), "bundle-x"}, ann);
    ASSERT_FALSE(unknown.has_value());
    EXPECT_NE(unknown.error().message.find("it has bundle-"), std::string::npos);
    EXPECT_FALSE(releases_->rollback_bundle({AgentName("nobody")}, ann).has_value());
}

TEST_F(ReleaseDesk, AnIncidentStandsAgainstWhatRanWhenItBegan) {
    ASSERT_TRUE(publish(prompt("refund"), "good").has_value());
    prove();
    ASSERT_TRUE(publish(prompt("refund"), "bad").has_value());
    clock_.advance(std::chrono::minutes(1));
    const IncidentId id = declare(Severity::Sev2);
    ASSERT_TRUE(releases_->incident_changed(*incidents_->get(id)).has_value());
    const auto blocked = [&](std::string_view content) {
        for (const BundleView& each : releases_->bundles(AgentName())) {
            const auto version = releases_->by_hash(each.record.bundle.versions[0].hash);
            if (version->content == content) {
                return each.record.blocked_by.contains(id);
            }
        }
        return false;
    };
    EXPECT_TRUE(blocked("bad"));
    EXPECT_FALSE(blocked("good"));
    const std::size_t entries = journal_.entries().size();
    ASSERT_TRUE(releases_->incident_changed(*incidents_->get(id)).has_value());
    EXPECT_EQ(journal_.entries().size(), entries) << "told twice, said once";

    // It began earlier than was thought: under the other one.
    ASSERT_TRUE(
        incidents_->set_anchor(id, "onset", clock_.now() - std::chrono::minutes(5), ann).has_value()
    );
    ASSERT_TRUE(releases_->incident_changed(*incidents_->get(id)).has_value());
    EXPECT_TRUE(blocked("good"));
    EXPECT_FALSE(blocked("bad"));
    EXPECT_FALSE(releases_->rollback_bundle({AgentName("refund-agent")}, ann).has_value())
        << "nothing is known good any more";

    ASSERT_TRUE(incidents_->move(id, IncidentState::FalsePositive, ann).has_value());
    ASSERT_TRUE(releases_->incident_changed(*incidents_->get(id)).has_value());
    EXPECT_FALSE(blocked("good"));
}

TEST_F(ReleaseDesk, SessionsOfAnotherVersionSayNothingOfThisBundle) {
    ASSERT_TRUE(publish(prompt("refund"), "one").has_value());
    ASSERT_TRUE(publish(prompt("refund"), "two").has_value());
    const auto end = [&](const char* version) {
        releases_->session_ended(
            {AgentName("refund-agent"), version, SessionOutcome::Succeeded, clock_.now()}
        );
    };
    end("refund@1");
    end("refund@v2");
    end("elsewhere@1");
    end("");
    const BundleContents now = *releases_->bundle(AgentName("refund-agent"), "");
    EXPECT_EQ(now.bundle.record.evidence.of(SessionOutcome::Succeeded), 3U);
    ASSERT_EQ(now.versions.size(), 1U);
    EXPECT_EQ(now.versions[0].content, "two");
}

TEST_F(ReleaseDesk, AToolMoreIsAnotherBundle) {
    ASSERT_TRUE(publish(prompt("refund"), "one").has_value());
    ASSERT_EQ(releases_->bundles(AgentName()).size(), 1U);
    releases_->use(std::make_shared<const catalog::Catalog>(), settings_);
    ASSERT_EQ(releases_->bundles(AgentName()).size(), 2U);
    releases_->use(catalog_, settings_);
    EXPECT_EQ(releases_->bundles(AgentName()).size(), 2U) << "the first one is in force again";
    EXPECT_EQ(releases_->bundle(AgentName("refund-agent"), "")->bundle.record.bundle.tools.size(), 2U);
}

}  // namespace
}  // namespace tagout::recover
