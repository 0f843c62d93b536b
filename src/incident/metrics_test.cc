#include "incident/metrics.h"

#include "incident/memory_journal.h"

#include <gtest/gtest.h>

namespace tagout::incident {
namespace {

TEST(IncidentMetrics, EachChangeIsCountedOnce) {
    constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));
    const By ann{Actor("person:ann"), "seen it"};
    ManualClock clock(noon);
    MemoryJournal journal(clock);
    MetricRegistry metrics;
    const auto desk =
        Desk::make(journal, clock, std::make_shared<const catalog::Catalog>(), Settings{});
    ASSERT_TRUE(desk->rebuild().has_value());
    desk->on_change([&metrics](const Change& change) { count_change(change, metrics); });

    std::vector<Finding> findings(20);
    for (std::size_t i = 0; i < findings.size(); ++i) {
        findings[i].id = "f" + std::to_string(i);
        findings[i].correlation = CorrelationId("s" + std::to_string(i));
        findings[i].failure_class = FailureClass::Cost;
        findings[i].signal = "cost.token_spike";
        findings[i].cause = "tokens";
        findings[i].seen_at = noon;
        findings[i].outcome = SessionOutcome::Failed;
    }
    ASSERT_TRUE(desk->join(findings, IncidentKind::Real).has_value());
    clock.advance(std::chrono::minutes(1));
    ASSERT_TRUE(desk->move(IncidentId("INC-1"), IncidentState::Resolved, ann).has_value());
    findings[0].id = "again";
    findings[0].seen_at = noon + std::chrono::minutes(2);
    ASSERT_TRUE(desk->join({findings.data(), 1}, IncidentKind::Real).has_value());
    DeclareDraft draft;
    draft.title = "Refunds are doubled";
    draft.failure_class = FailureClass::Tool;
    ASSERT_TRUE(desk->declare(draft, ann).has_value());

    const std::string text = metrics.expose();
    for (const char* line : {
             "tagout_incidents_opened_total{class=\"cost\",kind=\"real\"} 2\n",
             "tagout_incidents_opened_total{class=\"tool\",kind=\"real\"} 1\n",
             "tagout_incidents_declared_total{class=\"cost\",severity=\"SEV2\"} 1\n",
             "tagout_incidents_declared_total{class=\"tool\",severity=\"SEV3\"} 1\n",
             "tagout_incidents_ended_total{class=\"cost\",state=\"resolved\"} 1\n",
             "tagout_incidents_recurrences_total{class=\"cost\"} 1\n",
         }) {
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
    }
    EXPECT_EQ(text.find("tagout_incidents_escalated_total{"), std::string::npos)
        << "graded before anybody was told is no escalation";
}

}  // namespace
}  // namespace tagout::incident
