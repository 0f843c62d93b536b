#include "verify/ledger.h"

#include "store/memory/evidence_log.h"
#include "verify/ledger_reasons.h"
#include "verify/said.h"
#include "verify/telemetry_test_support.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tagout::verify {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class LedgerTest : public testing::Test {
protected:
    LedgerTest() {
        incident.id = IncidentId("INC-7");
        incident.agent = AgentName("refund-agent");
        incident.anchors.onset_at = second(100);
        catalog::Contents contents;
        contents.tools.push_back(
            {ToolName("refund"), "", ToolEffect::Write, std::nullopt, Reversibility::Irreversible,
             ToolName("reverse_refund")}
        );
        contents.tools.push_back({ToolName("send_mail"), "", ToolEffect::Egress, {}, {}, {}});
        contents.tools.push_back({ToolName("orders.get"), "", ToolEffect::Read, {}, {}, {}});
        catalog = catalog::Catalog(std::move(contents));
    }

    Ledger judged() {
        const LedgerParts parts{
            catalog,
            [this](Instant from, Instant to, const auto& visit) {
                return telemetry.log.scan(from, to, visit);
            },
            [this](std::string_view correlation, std::size_t limit) {
                return telemetry.log.find(correlation, limit);
            },
            today};
        Result<Ledger> ledger = judge_ledger(parts, incident, options, second(1000));
        EXPECT_TRUE(ledger.has_value()) << ledger.error().message;
        return ledger.value();
    }
    LedgerRow only_row() {
        const Ledger ledger = judged();
        EXPECT_EQ(ledger.rows.size(), 1U);
        return ledger.rows.empty() ? LedgerRow{} : ledger.rows[0];
    }
    Finding finding(int trace, int span) {
        Finding made;
        made.id = "f";
        made.signal = "tool.unexpected_write";
        made.correlation = CorrelationId("conv-" + std::to_string(trace));
        SpanId id;
        id.bytes[6] = 1;
        id.bytes[7] = static_cast<std::uint8_t>(span);
        made.span_id = to_hex(id);
        TraceId trace_id;
        trace_id.bytes[14] = 1;
        trace_id.bytes[15] = static_cast<std::uint8_t>(trace);
        made.trace_id = to_hex(trace_id);
        made.evidence = "refund 4200";
        made.outcome = SessionOutcome::Failed;
        made.outcome_reason = "the user said no";
        return made;
    }

    ManualClock clock{second(0)};
    store::MemoryEvidenceLog evidence{clock};
    Telemetry telemetry{evidence};
    incident::Incident incident;
    catalog::Catalog catalog;
    LedgerOptions options;
    std::function<Today(const ToolCall&)> today;
};

TEST_F(LedgerTest, AWriteIsARowWithWhatIsKnownOfIt) {
    auto agent = agent_span(1, 1, 100, 110, "refund-agent");
    agent.texts.emplace_back("gen_ai.prompt.name", "refund");
    agent.texts.emplace_back("gen_ai.prompt.version", "7");
    telemetry.send({tool_span(1, 2, 1, 101, "refund", R"({"amount":42})"), agent});
    telemetry.send({tool_span(1, 3, 1, 102, "orders.get")});
    const Ledger ledger = judged();
    ASSERT_EQ(ledger.rows.size(), 1U);
    const LedgerRow& row = ledger.rows[0];
    EXPECT_EQ(row.tool, "refund");
    EXPECT_EQ(row.agent, "refund-agent");
    EXPECT_EQ(row.user, "ann");
    EXPECT_EQ(row.correlation, "conv-1");
    EXPECT_EQ(row.at, second(101));
    EXPECT_EQ(row.arguments, R"({"amount":42})");
    EXPECT_EQ(row.result, R"({"ok":true})");
    EXPECT_EQ(row.effect, ToolEffect::Write);
    EXPECT_EQ(row.reversibility, Reversibility::Irreversible);
    EXPECT_EQ(row.state, EffectState::Recorded);
    EXPECT_EQ(row.source, CallSource::Telemetry);
    EXPECT_EQ(row.compensating_tool, "reverse_refund");
    EXPECT_FALSE(row.suspect());
    EXPECT_EQ(ledger.totals[static_cast<std::size_t>(Reversibility::Irreversible)].calls, 1U);
    EXPECT_EQ(
        sentence_of(ledger),
        "1 call that writes or sends in the incident's window, nothing speaks against any of them."
    );
}

