#include "server/containment_api.h"

#include "incident/memory_journal.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tagout::server {
namespace {

namespace json = boost::json;

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));

class ContainmentApiTest : public testing::Test {
protected:
    ContainmentApiTest() {
        catalog::Contents contents;
        contents.tools.push_back(
            {.name = ToolName("refund"), .server = "payments", .effect = ToolEffect::Write,
             .compensating_tool = {}}
        );
        catalog_ = std::make_shared<const catalog::Catalog>(std::move(contents));
        desk_ = incident::Desk::make(journal_, clock_, catalog_, {});
        controls_ = contain::Controls::make(journal_, clock_, {}, metrics_);
        approvals_ = contain::Approvals::make(journal_, clock_, {}, metrics_);
        parts_ = {controls_.get(), approvals_.get(), [this] { return catalog_; }};
        const auto declared = desk_->declare(
            {.title = "Refunds go out twice",
             .failure_class = FailureClass::Tool,
             .severity = Severity::Sev1,
             .agent = AgentName("refund-agent"),
             .workflow = WorkflowName("refunds"),
             .tool = ToolName("payments.refund"),
             .onset_at = {}},
            {Actor("person:ann"), "seen it"}
        );
        EXPECT_TRUE(declared.has_value());
    }

    Result<json::object> ask(
        std::string_view operation, std::string_view argument = "", std::string_view body = "",
        std::string_view target = "/"
    ) {
        net::ServerRequest request;
        request.target = target;
        request.body = PaddedBytes::copy_of(body);
        const std::string answer =
            TAGOUT_TRY(answer_containment(parts_, *desk_, operation, argument, request));
        return json::parse(answer).as_object();
    }
    json::object good(
        std::string_view operation, std::string_view argument = "", std::string_view body = "",
        std::string_view target = "/"
    ) {
        auto answer = ask(operation, argument, body, target);
        EXPECT_TRUE(answer.has_value()) << (answer ? "" : answer.error().message);
        return answer ? std::move(*answer) : json::object{};
    }
    void bad(
        std::string_view operation, std::string_view argument, std::string_view body,
        ErrorCode code, std::string_view words
    ) {
        const auto answer = ask(operation, argument, body);
        ASSERT_FALSE(answer.has_value()) << body;
        EXPECT_EQ(answer.error().code, code) << answer.error().message;
        EXPECT_NE(answer.error().message.find(words), std::string::npos) << answer.error().message;
    }

    ManualClock clock_{noon};
    incident::MemoryJournal journal_{clock_};
    MetricRegistry metrics_;
    std::shared_ptr<const catalog::Catalog> catalog_;
    std::unique_ptr<incident::Desk> desk_;
    std::unique_ptr<contain::Controls> controls_;
    std::unique_ptr<contain::Approvals> approvals_;
    ContainmentParts parts_;
};

constexpr std::string_view stop =
    R"({"scope":"tool:payments.refund","mode":"stopped","reason":"twice","actor":"ann",)"
    R"("incident":"INC-1"})";

TEST_F(ContainmentApiTest, AControlGoesFromStopToReleaseByTwoPeople) {
    const json::object made = good("applyControl", "", stop);
    EXPECT_EQ(made.at("id"), "CTL-1");
    EXPECT_EQ(made.at("author"), "person:ann");
    EXPECT_EQ(made.at("state"), "requested") << "no point has said that it enforces it";
    EXPECT_EQ(made.at("acknowledged").as_object().at("of").to_number<int>(), 0);
    EXPECT_EQ(good("getControl", "CTL-1").at("scope"), "tool:payments.refund");
    EXPECT_EQ(good("listControls").at("controls").as_array().size(), 1U);
    EXPECT_EQ(good("listControls").at("revision").to_number<int>(), 1);
    bad("applyControl", "", stop, ErrorCode::Conflict, "CTL-1");
    bad("releaseControl", "CTL-1", R"({"reason":"ok","actor":"bob"})", ErrorCode::Conflict,
        "request-release");
    EXPECT_EQ(
        good("requestRelease", "CTL-1", R"({"reason":"mended","actor":"ann"})").at("validating"), true
    );
    bad("releaseControl", "CTL-1", R"({"reason":"ok","actor":"ann"})", ErrorCode::Unauthorized,
        "second person");
    EXPECT_EQ(
        good("releaseControl", "CTL-1", R"({"reason":"ok","actor":"bob","without_journeys":"none"})")
            .at("state"),
        "released"
    );
    EXPECT_TRUE(good("listControls").at("controls").as_array().empty());
    EXPECT_EQ(
        good("listControls", "", "", "/v1/controls?state=all").at("controls").as_array().size(), 1U
    );
}

