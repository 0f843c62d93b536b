#include "gateway/test_world.h"

#include <gtest/gtest.h>

namespace tagout::gateway {
namespace {

/// "returns" is answered by the model's server at /agent, "fallback" by the tools' at /people.
struct Endpoints {
    World::Script answering(const std::string& body) {
        return [this, body](net::ScriptedPeer& peer) {
            for (std::string r = peer.read_request(); !r.empty(); r = peer.read_request()) {
                {
                    const MutexLock lock(mutex);
                    requests.push_back(r);
                }
                peer.send(http_answer("text/plain", body, "x-own: 1\r\n"));
            }
        };
    }
    Mutex mutex;
    std::vector<std::string> requests;
};

Control routed() {
    Control control = World::stop("workflow:returns", ControlMode::Route);
    control.route_to = WorkflowName("fallback");
    return control;
}

TEST(WorkflowRoad, PassesARequestToTheAgentsOwnEndpoint) {
    Endpoints at;
    World world(at.answering("people"), at.answering("agent"));
    const auto answer = world.ask(
        {"PUT", "/workflow/returns/v1/ask?x=%2F", "{any bytes", {{"tagout-session", "s1"}}}
    );
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "agent");
    EXPECT_EQ(answer.header("tagout-route"), "returns");
    EXPECT_EQ(answer.header("x-own"), "1");
    const MutexLock lock(at.mutex);
    ASSERT_EQ(at.requests.size(), 1U);
    EXPECT_TRUE(at.requests[0].starts_with("PUT /agent/v1/ask?x=%2F HTTP/1.1\r\n"))
        << at.requests[0];
    EXPECT_TRUE(at.requests[0].ends_with("{any bytes"));
    EXPECT_EQ(at.requests[0].find("tagout-"), std::string::npos);
    const SeenCall seen = world.last_seen();
    EXPECT_EQ(seen.kind, CallKind::Workflow);
    EXPECT_EQ(seen.workflow, "returns");
    EXPECT_EQ(seen.session, "s1");
    EXPECT_FALSE(seen.is_error);
}

TEST(WorkflowRoad, MovesTheNextRequestToTheFallback) {
    Endpoints at;
    World world(at.answering("people"), at.answering("agent"));
    EXPECT_EQ(world.ask({"POST", "/workflow/returns", "a"}).body, "agent");
    world.control({routed()});
    const auto moved = world.ask({"POST", "/workflow/returns", "a"});
    EXPECT_EQ(moved.body, "people");
    EXPECT_EQ(moved.header("tagout-route"), "fallback");
    EXPECT_EQ(world.last_seen(2).decided_by, "CTL-7");
    world.control({});
    EXPECT_EQ(world.ask({"POST", "/workflow/returns", "a"}).body, "agent");
}

TEST(WorkflowRoad, AStoppedWorkflowIsRefusedOnceAndInWords) {
    Endpoints at;
    World world(at.answering("people"), at.answering("agent"));
    world.control({World::stop("workflow:ret*")});
    const auto refused = world.ask({"POST", "/workflow/returns", "a"});
    EXPECT_EQ(refused.status, 403) << "a 5xx would be asked again";
    EXPECT_EQ(refused.header("x-should-retry"), "false");
    EXPECT_NE(refused.body.find("pays twice"), std::string::npos) << refused.body;
    EXPECT_EQ(world.ask({"POST", "/workflow/fallback", "a"}).body, "people");
    const MutexLock lock(at.mutex);
    EXPECT_EQ(at.requests.size(), 1U) << "the stopped one was reached";
}

TEST(WorkflowRoad, AStopCutsWhatStreams) {
    std::atomic<bool> saw_close{false};
    World world(
        [](net::ScriptedPeer&) {},
        [&](net::ScriptedPeer& peer) {
            peer.read_request();
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun");
            saw_close = peer.sees_close(5000);
        }
    );
    net::RawSocket client(world.gateway->port());
    client.send(World::raw_post("/workflow/returns", "a"));
    ASSERT_TRUE(client.read_until("begun"));
    world.control({World::stop("workflow:returns")});
    EXPECT_TRUE(world.wait_for([&] { return saw_close.load(); }));
    EXPECT_TRUE(world.last_seen().cancelled);
}

TEST(WorkflowRoad, SaysWhatIsWrongAndWhatToDo) {
    World world([](net::ScriptedPeer&) {});
    const auto unknown = world.ask({"POST", "/workflow/nobody", "a"});
    EXPECT_EQ(unknown.status, 404);
    EXPECT_NE(unknown.body.find("known: returns, fallback"), std::string::npos) << unknown.body;
    EXPECT_EQ(world.ask({"POST", "/workflow/returns/..%2Fx", "a"}).status, 400);
    Control nowhere = routed();
    nowhere.route_to = WorkflowName("gone");
    world.control({nowhere});
    const auto lost = world.ask({"POST", "/workflow/returns", "a"});
    EXPECT_EQ(lost.status, 502);
    EXPECT_NE(lost.body.find("'gone' has no endpoint"), std::string::npos) << lost.body;
}

}  // namespace
}  // namespace tagout::gateway
