// A model API that fails, and what its clients see of it: nothing, while its fallback answers.
#include "gateway/test_world.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace tagout::gateway {
namespace {

const std::string chat = R"({"model":"gpt-5","messages":[{"role":"user","content":"Hello"}]})";
const std::string streamed = R"({"model":"gpt-5","stream":true,"messages":[]})";
constexpr std::string_view answered =
    R"({"choices":[{"index":0,"message":{"role":"assistant","content":"from the spare"},"finish_reason":"stop"}]})";

/// `tools` serves the spare model and people, `model` all others.
class FallbackWorld : public World {
public:
    FallbackWorld(Script tools, Script model)
        : World(std::move(tools), std::move(model), true, 2, nullptr, {}, true) {}
};

/// Answers everything so; what it was asked is kept.
struct Model {
    std::string answer;
    std::mutex mutex;
    std::vector<std::string> asked;

    World::Script script() {
        return [this](net::ScriptedPeer& peer) {
            for (std::string got; !(got = peer.read_request()).empty();) {
                std::string says;
                {
                    const std::scoped_lock lock(mutex);
                    asked.push_back(std::move(got));
                    says = answer;
                }
                peer.send(says);
            }
        };
    }
    void say(std::string text) {
        const std::scoped_lock lock(mutex);
        answer = std::move(text);
    }
    std::size_t count() {
        const std::scoped_lock lock(mutex);
        return asked.size();
    }
};

net::HttpResponse ask(
    const World& world, const std::string& upstream, const std::string& body = chat,
    net::Headers headers = {}
) {
    headers.emplace_back("Content-Type", "application/json");
    return world.ask({"POST", "/model/" + upstream + "/chat/completions", body, headers});
}

std::string failing(int status) {
    return http_answer("application/json", R"({"error":{"message":"overloaded"}})", "", status);
}

TEST(ModelFallback, AnotherModelAnswersWhereOneFails) {
    Model spare{http_answer("application/json", answered), {}, {}};
    Model main{failing(503), {}, {}};
    setenv("TAGOUT_SPARE_KEY", "sk-spare", 1);
    FallbackWorld world(spare.script(), main.script());
    const auto answer = ask(world, "main", chat, {{"Authorization", "Bearer sk-mine"}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_NE(answer.body.find("from the spare"), std::string::npos);
    EXPECT_EQ(answer.header("tagout-route"), "spare/gpt-spare");
    ASSERT_EQ(spare.count(), 1U);
    EXPECT_NE(spare.asked[0].find(R"("model":"gpt-spare")"), std::string::npos) << spare.asked[0];
    EXPECT_NE(spare.asked[0].find("Bearer sk-spare"), std::string::npos);
    EXPECT_EQ(spare.asked[0].find("sk-mine"), std::string::npos) << "a key goes to nobody else";
    EXPECT_NE(main.asked.at(0).find("Bearer sk-mine"), std::string::npos);
    const SeenCall seen = world.last_seen();
    EXPECT_EQ(seen.server, "spare");
    EXPECT_EQ(seen.tool, "gpt-5");
    EXPECT_FALSE(seen.is_error);
    EXPECT_NE(seen.reason.find("fell back from main to spare/gpt-spare (failed)"), std::string::npos);
    EXPECT_EQ(world.seen().size(), 1U);
}

TEST(ModelFallback, AStreamFallsBackBeforeItsFirstByteAndNeverAfterIt) {
    Model spare{http_answer("text/event-stream", "data: {\"x\":1}\n\ndata: [DONE]\n\n"), {}, {}};
    Model main{failing(500), {}, {}};
    FallbackWorld world(spare.script(), main.script());
    const auto answer = ask(world, "main", streamed);
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.body.find("[DONE]"), std::string::npos);

    FallbackWorld broken(
        spare.script(),
        [](net::ScriptedPeer& peer) {
            peer.read_request();
            peer.send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: "
                "1000\r\n\r\ndata: {}\n\n"
            );
        }
    );
    net::RawSocket client(broken.gateway->port());
    client.send(World::raw_post("/model/main/chat/completions", streamed));
    EXPECT_TRUE(client.read_until("data: {}"));
    client.read_until("[DONE]", 300);
    EXPECT_EQ(client.received.find("[DONE]"), std::string::npos) << client.received;
    EXPECT_EQ(spare.count(), 1U);
}

TEST(ModelFallback, StatusesThatDoNotCountAreTheClients) {
    Model spare{http_answer("application/json", answered), {}, {}};
    Model main{failing(429), {}, {}};
    FallbackWorld world(spare.script(), main.script());
    EXPECT_EQ(ask(world, "main").status, 429);
    main.say(failing(400));
    EXPECT_EQ(ask(world, "main").status, 400);
    EXPECT_EQ(spare.count(), 0U);
}

TEST(ModelFallback, TheFallbacksOwnFailureIsTold) {
    Model spare{failing(503), {}, {}};
    Model main{failing(500), {}, {}};
    FallbackWorld world(spare.script(), main.script());
    EXPECT_EQ(ask(world, "main").status, 503);
    EXPECT_EQ(spare.count(), 1U);
    EXPECT_EQ(main.count(), 1U);
}

TEST(ModelFallback, AnUpstreamThatKeepsFailingIsNotAskedInVain) {
    Model spare{http_answer("application/json", answered), {}, {}};
    FallbackWorld world(spare.script(), nullptr);
    for (std::uint32_t i = 0; i < contain::Circuits::failures_max + 2; ++i) {
        EXPECT_EQ(ask(world, "down").status, 200);
    }
    const auto rows = world.circuits->list();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].upstream, "down");
    EXPECT_EQ(rows[0].state, contain::CircuitState::Open);
    EXPECT_EQ(rows[0].failures, contain::Circuits::failures_max);
    EXPECT_NE(world.metrics.expose().find(
                  R"(tagout_upstream_fallbacks_total{upstream="down",why="open"} 2)"
              ),
              std::string::npos);
    world.circuits->tick();
    std::vector<std::string> kinds;
    EXPECT_TRUE(world.journal.read(1, [&](const journal::JournalEntry& entry) {
        kinds.push_back(entry.draft.kind);
        return true;
    }));
    EXPECT_EQ(kinds, std::vector<std::string>{"circuit.opened"});
}