TEST_F(LedgerTest, OneCallThatManyTellOfIsOneRow) {
    SpanDraft client = tool_span(1, 3, 2, 101.1, "refund");
    SpanDraft http{1, 4, 3, 101.2, 101.8, "POST /mcp/pay", {{"http.request.method", "POST"}}};
    telemetry.send(
        {gateway_span(1, 5, 4, 101.3, "refund"), http, client, tool_span(1, 2, 1, 101, "refund"),
         agent_span(1, 1, 100, 110, "refund-agent")}
    );
    const LedgerRow row = only_row();
    EXPECT_EQ(row.source, CallSource::Both);
    EXPECT_EQ(row.agent, "refund-agent");
    EXPECT_EQ(row.result, R"({"ok":true})");
}

TEST_F(LedgerTest, TheGatewayNamesToolsWithoutTheServersPrefix) {
    telemetry.send(
        {gateway_span(1, 5, 2, 101.3, "refund"), tool_span(1, 2, 1, 101, "pay.refund"),
         agent_span(1, 1, 100, 110, "refund-agent")}
    );
    EXPECT_EQ(only_row().source, CallSource::Both);
}

TEST_F(LedgerTest, ARetryThatReachedTheToolTwiceIsTwoRows) {
    telemetry.send(
        {gateway_span(1, 5, 2, 101.1, "refund"), gateway_span(1, 6, 2, 101.5, "refund"),
         tool_span(1, 2, 1, 101, "refund"), agent_span(1, 1, 100, 110, "refund-agent")}
    );
    const Ledger ledger = judged();
    ASSERT_EQ(ledger.rows.size(), 2U);
    EXPECT_EQ(ledger.rows[0].source, CallSource::Both);
    EXPECT_EQ(ledger.rows[1].source, CallSource::Gateway);
    EXPECT_EQ(ledger.rows[1].agent, "refund-agent");
    EXPECT_THAT(ledger.rows[1].reasons, Contains(HasSubstr("done twice")));
}

TEST_F(LedgerTest, WithoutATraceTheCallsIdOrItsArgumentsAndTimeJoinIt) {
    auto told = tool_span(1, 2, 1, 101, "refund", R"({"amount": 42})");
    auto seen = gateway_span(2, 5, 0, 101.2, "refund");
    seen.texts.emplace_back("gen_ai.conversation.id", "conv-1");
    seen.texts.emplace_back("gen_ai.tool.call.arguments", R"({"amount":42})");
    auto other = gateway_span(3, 6, 0, 101.3, "refund");
    other.texts.emplace_back("gen_ai.conversation.id", "conv-1");
    other.texts.emplace_back("gen_ai.tool.call.arguments", R"({"amount":43})");
    telemetry.send({seen, other, told, agent_span(1, 1, 100, 110, "refund-agent")});
    const Ledger ledger = judged();
    ASSERT_EQ(ledger.rows.size(), 2U);
    EXPECT_EQ(ledger.rows[0].source, CallSource::Both);
    EXPECT_EQ(ledger.rows[1].source, CallSource::Gateway);
    EXPECT_EQ(ledger.rows[1].arguments, R"({"amount":43})");
}

