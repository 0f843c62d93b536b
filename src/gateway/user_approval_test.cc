#include "gateway/user_approval.h"
#include "gateway/test_world.h"

#include <gtest/gtest.h>

#include <thread>

namespace tagout::gateway {
namespace {

Control asks_user(bool user = true) {
    Control control = World::stop("tool:refund", ControlMode::Approvals);
    control.terms.user_approves = user;
    return control;
}

/// A modern tools/call; `more` are members of params behind the arguments.
std::string modern(
    const std::string& arguments, const std::string& more = "", bool elicits = true
) {
    return R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"refund","arguments":)" +
           arguments + more +
           R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
           R"("io.modelcontextprotocol/clientInfo":{"name":"desk","version":"1"},)"
           R"("io.modelcontextprotocol/clientCapabilities":{)" +
           (elicits ? R"("elicitation":{"form":{}})" : "") + "}}}}";
}

std::string with_answer(
    const std::string& state, const std::string& action, const std::string& content
) {
    return R"(,"requestState":)" + state + R"(,"inputResponses":{"tagout_approval":{"action":")" +
           action + "\"" + (content.empty() ? "" : ",\"content\":" + content) + "}}";
}

class UserApprovalRoad : public testing::Test {
protected:
    World::Script server() {
        return [this](net::ScriptedPeer& peer) {
            for (std::string request = peer.read_request(); !request.empty();
                 request = peer.read_request()) {
                {
                    const MutexLock lock(mutex_);
                    sent_.push_back(request);
                }
                const bool opens = request.find("\"initialize\"") != std::string::npos;
                const std::string body =
                    R"({"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","content":[)"
                    R"({"type":"text","text":"paid"}]}})";
                peer.send(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" +
                    std::string(opens ? "Mcp-Session-Id: s-1\r\n" : "") +
                    "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body
                );
            }
        };
    }
    std::vector<std::string> sent() {
        const MutexLock lock(mutex_);
        return sent_;
    }
    static std::string state_of(const net::HttpResponse& answer) {
        return std::string(member(member(trimmed(answer.body), "result"), "requestState"));
    }
    static net::HttpResponse ask(
        const World& world, const std::string& body, const std::string& agent = "bot"
    ) {
        return world.mcp(body, {{"tagout-agent", agent}, {"tagout-user", "ann"}});
    }

    Mutex mutex_;
    std::vector<std::string> sent_ TAGOUT_GUARDED_BY(mutex_);
};

TEST_F(UserApprovalRoad, AModernClientAsksItsUserAndSendsTheCallAgain) {
    World world(server());
    (void)world.control({asks_user()});
    const net::HttpResponse first = ask(world, modern(R"({"order":"A-1"})"));
    EXPECT_NE(first.body.find(R"("resultType":"input_required")"), std::string::npos) << first.body;
    EXPECT_NE(first.body.find("Agent bot asks to run the tool refund of shop"), std::string::npos);
    EXPECT_TRUE(sent().empty());
    EXPECT_TRUE(world.approvals.asked().empty()) << "nothing waits meanwhile";

    const std::string state = state_of(first);
    const net::HttpResponse second =
        ask(world,
            modern(R"({"order":"A-1"})", with_answer(state, "accept", R"({"approve":true})")));
    EXPECT_NE(second.body.find("paid"), std::string::npos) << second.body;
    ASSERT_EQ(sent().size(), 1U);
    EXPECT_EQ(sent().front().find("requestState"), std::string::npos) << sent().front();
    EXPECT_EQ(sent().front().find("inputResponses"), std::string::npos);
    EXPECT_NE(sent().front().find(R"("arguments":{"order":"A-1"})"), std::string::npos);
    ASSERT_EQ(world.approvals.told().size(), 1U);
    EXPECT_EQ(
        world.approvals.told().front(),
        "approved user:ann@desk: asked by the client desk for agent bot"
    ) << "who, by which client, for which agent";
}