TEST_F(ContainmentApiTest, APinNamesAVersionThatThereIs) {
    parts_.check_version = [](const PinnedVersion& asked) -> Result<void> {
        if (asked.version == "v2") {
            return {};
        }
        return fail(ErrorCode::NotFound, "there is no " + asked.name + "@" + asked.version);
    };
    const auto pin = [](std::string_view version) {
        return R"({"scope":"agent:desk","mode":"pin","reason":"v3 is bad","actor":"ann","pin":["prompts/support@)" +
               std::string(version) + R"("]})";
    };
    bad("applyControl", "", pin("v9"), ErrorCode::NotFound, "pin prompts/support@v9: there is no support@v9");
    EXPECT_TRUE(good("listControls").at("controls").as_array().empty());
    EXPECT_EQ(good("applyControl", "", pin("v2")).at("pin").as_array().front(), "prompts/support@v2");
}

TEST_F(ContainmentApiTest, AReleaseGoesStageByStageAndBack) {
    good("applyControl", "", stop);
    good("requestRelease", "CTL-1", R"({"reason":"mended","actor":"bob"})");
    EXPECT_EQ(good("getControl", "CTL-1").at("stage"), "shadow");
    const auto release = [](std::string_view more) {
        return R"({"reason":"it holds","actor":"cleo","without_journeys":"none",)" +
               std::string(more) + "}";
    };
    for (const auto& [wrong, says] :
         {std::pair(R"("stage":"tenant")", "needs 'tenant'"),
          std::pair(R"("stage":"share")", "1 to 99"),
          std::pair(R"("stage":"share","share":100)", "1 to 99"),
          std::pair(R"("stage":"none")", "shadow, tenant"),
          std::pair(R"("tenant":"acme")", "belongs to stage tenant"),
          std::pair(R"("stage":"tenant","tenant":"acme","share":5)", "belongs to stage share")}) {
        bad("releaseControl", "CTL-1", release(wrong), ErrorCode::InvalidArgument, says);
    }
    bad("releaseControl", "CTL-1", release(R"("stage":"shadow")"), ErrorCode::Conflict, "no stage");
    bad("releaseControl", "CTL-1", R"({"reason":"ok","actor":"bob","stage":"tenant","tenant":"acme"})",
        ErrorCode::Unauthorized, "second person");
    EXPECT_EQ(
        good("releaseControl", "CTL-1", release(R"("stage":"tenant","tenant":"acme")"))
            .at("stage_tenant"),
        "acme"
    );
    const json::object share =
        good("releaseControl", "CTL-1", release(R"("stage":"share","share":25)"));
    EXPECT_EQ(share.at("stage"), "share");
    EXPECT_EQ(share.at("stage_share").to_number<int>(), 25);
    EXPECT_EQ(share.at("stage_tenant"), "acme") << "what was opened stays open";
    EXPECT_EQ(share.at("stage_by"), "person:cleo");
    const json::object back = good("releaseControl", "CTL-1", release(R"("stage":"shadow")"));
    EXPECT_EQ(back.at("stage"), "shadow");
    EXPECT_EQ(back.at("put_back"), "it holds");
    EXPECT_EQ(good("releaseControl", "CTL-1", release(R"("stage":"all")")).at("stage"), "all");
}

TEST_F(ContainmentApiTest, MistakesAreNamedWithTheirRemedy) {
    bad("applyControl", "", R"({"scope":"tools:x","mode":"stopped","reason":"r"})",
        ErrorCode::InvalidArgument, "KIND:NAME");
    bad("applyControl", "", R"({"scope":"tool:x","mode":"stop","reason":"r"})",
        ErrorCode::InvalidArgument, "observe, read_only");
    bad("applyControl", "", R"({"scope":"tool:x","mode":"stopped"})", ErrorCode::InvalidArgument,
        "'reason' is missing");
    bad("applyControl", "", R"({"scope":"tool:x","mode":"stopped","reason":"r","until":"x"})",
        ErrorCode::InvalidArgument, "'until' is not known");
    bad("applyControl", "", R"({"scope":"tool:x","mode":"stopped","reason":"r","allowed":"x"})",
        ErrorCode::InvalidArgument, "list of strings");
    bad("applyControl", "", R"({"scope":"tool:x","mode":"allowlist","reason":"r","allowed":[""]})",
        ErrorCode::InvalidArgument, "strings of 1 to");
    bad("applyControl", "", R"({"scope":"tool:x","mode":"stopped","reason":"r","incident":"INC-9"})",
        ErrorCode::NotFound, "INC-9");
    bad("renewControl", "CTL-1", R"({"reason":"r"})", ErrorCode::InvalidArgument, "review_by");
    bad("getControl", "CTL-1", "", ErrorCode::NotFound, "CTL-1");
    bad("approveCall", "APR-1", "{}", ErrorCode::NotFound, "APR-1");
    EXPECT_FALSE(ask("listControls", "", "", "/v1/controls?state=open").has_value());
    EXPECT_TRUE(controls_->list(true).empty()) << "nothing was half applied";
}

