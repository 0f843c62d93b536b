#include "incident/desk.h"

#include "incident/incident_json.h"
#include "incident/memory_journal.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tagout::incident {
namespace {

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));
const By ann{Actor("person:ann"), "seen it"};

Finding finding(const std::string& id, const std::string& session, SessionOutcome outcome) {
    Finding made;
    made.id = id;
    made.failure_class = FailureClass::Tool;
    made.signal = "tool.unexpected_write";
    made.correlation = CorrelationId(session);
    made.agent = AgentName("refund-agent");
    made.workflow = WorkflowName("refunds");
    made.tool = ToolName("issue_refund");
    made.cause = "issue_refund";
    made.seen_at = noon;
    made.score = 0.9;
    made.evidence = "amount 900 was uttered by nobody";
    made.outcome = outcome;
    return made;
}

class DeskTest : public testing::Test {
protected:
    DeskTest() { open(); }

    /// A restart: the same journal, everything else new.
    void open() {
        desk_ = Desk::make(journal_, clock_, catalog_, settings_);
        ASSERT_TRUE(desk_->rebuild().has_value());
        desk_->on_change([this](const Change& change) { changes_.push_back(change); });
    }

    void join(std::vector<Finding> findings) {
        ASSERT_TRUE(desk_->join(findings, IncidentKind::Real).has_value());
    }
    Incident only() {
        const std::vector<Incident> all = everything();
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? Incident{} : all.front();
    }
    std::vector<Incident> everything() {
        Filter filter;
        filter.limit = 10'000;
        for (int state = 1; state <= 12; ++state) {
            filter.states.push_back(static_cast<IncidentState>(state));
        }
        return desk_->list(filter);
    }
    std::vector<std::string> as_json() {
        std::vector<std::string> texts;
        for (const Incident& each : everything()) {
            texts.push_back(to_json(each, Detail::Full));
        }
        return texts;
    }
    std::size_t told(Change::What what) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            changes_, [what](const Change& change) { return change.what == what; }
        ));
    }

    ManualClock clock_{noon};
    std::shared_ptr<const catalog::Catalog> catalog_ = std::make_shared<const catalog::Catalog>();
    Settings settings_;
    MemoryJournal journal_{clock_};
    std::unique_ptr<Desk> desk_;
    std::vector<Change> changes_;
};

TEST_F(DeskTest, AFindingWithoutAFailedOutcomeIsOnlyASignal) {
    join({finding("f1", "s1", SessionOutcome::Unknown)});
    const Incident incident = only();
    EXPECT_EQ(incident.state, IncidentState::Signal);
    EXPECT_TRUE(desk_->list({}).empty()) << "a signal is not shown as an incident";
    EXPECT_EQ(told(Change::What::Opened), 0U);
    EXPECT_FALSE(incident.anchors.triage_at.has_value());
}

TEST_F(DeskTest, AFailedOutcomeMakesItAnIncidentOfItsClass) {
    join({finding("f1", "s1", SessionOutcome::Unknown)});
    clock_.advance(std::chrono::seconds(3));
    join({finding("f1", "s1", SessionOutcome::Failed)});
    const Incident incident = only();
    EXPECT_EQ(incident.state, IncidentState::Triage);
    EXPECT_EQ(incident.failure_class, FailureClass::Tool);
    EXPECT_EQ(incident.severity, Severity::Sev3);
    EXPECT_EQ(incident.finding_count, 1U) << "the same finding with more known is one finding";
    EXPECT_EQ(incident.impact.failed_sessions, 1U);
    EXPECT_EQ(incident.anchors.signal_at, noon);
    EXPECT_EQ(incident.anchors.triage_at, noon + std::chrono::seconds(3));
    EXPECT_EQ(told(Change::What::Opened), 1U);
    EXPECT_TRUE(incident.owner.team.empty()) << "nobody owns what no map names";
    EXPECT_NE(incident.title.find("refund-agent"), std::string::npos) << incident.title;
}

