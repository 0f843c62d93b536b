#include "base/prng.h"
#include "contain/fleet/frame.h"
#include "contain/fleet/report.h"
#include "contain/fleet/snapshot_form.h"
#include "contain/policy.h"

#include <gtest/gtest.h>

#include <functional>

namespace tagout::contain::fleet {
namespace {

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 56));

Control control_with_everything() {
    Control control;
    control.id = ControlId("CTL-7");
    control.scope = {ScopeKind::Workflow, "returns-*"};
    control.mode = ControlMode::Route;
    control.allowed = {"orders.*", "search"};
    control.route_to = WorkflowName("people");
    control.reason = "pays \"twice\"\nsince noon \xc3\xa4";
    control.author = Actor("person:ann");
    control.incident = IncidentId("INC-3");
    control.rule = "cost/SEV1/workflow";
    control.since = noon + Duration(1);
    control.review_by = noon + std::chrono::hours(24);
    control.validating = true;
    control.opening = {"acme", 10};
    return control;
}

Control plain(const std::string& id, const std::string& scope = "tool:refund") {
    Control control;
    control.id = ControlId(id);
    control.scope = *parse_scope(scope);
    control.reason = "why";
    control.author = Actor("person:ann");
    control.since = noon;
    control.review_by = noon + std::chrono::hours(1);
    return control;
}

Standing some_standing() {
    Standing standing;
    standing.edition = 41;
    standing.revision = 12;
    standing.made_at = noon;
    standing.terms = {std::chrono::seconds(2), std::chrono::seconds(30), {"high_risk", "egress"}};
    standing.parts.policies = std::string(64, 'a');
    standing.parts.catalog = std::string(64, '0');
    Control slow = plain("CTL-10", "agent:refund-*");
    slow.mode = ControlMode::Throttle;
    EXPECT_TRUE(parse_rate("20/1m", slow.terms));
    slow.terms.key = LimitKey::Session;
    Control blind = plain("CTL-11");
    blind.mode = ControlMode::Redact;
    blind.terms.redact = {"email", "re:[0-9]{9}"};
    blind.terms.where = RedactWhere::Arguments;
    standing.controls = {control_with_everything(), plain("CTL-9"), slow, blind};
    return standing;
}

TEST(SnapshotForm, WhatStandsIsReadAsItWasWritten) {
    const Standing standing = some_standing();
    const Result<Standing> read = parse_standing(to_text(standing));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, standing);
}

TEST(SnapshotForm, AStepLeadsFromOneToTheNext) {
    Standing before = some_standing();
    Standing after = before;
    after.edition = 42;
    after.revision = 13;
    after.controls.erase(after.controls.begin());
    after.controls[0].validating = true;
    after.controls.push_back(plain("CTL-20", "agent:refund-*"));
    after.parts.policies = std::string(64, 'b');
    const Step step = step_between(before, after);
    EXPECT_EQ(step.put.size(), 2U);
    EXPECT_EQ(step.taken, std::vector{ControlId("CTL-7")});
    const Result<Step> read = parse_step(to_text(step));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    ASSERT_TRUE(apply(*read, before).has_value());
    EXPECT_EQ(before, after);
    // A second time it leads nowhere, and nothing moves.
    const Result<void> again = apply(*read, before);
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, ErrorCode::Conflict);
    EXPECT_EQ(before, after);
}

TEST(SnapshotForm, AStepThatTakesWhatDoesNotStandMovesNothing) {
    Standing standing = some_standing();
    Step step = step_between(standing, standing);
    step.edition = standing.edition + 1;
    step.put = {plain("CTL-50")};
    step.taken = {ControlId("CTL-9"), ControlId("CTL-404")};
    EXPECT_FALSE(apply(step, standing).has_value());
    EXPECT_EQ(standing, some_standing());
}

TEST(SnapshotForm, ManyRandomChangesAreStepsThatAddUp) {
    Prng chance(7);
    Standing served;
    served.edition = 1;
    Standing held = served;
    int number = 0;
    for (int round = 0; round < 300; ++round) {
        Standing next = served;
        next.edition += 1 + chance.next() % 3;
        ++next.revision;
        for (std::uint64_t i = chance.next() % 4; i > 0; --i) {
            next.controls.push_back(plain("CTL-" + std::to_string(++number)));
        }
        if (!next.controls.empty() && chance.next() % 2 == 0) {
            next.controls.erase(
                next.controls.begin() +
                static_cast<std::ptrdiff_t>(chance.next() % next.controls.size())
            );
        }
        if (!next.controls.empty()) {
            next.controls[chance.next() % next.controls.size()].validating ^= true;
        }
        const Result<Step> step = parse_step(to_text(step_between(served, next)));
        ASSERT_TRUE(step.has_value()) << step.error().message;
        ASSERT_TRUE(apply(*step, held).has_value());
        ASSERT_EQ(held, next);
        served = next;
    }
}

