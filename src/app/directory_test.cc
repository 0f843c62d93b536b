#include "app/directory.h"

#include <gtest/gtest.h>

namespace tagout::app {
namespace {

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));

AgentEvent tool_call(std::string_view agent, std::string_view service, std::string_view tool) {
    AgentEvent event;
    event.kind = EventKind::Tool;
    event.agent_name = agent;
    event.service_name = service;
    event.tool_name = tool;
    event.ended_at = noon;
    return event;
}

detect::SessionSummary ended(
    const std::string& id, const std::string& agent, SessionOutcome outcome
) {
    detect::SessionSummary summary;
    summary.correlation = CorrelationId(id);
    summary.agent = AgentName(agent);
    summary.outcome = outcome;
    summary.ended_at = noon;
    return summary;
}

TEST(Directory, AgentsAreDiscoveredWithTheirTools) {
    Directory directory;
    Directory::Seen seen;
    const AgentEvent events[] = {
        tool_call("refunds", "shop", "refund"),
        tool_call("refunds", "shop", "lookup"),
        tool_call("refunds", "shop", "lookup"),
    };
    directory.see(events, seen);
    const std::vector<DirectoryAgent> agents = directory.agents(noon);
    ASSERT_EQ(agents.size(), 1U);
    EXPECT_EQ(agents[0].name, "refunds");
    EXPECT_EQ(agents[0].tools, (std::set<std::string>{"lookup", "refund"}));
    EXPECT_EQ(agents[0].services, (std::set<std::string>{"shop"}));
    EXPECT_EQ(agents[0].last_seen_at, noon);
}

TEST(Directory, AServiceStandsInForAnAgentWithoutName) {
    Directory directory;
    Directory::Seen seen;
    const AgentEvent events[] = {tool_call("", "mailer", "send"), tool_call("", "", "send")};
    directory.see(events, seen);
    ASSERT_EQ(directory.agents(noon).size(), 1U) << "an event without any name is nobody's";
    EXPECT_EQ(directory.agents(noon)[0].name, "mailer");
}

TEST(Directory, SessionsCountOnceEvenWhenTheirOutcomeIsRevised) {
    Directory directory;
    Directory::Seen seen;
    const AgentEvent event = tool_call("refunds", "shop", "refund");
    directory.see(std::span(&event, 1), seen);
    const detect::SessionSummary first[] = {
        ended("a", "refunds", SessionOutcome::Succeeded),
        ended("b", "refunds", SessionOutcome::Succeeded)};
    directory.ended(first, noon);
    const detect::SessionSummary revised[] = {ended("a", "refunds", SessionOutcome::Failed)};
    directory.ended(revised, noon + std::chrono::minutes(1));
    const OutcomeCounts counts = directory.last_hour(noon + std::chrono::minutes(2));
    EXPECT_EQ(counts.by_outcome[static_cast<std::size_t>(SessionOutcome::Succeeded)], 1U);
    EXPECT_EQ(counts.by_outcome[static_cast<std::size_t>(SessionOutcome::Failed)], 1U);
    const DirectoryAgent agent = directory.agents(noon + std::chrono::minutes(2))[0];
    EXPECT_EQ(agent.sessions_last_hour, 2U);
    EXPECT_EQ(agent.failed_last_hour, 1U);
}

TEST(Directory, AnHourLaterTheyAreForgotten) {
    Directory directory;
    const detect::SessionSummary sessions[] = {ended("a", "x", SessionOutcome::Failed)};
    directory.ended(sessions, noon);
    const Instant later = noon + std::chrono::minutes(62);
    EXPECT_EQ(directory.last_hour(later).by_outcome[2], 0U);
    directory.ended({}, later);
    EXPECT_EQ(directory.last_hour(noon).by_outcome[2], 0U) << "and not only hidden";
}

TEST(Directory, NamesOfOneAgentAreBounded) {
    Directory directory;
    Directory::Seen seen;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < Directory::names_max + 100; ++i) {
        names.push_back("tool-" + std::to_string(i));
    }
    for (const std::string& name : names) {
        const AgentEvent event = tool_call("refunds", "shop", name);
        directory.see(std::span(&event, 1), seen);
    }
    EXPECT_EQ(directory.agents(noon)[0].tools.size(), Directory::names_max);
}

}  // namespace
}  // namespace tagout::app