TEST_F(DeskTest, ARepeatedFindingChangesNothing) {
    join({finding("f1", "s1", SessionOutcome::Failed)});
    const std::vector<std::string> before = as_json();
    join({finding("f1", "s1", SessionOutcome::Failed)});
    join({finding("f1", "s1", SessionOutcome::Failed)});
    EXPECT_EQ(as_json(), before);
}

TEST_F(DeskTest, OneClassAgentAndCauseIsOneIncident) {
    Finding other_cause = finding("f2", "s2", SessionOutcome::Failed);
    other_cause.cause = "send_mail";
    Finding other_agent = finding("f3", "s3", SessionOutcome::Failed);
    other_agent.agent = AgentName("mail-agent");
    Finding other_class = finding("f4", "s4", SessionOutcome::Failed);
    other_class.failure_class = FailureClass::Cost;
    Finding other_signal = finding("f5", "s5", SessionOutcome::Failed);
    other_signal.signal = "tool.4xx_spike";
    join(
        {finding("f1", "s1", SessionOutcome::Failed),
         other_cause,
         other_agent,
         other_class,
         other_signal}
    );
    EXPECT_EQ(everything().size(), 4U) << "another signal of the same cause joins; the rest do not";
}

TEST_F(DeskTest, WhatAnotherFindingExplainsOpensNothing) {
    Finding consequence = finding("f2", "s1", SessionOutcome::Failed);
    consequence.failure_class = FailureClass::Cost;
    consequence.signal = "cost.runaway_session";
    consequence.cause = "refund-agent";
    consequence.explained_by = "f1";
    join({consequence, finding("f1", "s1", SessionOutcome::Failed)});
    const Incident incident = only();
    EXPECT_EQ(incident.failure_class, FailureClass::Tool);
    EXPECT_EQ(
        incident.signals,
        (std::vector<std::string>{"tool.unexpected_write", "cost.runaway_session"})
    );
    EXPECT_EQ(incident.impact.failed_sessions, 1U) << "the session failed once";
}

TEST_F(DeskTest, ACompletedUnsafeWriteIsAFailedOutcomeByItself) {
    Finding unsafe = finding("f1", "s1", SessionOutcome::Succeeded);
    unsafe.failure_class = FailureClass::Safety;
    unsafe.signal = "safety.untrusted_value";
    unsafe.write_completed = true;
    join({unsafe});
    EXPECT_NE(only().state, IncidentState::Signal);
    EXPECT_EQ(only().impact.writes, 1U);
    EXPECT_EQ(only().impact.failed_sessions, 1U);
    EXPECT_LE(only().severity, Severity::Sev2);
}

