// A case made of a real recorded incident: the engine finds it, the desk joins it, and the case fails
// on the configuration that caused it and passes on each that mends it.
#include "prevent/regression_make.h"

#include "detect/testing/runner.h"
#include "detect/testing/story.h"
#include "incident/desk.h"
#include "incident/memory_journal.h"
#include "prevent/regression_book.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tagout::prevent {
namespace {

constexpr const char* order =
    R"({"id":"ORD-4821","total":"49.90","customer":"ann@shop.example"})";

/// A server as far as this room goes: what agents did, found and joined.
class Recorded : public testing::Test {
protected:
    Recorded() {
        catalog::Contents contents;
        catalog::Tool refund;
        refund.name = ToolName("payments.refund");
        refund.server = "payments";
        refund.effect = ToolEffect::Write;
        refund.risk = ToolRisk::High;
        contents.tools.push_back(refund);
        catalog_ = std::make_shared<const catalog::Catalog>(std::move(contents));
        desk_ = incident::Desk::make(journal_, clock_, catalog_, incident::Settings{});
    }

    /// An agent with prompt 13 refunds an order that nobody named.
    void refund_another_order() {
        story_.session("conv-1", "refund-agent", "refunds");
        story_.user("Please refund order ORD-4821, I am ann@shop.example");
        story_.model();
        story_.tool("orders.get", R"({"id":"ORD-4821"})", order);
        story_.model();
        story_.tool("payments.refund", R"({"order":"ORD-9977","amount":900})", R"({"ok":true})");
        story_.model(500, "Done, ann@shop.example.");
        story_.end();
        detect_all("13");
    }

    void detect_all(std::string_view prompt_version) {
        for (AgentEvent& event : story_.events) {
            event.prompt_name = story_.keep("refund-system");
            event.prompt_version = story_.keep(prompt_version);
        }
        const detect::RunResult result = detect::run(story_.events, detect::Settings{}, catalog_);
        std::vector<Finding> findings;
        for (const auto& [id, finding] : result.findings) {
            findings.push_back(finding);
        }
        clock_.set(story_.now());
        ASSERT_TRUE(desk_->join(findings, IncidentKind::Real).has_value());
    }

    [[nodiscard]] incident::Incident incident() const {
        const std::vector<incident::Incident> all = desk_->list({});
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? incident::Incident{} : all.front();
    }

    /// As app/ replays: recorded runs through the engine.
    [[nodiscard]] Result<std::vector<std::string>> replay(
        std::span<const RecordedSession> sessions, const detect::Settings& settings
    ) const {
        EventBatch batch;
        for (const RecordedSession& session : sessions) {
            intake::append_events(session.run, Instant(std::chrono::hours(24)), batch);
        }
        std::vector<std::string> fired;
        for (const auto& [id, finding] : detect::run(batch.events, settings, catalog_).findings) {
            fired.push_back(finding.signal);
        }
        return fired;
    }

    [[nodiscard]] CaseRequest request() const {
        CaseRequest request{"REG-1", clock_.now(), Actor("person:ann"), "after the harm", {}, {}, {}};
        request.replay = [this](std::span<const RecordedSession> sessions) {
            return replay(sessions, detect::Settings{});
        };
        return request;
    }

    [[nodiscard]] Result<RegressionCase> make(const CaseRequest& with) const {
        const SessionEvents session{CorrelationId("conv-1"), story_.events};
        return make_case(incident(), std::span(&session, 1), *catalog_, with);
    }

