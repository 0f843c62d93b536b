// Effects redact and route of a policy, and rules about requests to models.
#include "contain/decide.h"
#include "contain/policy.h"
#include "contain/redactor.h"

#include <gtest/gtest.h>

namespace tagout::contain {
namespace {

std::string first_mistake(const std::string& yaml) {
    const PolicyReport report = read_policy("p", "v1", yaml);
    return report.mistakes.empty() ? "" : catalog::to_text(report.mistakes.front(), "p");
}

std::shared_ptr<const ControlSnapshot> snapshot_of(const std::string& yaml) {
    const Result<Policy> policy = parse_policy("p", "v1", yaml);
    EXPECT_TRUE(policy.has_value()) << (policy ? "" : policy.error().message);
    return policy ? ControlSnapshot::build({}, std::span(&*policy, 1), 7).value() : nullptr;
}

std::string said(const ControlSnapshot& snapshot, const ToolCall& call) {
    const Decision made = decide(snapshot, call);
    std::string text(effect_word(made));
    text += made.by == nullptr ? "" : " by " + made.by->id.substr(made.by->id.find('#') + 1);
    text += made.by == nullptr || made.by->route_to.empty() ? "" : " to " + made.by->route_to.text();
    text += made.shadow == nullptr ? "" : ", shadow " + made.shadow->id.substr(made.shadow->id.find('#') + 1);
    for (std::size_t bit = 0; bit < ControlSnapshot::redactors_max; ++bit) {
        if ((made.redactions >> bit & 1) != 0) {
            text += ", " + snapshot.redactor(bit).redacted("a@b.co 192.0.2.7").value_or("nothing");
        }
    }
    return text;
}

TEST(PolicyEffects, RedactGoesOnAndRouteDecides) {
    const auto snapshot = snapshot_of(R"(
rules:
  - { name: no-mail, match: { tool: "mail.*" }, effect: redact, redact: email, where: arguments }
  - { name: no-ip, match: { tool: mail.send }, effect: redact, redact: [ip] }
  - { name: ask, match: { tool: mail.send, agent: new }, effect: ask }
  - { name: never, match: { tool: mail.wipe }, effect: deny }
  - { name: watched, match: { tool: web.get }, effect: redact, redact: [email], mode: shadow }
  - { name: cheap, match: { model: "gpt-5*", agent: desk }, effect: route, route_to: gpt-4.1 }
  - { name: closed, match: { model: "o*" }, effect: deny }
  - { name: secretive, match: { model: "*" }, effect: redact, redact: [email] }
  - { name: away, match: { workflow: refunds }, effect: route, route_to: people }
)");
    ASSERT_NE(snapshot, nullptr);
    ToolCall call;
    call.tool = "mail.send";
    EXPECT_EQ(said(*snapshot, call), "redact by no-mail, [redacted:email] 192.0.2.7, a@b.co [redacted:ip]");
    call.agent = "new";
    EXPECT_EQ(said(*snapshot, call), "ask by ask, [redacted:email] 192.0.2.7, a@b.co [redacted:ip]");
    call.tool = "mail.wipe";
    EXPECT_EQ(said(*snapshot, call), "deny by never, [redacted:email] 192.0.2.7");
    call.tool = "web.get";
    EXPECT_EQ(said(*snapshot, call), "allow, shadow watched");
    call.model = "gpt-5";  // The model that proposed it: the call is no request to it.
    EXPECT_EQ(said(*snapshot, call), "allow, shadow watched");

    ToolCall request;
    request.kind = CallKind::Model;
    request.model = "gpt-5-mini";
    request.agent = "desk";
    EXPECT_EQ(said(*snapshot, request), "route by cheap to gpt-4.1");
    request.agent = "other";
    EXPECT_EQ(said(*snapshot, request), "redact by secretive, [redacted:email] 192.0.2.7");
    request.model = "o3";
    EXPECT_EQ(said(*snapshot, request), "deny by closed");

    ToolCall front;
    front.kind = CallKind::Workflow;
    front.workflow = "refunds";
    EXPECT_EQ(said(*snapshot, front), "route by away to people");
    front.workflow = "returns";
    EXPECT_EQ(said(*snapshot, front), "allow");
}

TEST(PolicyEffects, ContradictionsAndWhatIsMissingAreNamed) {
    struct Row {
        const char* rules;
        const char* says;
    };
    const Row rows[] = {
        {"{name: a, effect: redact}", "needs what is to be taken out"},
        {"{name: a, effect: redact, redact: [mail]}", "is no kind"},
        {"{name: a, effect: redact, redact: ['re:(']}", "no pattern of RE2"},
        {"{name: a, effect: redact, redact: {x: 1}}", "here must be a text"},
        {"{name: a, effect: deny, redact: [email]}", "redact belongs to effect redact only"},
        {"{name: a, effect: ask, where: both}", "where belongs to effect redact only"},
        {"{name: a, match: {model: m}, effect: deny, route_to: n}", "route_to belongs to effect route only"},
        {"{name: a, match: {model: m}, effect: route}", "needs route_to"},
        {"{name: a, effect: route, route_to: n}", "does not say whose requests"},
        {"{name: a, match: {model: m}, effect: route, route_to: 'n*'}", "no name of one model"},
        {"{name: a, match: {model: 'gpt-*'}, effect: route, route_to: gpt-5}", "nothing would change"},
        {"{name: a, match: {workflow: w}, effect: route, route_to: w}", "nothing would change"},
        {"{name: a, match: {model: m, tool: t}, effect: deny}", "has no such thing"},
        {"{name: a, match: {workflow: w, effect: write}, effect: route, route_to: x}",
         "has no such thing"},
        {"{name: a, match: {model: m}, flow: untrusted, effect: deny}", "has no such thing"},
        {"{name: a, match: {model: m}, effect: route, route_to: n}, "
         "{name: b, match: {model: m}, effect: route, route_to: o}",
         "one says route to n, the other route to o"},
        {"{name: a, match: {model: m}, effect: route, route_to: n}, "
         "{name: b, match: {model: m}, effect: deny}",
         "one says route to n, the other deny"},
        {"{name: a, match: {tool: t}, effect: ask}, "
         "{name: b, match: {tool: t}, effect: redact, redact: [ip]}",
         "is never reached"},
        {"{name: a, effect: rewrite}", "not possible here"},
    };
    for (const Row& row : rows) {
        const std::string said = first_mistake(std::string("rules: [") + row.rules + "]");
        EXPECT_NE(said.find(row.says), std::string::npos) << row.rules << " said: " << said;
    }
    for (const char* const good :
         {"{name: a, match: {model: m}, effect: route, route_to: other/m}",
          "{name: a, match: {model: m}, effect: route, route_to: other/}",
          "{name: a, match: {tool: t}, effect: redact, redact: [ip]}, "
          "{name: b, match: {tool: t}, effect: deny}",
          "{name: a, effect: deny}, {name: b, match: {model: m}, effect: deny}"}) {
        EXPECT_EQ(first_mistake(std::string("rules: [") + good + "]"), "") << good;
    }
}

TEST(PolicyEffects, TestsInTheFileMayExpectThem) {
    const PolicyReport report = read_policy("p", "v1", R"(
rules:
  - { name: blind, match: { tool: mail.send }, effect: redact, redact: [email] }
  - name: moved
    match: { model: gpt-5 }
    limit: { calls: 2, per: 1h, key: agent }
    effect: route
    route_to: gpt-4.1
tests:
  - { name: a, call: { tool: mail.send }, expect: redact, rule: blind }
  - { name: b, call: { model: gpt-5, agent: x }, expect: allow }
  - { name: c, call: { model: gpt-5, agent: x }, times: 3, expect: route, rule: moved }
  - { name: d, call: { tool: mail.send }, expect: route }
)");
    ASSERT_TRUE(report.policy.has_value()) << catalog::to_text(report.mistakes.front(), "p");
    const auto results = run_cases(*report.policy, report.cases, catalog::Catalog());
    ASSERT_TRUE(results.has_value());
    ASSERT_EQ(results->size(), 4U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_TRUE((*results)[i].passed) << (*results)[i].said;
    }
    EXPECT_FALSE((*results)[3].passed);
    EXPECT_EQ((*results)[3].said, "redact by rule blind; expected was route");
    EXPECT_NE(
        first_mistake("rules: [{name: a, effect: deny}]\ntests: [{name: t, call: {agent: x}, expect: deny}]")
            .find("this call is of nothing"),
        std::string::npos
    );
}

TEST(PolicyEffects, ARuleWithoutAnAnswerRedactsToBeSafe) {
    const auto snapshot = snapshot_of(R"(
rules: [{ name: big, match: { tool: t }, when: args.amount > 5, effect: redact, redact: [email] }]
)");
    ToolCall call;
    call.tool = "t";
    call.arguments = "{}";
    const Decision made = decide(*snapshot, call);
    EXPECT_EQ(made.verdict, Verdict::Modify);
    EXPECT_TRUE(made.faulted);
    EXPECT_NE(made.redactions, 0U);
    call.arguments = R"({"amount": 1})";
    EXPECT_EQ(decide(*snapshot, call).verdict, Verdict::Allow);
}

TEST(PolicyEffects, EqualRulesShareARedactorAndTooManyAreRefused) {
    Policy policy{"p", "v1", {}};
    for (int i = 0; i < 100; ++i) {
        PolicyRule rule;
        rule.name = "r" + std::to_string(i);
        rule.then = Verdict::Modify;
        rule.redact = {i % 2 == 0 ? "email" : "ip"};
        policy.rules.push_back(rule);
    }
    const auto two = ControlSnapshot::build({}, std::span(&policy, 1), 1);
    ASSERT_TRUE(two.has_value());
    ToolCall call;
    call.tool = "t";
    EXPECT_EQ(decide(**two, call).redactions, 3U);
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        policy.rules[i].redact = {"re:x" + std::to_string(i)};
    }
    const auto many = ControlSnapshot::build({}, std::span(&policy, 1), 2, two->get());
    ASSERT_FALSE(many.has_value());
    EXPECT_NE(many.error().message.find("controls and rules would redact"), std::string::npos);
}

}  // namespace
}  // namespace tagout::contain