TEST_F(DeskTest, AStormIsOneIncidentWithACount) {
    std::vector<Finding> storm;
    for (int i = 0; i < 10'000; ++i) {
        storm.push_back(
            finding("f" + std::to_string(i), "s" + std::to_string(i), SessionOutcome::Failed)
        );
    }
    for (std::size_t at = 0; at < storm.size(); at += 1000) {
        join(std::vector<Finding>(
            storm.begin() + static_cast<std::ptrdiff_t>(at),
            storm.begin() + static_cast<std::ptrdiff_t>(at) + 1000
        ));
    }
    const Incident incident = only();
    EXPECT_EQ(incident.finding_count, 10'000U);
    EXPECT_EQ(incident.impact.failed_sessions, 10'000U);
    EXPECT_EQ(incident.findings.size(), 100U);
    EXPECT_EQ(incident.severity, Severity::Sev1);
    EXPECT_EQ(incident.state, IncidentState::Declared);
    EXPECT_EQ(told(Change::What::Declared), 1U);
    EXPECT_LT(incident.timeline.size(), 20U);
    const std::vector<std::string> before = as_json();
    open();
    EXPECT_EQ(as_json(), before) << "a restart counts the same";
}

Finding hit(int session, int user, std::int64_t tokens, double cost_usd) {
    const std::string number = std::to_string(session);
    Finding made = finding("f" + number, "s" + number, SessionOutcome::Failed);
    made.users.add(0x9e3779b97f4a7c15ULL * static_cast<std::uint64_t>(user + 1));
    made.tokens = tokens;
    made.cost_usd = cost_usd;
    return made;
}

TEST_F(DeskTest, TheImpactCountsUsersTokensAndMoneyOfTheSessionsOnce) {
    std::vector<Finding> findings;
    for (int i = 0; i < 60; ++i) {
        findings.push_back(hit(i, i % 20, 1'000, 0.01));
    }
    Finding second_signal = hit(0, 0, 1'500, 0.015);  // of a session that is known, with more told
    second_signal.id = "other";
    second_signal.signal = "tool.4xx_spike";
    findings.push_back(second_signal);
    Finding explained = hit(0, 99, 9'000, 9);
    explained.id = "explained";
    explained.explained_by = "f0";
    findings.push_back(explained);
    join(findings);
    join({hit(7, 7, 3'000, 0.05)});  // the session went on
    const Impact impact = only().impact;
    EXPECT_EQ(impact.sessions, 60U);
    EXPECT_EQ(impact.users, 20U);
    EXPECT_EQ(impact.tokens, 60 * 1'000 + 500 + 2'000);
    EXPECT_NEAR(impact.cost_usd, 0.6 + 0.005 + 0.04, 1e-9);

    const std::vector<std::string> before = as_json();
    open();
    EXPECT_EQ(as_json(), before) << "a restart knows the same";
}

TEST_F(DeskTest, AStormOfManyUsersIsCountedInBoundedMemory) {
    std::vector<Finding> findings;
    for (int i = 0; i < 10'000; ++i) {
        findings.push_back(hit(i, i, 100, 0.001));
    }
    join(findings);
    const Incident storm = only();
    EXPECT_EQ(storm.impact.failed_sessions, 10'000U);
    EXPECT_NEAR(static_cast<double>(storm.impact.users), 10'000, 2'000) << "estimated";
    EXPECT_EQ(storm.impact.tokens, 1'000'000);
    EXPECT_NEAR(storm.impact.cost_usd, 10, 1e-6);
    open();
    EXPECT_EQ(only().impact.users, storm.impact.users);
}

TEST_F(DeskTest, RulesOfUsersAndMoneyHold) {
    catalog::Contents contents;
    contents.severity_rules.resize(2);
    contents.severity_rules[0].severity = Severity::Sev2;
    contents.severity_rules[0].users_min = 3;
    contents.severity_rules[1].severity = Severity::Sev1;
    contents.severity_rules[1].cost_usd_min = 1.5;
    catalog_ = std::make_shared<const catalog::Catalog>(std::move(contents));
    open();
    join({hit(1, 1, 10, 0.5), hit(2, 2, 10, 0.5), hit(3, 2, 10, 0.25)});
    EXPECT_EQ(only().severity, Severity::Sev3);
    join({hit(4, 4, 10, 0.01)});
    EXPECT_EQ(only().severity, Severity::Sev2);
    EXPECT_NE(only().severity_reason.find("3 users (from 3)"), std::string::npos)
        << only().severity_reason;
    join({hit(4, 4, 10, 0.3)});
    EXPECT_EQ(only().severity, Severity::Sev1);
    EXPECT_NE(only().severity_reason.find("$1.55 spent (from $1.50)"), std::string::npos)
        << only().severity_reason;
}

TEST_F(DeskTest, ARatesImpactIsItsOwnAndMergingCarriesItOver) {
    Finding rate = hit(1, 1, 50'000, 2.5);
    rate.id = "rate";
    rate.rate = true;
    rate.sessions = 40;
    rate.users.add(12);
    rate.users.add(13);
    Finding elsewhere = hit(2, 9, 70, 0.5);
    elsewhere.cause = "send_mail";
    join({rate, elsewhere});
    const std::vector<Incident> two = everything();
    ASSERT_EQ(two.size(), 2U);
    const Incident& storm = two[0].impact.sessions == 40 ? two[0] : two[1];
    const Incident& small = two[0].impact.sessions == 40 ? two[1] : two[0];
    EXPECT_EQ(storm.impact.users, 3U);
    EXPECT_EQ(storm.impact.tokens, 50'000);
    EXPECT_DOUBLE_EQ(storm.impact.cost_usd, 2.5);
    ASSERT_TRUE(desk_->merge(small.id, storm.id, ann).has_value());
    const auto merged = desk_->get(storm.id);
    ASSERT_TRUE(merged.has_value());
    EXPECT_EQ(merged->impact.users, 4U);
    EXPECT_EQ(merged->impact.tokens, 50'000) << "the rate stands for more than the one session";
}

TEST_F(DeskTest, FindingsAfterTheJoinWindowAreANewIncident) {
    join({finding("f1", "s1", SessionOutcome::Failed)});
    Finding later = finding("f2", "s2", SessionOutcome::Failed);
    later.seen_at = noon + std::chrono::minutes(29);
    join({later});
    EXPECT_EQ(everything().size(), 1U);
    later = finding("f3", "s3", SessionOutcome::Failed);
    later.seen_at = noon + std::chrono::minutes(29) + std::chrono::minutes(31);
    join({later});
    EXPECT_EQ(everything().size(), 2U);
}

TEST_F(DeskTest, TheSameCauseAfterResolvingIsARecurrence) {
    join({finding("f1", "s1", SessionOutcome::Failed)});
    clock_.advance(std::chrono::minutes(1));
    ASSERT_TRUE(desk_->move(IncidentId("INC-1"), IncidentState::Resolved, ann).has_value());
    Finding late = finding("f2", "s2", SessionOutcome::Failed);
    late.seen_at = noon + std::chrono::seconds(30);
    join({late});
    EXPECT_EQ(everything().size(), 1U) << "what happened before it was resolved belongs to it";
    Finding again = finding("f3", "s3", SessionOutcome::Failed);
    again.seen_at = noon + std::chrono::minutes(2);
    join({again});
    ASSERT_EQ(everything().size(), 2U);
    EXPECT_EQ(everything().front().recurrence_of, IncidentId("INC-1"));
}

TEST_F(DeskTest, WhatWasCalledFalseStaysSilentWhileItGoesOn) {
    join({finding("f1", "s1", SessionOutcome::Failed)});
    ASSERT_TRUE(desk_->move(IncidentId("INC-1"), IncidentState::FalsePositive, ann).has_value());
    join({finding("f2", "s2", SessionOutcome::Failed)});
    EXPECT_EQ(everything().size(), 1U);
    EXPECT_EQ(only().state, IncidentState::FalsePositive);
}

TEST_F(DeskTest, OnlyAllowedMovesAreMadeAndTheOthersNameThem) {
    join({finding("f1", "s1", SessionOutcome::Failed)});
    const IncidentId id("INC-1");
    const Result<Incident> refused = desk_->move(id, IncidentState::Closed, ann);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_NE(refused.error().message.find("declared, contained"), std::string::npos)
        << refused.error().message;
    for (const IncidentState next :
         {IncidentState::Declared,
          IncidentState::Contained,
          IncidentState::Recovering,
          IncidentState::Verifying,
          IncidentState::Resolved,
          IncidentState::Review,
          IncidentState::Closed}) {
        clock_.advance(std::chrono::seconds(1));
        ASSERT_TRUE(desk_->move(id, next, ann).has_value()) << name_of(next);
    }
    const Anchors anchors = only().anchors;
    EXPECT_LT(*anchors.declared_at, *anchors.contained_at);
    EXPECT_LT(*anchors.resolved_at, *anchors.closed_at);
    EXPECT_FALSE(desk_->move(id, IncidentState::Contained, ann).has_value());
    ASSERT_TRUE(desk_->move(id, IncidentState::Declared, ann).has_value()) << "reopened";
    EXPECT_FALSE(only().anchors.resolved_at.has_value());
}

TEST_F(DeskTest, AMoveAndASeverityNeedAReason) {
    join({finding("f1", "s1", SessionOutcome::Failed)});
    const By nobody{Actor("person:bob"), ""};
    EXPECT_EQ(
        desk_->move(IncidentId("INC-1"), IncidentState::Resolved, nobody).error().code,
        ErrorCode::InvalidArgument
    );
    EXPECT_EQ(
        desk_->set_severity(IncidentId("INC-1"), Severity::Sev1, nobody).error().code,
        ErrorCode::InvalidArgument
    );
    EXPECT_TRUE(desk_->confirm(IncidentId("INC-1"), nobody).has_value())
        << "confirming what the rules found needs none";
}

TEST_F(DeskTest, APersonsSeverityIsNotOverruled) {
    join({finding("f1", "s1", SessionOutcome::Failed)});
    ASSERT_TRUE(desk_->set_severity(IncidentId("INC-1"), Severity::Sev3, ann).has_value());
    std::vector<Finding> more;
    for (int i = 2; i < 50; ++i) {
        more.push_back(
            finding("f" + std::to_string(i), "s" + std::to_string(i), SessionOutcome::Failed)
        );
    }
    join(more);
    EXPECT_EQ(only().severity, Severity::Sev3);
    const std::vector<TimelineEntry> timeline = only().timeline;
    EXPECT_TRUE(std::ranges::any_of(timeline, [](const TimelineEntry& entry) {
        return entry.text.find("would make it SEV2") != std::string::npos;
    }));
}

TEST_F(DeskTest, SeverityRisesWithTheImpactAndIsAnEscalation) {
    join({finding("f0", "s0", SessionOutcome::Failed)});
    std::vector<Finding> more;
    for (int i = 1; i < 10; ++i) {
        more.push_back(
            finding("f" + std::to_string(i), "s" + std::to_string(i), SessionOutcome::Failed)
        );
    }
    join(more);
    EXPECT_EQ(only().severity, Severity::Sev2);
    EXPECT_EQ(only().state, IncidentState::Declared);
    EXPECT_EQ(told(Change::What::Escalated), 1U);
    EXPECT_NE(only().severity_reason.find("10 sessions"), std::string::npos);
}

TEST_F(DeskTest, MergingMovesTheCountAndLaterFindingsFollow) {
    join({finding("f1", "s1", SessionOutcome::Failed)});
    Finding other = finding("f2", "s2", SessionOutcome::Failed);
    other.cause = "send_mail";
    join({other});
    ASSERT_TRUE(desk_->merge(IncidentId("INC-2"), IncidentId("INC-1"), ann).has_value());
    Finding more = finding("f3", "s3", SessionOutcome::Failed);
    more.cause = "send_mail";
    join({more});
    EXPECT_EQ(desk_->get(IncidentId("INC-2"))->state, IncidentState::Merged);
    const Incident target = desk_->get(IncidentId("INC-1")).value();
    EXPECT_EQ(target.finding_count, 3U);
    EXPECT_EQ(target.impact.failed_sessions, 3U);
    EXPECT_FALSE(desk_->merge(IncidentId("INC-1"), IncidentId("INC-1"), ann).has_value());
    EXPECT_FALSE(desk_->merge(IncidentId("INC-2"), IncidentId("INC-1"), ann).has_value());
    EXPECT_EQ(
        desk_->merge(IncidentId("INC-1"), IncidentId("INC-9"), ann).error().code,
        ErrorCode::NotFound
    );
}

TEST_F(DeskTest, PeopleDeclareAckAssignAndNote) {
    DeclareDraft draft;
    draft.title = "Refunds are doubled";
    draft.failure_class = FailureClass::Tool;
    draft.severity = Severity::Sev1;
    const Incident declared = desk_->declare(draft, ann).value();
    EXPECT_EQ(declared.id, IncidentId("INC-1"));
    EXPECT_EQ(declared.state, IncidentState::Declared);
    ASSERT_TRUE(desk_->ack(declared.id, ann).has_value());
    EXPECT_EQ(desk_->ack(declared.id, ann).error().code, ErrorCode::Conflict);
    ASSERT_TRUE(desk_->assign(declared.id, "payments", ann).has_value());
    ASSERT_TRUE(desk_->note(declared.id, "the tool was redeployed at noon", ann).has_value());
    ASSERT_TRUE(
        desk_->set_anchor(declared.id, "onset", noon - std::chrono::minutes(5), ann).has_value()
    );
    EXPECT_FALSE(desk_->set_anchor(declared.id, "noon", noon, ann).has_value());
    EXPECT_FALSE(
        desk_->set_anchor(declared.id, "onset", noon + std::chrono::hours(1), ann).has_value()
    );
    const Incident incident = desk_->get(declared.id).value();
    EXPECT_EQ(incident.assignee, "payments");
    EXPECT_EQ(incident.acked_by, "person:ann");
    EXPECT_EQ(incident.anchors.onset_at, noon - std::chrono::minutes(5));
    EXPECT_EQ(incident.title, "Refunds are doubled");
    const std::vector<std::string> before = as_json();
    open();
    EXPECT_EQ(as_json(), before);
}

TEST_F(DeskTest, DeclaringNeedsWhatItSaysItNeeds) {
    DeclareDraft draft;
    EXPECT_FALSE(desk_->declare(draft, ann).has_value()) << "no title";
    draft.title = "x";
    EXPECT_FALSE(desk_->declare(draft, By{Actor("person:ann"), ""}).has_value()) << "no reason";
    draft.kind = IncidentKind::Backfilled;
    EXPECT_FALSE(desk_->declare(draft, ann).has_value()) << "backfilled without onset";
    draft.onset_at = noon + std::chrono::hours(1);
    EXPECT_FALSE(desk_->declare(draft, ann).has_value()) << "onset in the future";
    draft.onset_at = noon - std::chrono::hours(1);
    EXPECT_TRUE(desk_->declare(draft, ann).has_value());
}

TEST_F(DeskTest, QuietEndsTheImpactButNeverTheIncident) {
    join({finding("f1", "s1", SessionOutcome::Failed)});
    clock_.advance(settings_.quiet_period - std::chrono::seconds(1));
    ASSERT_TRUE(desk_->tick().has_value());
    EXPECT_FALSE(only().anchors.impact_ended_at.has_value());
    clock_.advance(std::chrono::seconds(1));
    ASSERT_TRUE(desk_->tick().has_value());
    EXPECT_EQ(only().anchors.impact_ended_at, noon)
        << "at the last finding, not when it was noticed";
    EXPECT_EQ(only().state, IncidentState::Triage);
    const std::size_t told_once = only().timeline.size();
    ASSERT_TRUE(desk_->tick().has_value());
    EXPECT_EQ(only().timeline.size(), told_once);
}

TEST_F(DeskTest, TheOwnerComesFromTheMap) {
    catalog::Contents contents;
    contents.owners.push_back({"tool:issue_*", "payments", "ann@example", "pager"});
    contents.owners.push_back({"agent:*", "platform", "", ""});
    catalog_ = std::make_shared<const catalog::Catalog>(contents);
    open();
    join({finding("f1", "s1", SessionOutcome::Failed)});
    EXPECT_EQ(only().owner.team, "payments");
    EXPECT_EQ(only().owner.rule, "tool:issue_*");
    EXPECT_EQ(only().owner.channel, "pager");
}

}  // namespace
}  // namespace tagout::incident