TEST_F(LedgerTest, TheStateIsWhatTheWireSays) {
    struct Row {
        const char* what;
        std::string verdict;
        bool gateway_error;
        bool cancelled;
        bool telemetry_error;
        EffectState state;
        const char* reason;
    };
    const Row rows[] = {
        {"done", "allow", false, false, false, EffectState::Recorded, nullptr},
        {"refused", "deny", true, false, true, EffectState::Refused, nullptr},
        {"waits for a person", "escalate", true, false, true, EffectState::Refused, nullptr},
        {"failed", "allow", true, false, true, EffectState::Failed, nullptr},
        {"cancelled", "allow", true, true, true, EffectState::Unknown, "cut in flight"},
        {"done unseen", "allow", false, false, true, EffectState::Recorded, "took it for failed"},
        {"failed unseen", "allow", true, false, false, EffectState::Failed, "took it for done"},
    };
    int trace = 0;
    for (const Row& row : rows) {
        ++trace;
        auto told = tool_span(trace, 2, 1, 101 + trace, "refund");
        told.error = row.telemetry_error;
        auto seen = gateway_span(trace, 3, 2, 101.2 + trace, "refund", row.verdict);
        seen.error = row.gateway_error;
        seen.cancelled = row.cancelled;
        telemetry.send({seen, told, agent_span(trace, 1, 100, 120, "refund-agent")});
    }
    const Ledger ledger = judged();
    ASSERT_EQ(ledger.rows.size(), std::size(rows));
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        EXPECT_EQ(name_of(ledger.rows[i].state), name_of(rows[i].state)) << rows[i].what;
        if (rows[i].reason == nullptr) {
            EXPECT_THAT(ledger.rows[i].reasons, IsEmpty()) << rows[i].what;
        } else {
            EXPECT_THAT(ledger.rows[i].reasons, Contains(HasSubstr(rows[i].reason)));
        }
    }
    EXPECT_EQ(ledger.rows[1].decided_by, "CTL-3");
    EXPECT_THAT(sentence_of(ledger), HasSubstr("of 1 nobody knows whether it was done"));
}

TEST_F(LedgerTest, FindingsMakeTheirStepAndTheirSessionSuspect) {
    incident.findings = {finding(1, 2)};
    incident.finding_count = 1;
    telemetry.send(
        {tool_span(1, 2, 1, 101, "refund"), tool_span(1, 3, 1, 103, "send_mail"),
         agent_span(1, 1, 100, 110, "refund-agent")}
    );
    telemetry.send(
        {tool_span(2, 2, 1, 105, "refund"), agent_span(2, 1, 100, 110, "refund-agent")}
    );
    const Ledger ledger = judged();
    ASSERT_EQ(ledger.rows.size(), 3U);
    EXPECT_THAT(
        ledger.rows[0].reasons,
        ElementsAre(
            "tool.unexpected_write points at this very call: refund 4200",
            "its session failed for its user: the user said no"
        )
    );
    EXPECT_THAT(ledger.rows[1].reasons, Contains(HasSubstr("made in a session of this incident")));
    EXPECT_THAT(ledger.rows[2].reasons, IsEmpty());  // the same span id in another trace
    EXPECT_EQ(ledger.suspects, 2U);
    EXPECT_THAT(sentence_of(ledger), HasSubstr("2 are suspect (2 cannot be taken back)"));
}

TEST_F(LedgerTest, AValueThatNobodySaidIsNamed) {
    auto agent = agent_span(1, 1, 100, 110, "refund-agent");
    agent.texts.emplace_back(
        "gen_ai.input.messages",
        R"([{"role":"user","parts":[{"type":"text","content":"Refund order A-1001, it was 42.00"}]}])"
    );
    telemetry.send(
        {tool_span(1, 2, 1, 101, "refund", R"({"order":"A-1001","amount":4200})"),
         tool_span(1, 3, 1, 104, "refund", R"({"order":"A-1001","amount":999900})"), agent}
    );
    const Ledger ledger = judged();
    ASSERT_EQ(ledger.rows.size(), 2U);
    EXPECT_THAT(ledger.rows[0].reasons, IsEmpty());
    EXPECT_THAT(
        ledger.rows[1].reasons,
        ElementsAre("nobody had said the value 999900 of 'amount' before the call")
    );
}

TEST_F(LedgerTest, TheVersionThatCameWithTheOnsetIsNamed) {
    for (int trace = 1; trace <= 3; ++trace) {
        auto agent = agent_span(trace, 1, 90 + 10 * trace, 99 + 10 * trace, "refund-agent");
        agent.texts.emplace_back("gen_ai.prompt.name", "refund");
        agent.texts.emplace_back("gen_ai.prompt.version", trace == 2 ? "8" : "7");
        telemetry.send({tool_span(trace, 2, 1, 85 + 10 * trace, "refund"), agent});
    }
    const Ledger ledger = judged();
    ASSERT_EQ(ledger.rows.size(), 3U);
    EXPECT_THAT(ledger.rows[0].reasons, IsEmpty());
    EXPECT_THAT(
        ledger.rows[1].reasons,
        ElementsAre("made after onset under prompt refund@8; before it, refund@7 was in force")
    );
    EXPECT_THAT(ledger.rows[2].reasons, IsEmpty());
}

