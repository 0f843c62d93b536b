// What the effects do: throttle, redact, and the route of a model.
#include "contain/call_memory.h"
#include "contain/control_rules.h"
#include "contain/decide.h"
#include "contain/redactor.h"

#include <gtest/gtest.h>

namespace tagout::contain {
namespace {

Control control(const std::string& id, const std::string& scope, ControlMode mode) {
    Control made;
    made.id = ControlId(id);
    made.scope = parse_scope(scope).value_or(Scope{});
    made.mode = mode;
    made.reason = "customers were refunded twice";
    made.author = Actor("person:ann");
    return made;
}

std::shared_ptr<const ControlSnapshot> snapshot_of(const std::vector<Control>& controls) {
    auto built = ControlSnapshot::build(controls, {}, 7);
    return built ? *built : nullptr;
}

std::string redacted(std::vector<std::string> what, std::string_view text) {
    const auto made = Redactor::make(what, RedactWhere::Both);
    return made ? (*made)->redacted(text).value_or("(nothing)") : made.error().message;
}

TEST(Redactor, TakesOutWhatItIsToldAndNothingElse) {
    struct Row {
        const char* kind;
        const char* text;
        const char* wanted;
    };
    const Row rows[] = {
        {"email", "to jane.doe+x@mail.example.com, soon", "to [redacted:email], soon"},
        {"email", "a@b and @handle and x@localhost", "(nothing)"},
        {"card", "pay 4111 1111 1111 1111 now", "pay [redacted:card] now"},
        {"card", "order 4111 1111 1111 1112", "(nothing)"},
        {"iban", "DE89 3704 0044 0532 0130 00.", "[redacted:iban]."},
        {"iban", "DE88 3704 0044 0532 0130 00.", "(nothing)"},
        {"ssn", "123-45-6789", "[redacted:ssn]"},
        {"phone", "call +49 30 1234567 or wait", "call [redacted:phone] or wait"},
        {"phone", "2026-11-27 10:30", "(nothing)"},
        {"ip", "from 192.0.2.7:80", "from [redacted:ip]:80"},
        {"ip", "version 1.2.3", "(nothing)"},
        {"secret", "use Bearer abcdefghijklmnop1234 now", "use [redacted:secret] now"},
        {"secret", "glpat-abcdefghij0123456789, npm", "[redacted:secret], npm"},
        {"secret", "AKIAIOSFODNN7EXAMPLE", "[redacted:secret]"},
        {"re:CUST-[0-9]+", "CUST-12, CUST-x, CUST-9", "[redacted], CUST-x, [redacted]"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(redacted({row.kind}, row.text), row.wanted) << row.kind << ": " << row.text;
    }
    EXPECT_EQ(redacted({"email", "ip"}, "j@example.com 192.0.2.7"), "[redacted:email] [redacted:ip]");
}

TEST(Redactor, RefusesWhatItCannotDo) {
    EXPECT_NE(redacted({"mail"}, "").find("is no kind; write"), std::string::npos);
    EXPECT_NE(redacted({"re:("}, "").find("is no pattern of RE2"), std::string::npos);
    EXPECT_NE(redacted({"re:x*"}, "").find("empty text"), std::string::npos);
    EXPECT_NE(redacted({"re:"}, "").find("needs a pattern"), std::string::npos);
    EXPECT_NE(redacted({}, "").find("needs what is to be taken out"), std::string::npos);
    EXPECT_FALSE(Redactor::make(std::vector<std::string>(21, "email"), RedactWhere::Both));
}

TEST(Throttle, RefusesPastItsRateAndSaysWhenToComeBack) {
    Control slow = control("CTL-1", "tool:mail.*", ControlMode::Throttle);
    ASSERT_TRUE(parse_rate("3/1m", slow.terms));
    const auto snapshot = snapshot_of({slow});
    ASSERT_NE(snapshot, nullptr);
    CallMemory memory;
    ToolCall call;
    call.server = "mail";
    call.tool = "mail.send";  // Fits the glob as it is called, and with its server before it.
    call.now = Instant(std::chrono::hours(24 * 365 * 50));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(admit(*snapshot, call, memory).verdict, Verdict::Allow) << i;
        call.now += std::chrono::seconds(1);
    }
    const Decision refused = admit(*snapshot, call, memory);
    EXPECT_EQ(refused.verdict, Verdict::Deny);
    ASSERT_NE(refused.by, nullptr);
    EXPECT_EQ(refused.by->id, "CTL-1");
    EXPECT_GT(refused.retry_after, Duration{});
    EXPECT_LE(refused.retry_after, std::chrono::seconds(70));
    EXPECT_EQ(decide(*snapshot, call).verdict, Verdict::Allow) << "by itself there is room";
    call.now += refused.retry_after;
    EXPECT_EQ(admit(*snapshot, call, memory).verdict, Verdict::Allow) << "as it was told";
    ToolCall other;
    other.tool = "get_order";
    other.now = call.now;
    EXPECT_EQ(admit(*snapshot, other, memory).verdict, Verdict::Allow);
}

TEST(Throttle, CountsForEachThatItsKeyNames) {
    Control slow = control("CTL-1", "global", ControlMode::Throttle);
    ASSERT_TRUE(parse_rate("1/1h", slow.terms));
    slow.terms.key = LimitKey::Session;
    const auto snapshot = snapshot_of({slow});
    ASSERT_NE(snapshot, nullptr);
    CallMemory memory;
    ToolCall call;
    call.tool = "mail";
    call.now = Instant(std::chrono::hours(24 * 365 * 50));
    for (const char* const session : {"a", "b"}) {
        call.session = session;
        EXPECT_EQ(admit(*snapshot, call, memory).verdict, Verdict::Allow);
        EXPECT_EQ(admit(*snapshot, call, memory).verdict, Verdict::Deny);
    }
    // A control that stops goes before it, and a snapshot made anew gives no fresh allowance.
    const auto again = ControlSnapshot::build(std::span(&slow, 1), {}, 8);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(admit(**again, call, memory).verdict, Verdict::Deny);
}

TEST(Redact, PassesAsModifiedWithWhatIsTakenOut) {
    Control one = control("CTL-1", "agent:bot", ControlMode::Redact);
    one.terms.redact = {"email"};
    Control two = control("CTL-2", "tool:mail", ControlMode::Redact);
    two.terms.redact = {"card"};
    two.terms.where = RedactWhere::Results;
    const auto snapshot = snapshot_of({one, two, control("CTL-3", "tool:mail", ControlMode::Approvals)});
    ASSERT_NE(snapshot, nullptr);
    ToolCall call;
    call.agent = "bot";
    call.tool = "get";
    const Decision modified = decide(*snapshot, call);
    EXPECT_EQ(modified.verdict, Verdict::Modify);
    EXPECT_EQ(modified.redactions, 1U);
    call.tool = "mail";
    const Decision waits = decide(*snapshot, call);
    EXPECT_EQ(waits.verdict, Verdict::Escalate) << "a person is asked first";
    EXPECT_EQ(waits.redactions, 3U) << "and it goes out redacted by both";
    EXPECT_EQ(snapshot->redactor(1).where(), RedactWhere::Results);
    call.kind = CallKind::Workflow;
    EXPECT_EQ(decide(*snapshot, call).verdict, Verdict::Allow);
}

TEST(Redact, TooManyAreRefusedWithTheirLimit) {
    std::vector<Control> all(65, control("CTL-1", "agent:bot", ControlMode::Redact));
    for (Control& each : all) {
        each.terms.redact = {"email"};
    }
    const auto built = ControlSnapshot::build(all, {}, 1);
    ASSERT_FALSE(built.has_value());
    EXPECT_EQ(built.error().code, ErrorCode::LimitExceeded);
    all.pop_back();
    EXPECT_TRUE(ControlSnapshot::build(all, {}, 1).has_value());
}

TEST(Route, OfAModelMovesModelCallsOnly) {
    Control moved = control("CTL-1", "model:gpt-5*", ControlMode::Route);
    moved.route_to = WorkflowName("gpt-4.1");
    const auto snapshot = snapshot_of({moved});
    ASSERT_NE(snapshot, nullptr);
    ToolCall call;
    call.kind = CallKind::Model;
    call.model = "gpt-5-mini";
    const Decision decision = decide(*snapshot, call);
    EXPECT_EQ(decision.verdict, Verdict::Modify);
    EXPECT_EQ(decision.by->route_to.text(), "gpt-4.1");
    call.model = "gpt-4.1";
    EXPECT_EQ(decide(*snapshot, call).verdict, Verdict::Allow);
}

TEST(Effects, DraftsThatMakeNoSenseAreRefused) {
    const By by{Actor("person:ann"), "because"};
    const auto refused = [&](const std::string& scope, ControlMode mode, const EffectTerms& terms,
                             const std::string& to = "") {
        ControlDraft draft;
        draft.scope = parse_scope(scope).value_or(Scope{});
        draft.mode = mode;
        draft.terms = terms;
        draft.route_to = WorkflowName(to);
        const Result<void> checked = check_draft(draft, by, {}, Instant{});
        return checked ? std::string() : checked.error().message;
    };
    EffectTerms rate;
    ASSERT_TRUE(parse_rate("5/1m", rate));
    EffectTerms mail;
    mail.redact = {"email"};
    EXPECT_EQ(refused("global", ControlMode::Throttle, rate), "");
    EXPECT_EQ(refused("global", ControlMode::Redact, mail), "");
    EXPECT_EQ(refused("model:gpt-5", ControlMode::Route, {}, "gpt-4.1"), "");
    EXPECT_NE(refused("global", ControlMode::Throttle, {}).find("needs a rate"), std::string::npos);
    EXPECT_NE(refused("global", ControlMode::Stopped, rate).find("rate belongs"), std::string::npos);
    EXPECT_NE(refused("global", ControlMode::Throttle, mail), "");
    EXPECT_NE(refused("global", ControlMode::Redact, {}).find("needs what"), std::string::npos);
    EXPECT_NE(refused("model:gpt-*", ControlMode::Route, {}, "gpt-4").find("covers"), std::string::npos);
    EXPECT_NE(refused("model:gpt-5", ControlMode::Route, {}, ""), "");
    EXPECT_NE(refused("agent:bot", ControlMode::Route, {}, "gpt-4"), "");
}

}  // namespace
}  // namespace tagout::contain