TEST_F(ContainmentApiTest, ADecisionSaysWhyAndWho) {
    const json::object before = good("decide", "", R"({"tool":"refund","server":"payments"})");
    EXPECT_EQ(before.at("verdict"), "allow");
    EXPECT_FALSE(before.contains("decided_by"));
    (void)good("applyControl", "", stop);
    const json::object after = good(
        "decide", "", R"({"tool":"refund","server":"payments","arguments":{"amount":[1,2]}})"
    );
    EXPECT_EQ(after.at("verdict"), "deny");
    EXPECT_EQ(after.at("decided_by"), "CTL-1");
    EXPECT_EQ(after.at("revision").to_number<int>(), 1);
    EXPECT_NE(
        std::string_view(after.at("reason_for_person").as_string()).find("person:ann"),
        std::string_view::npos
    );
    (void)good(
        "applyControl", "", R"({"scope":"tool_class:write","mode":"approvals","reason":"all writes"})"
    );
    EXPECT_EQ(good("decide", "", R"({"tool":"payments.refund2"})").at("verdict"), "escalate")
        << "effect is the catalog's, or unknown and so a write";
    bad("decide", "", "{}", ErrorCode::InvalidArgument, "'tool' is missing");
    bad("decide", "", R"({"kind":"mail","tool":"x"})", ErrorCode::InvalidArgument, "workflow");
    EXPECT_EQ(good("decide", "", R"({"kind":"workflow","workflow":"refunds"})").at("verdict"), "allow");
}

TEST_F(ContainmentApiTest, AnIncidentShowsWhatIsProposedAndWhatIsInForce) {
    json::object answer = good("getIncidentContainment", "INC-1");
    ASSERT_FALSE(answer.at("proposals").as_array().empty());
    const json::object& first = answer.at("proposals").as_array()[0].as_object();
    EXPECT_EQ(first.at("rule"), "playbook tool/SEV2");
    EXPECT_EQ(first.at("scope"), "tool:payments.refund");
    EXPECT_EQ(first.at("enforcement"), "observe");
    EXPECT_FALSE(first.contains("control"));
    EXPECT_TRUE(answer.at("controls").as_array().empty());
    (void)good("applyControl", "", stop);
    answer = good("getIncidentContainment", "INC-1");
    EXPECT_EQ(answer.at("proposals").as_array()[0].as_object().at("control"), "CTL-1");
    EXPECT_EQ(answer.at("controls").as_array().size(), 1U);
    bad("getIncidentContainment", "INC-9", "", ErrorCode::NotFound, "INC-9");
}

TEST_F(ContainmentApiTest, AWaitingCallIsAnsweredOnce) {
    ToolCall call;
    call.tool = "refund";
    std::string heard;
    const auto id = approvals_->ask(
        call, R"({"amount":9})", ControlId("CTL-1"),
        [&](contain::ApprovalAnswer answer, const contain::By& by) {
            heard = std::string(contain::name_of(answer)) + " " + by.actor.text();
        }
    );
    ASSERT_TRUE(id.has_value());
    EXPECT_EQ(good("listApprovals").at("approvals").as_array().size(), 1U);
    EXPECT_EQ(good("approveCall", *id, R"({"actor":"bob"})").at("tool"), "refund");
    EXPECT_EQ(heard, "approved person:bob");
    bad("denyCall", *id, R"({"actor":"eve"})", ErrorCode::NotFound, "approved by person:bob");
}

TEST_F(ContainmentApiTest, AChangedToolIsListedAndApprovedByItsHash) {
    bad("listTools", "", "", ErrorCode::Unavailable, "pins no definitions");
    const auto pins = contain::ToolPins::make(journal_, clock_, {}, metrics_);
    parts_.pins = pins.get();
    pins->offered("shop", "refund", "{}", "bot");
    pins->offered("shop", "get_order", "{}", "bot");
    pins->offered("shop", "refund", R"({"description":"new"})", "bot");
    EXPECT_EQ(good("listTools").at("tools").as_array().size(), 2U);
    const json::array changed =
        good("listTools", "", "", "/v1/tools?state=changed").at("tools").as_array();
    ASSERT_EQ(changed.size(), 1U);
    const json::object tool = changed[0].as_object();
    EXPECT_EQ(tool.at("state"), "changed");
    EXPECT_EQ(tool.at("offered").at("definition"), R"({"description":"new"})");
    const std::string hash(tool.at("offered").at("hash").as_string());
    const std::string body = R"({"server":"shop","tool":"refund","hash":")" + hash + "\"";
    bad("approveTool", "", body + "}", ErrorCode::InvalidArgument, "reason");
    const json::object now =
        good("approveTool", "", body + R"(,"reason":"read it","actor":"ann"})");
    EXPECT_EQ(now.at("state"), "pinned");
    EXPECT_EQ(now.at("pinned_by"), "person:ann");
}

TEST_F(ContainmentApiTest, WithoutABookItSaysSo) {
    parts_ = {};
    bad("listControls", "", "", ErrorCode::Unavailable, "no book of controls");
}

}  // namespace
}  // namespace tagout::server
