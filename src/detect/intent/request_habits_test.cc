// What must be told of requests and hand-offs, and what must not: whole sessions through the
// engine.

#include "detect/intent/handoff_loop.h"
#include "detect/testing/request_kinds.h"
#include "detect/testing/runner.h"
#include "detect/testing/story.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tagout::detect {
namespace {

const auto no_catalog = std::make_shared<const catalog::Catalog>();

void ask(
    Story& story, std::string_view correlation, std::string_view workflow, std::string_view text,
    StepOutcome outcome
) {
    story.session(correlation, "desk", workflow).user(text);
    story.model();
    story.end(outcome);
    story.wait(std::chrono::seconds(1));
}

/// Good sessions of every kind, then time for them to be learned.
void teach(Story& story, StepOutcome outcome = StepOutcome::Ok) {
    int number = 0;
    for (const RequestKind& kind : request_kinds()) {
        for (const std::string_view wish : kind.wishes) {
            for (const std::string_view thing : kind.things) {
                ask(story,
                    "good-" + std::to_string(number++),
                    kind.workflow,
                    std::string(wish) + " " + std::string(thing),
                    outcome);
            }
        }
    }
    story.wait(std::chrono::seconds(30));
    for (int i = 0; i < 30; ++i) {  // time for training
        ask(story,
            "later-" + std::to_string(i),
            "refunds",
            "please refund my last order",
            StepOutcome::Ok);
    }
}

TEST(RequestHabits, WhatIsToldOfARequest) {
    struct Row {
        std::string_view name;
        std::string_view workflow;
        std::string_view text;
        std::string_view signal;  ///< "" for none.
    };
    const Row rows[] = {
        {"where it belongs", "travel", "book a train to Rome next week", ""},
        {"in other words", "refunds", "give me back the money for the lamp", ""},
        {"at the wrong desk", "passwords", "please refund the blue shoes", "intent.wrong_workflow"},
        {"the same the other way",
         "refunds",
         "please reset my login to the portal",
         "intent.wrong_workflow"},
        {"like nothing here",
         "travel",
         "compose quantum symphony lyrics vividly",
         "intent.out_of_scope"},
        {"at a workflow that nobody knows", "new", "please refund the blue shoes", ""},
    };
    for (const Row& row : rows) {
        Story story;
        teach(story);
        ask(story, "judged", row.workflow, row.text, StepOutcome::ServerError);
        story.wait(std::chrono::seconds(20));
        ask(story, "last", "travel", "book a flight to Lisbon", StepOutcome::Ok);
        for (const bool over_the_wire : {false, true}) {
            const RunResult result =
                run(story.events,
                    Settings{},
                    no_catalog,
                    {.shards = over_the_wire ? 3U : 1U, .over_the_wire = over_the_wire});
            std::size_t of_judged = 0;
            for (const auto& [id, finding] : result.findings) {
                EXPECT_EQ(finding.correlation.text(), "judged")
                    << row.name << ": " << finding.evidence;
                if (finding.correlation.text() == "judged") {
                    ++of_judged;
                    EXPECT_EQ(finding.signal, row.signal) << row.name;
                    EXPECT_EQ(
                        finding.outcome,
                        row.signal == "intent.out_of_scope" ? SessionOutcome::Unknown
                                                            : SessionOutcome::Failed
                    ) << row.name;
                    EXPECT_EQ(finding.cause, row.workflow) << row.name;
                    EXPECT_NE(finding.evidence.find(row.text), std::string::npos)
                        << finding.evidence;
                }
            }
            EXPECT_EQ(of_judged, row.signal.empty() ? 0U : 1U) << row.name;
            EXPECT_EQ(
                result.incidents().size(), row.signal == "intent.wrong_workflow" ? 1U : 0U
            ) << row.name;
        }
    }
}

TEST(RequestHabits, ColdStartsAndBadSessionsTeachNothing) {
    Story untaught;
    ask(untaught, "judged", "passwords", "please refund the blue shoes", StepOutcome::ServerError);
    EXPECT_TRUE(run(untaught.events, Settings{}, no_catalog).findings.empty());

    Story failed;
    teach(failed, StepOutcome::ServerError);
    ask(failed, "judged", "passwords", "please refund the blue shoes", StepOutcome::ServerError);
    EXPECT_TRUE(run(failed.events, Settings{}, no_catalog).of("intent.wrong_workflow").empty());
}

TEST(HandoffLoop, WhatIsALoopAndWhatIsWork) {
    const auto hand = [](Story& story, std::string_view from, std::string_view to) {
        AgentEvent& event = story.model();
        event.kind = EventKind::Handoff;
        event.tokens = {};
        event.handoff_from = from;
        event.handoff_to = to;
    };
    struct Row {
        std::string_view name;
        std::function<void(Story&)> tell;
        bool loop;
    };
    const Row rows[] = {
        {"triage, billing and back for good",
         [&](Story& story) {
             for (int i = 0; i < 3; ++i) {
                 hand(story, "triage", "billing");
                 hand(story, "billing", "triage");
             }
         },
         true},
        {"three agents in a circle",
         [&](Story& story) {
             for (int i = 0; i < 3; ++i) {
                 hand(story, "a", "b");
                 hand(story, "b", "c");
                 hand(story, "c", "a");
             }
         },
         true},
        {"by tools that are named for it",
         [&](Story& story) {
             for (int i = 0; i < 3; ++i) {
                 story.tool("transfer_to_billing", "{}", "ok").agent_name = "triage";
                 story.tool("transfer_to_triage", "{}", "ok").agent_name = "billing";
             }
         },
         true},
        {"asked back once",
         [&](Story& story) {
             for (int i = 0; i < 2; ++i) {
                 hand(story, "triage", "billing");
                 hand(story, "billing", "triage");
             }
         },
         false},
        {"a supervisor whose workers work",
         [&](Story& story) {
             for (int i = 0; i < 6; ++i) {
                 hand(story, "supervisor", "worker");
                 story.tool(
                     "look_up", "{\"n\":" + std::to_string(i) + "}", "found " + std::to_string(i)
                 );
                 hand(story, "worker", "supervisor");
             }
         },
         false},
        {"the user speaks in between",
         [&](Story& story) {
             for (int i = 0; i < 6; ++i) {
                 story.turn().user("and now number " + std::to_string(i) + " of my list please");
                 story.model();
                 hand(story, "triage", "billing");
                 hand(story, "billing", "triage");
             }
         },
         false},
        {"one way, again and again",
         [&](Story& story) {
             for (int i = 0; i < 9; ++i) {
                 hand(story, "router", "writer");
             }
         },
         false},
    };
    for (const Row& row : rows) {
        Story story;
        story.session("s", "triage", "support").user("where is my invoice of last month");
        story.model();
        row.tell(story);
        story.end(StepOutcome::ServerError);
        const RunResult result = run(story.events, Settings{}, no_catalog);
        EXPECT_EQ(result.of("intent.handoff_loop").size(), row.loop ? 1U : 0U) << row.name;
    }
}

TEST(HandoffLoop, NamesOfToolsThatHandOver) {
    EXPECT_EQ(handed_over_to("transfer_to_billing"), "billing");
    EXPECT_EQ(handed_over_to("handoff_to_human"), "human");
    EXPECT_EQ(handed_over_to("transfer_money"), "");
    EXPECT_EQ(handed_over_to("transfer_to_"), "");
}

}  // namespace
}  // namespace tagout::detect