    ManualClock clock_{Instant(std::chrono::seconds(1'700'000'000))};
    incident::MemoryJournal journal_{clock_};
    std::shared_ptr<const catalog::Catalog> catalog_;
    std::unique_ptr<incident::Desk> desk_;
    detect::Story story_;
};

Candidate candidate_with(
    std::string prompt_version, std::function<CallAnswer(const JudgedCall&)> decide
) {
    Candidate candidate;
    candidate.name = "bundle.json";
    candidate.prompts.push_back(SelectedVersion{"refund-system", std::move(prompt_version), "abcd"});
    candidate.decide = std::move(decide);
    return candidate;
}

CallAnswer allow(const JudgedCall&) { return {}; }

TEST_F(Recorded, ACaseFailsOnWhatCausedTheIncidentAndPassesOnEachMend) {
    refund_another_order();
    const Result<RegressionCase> made = make(request());
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ(made->versions.prompt, "refund-system@13");
    ASSERT_EQ(made->must_not.calls.size(), 1U);
    EXPECT_EQ(made->must_not.calls.front().tool, "payments.refund");
    EXPECT_EQ(made->must_not.calls.front().arguments.size(), 2U);

    const Check caused = run_case(*made, candidate_with("v13", allow));
    EXPECT_EQ(caused.judgement, Judgement::Fail) << caused.sentence;
    EXPECT_NE(caused.sentence.find("would be let through"), std::string::npos) << caused.sentence;

    const Check rolled_back = run_case(*made, candidate_with("v12", allow));
    EXPECT_EQ(rolled_back.judgement, Judgement::Pass) << rolled_back.sentence;
    EXPECT_NE(rolled_back.sentence.find("selects refund-system@v12"), std::string::npos);

    std::size_t decisions = 0;
    const Check denied = run_case(*made, candidate_with("13", [&](const JudgedCall& call) {
        ++decisions;
        EXPECT_EQ(call.call.name, "payments.refund") << "only the harmful call is asked about";
        return CallAnswer{Verdict::Deny, "policy:refunds@v2#no-big-refund", ""};
    }));
    EXPECT_EQ(denied.judgement, Judgement::Pass) << denied.sentence;
    EXPECT_EQ(decisions, 1U);
    EXPECT_NE(denied.sentence.find("#no-big-refund"), std::string::npos) << denied.sentence;

    const Check observed = run_case(*made, candidate_with("13", [](const JudgedCall&) {
        return CallAnswer{Verdict::Allow, "", "policy:refunds@v2#no-big-refund"};
    }));
    EXPECT_EQ(observed.judgement, Judgement::Fail) << "a rule that only observes mends nothing";
    EXPECT_NE(observed.sentence.find("only observes"), std::string::npos) << observed.sentence;
}

TEST_F(Recorded, WhatACaseCannotTellIsInconclusive) {
    refund_another_order();
    const RegressionCase made = *make(request());
    EXPECT_EQ(run_case(made, Candidate{}).judgement, Judgement::Inconclusive);

    Candidate thresholds_only;
    thresholds_only.name = "tagout.yaml";
    thresholds_only.replay = [](std::span<const RecordedSession>) {
        return Result<std::vector<std::string>>(std::vector<std::string>{});
    };
    const Check check = run_case(made, thresholds_only);
    EXPECT_EQ(check.judgement, Judgement::Inconclusive) << check.sentence;
    EXPECT_NE(check.sentence.find("--bundle"), std::string::npos) << check.sentence;

    RegressionCase other = made;
    other.must_not.calls.front().tool = "nobody.called.this";
    EXPECT_EQ(run_case(other, candidate_with("12", allow)).judgement, Judgement::Inconclusive);
    RegressionCase empty = made;
    empty.must_not = {};
    EXPECT_EQ(run_case(empty, candidate_with("12", allow)).judgement, Judgement::Inconclusive);
}

TEST_F(Recorded, TheFileHoldsWhatIsNeededAndNobodysAddress) {
    refund_another_order();
    const RegressionCase made = *make(request());
    const std::string text = to_json(made);
    EXPECT_EQ(text.find("ann@shop.example"), std::string::npos);
    EXPECT_GE(made.values_redacted, 1U);
    const intake::RecordedRun& run = made.sessions.front().run;
    ASSERT_FALSE(run.turns.empty());
    EXPECT_EQ(run.turns.front().role, intake::TurnRole::User);
    EXPECT_EQ(run.turns.front().content, "Please refund order ORD-4821, I am [email-1]");
    EXPECT_EQ(run.turns.back().content, "Done, [email-1].") << "equal values stay equal";

    const Result<RegressionCase> read = parse_case(text);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(to_json(*read), text) << "reading and writing changes nothing";
    EXPECT_EQ(read->sessions.front().versions, made.sessions.front().versions);
    EXPECT_EQ(run_case(*read, candidate_with("13", allow)).judgement, Judgement::Fail);
}

TEST_F(Recorded, WithoutAHarmfulCallTheSignalMustNotFire) {
    story_.session("conv-1", "search-agent", "search");
    story_.user("Find the blue bicycle order");
    for (int i = 0; i < 7; ++i) {
        story_.model();
        story_.tool("orders.search", R"({"q":"bicycle )" + std::to_string(i) + "\"}", "[]");
    }
    story_.end(StepOutcome::Error);
    detect_all("13");
    const Result<RegressionCase> made = make(request());
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_TRUE(made->must_not.calls.empty());
    ASSERT_EQ(made->must_not.signals.size(), 1U);
    EXPECT_EQ(made->must_not.signals.front(), "intent.retries_without_convergence");

    Candidate same;
    same.name = "tagout.yaml";
    detect::Settings settings;
    same.replay = [&](std::span<const RecordedSession> sessions) { return replay(sessions, settings); };
    EXPECT_EQ(run_case(*made, same).judgement, Judgement::Fail);
    same.prompts.push_back(SelectedVersion{"refund-system", "12", ""});
    EXPECT_EQ(run_case(*made, same).judgement, Judgement::Pass) << "the prompt was rolled back";
}

TEST_F(Recorded, NoCaseIsMadeThatCouldNotFail) {
    refund_another_order();
    const Result<RegressionCase> nothing = make_case(incident(), {}, *catalog_, request());
    ASSERT_FALSE(nothing.has_value());
    EXPECT_EQ(nothing.error().code, ErrorCode::NotFound);
    EXPECT_NE(nothing.error().message.find("nothing is recorded"), std::string::npos);

    CaseRequest wrong = request();
    wrong.must_not = MustNot{{HarmfulCall{"mail.send", "", {}}}, {}};
    const Result<RegressionCase> no_call = make(wrong);
    ASSERT_FALSE(no_call.has_value());
    EXPECT_NE(no_call.error().message.find("could never fail"), std::string::npos);

    wrong.must_not = MustNot{{}, {"cost.runaway_session"}};
    const Result<RegressionCase> no_signal = make(wrong);
    ASSERT_FALSE(no_signal.has_value());
    EXPECT_EQ(no_signal.error().code, ErrorCode::Conflict);

    CaseRequest own = request();
    own.must_not = *parse_must_not(
        R"({"calls":[{"tool":"payments.*","arguments":[{"at":"/amount","above":100}]}]})"
    );
    const Result<RegressionCase> by_hand = make(own);
    ASSERT_TRUE(by_hand.has_value()) << by_hand.error().message;
    EXPECT_EQ(run_case(*by_hand, candidate_with("13", allow)).judgement, Judgement::Fail);
}

TEST_F(Recorded, TheBookKeepsCasesOverARestart) {
    refund_another_order();
    const auto open = [&] {
        BookParts parts{
            journal_,
            clock_,
            [this](const IncidentId& id) { return desk_->get(id); },
            [this](const CorrelationId&) -> Result<std::shared_ptr<const EventBatch>> {
                auto batch = std::make_shared<EventBatch>();
                batch->events = story_.events;
                return std::shared_ptr<const EventBatch>(std::move(batch));
            },
            [this] { return catalog_; },
            request().replay,
            {}};
        auto book = RegressionBook::make(std::move(parts));
        EXPECT_TRUE(book->rebuild().has_value());
        return book;
    };
    const auto book = open();
    const incident::By ann{Actor("person:ann"), "after the harm"};
    EXPECT_EQ(book->create(IncidentId("INC-9"), {}, ann).error().code, ErrorCode::NotFound);
    std::vector<std::string> told;
    book->on_change([&](const RegressionCase& made, const incident::By&) { told.push_back(made.id); });
    const Result<CasePtr> made = book->create(incident().id, {}, ann);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ((*made)->id, "REG-1");
    ASSERT_EQ(told, std::vector<std::string>{"REG-1"});

    const auto again = open();
    ASSERT_TRUE(again->get("REG-1").has_value());
    EXPECT_EQ(to_json(**again->get("REG-1")), to_json(**made));
    EXPECT_EQ(again->list(AgentName("refund-agent"), IncidentId()).size(), 1U);
    EXPECT_TRUE(again->list(AgentName("other"), IncidentId()).empty());

    journal_.fail_after(0);
    EXPECT_EQ(again->create(incident().id, {}, ann).error().code, ErrorCode::Unavailable);
    EXPECT_EQ(again->list(AgentName(), IncidentId()).size(), 1U) << "nothing stands that is not durable";
}

TEST(RegressionFile, EveryMistakeNamesItsPlaceAndRemedy) {
    const std::string head = R"({"format":"tagout.regression/1","id":"REG-1","class":"tool",)";
    const std::string runs = R"("sessions":[{"id":"s","turns":[{"role":"user","content":"x"}]}],)";
    struct Row {
        std::string text;
        const char* place;
    };
    const Row rows[] = {
        {"", "JSON"},
        {"[]", "JSON"},
        {"{}", "format: "},
        {R"({"format":"tagout.regression/9"})", "tagout.regression/1"},
        {R"({"format":"tagout.regression/1"})", "id: "},
        {R"({"format":"tagout.regression/1","id":"REG-1","class":"bad"})", "class: "},
        {head + R"("must_not":{}})", "sessions: "},
        {head + R"("sessions":[{"id":"s"}],"must_not":{}})", "sessions[0]: "},
        {head + R"("sessions":[{"id":"s","turns":[{"role":"?"}]}],"must_not":{}})", "turns[0].role"},
        {head + runs + R"("x":1})", "must_not: "},
        {head + runs + R"("must_not":{"call":[]}})", "use calls, signals"},
        {head + runs + R"("must_not":{"calls":[{}]}})", "must_not.calls[0].tool: "},
        {head + runs + R"("must_not":{"calls":[{"tool":"x","arguments":[{"at":"a","equals":1}]}]}})",
         "arguments[0].at: "},
        {head + runs + R"("must_not":{"calls":[{"tool":"x","arguments":[{"at":"/a"}]}]}})",
         "one of equals"},
        {head + runs + R"("must_not":{"calls":[{"tool":"x","arguments":[{"at":"/a","above":"1"}]}]}})",
         "arguments[0].above: "},
        {head + runs + R"("tools":[{"name":"x","effect":"?"}],"must_not":{}})", "tools[0]: "},
    };
    for (const Row& row : rows) {
        const Result<RegressionCase> read = parse_case(row.text);
        ASSERT_FALSE(read.has_value()) << row.text;
        EXPECT_NE(read.error().message.find(row.place), std::string::npos)
            << row.text << ": " << read.error().message;
    }
    EXPECT_TRUE(parse_case(head + runs + R"("must_not":{"signals":["x"]}})").has_value());
}

TEST(RegressionMatch, ArgumentsAreMatchedByPointer) {
    const intake::RecordedCall call{"c", "pay.refund", R"({"amount":900,"to":{"name":"Bob"},"a/b":1})"};
    using Kind = ArgumentMatcher::Kind;
    struct Row {
        ArgumentMatcher matcher;
        bool fits;
    };
    const Row rows[] = {
        {{"/amount", Kind::Equals, "900", 0}, true},
        {{"/amount", Kind::Equals, "901", 0}, false},
        {{"/amount", Kind::Equals, "\"900\"", 0}, false},
        {{"/amount", Kind::Above, "", 899.5}, true},
        {{"/amount", Kind::Above, "", 900}, false},
        {{"/amount", Kind::Below, "", 901}, true},
        {{"/to/name", Kind::Matches, "B*", 0}, true},
        {{"/to/name", Kind::Above, "", 1}, false},
        {{"/a~1b", Kind::Equals, "1", 0}, true},
        {{"/nothing", Kind::Equals, "null", 0}, false},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(matches(HarmfulCall{"pay.*", "", {row.matcher}}, call), row.fits) << row.matcher.at;
    }
    EXPECT_FALSE(matches(HarmfulCall{"mail.*", "", {}}, call));
    EXPECT_FALSE(matches(
        HarmfulCall{"pay.*", "", {{"/amount", Kind::Equals, "900", 0}}}, {"c", "pay.refund", "no json"}
    ));
}

TEST(RegressionVersions, AVersionIsKnownByNumberAndHash) {
    const std::vector<SelectedVersion> selected{{"refund", "12", "ab12"}, {"mail", "v3", ""}};
    struct Row {
        const char* told;
        std::optional<bool> is;
    };
    const Row rows[] = {
        {"refund@12", true},  {"refund@v12", true}, {"refund@13", false}, {"refund@ab12", true},
        {"mail@3", true},     {"mail@12", false},   {"@12", true},        {"@14", false},
        {"other@12", false},  {"", std::nullopt},   {"refund@", std::nullopt},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(is_selected(row.told, selected), row.is) << row.told;
    }
    EXPECT_EQ(is_selected("refund@12", {}), std::nullopt);
}

}  // namespace
}  // namespace tagout::prevent