TEST_F(LedgerTest, TodaysRefusalSpeaksAgainstACallUnlessItIsTheIncidentsOwnControl) {
    telemetry.send(
        {tool_span(1, 2, 1, 101, "refund"), agent_span(1, 1, 100, 110, "refund-agent")}
    );
    today = [](const ToolCall& call) {
        EXPECT_EQ(call.tool, "refund");
        EXPECT_EQ(call.agent, "refund-agent");
        EXPECT_EQ(call.effect, ToolEffect::Write);
        return Today{Verdict::Deny, "policy:pay@4#big", "too large", IncidentId("")};
    };
    EXPECT_THAT(
        only_row().reasons, ElementsAre("today it would be refused (policy:pay@4#big: too large)")
    );
    today = [](const ToolCall&) {
        return Today{Verdict::Deny, "CTL-1", "stopped", IncidentId("INC-7")};
    };
    const LedgerRow row = only_row();
    EXPECT_FALSE(row.suspect());
    EXPECT_EQ(row.verdict_today, Verdict::Deny);
}

TEST_F(LedgerTest, OtherAgentsAndOtherTimesAreNotTheIncidents) {
    telemetry.send(
        {tool_span(1, 2, 1, 101, "refund"), agent_span(1, 1, 100, 110, "search-agent")}
    );
    telemetry.send(
        {tool_span(2, 2, 1, -700, "refund"), agent_span(2, 1, -701, -690, "refund-agent")}
    );
    incident.anchors.contained_at = second(200);
    telemetry.send(
        {tool_span(3, 2, 1, 300, "refund"), agent_span(3, 1, 299, 310, "refund-agent")}
    );
    EXPECT_THAT(judged().rows, IsEmpty());
    telemetry.send({tool_span(4, 2, 0, 150, "refund")});  // of nobody: taken in
    EXPECT_EQ(only_row().agent, "");
    incident.tool = ToolName("send_mail");
    EXPECT_THAT(judged().rows, IsEmpty());
}

TEST_F(LedgerTest, NothingIsLeftOutSilently) {
    for (int trace = 1; trace <= 4; ++trace) {
        telemetry.send(
            {tool_span(trace, 2, 1, 100 + trace, "refund"),
             agent_span(trace, 1, 100, 110, "refund-agent")}
        );
    }
    telemetry.send_broken("conv-9", second(105));
    EXPECT_EQ(judged().unreadable, 1U);
    EXPECT_THAT(sentence_of(judged()), HasSubstr("1 stored item could not be read"));
    EXPECT_THAT(judged().cut, IsEmpty());
    options.rows_max = 2;
    EXPECT_EQ(judged().rows.size(), 2U);
    EXPECT_EQ(judged().calls, 4U);
    EXPECT_THAT(judged().cut, ElementsAre(HasSubstr("only the first 2 of 4 calls")));
    options = {};
    options.sessions_max = 3;
    EXPECT_THAT(judged().cut, ElementsAre(HasSubstr("more than 3 sessions wrote")));
    options = {};
    options.items_max = 3;
    EXPECT_THAT(judged().cut, ElementsAre(HasSubstr("more than 3 stored items")));
    options = {};
    options.session_items_max = 1;
    EXPECT_EQ(judged().cut.size(), 4U);
    options = {};
    incident.finding_count = 5;
    EXPECT_THAT(judged().cut, ElementsAre(HasSubstr("5 findings past the first 0")));
}

