// Ten thousand failing sessions in a minute, from events to the desk: one incident with a count.
#include "detect/testing/runner.h"
#include "detect/testing/story.h"
#include "incident/desk.h"
#include "incident/memory_journal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace tagout::detect {
namespace {

constexpr int sessions = 10'000;
constexpr Duration between = std::chrono::minutes(1) / sessions;

enum class Storm { Refused, Loop, Runaway };

/// Sessions overlap as they do in life: the events stand in order of their ends.
std::vector<AgentEvent> tell(Story& story, Storm storm) {
    for (int i = 0; i < sessions; ++i) {
        const std::string number = std::to_string(i);
        const std::string args = R"({"id":")" + number + "\"}";
        const std::size_t first = story.events.size();
        story.session("conv-" + number, "refund-agent", "refunds").by("user-" + number);
        story.user("Please refund order " + number).model(storm == Storm::Runaway ? 500'000 : 900);
        if (storm == Storm::Refused) {
            for (int n = 0; n < 2; ++n) {
                story.fail(story.tool("issue_refund", args, "no"), StepOutcome::ClientError, 422);
            }
        }
        for (int n = storm == Storm::Loop ? 10 : 0; n > 0; --n) {
            story.tool("get_order", args, "order " + number + " is open");
        }
        story.end(StepOutcome::Error);
        const Duration shift = between * i - (story.events[first].started_at - Instant{}) +
                               std::chrono::hours(24 * 365 * 50);
        for (std::size_t at = first; at < story.events.size(); ++at) {
            story.events[at].started_at += shift;
            story.events[at].ended_at += shift;
        }
    }
    std::ranges::stable_sort(story.events, {}, &AgentEvent::ended_at);
    return story.events;
}

TEST(Storm, TenThousandFailingSessionsInAMinuteAreOneIncidentWithACount) {
    struct Row {
        const char* name;
        Storm storm;
        FailureClass failure_class;
    };
    const Row rows[] = {
        {"a tool refuses everything", Storm::Refused, FailureClass::Tool},
        {"every session goes round in circles", Storm::Loop, FailureClass::Context},
        {"every session passes its budget", Storm::Runaway, FailureClass::Cost},
    };
    for (const Row& row : rows) {
        Story story;
        const RunResult result =
            run(tell(story, row.storm),
                Settings{},
                std::make_shared<const catalog::Catalog>(),
                {.shards = 2});
        ManualClock clock(Instant(std::chrono::hours(24 * 365 * 50)));
        incident::MemoryJournal journal(clock);
        const auto desk = incident::Desk::make(
            journal, clock, std::make_shared<const catalog::Catalog>(), incident::Settings{}
        );
        ASSERT_TRUE(desk->rebuild().has_value());
        std::vector<Finding> findings;
        for (const auto& [id, finding] : result.findings) {
            findings.push_back(finding);
        }
        ASSERT_TRUE(desk->join(findings, IncidentKind::Real).has_value());
        const std::vector<incident::Incident> open = desk->list({});
        ASSERT_EQ(open.size(), 1U) << row.name;
        EXPECT_EQ(open.front().failure_class, row.failure_class) << row.name;
        const auto hit = static_cast<double>(open.front().impact.sessions);
        EXPECT_NEAR(hit, sessions, sessions * 0.15) << row.name << ": counted, or estimated";
    }
}

}  // namespace
}  // namespace tagout::detect
