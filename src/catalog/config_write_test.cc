#include "catalog/config_write.h"

#include "catalog/config.h"

#include <gtest/gtest.h>

namespace tagout::catalog {
namespace {

constexpr std::string_view whole = R"(
agents:
  refund-agent: { description: "Gives money back: \"fast\"", workflows: [returns], tools: [payments.refund] }
workflows:
  returns: { fallback: people, url: "http://127.0.0.1:9000/agent" }
  people: { url: "http://127.0.0.1:9001/" }
tools:
  payments.refund: { server: payments, effect: write, risk: high, reversibility: irreversible,
                     compensating_tool: payments.undo }
  payments.undo: {}
  "web.*": { effect: egress }
mcp_servers:
  payments: { url: "http://127.0.0.1:9002/mcp" }
model_upstreams:
  openai: { protocol: openai, url: "http://127.0.0.1:9003/v1", key_env: OPENAI_API_KEY }
owners:
  - { match: "*", team: support }
notices:
  default_channel: pages
  channels:
    pages: { type: webhook, url: "http://127.0.0.1:9004/hook", secret_env: HOOK_SECRET }
detection:
  tool:
    4xx_spike:
      rate_min: 0.4
)";

TEST(EnforcementConfig, IsReadAsWhatItWasWrittenFrom) {
    const ConfigReport read = read_config(whole, "tagout.yaml");
    ASSERT_TRUE(read.contents.has_value()) << read.text();
    const std::string written = enforcement_config(*read.contents);
    const ConfigReport again = read_config(written, "written");
    ASSERT_TRUE(again.contents.has_value()) << again.text() << written;
    const Contents& contents = *again.contents;
    ASSERT_EQ(contents.agents.size(), 1U);
    EXPECT_EQ(contents.agents[0].description, "Gives money back: \"fast\"");
    EXPECT_EQ(contents.agents[0].tools, std::vector{ToolName("payments.refund")});
    ASSERT_EQ(contents.workflows.size(), 2U);
    EXPECT_EQ(contents.workflows[0].fallback, WorkflowName("people"));
    EXPECT_EQ(contents.workflows[0].url, "http://127.0.0.1:9000/agent");
    ASSERT_EQ(contents.tools.size(), 3U);
    EXPECT_EQ(contents.tools[0].effect, ToolEffect::Write);
    EXPECT_EQ(contents.tools[0].risk, ToolRisk::High);
    EXPECT_EQ(contents.tools[0].reversibility, Reversibility::Irreversible);
    EXPECT_EQ(contents.tools[1].effect, ToolEffect::Unknown);
    EXPECT_FALSE(contents.tools[1].risk.has_value());
    EXPECT_EQ(contents.mcp_servers[0].url, "http://127.0.0.1:9002/mcp");
    EXPECT_EQ(contents.model_upstreams[0].key_env, "OPENAI_API_KEY");
    EXPECT_EQ(enforcement_config(contents), written);
}

TEST(EnforcementConfig, SaysWhatProvesAnAgent) {
    const ConfigReport before = read_config(
        "gateway:\n  identity:\n    mode: mtls\n    certificate_name: common_name\n"
        "    certificate_prefix: agent-\n",
        "tagout.yaml"
    );
    ASSERT_TRUE(before.contents) << before.text();
    const ConfigReport after = read_config(enforcement_config(*before.contents), "part");
    ASSERT_TRUE(after.contents) << after.text();
    EXPECT_EQ(after.contents->identity, before.contents->identity);
    EXPECT_EQ(after.contents->identity.mode, IdentityMode::Mtls);
    EXPECT_EQ(enforcement_config({}).find("gateway"), std::string::npos)
        << "earlier gateways know no such key";
}

TEST(EnforcementConfig, CarriesNothingOfPeopleAndChannels) {
    const ConfigReport read = read_config(whole, "tagout.yaml");
    ASSERT_TRUE(read.contents.has_value());
    const std::string written = enforcement_config(*read.contents);
    for (const std::string_view secret : {"HOOK_SECRET", "support", "pages", "hook", "4xx"}) {
        EXPECT_EQ(written.find(secret), std::string::npos) << secret;
    }
    EXPECT_EQ(enforcement_config(Contents{}), "{}");
}

}  // namespace
}  // namespace tagout::catalog