TEST_F(LedgerTest, LongTextsAreClippedAndSaySo) {
    const std::string arguments = "{\"text\":\"" + std::string(10'000, 'x') + "\"}";
    telemetry.send(
        {tool_span(1, 2, 1, 101, "refund", arguments), agent_span(1, 1, 100, 110, "refund-agent")}
    );
    const LedgerRow row = only_row();
    EXPECT_EQ(row.arguments.size(), options.text_bytes_max);
    EXPECT_TRUE(row.clipped);
}

TEST_F(LedgerTest, AsJsonItSaysWhatWasLeftOut) {
    incident.findings = {finding(1, 2)};
    incident.finding_count = 1;
    telemetry.send(
        {tool_span(1, 2, 1, 101, "refund"), agent_span(1, 1, 100, 110, "refund-agent")}
    );
    telemetry.send(
        {tool_span(2, 3, 1, 105, "refund"), agent_span(2, 1, 100, 110, "refund-agent")}
    );
    const Ledger ledger = judged();
    boost::json::object all = tree_of(ledger, LedgerRows::All, 1000);
    EXPECT_EQ(all["rows"].as_array().size(), 2U);
    EXPECT_EQ(all["truncated"], false);
    EXPECT_EQ(all["rows"].as_array()[0].as_object()["state"], "recorded");
    EXPECT_EQ(all["totals"].as_array()[0].as_object()["reversibility"], "irreversible");
    boost::json::object few = tree_of(ledger, LedgerRows::All, 1);
    EXPECT_EQ(few["rows"].as_array().size(), 1U);
    EXPECT_EQ(few["truncated"], true);
    EXPECT_EQ(few["calls"], 2);
    EXPECT_EQ(tree_of(ledger, LedgerRows::Suspect, 9)["rows"].as_array().size(), 1U);
}

TEST(LedgerWindow, GoesFromBeforeOnsetToContainedOrNow) {
    incident::Incident incident;
    const Duration margin = std::chrono::seconds(10);
    EXPECT_EQ(window_of(incident, margin, second(50)), std::pair(second(40), second(50)));
    incident.anchors.signal_at = second(20);
    EXPECT_EQ(window_of(incident, margin, second(50)), std::pair(second(10), second(50)));
    incident.anchors.onset_at = second(0);
    incident.anchors.contained_at = second(30);
    EXPECT_EQ(window_of(incident, margin, second(500)), std::pair(second(-10), second(90)));
    EXPECT_EQ(window_of(incident, margin, second(50)), std::pair(second(-10), second(50)));
    incident.anchors.contained_at = second(-100);
    EXPECT_EQ(window_of(incident, margin, second(50)), std::pair(second(-10), second(0)));
}

TEST(UnsaidValues, OnlyTellingValuesThatNobodyNamedAreNamed) {
    const SaidText said{"order a-1001 for bob@shop.example, 1,234,567 points, 12.5 kg", true};
    struct Row {
        const char* arguments;
        std::vector<std::string> unsaid;
    };
    const Row rows[] = {
        {R"({"order":"A-1001"})", {}},
        {R"({"order":"A-1002"})", {"A-1002"}},
        {R"({"to":"bob@shop.example","text":"anything at all"})", {}},
        {R"({"to":["eve@evil.example"]})", {"eve@evil.example"}},
        {R"({"points":1234567,"weight":12.5,"count":3})", {}},
        {R"({"points":7654321})", {"7654321"}},
        {R"({"weight":112.5})", {"112.5"}},
        {R"({"idempotency_key":"k-99887766","created_time":1800000000})", {}},
        {R"({"deep":{"er":{"id":"Z-9999"}}})", {"Z-9999"}},
        {"not json", {}},
        {"", {}},
    };
    for (const Row& row : rows) {
        std::vector<std::string> unsaid;
        for (const UnsaidValue& each : unsaid_values(row.arguments, said)) {
            unsaid.push_back(each.value);
        }
        EXPECT_EQ(unsaid, row.unsaid) << row.arguments;
    }
    EXPECT_TRUE(unsaid_values(R"({"order":"A-1002"})", {"", false}).empty());
}

TEST(SameTool, AServersNameMayStandBeforeIt) {
    EXPECT_TRUE(is_same_tool("refund", "refund"));
    EXPECT_TRUE(is_same_tool("payments.refund", "refund"));
    EXPECT_TRUE(is_same_tool("refund", "mcp__payments__refund"));
    EXPECT_FALSE(is_same_tool("prefund", "refund"));
    EXPECT_FALSE(is_same_tool("refund", "refunds"));
    EXPECT_FALSE(is_same_tool("refund", ""));
}

}  // namespace
}  // namespace tagout::verify