TEST_F(UserApprovalRoad, AYesIsForOneCallOfOneCallerOnce) {
    World world(server());
    (void)world.control({asks_user()});
    const auto state = [&] { return state_of(ask(world, modern(R"({"order":"A-1"})"))); };
    const std::string yes = R"({"approve":true})";
    const auto refused = [&](const net::HttpResponse& answer, std::string_view why) {
        EXPECT_NE(answer.body.find("-32602"), std::string::npos) << answer.body;
        EXPECT_NE(answer.body.find(why), std::string::npos) << answer.body;
    };
    refused(
        ask(world, modern(R"({"order":"B-2"})", with_answer(state(), "accept", yes))),
        "another call"
    );
    refused(
        ask(world, modern(R"({"order":"A-1"})", with_answer(state(), "accept", yes)), "boss"),
        "another caller"
    );
    std::string forged = state();
    forged[20] = forged[20] == 'A' ? 'B' : 'A';
    refused(
        ask(world, modern(R"({"order":"A-1"})", with_answer(forged, "accept", yes))),
        "not made here"
    );
    refused(
        ask(world, modern(R"({"order":"A-1"})", with_answer("\"tagout1.AA.AA\"", "accept", yes))),
        "not made here"
    );
    EXPECT_TRUE(sent().empty());
    const std::string once = state();
    (void)ask(world, modern(R"({"order":"A-1"})", with_answer(once, "accept", yes)));
    refused(
        ask(world, modern(R"({"order":"A-1"})", with_answer(once, "accept", yes))), "used before"
    );
    EXPECT_EQ(sent().size(), 1U);
}

TEST_F(UserApprovalRoad, NoIsNoAndADismissedQuestionIsNoYes) {
    World world(server());
    (void)world.control({asks_user()});
    for (const auto& [action, content] :
         {std::pair("decline", ""),
          std::pair("accept", R"({"approve":false})"),
          std::pair("cancel", "")}) {
        const std::string state = state_of(ask(world, modern("{}")));
        const net::HttpResponse answer =
            ask(world, modern("{}", with_answer(state, action, content)));
        EXPECT_NE(answer.body.find("isError\":true"), std::string::npos) << action << answer.body;
    }
    EXPECT_EQ(world.approvals.told().size(), 2U);
    // Accepted without an answer to the question: it is asked again.
    const std::string state = state_of(ask(world, modern("{}")));
    EXPECT_NE(
        ask(world, modern("{}", with_answer(state, "accept", R"({"approve":"yes"})")))
            .body.find("input_required"),
        std::string::npos
    );
    EXPECT_TRUE(sent().empty());
}