TEST(ModelFallback, AStoppedFallbackStaysStopped) {
    Model spare{http_answer("application/json", answered), {}, {}};
    Model main{failing(500), {}, {}};
    FallbackWorld world(spare.script(), main.script());
    world.control({World::stop("model:gpt-spare")});
    EXPECT_EQ(ask(world, "main").status, 403);
    EXPECT_EQ(spare.count(), 0U);
}

TEST(ModelFallback, AShareOfSessionsGoesThereAndStays) {
    Model main{http_answer("application/json", answered), {}, {}};
    FallbackWorld world([](net::ScriptedPeer&) {}, main.script());
    int moved = 0;
    for (int session = 0; session < 60; ++session) {
        const net::Headers headers{{"tagout-session", "s-" + std::to_string(session)}};
        const bool first = !ask(world, "half", chat, headers).header("tagout-route").empty();
        const bool again = !ask(world, "half", chat, headers).header("tagout-route").empty();
        EXPECT_EQ(first, again) << session;
        moved += first ? 1 : 0;
    }
    EXPECT_GT(moved, 15);
    EXPECT_LT(moved, 45);
}

TEST(WorkflowShare, ASessionStaysWhereItWentUntilAControlMovesIt) {
    Model people{http_answer("text/plain", "people"), {}, {}};
    Model agent{http_answer("text/plain", "agent"), {}, {}};
    FallbackWorld world(people.script(), agent.script());
    const auto who = [&](int session) {
        return world
            .ask({"POST", "/workflow/shared", "a", {{"tagout-session", std::to_string(session)}}})
            .body;
    };
    int moved = 0;
    for (int session = 0; session < 40; ++session) {
        const std::string first = who(session);
        EXPECT_EQ(first, who(session));
        moved += first == "people" ? 1 : 0;
    }
    EXPECT_GT(moved, 8);
    EXPECT_LT(moved, 32);
    Control route = World::stop("workflow:shared", ControlMode::Route);
    route.route_to = WorkflowName("fallback");
    world.control({route});
    for (int session = 0; session < 10; ++session) {
        EXPECT_EQ(who(session), "people");
    }
    world.control({World::stop("workflow:fallback")});
    int refused = 0;
    for (int session = 0; session < 40; ++session) {
        refused += who(session) == "agent" ? 0 : 1;
    }
    EXPECT_EQ(refused, moved) << "what is stopped is stopped by whatever way it is reached";
}

TEST(Circuits, OneTrialAtATimeClosesOrOpensItAgain) {
    ManualClock clock{Instant(std::chrono::hours(1))};
    incident::MemoryJournal journal{clock};
    MetricRegistry metrics;
    const auto circuits = contain::Circuits::make(journal, clock, metrics);
    using enum contain::CircuitWay;
    for (std::uint32_t i = 0; i < contain::Circuits::failures_max; ++i) {
        EXPECT_EQ(circuits->choose("a"), Straight);
        circuits->failed("a", "status 500");
    }
    EXPECT_EQ(circuits->choose("a"), Fallback);
    EXPECT_EQ(circuits->choose("b"), Straight);
    clock.advance(contain::Circuits::pause);
    EXPECT_EQ(circuits->choose("a"), Trial);
    EXPECT_EQ(circuits->choose("a"), Fallback) << "one at a time";
    circuits->left("a");
    EXPECT_EQ(circuits->choose("a"), Trial) << "the place of one that went is free";
    circuits->failed("a", "status 500");
    EXPECT_EQ(circuits->choose("a"), Fallback);
    clock.advance(contain::Circuits::pause);
    EXPECT_EQ(circuits->choose("a"), Trial);
    circuits->answered("a");
    EXPECT_EQ(circuits->choose("a"), Straight);
    circuits->failed("a", "one failure is none");
    EXPECT_EQ(circuits->choose("a"), Straight);
    circuits->tick();
    std::vector<std::string> told;
    EXPECT_TRUE(journal.read(1, [&](const journal::JournalEntry& entry) {
        told.push_back(entry.draft.kind + " " + entry.draft.reason);
        return true;
    }));
    EXPECT_EQ(
        told,
        (std::vector<std::string>{
            "circuit.opened failed: status 500",
            "circuit.opened failed: status 500",
            "circuit.closed it answers again"})
    );
}

}  // namespace
}  // namespace tagout::gateway