TEST(SnapshotForm, WhatIsNotUnderstoodIsRefusedWholeWithItsPlace) {
    struct Row {
        std::function<void(std::string&)> break_it;
        std::string_view words;
    };
    const auto replace = [](std::string from, std::string to) {
        return [from = std::move(from), to = std::move(to)](std::string& text) {
            const std::size_t at = text.find(from);
            ASSERT_NE(at, text.npos) << from;
            text.replace(at, from.size(), to);
        };
    };
    const Row rows[] = {
        {replace("\"rate\":\"20/1m\"", "\"rate\":\"often\""), "controls[2].rate"},
        {replace("\"where\":\"arguments\"", "\"where\":\"there\""), "controls[3].where"},
        {[](std::string& text) { text.pop_back(); }, "no JSON object"},
        {[](std::string& text) { text = "[]"; }, "no JSON object"},
        {replace("\"form\":\"standing\"", "\"form\":\"step\""), "snapshot.form"},
        {replace("\"edition\":41", "\"edition\":-1"), "snapshot.edition"},
        {replace("\"edition\":41", "\"editions\":41"), "snapshot.edition is missing"},
        {replace("\"edition\":41", "\"edition\":41,\"more\":1"), "'more'"},
        {replace("\"route\"", "\"melt\""), "snapshot.controls[0].mode"},
        {replace("workflow:returns-*", "planet:x"), "snapshot.controls[0].scope"},
        {replace("\"rule\":", "\"limit_per_hour\":3,\"rule\":"), "'limit_per_hour'"},
        {replace("CTL-9", "CTL-7"), "one control twice"},
        {replace("\"egress\"", "\"everything\""), "terms.closed"},
        {replace(std::string(64, 'a'), std::string(64, 'A')), "parts.policies"},
        {replace("\"author\":\"person:ann\"", "\"author\":\"\""), "controls[0].author"},
    };
    for (const Row& row : rows) {
        std::string text = to_text(some_standing());
        row.break_it(text);
        const Result<Standing> read = parse_standing(text);
        ASSERT_FALSE(read.has_value()) << row.words;
        EXPECT_NE(read.error().message.find(row.words), std::string::npos)
            << read.error().message << " / " << row.words;
    }
}

TEST(SnapshotForm, PoliciesGoAsTheirSourcesAndComeBackEqual) {
    const Result<Policy> policy = parse_policy("refunds", "v3", R"(
rules:
  - name: high
    match: { tool: payments.refund }
    when: args.amount > 100
    effect: ask
    message: A person must see this
  - name: often
    match: { tool: "mail.*" }
    limit: { calls: 20, per: 1h, key: session }
    effect: deny
marks:
  - match: { tool: "web.*" }
    as: untrusted
)");
    ASSERT_TRUE(policy.has_value()) << policy.error().message;
    const Result<std::string> part = policies_part({*policy});
    ASSERT_TRUE(part.has_value());
    const auto read = parse_policies(*part);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    ASSERT_EQ(read->size(), 1U);
    EXPECT_EQ(read->front(), *policy);
    EXPECT_EQ(read->front().rules[0].when.text, "args.amount > 100");

    Policy by_hand{"x", "v1", {}};
    by_hand.rules.emplace_back().name = "r";
    EXPECT_FALSE(policies_part({by_hand}).has_value());
    EXPECT_FALSE(parse_policies(R"({"policies":[{"name":"a","version":"v1","yaml":"rules: 3"}]})"));
}

TEST(SnapshotForm, VersionsComeBackEqual) {
    const std::vector<LabelledVersion> versions{
        {"prompts", "support", "production", R"({"content":"Be kind"})", "\"v1\""}};
    const auto read = parse_versions(versions_part(versions));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, versions);
}

Frame frame_of(FrameKind kind, std::string body) {
    return {kind, std::string(128, 'f'), std::move(body)};
}

TEST(FrameReaderTest, CutsFramesHoweverTheBytesArrive) {
    const std::string stream = ": hello\n\n" + to_text(frame_of(FrameKind::Beat, "{\"a\":1}")) +
                               to_text(frame_of(FrameKind::Step, "{}")) + ": still here\n\n" +
                               to_text(frame_of(FrameKind::Answer, "{\"b\":[]}"));
    for (std::size_t size = 1; size < stream.size(); size += 3) {
        FrameReader reader;
        std::vector<Frame> frames;
        for (std::size_t at = 0; at < stream.size(); at += size) {
            ASSERT_TRUE(reader.feed(std::string_view(stream).substr(at, size), frames));
        }
        ASSERT_EQ(frames.size(), 3U) << size;
        EXPECT_EQ(frames[0].kind, FrameKind::Beat);
        EXPECT_EQ(frames[0].body, "{\"a\":1}");
        EXPECT_EQ(frames[1].kind, FrameKind::Step);
        EXPECT_EQ(frames[2].body, "{\"b\":[]}");
        EXPECT_EQ(frames[2].signature, std::string(128, 'f'));
    }
}