TEST_F(UserApprovalRoad, WithoutSuchAControlTheUsersYesIsWorthNothing) {
    World world(server());
    (void)world.control({asks_user()});
    const std::string state = state_of(ask(world, modern("{}")));
    (void)world.control({asks_user(false)});
    std::thread operates([&] {
        for (int i = 0; i < 500 && world.approvals.asked().empty(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        world.approvals.answer(0, contain::ApprovalAnswer::Denied, "no");
    });
    const net::HttpResponse answer =
        ask(world, modern("{}", with_answer(state, "accept", R"({"approve":true})")));
    operates.join();
    EXPECT_NE(answer.body.find("isError\":true"), std::string::npos) << answer.body;
    EXPECT_TRUE(sent().empty()) << "the operator was asked, as the control says now";
    // Nor does a client that cannot ask get a question.
    (void)world.control({asks_user()});
    std::thread denies([&] {
        for (int i = 0; i < 500 && world.approvals.asked().size() < 2; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        world.approvals.answer(1, contain::ApprovalAnswer::Denied, "no");
    });
    EXPECT_EQ(ask(world, modern("{}", "", false)).body.find("input_required"), std::string::npos);
    denies.join();
}

TEST_F(UserApprovalRoad, AYesIsForTheControlThatAskedAndNoOther) {
    World world(server());
    (void)world.control({asks_user()});
    const std::string state = state_of(ask(world, modern("{}")));
    Control other = asks_user();
    other.id = ControlId("CTL-77");
    (void)world.control({other});
    const net::HttpResponse answer =
        ask(world, modern("{}", with_answer(state, "accept", R"({"approve":true})")));
    EXPECT_NE(answer.body.find("input_required"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("CTL-77"), std::string::npos) << answer.body;
    EXPECT_TRUE(sent().empty());
    EXPECT_NE(
        ask(world,
            modern("{}", with_answer(state_of(answer), "accept", R"({"approve":true})")))
            .body.find("paid"),
        std::string::npos
    );
}

TEST_F(UserApprovalRoad, TheUpstreamsOwnStateComesThroughTheQuestion) {
    World world(server());
    (void)world.control({asks_user()});
    const std::string theirs =
        R"(,"requestState":"theirs-1","inputResponses":{"q":{"action":"decline"}})";
    const std::string state = state_of(ask(world, modern("{}", theirs)));
    const net::HttpResponse answer =
        ask(world, modern("{}", with_answer(state, "accept", R"({"approve":true})")));
    EXPECT_NE(answer.body.find("paid"), std::string::npos) << answer.body;
    ASSERT_EQ(sent().size(), 1U);
    EXPECT_NE(sent().front().find(R"("requestState":"theirs-1")"), std::string::npos);
    EXPECT_NE(
        sent().front().find(R"("inputResponses":{"q":{"action":"decline"}})"), std::string::npos
    );
    EXPECT_EQ(sent().front().find("tagout_approval"), std::string::npos);
}

/// A legacy client: opens a session, calls, and answers what it is asked on the stream.
class LegacyApprovalRoad : public UserApprovalRoad {
protected:
    void open(const World& world, bool elicits) {
        const net::HttpResponse opened = world.mcp(
            std::string(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{)") +
            R"("protocolVersion":"2025-11-25","capabilities":{)" +
            (elicits ? R"("elicitation":{})" : "") +
            R"(},"clientInfo":{"name":"desk","version":"1"}}})"
        );
        EXPECT_EQ(opened.header("Mcp-Session-Id"), "s-1");
    }
    /// The events of one call, each question answered with `content`; "" leaves it open.
    std::string call(
        const World& world, const std::string& content,
        const std::function<void()>& before_answer = [] {}
    ) {
        net::HttpClient client;
        std::string text;
        bool answered = false;
        const net::HttpRequest request{
            "POST",
            "http://127.0.0.1:" + std::to_string(world.gateway->port()) + "/mcp/shop",
            {{"Content-Type", "application/json"},
             {"Accept", "application/json, text/event-stream"},
             {"Mcp-Session-Id", "s-1"}},
            R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"refund","arguments":{}}})",
            std::chrono::seconds(10)};
        (void)client.stream(request, [&](std::string_view bytes) {
            text += bytes;
            const std::size_t at = text.find(elicitation_id_prefix);
            if (!answered && at != std::string::npos && text.ends_with("\n\n") &&
                !content.empty()) {
                answered = true;
                before_answer();
                const std::string id = text.substr(at, text.find('"', at) - at);
                const std::string body =
                    R"({"jsonrpc":"2.0","id":")" + id + R"(","result":)" + content + "}";
                EXPECT_EQ(world.mcp(body, {{"Mcp-Session-Id", "s-2"}}).status, 404)
                    << "another session";
                EXPECT_EQ(world.mcp(body, {{"Mcp-Session-Id", "s-1"}}).status, 202);
                EXPECT_EQ(world.mcp(body, {{"Mcp-Session-Id", "s-1"}}).status, 404) << "once";
            }
            return true;
        });
        return text;
    }
};

TEST_F(LegacyApprovalRoad, AsksTheUserOnTheStream) {
    World world(server());
    open(world, true);
    (void)world.control({asks_user()});
    const std::string yes = call(world, R"({"action":"accept","content":{"approve":true}})");
    EXPECT_NE(yes.find("elicitation/create"), std::string::npos) << yes;
    EXPECT_NE(yes.find("paid"), std::string::npos) << yes;
    ASSERT_EQ(world.approvals.told().size(), 1U);
    EXPECT_TRUE(world.approvals.told().front().starts_with("approved user:unknown@desk: "))
        << world.approvals.told().front();
    const std::string no = call(world, R"({"action":"decline"})");
    EXPECT_NE(no.find("isError\":true"), std::string::npos) << no;
    EXPECT_EQ(sent().size(), 2U) << "the session and one call";
}

TEST_F(LegacyApprovalRoad, AnOperatorMayAnswerFirstAndAStopEndsTheQuestion) {
    World world(server());
    open(world, true);
    (void)world.control({asks_user()});
    std::thread operates([&] {
        for (int i = 0; i < 500 && world.approvals.asked().empty(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        world.approvals.answer(0, contain::ApprovalAnswer::Approved, "fine");
    });
    EXPECT_NE(call(world, "").find("paid"), std::string::npos);
    operates.join();
    std::thread stops([&] {
        for (int i = 0; i < 500 && world.approvals.asked().size() < 2; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        (void)world.control({World::stop("tool:refund")});
    });
    const std::string stopped = call(world, "");
    stops.join();
    EXPECT_NE(stopped.find("isError\":true"), std::string::npos) << stopped;
    EXPECT_EQ(world.approvals.withdrawn().size(), 1U);
}

TEST_F(LegacyApprovalRoad, AYesThatAnotherControlOvertakesIsAskedOfTheOperator) {
    World world(server());
    open(world, true);
    (void)world.control({asks_user()});
    std::thread operates([&] {
        for (int i = 0; i < 500 && world.approvals.asked().size() < 2; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        world.approvals.answer(1, contain::ApprovalAnswer::Denied, "no");
    });
    const std::string text =
        call(world, R"({"action":"accept","content":{"approve":true}})", [&] {
            Control other = asks_user(false);
            other.id = ControlId("CTL-77");
            (void)world.control({other});
        });
    operates.join();
    EXPECT_NE(text.find("isError\":true"), std::string::npos) << text;
    EXPECT_EQ(sent().size(), 1U) << "the session alone";
}

TEST_F(LegacyApprovalRoad, WithoutTheCapabilityOrTheControlOnlyTheOperatorIsAsked) {
    World world(server());
    open(world, false);
    (void)world.control({asks_user()});
    std::thread operates([&] {
        for (int i = 0; i < 500 && world.approvals.asked().empty(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        world.approvals.answer(0, contain::ApprovalAnswer::Denied, "no");
    });
    const std::string text = call(world, "");
    operates.join();
    EXPECT_EQ(text.find("elicitation/create"), std::string::npos) << text;
    EXPECT_EQ(sent().size(), 1U);
}

TEST(UserApprovals, KeepsSealsApartAndBounded) {
    UserApprovals approvals("key");
    const Instant now(std::chrono::hours(1));
    SealedCall call{"bot", "hash", "CTL-1", "once", now + std::chrono::minutes(1), "", ""};
    const std::string state = gateway::quoted(approvals.seal(call));
    ASSERT_TRUE(approvals.open(state, "bot", "hash", now));
    EXPECT_FALSE(approvals.open(state, "bot", "hash", now + std::chrono::minutes(1)));
    EXPECT_FALSE(UserApprovals("other").open(state, "bot", "hash", now));
    EXPECT_FALSE(approvals.open("\"tagout1.\"", "bot", "hash", now));
    EXPECT_FALSE(approvals.open("17", "bot", "hash", now));
    for (std::size_t i = 0; i < UserApprovals::used_max; ++i) {
        call.once = std::to_string(i);
        ASSERT_TRUE(approvals.use(call, now));
    }
    call.once = "one more";
    EXPECT_FALSE(approvals.use(call, now));
    EXPECT_TRUE(approvals.use(call, now + user_patience));
}

}  // namespace
}  // namespace tagout::gateway
