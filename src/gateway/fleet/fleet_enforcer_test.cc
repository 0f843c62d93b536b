#include "gateway/fleet/fleet_enforcer.h"

#include "gateway/fleet/remote_approvals.h"
#include "gateway/test_world.h"

#include <gtest/gtest.h>

#include <future>

namespace tagout::gateway {
namespace {

class FleetEnforcerTest : public testing::Test {
protected:
    std::uint64_t use_server(std::vector<Control> controls, std::uint64_t revision) {
        std::promise<Result<std::uint64_t>> done;
        enforcer_.use_server(
            std::make_shared<const std::vector<Control>>(std::move(controls)),
            std::make_shared<const std::vector<contain::Policy>>(), revision,
            [&](Result<std::uint64_t> enforced) { done.set_value(std::move(enforced)); }
        );
        return done.get_future().get().value_or(0);
    }
    void use_local(std::vector<Control> controls) {
        std::promise<void> done;
        enforcer_.use_local(std::move(controls), [&](const Result<std::uint64_t>& enforced) {
            EXPECT_TRUE(enforced.has_value());
            done.set_value();
        });
        done.get_future().wait();
    }
    std::string decided_by(const std::string& tool) {
        const net::HttpResponse answer = world_.ask(
            {"POST", "/v1/decide", R"({"tool":")" + tool + R"(","server":"shop"})",
             {{"Content-Type", "application/json"}}}
        );
        if (answer.status != 200) {
            return std::to_string(answer.status);
        }
        const std::size_t at = answer.body.find("\"decided_by\":\"");
        return at == std::string::npos
                   ? "nobody"
                   : answer.body.substr(at + 14, answer.body.find('"', at + 14) - at - 14);
    }
    static Control stop(const std::string& id, const std::string& scope) {
        Control control = World::stop(scope);
        control.id = ControlId(id);
        return control;
    }

    World world_{[](net::ScriptedPeer&) {}, nullptr, false};
    FleetEnforcer enforcer_{*world_.gateway};
};

TEST_F(FleetEnforcerTest, WhatTheServerSaidWhatWasDoneHereAndTheLeaseHoldTogether) {
    EXPECT_FALSE(enforcer_.is_ready());
    EXPECT_EQ(decided_by("refund"), "503") << "nothing passes without a snapshot";
    use_local({stop("edge:CTL-1", "tool:get_order")});
    EXPECT_EQ(decided_by("refund"), "503") << "a stop at the host opens nothing";
    EXPECT_EQ(use_server({stop("CTL-5", "tool:lookup")}, 9), 9U);
    EXPECT_TRUE(enforcer_.is_ready());
    EXPECT_EQ(decided_by("lookup"), "CTL-5");
    EXPECT_EQ(decided_by("get_order"), "edge:CTL-1");
    EXPECT_EQ(decided_by("refund"), "nobody");
    enforcer_.use_lease({"high_risk"}, world_.clock.now());
    ASSERT_TRUE(world_.wait_for([&] { return decided_by("refund") == "lease:high_risk"; }));
    EXPECT_EQ(decided_by("lookup"), "CTL-5");
    EXPECT_EQ(use_server({}, 10), 10U);
    EXPECT_EQ(decided_by("lookup"), "nobody");
    EXPECT_EQ(decided_by("refund"), "lease:high_risk") << "the lease is not the server's to forget";
    enforcer_.use_lease({}, world_.clock.now());
    ASSERT_TRUE(world_.wait_for([&] { return decided_by("refund") == "nobody"; }));
    use_local({});
    EXPECT_EQ(decided_by("get_order"), "nobody");
}

TEST(RemoteApprovalsTest, ACallIsAskedForAndAnsweredOnce) {
    ManualClock clock(Instant(std::chrono::hours(1)));
    RemoteApprovals approvals(clock, "edge-1", "ab12");
    std::vector<contain::ApprovalAnswer> answers;
    ToolCall call;
    call.tool = "refund";
    const auto ask = [&] {
        return approvals.ask(
            call, R"({"amount":900})", ControlId("CTL-7"),
            [&](contain::ApprovalAnswer answer, const contain::By&) { answers.push_back(answer); }
        );
    };
    EXPECT_EQ(ask().error().code, ErrorCode::Unavailable) << "nobody is there to ask";
    std::vector<contain::fleet::ApprovalAsk> sent;
    approvals.send_with([&](contain::fleet::ApprovalAsk each) {
        sent.push_back(std::move(each));
        return true;
    });
    const auto first = ask();
    ASSERT_TRUE(first.has_value());
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].arguments, R"({"amount":900})");
    EXPECT_EQ(sent[0].control, ControlId("CTL-7"));
    approvals.answered({"edge-2", *first, contain::ApprovalAnswer::Approved, {}, ""});
    EXPECT_TRUE(answers.empty()) << "another gateway's";
    approvals.answered({"edge-1", *first, contain::ApprovalAnswer::Approved, {}, ""});
    approvals.answered({"edge-1", *first, contain::ApprovalAnswer::Denied, {}, ""});
    EXPECT_EQ(answers, std::vector{contain::ApprovalAnswer::Approved});
    const auto second = ask();
    approvals.ask_again();
    EXPECT_EQ(sent.back().id, *second) << "a link that is there again hears of what waits";
    approvals.withdraw(*second);
    EXPECT_TRUE(sent.back().withdrawn);
    (void)ask();
    clock.advance(RemoteApprovals::patience + std::chrono::seconds(1));
    approvals.tick();
    EXPECT_EQ(answers.back(), contain::ApprovalAnswer::Expired);
    EXPECT_FALSE(approvals
                     .ask(call, std::string(600 * 1024, 'x'), ControlId("CTL-7"),
                          [](auto, const auto&) {})
                     .has_value());
    EXPECT_FALSE(approvals.approve("x", {}).has_value());
}

}  // namespace
}  // namespace tagout::gateway