TEST(FrameReaderTest, WhatIsNoFrameEndsTheStream) {
    const std::string good = to_text(frame_of(FrameKind::Beat, "{}"));
    const std::string rows[] = {
        "event: melt\n",
        "event: beat\nevent: beat\n",
        "event: beat\ndata: {}\n\n",
        "data: {}\n\n",
        "id: short\n",
        "retry: 10\n",
        "HTTP/1.1 200 OK\r\n",
        good + "x\n",
        "data: " + std::string(frame_bytes_max, 'x'),
        std::string(frame_bytes_max + 1, ':'),
    };
    for (const std::string& row : rows) {
        FrameReader reader;
        std::vector<Frame> frames;
        const Result<void> fed = reader.feed(row, frames);
        ASSERT_FALSE(fed.has_value()) << row.substr(0, 40);
        EXPECT_EQ(fed.error().code, ErrorCode::Corrupt);
    }
}

TEST(FrameReaderTest, ASignatureOfOneKindIsNoneOfAnother) {
    EXPECT_NE(signed_text("beat", "{}"), signed_text("step", "{}"));
    EXPECT_NE(signed_text("step", "x"), signed_text("step x", ""));
}

TEST(FleetReport, EveryValueIsReadAsItWasWritten) {
    PointReport report{
        "edge-1", "0a1b", "0.1.0", "http://10.0.0.1:8322", 41, 12, "disk full", true, 5, 6, 7,
        8, 9, 10, 11, 12};
    const auto read = parse_report(to_text(report));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(to_text(*read), to_text(report));
    EXPECT_EQ(read->records_dropped, 12U);
    EXPECT_EQ(read->error, "disk full");

    const ProbeAsk ask{9, "edge-1", control_with_everything()};
    const auto asked = parse_probe_ask(to_text(ask));
    ASSERT_TRUE(asked.has_value()) << asked.error().message;
    EXPECT_EQ(asked->control, ask.control);

    const ProbeSaid said{
        9, "edge-1", {{"mcp:shop", true, Verdict::Deny, "CTL-7", 12, "a call was refused"}}};
    const auto heard = parse_probe_said(to_text(said));
    ASSERT_TRUE(heard.has_value()) << heard.error().message;
    EXPECT_EQ(to_text(*heard), to_text(said));

    ApprovalAsk waits{"edge-1", "w1", false, ControlId("CTL-7"), "refund", "shop", "a",
                      "w",      "s",  "{\"amount\":1}"};
    const auto waiting = parse_approval_ask(to_text(waits));
    ASSERT_TRUE(waiting.has_value()) << waiting.error().message;
    EXPECT_EQ(to_text(*waiting), to_text(waits));

    const ApprovalSaid answer{"edge-1", "w1", ApprovalAnswer::Approved, Actor("person:bob"), "ok"};
    const auto answered = parse_approval_said(to_text(answer));
    ASSERT_TRUE(answered.has_value()) << answered.error().message;
    EXPECT_EQ(answered->answer, ApprovalAnswer::Approved);

    const LocalControls local{"edge-1", {control_with_everything()}};
    const auto told = parse_local_controls(to_text(local));
    ASSERT_TRUE(told.has_value()) << told.error().message;
    EXPECT_EQ(told->controls, local.controls);

    const std::vector<Adopted> adopted{
        {ControlId("edge-1:CTL-1"), ControlId("CTL-8"), 14, ""},
        {ControlId("edge-1:CTL-2"), {}, 0, "too many"}};
    const auto kept = parse_adopted(to_text(adopted));
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(to_text(*kept), to_text(adopted));
}

TEST(FleetReport, NamesOfPointsFitIntoPathsAndMetrics) {
    for (const std::string_view good : {"edge-1", "a", "gw.eu-west_2"}) {
        EXPECT_TRUE(is_point_name(good));
    }
    for (const std::string_view bad : {"", ".", "../x", "a b", "a/b", "a\n", "\xc3\xa4"}) {
        EXPECT_FALSE(is_point_name(bad));
    }
    EXPECT_FALSE(parse_report(R"({"point":"../x","instance":"i"})").has_value());
}

}  // namespace
}  // namespace tagout::contain::fleet
