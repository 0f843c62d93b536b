#include "intake/intake.h"
#include "intake/otlp_text.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace tagout::intake {
namespace {

using otlp_text::cost_counted, otlp_text::decoded, otlp_text::event_named, otlp_text::linked;
using otlp_text::Record, otlp_text::Span, otlp_text::tokens_counted;

Span call(int id, int parent, std::string name = "chat") {
    return {
        .name = std::move(name),
        .attributes =
            {{"gen_ai.operation.name", "chat"},
             {"gen_ai.request.model", "m1"},
             {"gen_ai.usage.input_tokens", 100},
             {"gen_ai.usage.output_tokens", 10}},
        .id = id,
        .parent = parent,
    };
}
Span tool(int id, int parent, std::string_view tool_name) {
    return {
        .name = "execute_tool",
        .attributes = {{"gen_ai.operation.name", "execute_tool"}, {"gen_ai.tool.name", tool_name}},
        .id = id,
        .parent = parent,
    };
}
Span plain(int id, int parent, std::string name) {
    return {.name = std::move(name), .attributes = {}, .id = id, .parent = parent};
}

TEST(Linker, AWrappedCallIsCountedOnceInEveryOrderOfArrival) {
    // Two instrumentations and the HTTP span between them tell one call.
    std::vector<Span> spans{
        call(1, 0, "outer"),
        {.name = "POST", .attributes = {{"http.request.method", "POST"}}, .id = 2, .parent = 1},
        call(3, 2, "inner"),
    };
    spans[1].kind = 3;
    std::ranges::sort(spans, {}, &Span::id);
    do {
        for (const bool one_batch : {true, false}) {
            Linker linker({});
            std::int64_t tokens = 0;
            std::size_t calls = 0;
            const auto take = [&](const std::vector<Span>& part) {
                const auto batch = decoded(part);
                linker.link(*batch);
                tokens += tokens_counted(*batch);
                calls += static_cast<std::size_t>(
                    std::ranges::count_if(batch->events, [](const AgentEvent& event) {
                        return event.kind == EventKind::Llm && !event.wrapper;
                    })
                );
            };
            if (one_batch) {
                take(spans);
            } else {
                for (const Span& span : spans) {
                    take({span});
                }
            }
            // The HTTP span coming last, after both calls went out, is the one order that cannot
            // be helped: nothing told that they are one.
            const bool late_link = !one_batch && spans.back().name == "POST";
            const std::string order = spans[0].name + " " + spans[1].name + " " + spans[2].name
                + (one_batch ? ", together" : ", one by one");
            EXPECT_EQ(tokens, late_link ? 220 : 110) << order;
            EXPECT_EQ(calls, late_link ? 2U : 1U) << order;
        }
    } while (std::ranges::next_permutation(spans, {}, &Span::id).found);
}

TEST(Linker, TheOuterCallKeepsItsTokensIfTheInnerOneHasNone) {
    Span inner = call(2, 1, "inner");
    inner.attributes = {{"gen_ai.operation.name", "chat"}};
    const auto batch = linked({call(1, 0, "outer"), inner});
    EXPECT_TRUE(event_named(*batch, "outer").wrapper);
    EXPECT_EQ(tokens_counted(*batch), 110);
}

TEST(Linker, CallsOfDifferentToolsOrOfAnAgentInBetweenAreNoWrappers) {
    Span agent = plain(2, 1, "sub");
    agent.attributes = {{"gen_ai.operation.name", "invoke_agent"}};
    const auto batch = linked({call(1, 0, "outer"), agent, call(3, 2, "inner"), tool(4, 1, "find"),
                               tool(5, 4, "fetch")});
    EXPECT_EQ(tokens_counted(*batch), 220) << "the outer call used an agent as its tool";
    for (const AgentEvent& event : batch->events) {
        EXPECT_FALSE(event.wrapper) << event.name;
    }
}

TEST(Linker, TheSameToolCallSeenByAgentClientAndServerIsOneCall) {
    Span client = tool(2, 1, "find");
    client.name = "client";
    client.attributes.emplace_back("gen_ai.tool.call.arguments", "");
    Span server = tool(3, 2, "find");
    server.name = "server";
    Span outer = tool(1, 0, "find");
    outer.name = "outer";
    outer.attributes.emplace_back("gen_ai.tool.call.arguments", R"({"q":1})");
    const auto batch = linked({server, client, outer});
    EXPECT_FALSE(event_named(*batch, "server").wrapper);
    EXPECT_TRUE(event_named(*batch, "client").wrapper);
    EXPECT_TRUE(event_named(*batch, "outer").wrapper);
}

TEST(Linker, OneAnswerToldByTwoSpansSideBySideIsCountedOnce) {
    Span one = call(2, 1, "one");
    Span other = call(3, 1, "other");
    one.attributes.emplace_back("gen_ai.response.id", "resp_1");
    other.attributes.emplace_back("gen_ai.response.id", "resp_1");
    const auto batch = linked({one, other, plain(1, 0, "root")});
    EXPECT_EQ(tokens_counted(*batch), 110);
}

TEST(Linker, AResentSpanIsDroppedAndCounted) {
    Linker linker({});
    const auto first = decoded({call(1, 0)});
    const auto again = decoded({call(1, 0)});
    linker.link(*first);
    linker.link(*again);
    EXPECT_EQ(first->events[0].kind, EventKind::Llm);
    EXPECT_EQ(again->events[0].kind, EventKind::Drop);
    EXPECT_EQ(tokens_counted(*again), 0);
    EXPECT_EQ(linker.stats().duplicates, 1U);

    Span later = call(1, 0);  // the same span with another end: an SDK sent it before it was done
    later.end = 150;
    const auto updated = decoded({later});
    linker.link(*updated);
    EXPECT_EQ(updated->events[0].kind, EventKind::Llm);
    EXPECT_EQ(tokens_counted(*updated), 0) << "its tokens were counted the first time";
}

TEST(Linker, ResentLogRecordsAreDroppedEvenWithoutATrace) {
    const std::vector<Record> records{
        {.event = "",
         .attributes = {{"session.id", "s1"}, {"input_tokens", 5}, {"output_tokens", 1}},
         .trace = 0,
         .body = "claude_code.api_request"},
    };
    Linker linker({});
    const auto first = decoded(records, "com.anthropic.claude_code.events");
    const auto again = decoded(records, "com.anthropic.claude_code.events");
    linker.link(*first);
    linker.link(*again);
    EXPECT_EQ(tokens_counted(*first), 6);
    EXPECT_EQ(tokens_counted(*again), 0);
    EXPECT_EQ(again->events[0].kind, EventKind::Drop);
}

TEST(Linker, ASpanAndTheRecordOfOneCallAreCountedOnceWhicheverComesFirst) {
    Span span = call(7, 0, "claude_code.llm_request");
    span.attributes = {{"span.type", "llm_request"}, {"model", "m1"}, {"input_tokens", 100},
                       {"output_tokens", 10}, {"gen_ai.response.id", "req_1"}};
    const Record record{
        .event = "",
        .attributes = {{"model", "m1"}, {"input_tokens", 100}, {"output_tokens", 10},
                       {"cost_usd", 0.5}, {"request_id", "req_1"}},
        .body = "claude_code.api_request",
    };
    constexpr std::string_view scope = "com.anthropic.claude_code.events";
    for (const std::string_view order : {"span first", "record first", "together"}) {
        Linker linker({});
        std::int64_t tokens = 0;
        double cost = 0;
        std::size_t calls = 0;
        const auto take = [&](const std::shared_ptr<EventBatch>& batch, bool link) {
            if (link) {
                linker.link(*batch);
            }
            tokens += tokens_counted(*batch);
            cost += cost_counted(*batch);
            calls += static_cast<std::size_t>(
                std::ranges::count_if(batch->events, [](const AgentEvent& event) {
                    return event.kind == EventKind::Llm && !event.wrapper && !event.merged;
                })
            );
        };
        if (order == "together") {
            take(linked({span}, scope, {record}), false);
        } else if (order == "span first") {
            take(decoded({span}, scope), true);
            take(decoded({record}, scope), true);
        } else {
            take(decoded({record}, scope), true);
            take(decoded({span}, scope), true);
        }
        EXPECT_EQ(tokens, 110) << order;
        EXPECT_DOUBLE_EQ(cost, 0.5) << order;
        EXPECT_EQ(calls, 1U) << order;
    }
}

TEST(Linker, AnErrorRecordWithoutAnIdBelongsToTheCallDuringWhichItWasWritten) {
    constexpr std::string_view scope = "com.anthropic.claude_code.events";
    Span span = call(7, 0, "claude_code.llm_request");
    span.start = 100;
    span.end = 110;
    span.attributes = {{"span.type", "llm_request"}, {"model", "m1"}};
    const auto error = [](int at, std::string_view model) {
        return Record{
            .event = "",
            .attributes = {{"model", model}, {"error", "overloaded"}, {"status_code", 500},
                           {"attempt", 1}},
            .at = at,
            .body = "claude_code.api_error",
        };
    };
    const auto batch = linked({span}, scope, {error(105, "m1"), error(120, "m1"), error(106, "m2")});
    std::size_t merged = 0;
    for (const AgentEvent& event : batch->events) {
        if (event.merged) {
            ++merged;
            EXPECT_EQ(event.ended_at, instant_of_nanos(105'000'000'000));
            EXPECT_EQ(event.merged_into, event_named(*batch, "claude_code.llm_request").span_id);
        }
    }
    EXPECT_EQ(merged, 1U);
    EXPECT_EQ(event_named(*batch, "claude_code.llm_request").status, SpanStatus::Unset)
        << "a try that failed and was repeated is no failed call";
}

TEST(Linker, TheConversationOfATraceReachesLaterEventsAndTellsWhatTheyWereCalledBefore) {
    Linker linker({});
    const auto early = decoded({call(3, 2)});
    linker.link(*early);
    const std::string hex = to_hex(early->events[0].trace_id);
    EXPECT_EQ(early->events[0].correlation, hex);
    EXPECT_EQ(early->events[0].formerly, "");

    Span agent = plain(2, 1, "invoke_agent a");
    agent.attributes = {{"gen_ai.conversation.id", "conv-9"}};
    const auto middle = decoded({call(4, 2), agent});
    linker.link(*middle);
    EXPECT_EQ(middle->events[0].correlation, "conv-9") << "known from its neighbour";
    EXPECT_EQ(middle->events[0].formerly, hex);
    EXPECT_EQ(middle->events[1].correlation, "conv-9");
    EXPECT_EQ(middle->events[1].formerly, "") << "said once";
    EXPECT_EQ(middle->items[0].correlation, "conv-9");

    const auto late = decoded({plain(1, 0, "root")});
    linker.link(*late);
    EXPECT_EQ(late->events[0].correlation, "conv-9");
    EXPECT_EQ(late->events[0].formerly, "");
}

TEST(Linker, AConversationKnownFromTheStartHasNoFormerName) {
    Span with = call(1, 0);
    with.attributes.emplace_back("session.id", "s-1");
    Linker linker({});
    const auto batch = decoded({with, call(2, 1)});
    linker.link(*batch);
    for (const AgentEvent& event : batch->events) {
        EXPECT_EQ(event.correlation, "s-1");
        EXPECT_EQ(event.formerly, "");
    }
}

TEST(Linker, RootsAreSpansWithoutAParentAndInAFileThoseWhoseParentIsNotInIt) {
    const std::vector<Span> spans{tool(3, 2, "find"), plain(2, 99, "handle request")};
    const auto file = linked(spans);
    EXPECT_TRUE(event_named(*file, "handle request").root);
    EXPECT_EQ(event_named(*file, "handle request").kind, EventKind::Workflow);
    EXPECT_EQ(event_named(*file, "handle request").workflow_name, "handle request");
    EXPECT_FALSE(event_named(*file, "execute_tool").root);

    Linker linker({});
    const auto live = decoded(spans);
    linker.link(*live);
    EXPECT_FALSE(event_named(*live, "handle request").root) << "its parent may still come";
}

TEST(Linker, ARootStepWithAnAgentBelowIsTheWorkflowAlsoWhenItComesLast) {
    Linker linker({});
    const auto child = decoded({tool(3, 2, "find")});
    const auto between = decoded({plain(2, 1, "step")});
    const auto root = decoded({plain(1, 0, "nightly run")});
    linker.link(*child);
    linker.link(*between);
    linker.link(*root);
    EXPECT_EQ(root->events[0].kind, EventKind::Workflow);
    EXPECT_EQ(root->events[0].workflow_name, "nightly run");
    EXPECT_EQ(between->events[0].kind, EventKind::Other);

    const auto lonely = linked({plain(1, 0, "cron"), plain(2, 1, "query")});
    EXPECT_EQ(event_named(*lonely, "cron").kind, EventKind::Other) << "nothing agentic below it";
}

TEST(Linker, AToolWhosePermissionWasRefusedIsDenied) {
    Span asked = plain(2, 1, "claude_code.tool.blocked_on_user");
    asked.attributes = {{"span.type", "tool.blocked_on_user"}, {"decision", "reject"}};
    Span run = plain(1, 0, "claude_code.tool");
    run.attributes = {{"span.type", "tool"}, {"tool_name", "Bash"}};
    Linker linker({});
    const auto first = decoded({asked}, "com.anthropic.claude_code.tracing");
    const auto second = decoded({run}, "com.anthropic.claude_code.tracing");
    linker.link(*first);
    linker.link(*second);
    EXPECT_EQ(first->events[0].outcome, StepOutcome::Blocked);
    EXPECT_EQ(second->events[0].outcome, StepOutcome::Denied);
}

TEST(Linker, AnHttpChildGivesItsStatusToTheFailedCallAbove) {
    Span failed = call(1, 0);
    failed.status = 2;
    Span http{
        .name = "POST",
        .attributes = {{"http.request.method", "POST"}, {"http.response.status_code", 403},
                       {"error.type", "403"}},
        .id = 2,
        .parent = 1,
        .kind = 3,
        .status = 2,
    };
    const auto batch = linked({failed, http});
    EXPECT_EQ(event_named(*batch, "chat").http_status, 403);
    EXPECT_EQ(event_named(*batch, "chat").outcome, StepOutcome::Denied);
    EXPECT_TRUE(event_named(*batch, "POST").absorbed);
}

TEST(Linker, TheGetByWhichAnMcpClientAsksForAStreamIsNoError) {
    const auto get = [](std::string_view path, std::string_view method) {
        return Span{
            .name = std::string(method) + " " + std::string(path),
            .attributes = {{"http.request.method", method}, {"http.response.status_code", 405},
                           {"url.path", path}, {"error.type", "405"}},
            .kind = 3,
            .status = 2,
        };
    };
    const auto batch = linked({get("/mcp", "GET"), get("/orders", "GET"), get("/mcp", "POST")});
    EXPECT_EQ(event_named(*batch, "GET /mcp").outcome, StepOutcome::Ok);
    EXPECT_EQ(event_named(*batch, "GET /mcp").status, SpanStatus::Unset);
    EXPECT_EQ(event_named(*batch, "GET /orders").outcome, StepOutcome::ClientError);
    EXPECT_EQ(event_named(*batch, "POST /mcp").outcome, StepOutcome::ClientError);
}

TEST(Linker, MemoryIsBoundedAndWhatIsForgottenIsCounted) {
    Linker linker({.traces_max = 10, .spans_per_trace_max = 4, .spans_max = 1000});
    for (int trace = 1; trace <= 25; ++trace) {
        Span span = call(1, 0);
        span.trace = trace;
        const auto batch = decoded({span});
        linker.link(*batch);
    }
    EXPECT_EQ(linker.stats().traces, 10U);
    EXPECT_EQ(linker.stats().traces_forgotten, 15U);
    EXPECT_EQ(linker.stats().spans, 10U);

    std::vector<Span> many;
    for (int id = 1; id <= 30; ++id) {
        many.push_back(call(id, 0));
    }
    const auto wide = decoded(many);
    linker.link(*wide);
    EXPECT_EQ(linker.stats().spans_unrelated, 26U);
    EXPECT_EQ(tokens_counted(*wide), 30 * 110) << "unrelated spans still count";
    for (const AgentEvent& event : wide->events) {
        EXPECT_FALSE(event.correlation.empty());
    }
}

TEST(Linker, ParentsInACircleAndSpansThatAreTheirOwnParentDoNoHarm) {
    const auto batch = linked({call(1, 2), call(2, 3), call(3, 1), call(4, 4)});
    EXPECT_EQ(batch->events.size(), 4U);
    EXPECT_LE(tokens_counted(*batch), 440);
    EXPECT_GE(tokens_counted(*batch), 220);
}

}  // namespace
}  // namespace tagout::intake
