// What rules ask beside names: conditions, forms of arguments, limits, what a session has met.

#include "contain/call_memory.h"
#include "contain/policy.h"
#include "contain/unknown_arguments.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <thread>

namespace tagout::contain {
namespace {

const Instant noon = parse_rfc3339("2026-11-27T12:00:00Z").value();

class World {
public:
    explicit World(const std::string& yaml) {
        const Result<Policy> policy = parse_policy("shop", "v1", yaml);
        EXPECT_TRUE(policy.has_value()) << (policy ? "" : policy.error().message);
        if (policy) {
            snapshot_ = *ControlSnapshot::build({}, std::span(&*policy, 1), 1);
        }
    }

    ToolCall call;
    CallMemory memory;

    /// "deny by high", "allow", "allow (shadow old)"; as the call comes through a gateway.
    std::string admitted() { return words(admit(*snapshot_, call, memory)); }
    std::string decided() const { return words(decide(*snapshot_, call)); }
    [[nodiscard]] const ControlSnapshot& snapshot() const { return *snapshot_; }

private:
    static std::string rule(const DecidedBy& by) { return by.id.substr(by.id.find('#') + 1); }
    static std::string words(const Decision& decision) {
        std::string text = decision.verdict == Verdict::Deny       ? "deny"
                           : decision.verdict == Verdict::Escalate ? "ask"
                                                                   : "allow";
        text += decision.by == nullptr ? "" : " by " + rule(*decision.by);
        text += decision.faulted ? " (no answer)" : "";
        return decision.shadow == nullptr ? text : text + " (shadow " + rule(*decision.shadow) + ")";
    }

    std::shared_ptr<const ControlSnapshot> snapshot_;
};

TEST(Rules, AConditionAsksForTheCallAndItsArguments) {
    World world(R"(
rules:
  - name: own-refunds
    match: { tool: refund }
    when: args.customer == user
    effect: allow
  - name: high
    match: { tool: refund }
    when: args.amount > 100 && !(has(args.reason) && args.reason.matches('^CASE-[0-9]+$'))
    effect: ask
  - name: by-night
    match: { tool: refund }
    when: now.getHours('Europe/Berlin') >= 22 && environment == 'production'
    effect: deny
)");
    struct Row {
        const char* args;
        const char* now;
        const char* answer;
    };
    const Row rows[] = {
        {R"({"amount": 5, "customer": "ann"})", "2026-11-27T12:00:00Z", "allow"},
        {R"({"amount": 500, "customer": "bob"})", "2026-11-27T12:00:00Z", "ask by high"},
        {R"({"amount": 500, "customer": "ann"})", "2026-11-27T12:00:00Z", "allow"},
        {R"({"amount": 500, "customer": "bob", "reason": "CASE-7"})", "2026-11-27T12:00:00Z", "allow"},
        {R"({"amount": 5, "customer": "bob"})", "2026-11-27T22:30:00Z", "deny by by-night"},
        {R"({"amount": 5, "customer": "bob"})", "2026-11-27T20:30:00Z", "allow"},
        // Without an answer the exception does not hold, and what refuses does.
        {R"({"amount": "5", "customer": "bob"})", "2026-11-27T12:00:00Z", "ask by high (no answer)"},
        {"{}", "2026-11-27T12:00:00Z", "ask by high (no answer)"},
        {"", "2026-11-27T12:00:00Z", "ask by high (no answer)"},
        {R"([1])", "2026-11-27T12:00:00Z", "ask by high (no answer)"},
        {R"({"amount": 5)", "2026-11-27T12:00:00Z", "ask by high (no answer)"},
        {R"({"amount": 500, "customer": "bob", "amount": 5})", "2026-11-27T12:00:00Z",
         "ask by high (no answer)"},
    };
    for (const Row& row : rows) {
        world.call.tool = "refund";
        world.call.user = "ann";
        world.call.environment = "production";
        world.call.arguments = row.args;
        world.call.now = parse_rfc3339(row.now).value();
        EXPECT_EQ(world.decided(), row.answer) << row.args << " " << row.now;
    }
}

TEST(Rules, AskedWithoutArgumentsOnlyNamesDecide) {
    World world(R"(
rules:
  - { name: high, match: { tool: refund }, when: args.amount > 100, effect: deny }
  - { name: odd, match: { tool: refund }, args: { required: [to] }, effect: deny }
  - { name: others, match: { tool: refund, environment: test }, when: user == 'eve', effect: ask }
)");
    world.call.tool = "refund";
    world.call.user = "eve";
    world.call.arguments = unknown_arguments;
    EXPECT_EQ(world.decided(), "allow");
    world.call.environment = "test";
    EXPECT_EQ(world.decided(), "ask by others");
    const std::string sent = "?";
    world.call.arguments = sent;
    EXPECT_EQ(world.decided(), "deny by high (no answer)") << "nobody can send it";
}

TEST(Rules, AFormOfTheArgumentsIsAJsonSchema) {
    World world(R"(
rules:
  - name: good-mail
    match: { tool: mail.send }
    args:
      type: object
      required: [to]
      properties:
        to: { type: string, pattern: "@example[.]com$" }
        body: { type: string, maxLength: 1000 }
      additionalProperties: false
    effect: allow
  - { name: other-mail, match: { tool: mail.send }, effect: deny }
)");
    world.call.tool = "mail.send";
    const std::pair<const char*, const char*> rows[] = {
        {R"({"to": "ann@example.com"})", "allow"},
        {R"({"to": "ann@evil.com"})", "deny by other-mail"},
        {R"({"to": "ann@example.com", "bcc": "x"})", "deny by other-mail"},
        {R"({"to": "ann@example.com", "to": "ann@evil.com"})", "deny by other-mail"},
        {"{", "deny by other-mail"},
    };
    for (const auto& [args, answer] : rows) {
        world.call.arguments = args;
        EXPECT_EQ(world.decided(), answer) << args;
    }
}

TEST(Rules, ALimitFitsTheCallsPastIt) {
    World world(R"(
rules:
  - name: three-a-minute
    match: { tool: "mail.*" }
    limit: { calls: 3, per: 1m }
    effect: deny
  - name: two-for-a-user
    match: { tool: "mail.*" }
    limit: { calls: 2, per: 1m, key: user }
    effect: deny
    mode: shadow
)");
    world.call.tool = "mail.send";
    world.call.session = "s1";
    world.call.user = "ann";
    world.call.now = noon;
    EXPECT_EQ(world.admitted(), "allow");
    EXPECT_EQ(world.admitted(), "allow");
    EXPECT_EQ(world.admitted(), "allow (shadow two-for-a-user)");
    EXPECT_EQ(world.admitted(), "deny by three-a-minute");
    world.call.session = "s2";
    EXPECT_EQ(world.admitted(), "allow (shadow two-for-a-user)") << "another session counts apart";
    world.call.session = "s1";
    world.call.now = noon + std::chrono::seconds(59);
    EXPECT_EQ(world.admitted(), "deny by three-a-minute");
    world.call.now = noon + std::chrono::seconds(71);
    EXPECT_EQ(world.admitted(), "allow") << "a minute and a sixth later it is empty again";
    EXPECT_EQ(world.decided(), "allow") << "asked by itself, a call meets no limit";
}

TEST(Rules, NeverMoreThanTheLimitInAnyPeriod) {
    CallMemory memory;
    const RuleLimit limit{.calls = 10, .per = std::chrono::seconds(6)};
    std::vector<Instant> passed;
    Instant now = noon;
    for (int i = 0; i < 5'000; ++i) {
        now += std::chrono::milliseconds(7 + i * 31 % 97);
        if (memory.take(42, limit, now)) {
            passed.push_back(now);
        }
    }
    for (std::size_t i = 10; i < passed.size(); ++i) {
        ASSERT_GE(passed[i] - passed[i - 10], limit.per) << i;
    }
    // Nearly all of what is allowed does pass.
    const double periods =
        std::chrono::duration<double>(now - noon) / std::chrono::duration<double>(limit.per);
    EXPECT_GT(static_cast<double>(passed.size()), periods * 10 * 0.8);
}

TEST(Rules, ThreadsTogetherGetNoMoreThanTheLimit) {
    CallMemory memory;
    const RuleLimit limit{.calls = 1'000, .per = std::chrono::hours(1)};
    std::atomic<int> passed{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 1'000; ++i) {
                passed += memory.take(7, limit, noon) ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(passed.load(), 1'000);
}

TEST(Rules, WhatWasForgottenIsCounted) {
    CallMemory memory;
    const RuleLimit limit{.calls = 5, .per = std::chrono::hours(1)};
    for (std::uint64_t key = 1; key <= CallMemory::keys_max * 2; ++key) {
        memory.take(key * 0x9E3779B97F4A7C15ULL, limit, noon);
    }
    EXPECT_GE(memory.forgotten(), CallMemory::keys_max / 2);
}

constexpr const char* flow_policy = R"(
rules:
  - name: seen
    match: { tool: note }
    when: "'sensitive' in marks"
    effect: deny
    mode: shadow
  - name: no-mail-after-web
    match: { effect: egress }
    flow: untrusted
    effect: deny
  - name: two-of-three
    match: { effect: write }
    flow: rule_of_two
    effect: ask
marks:
  - match: { tool: "web.*" }
    as: untrusted
  - match: { tool: crm.lookup }
    as: [sensitive]
)";

TEST(Rules, ASessionRemembersWhatItHasMet) {
    World world(flow_policy);
    const auto made = [&](const char* session, const char* tool, ToolEffect effect) {
        world.call.session = session;
        world.call.tool = tool;
        world.call.effect = effect;
        world.call.now = noon;
        return world.admitted();
    };
    EXPECT_EQ(made("s1", "mail.send", ToolEffect::Egress), "allow");
    EXPECT_EQ(made("s1", "web.fetch", ToolEffect::Read), "allow");
    EXPECT_EQ(made("s1", "mail.send", ToolEffect::Egress), "deny by no-mail-after-web");
    EXPECT_EQ(made("s2", "mail.send", ToolEffect::Egress), "allow") << "another session met nothing";
    EXPECT_EQ(made("s1", "note", ToolEffect::Write), "allow") << "two of three";
    EXPECT_EQ(made("s1", "crm.lookup", ToolEffect::Read), "allow");
    EXPECT_EQ(made("s1", "note", ToolEffect::Write), "ask by two-of-three (shadow seen)");
    // The third one may also be what is read last: reading is no change, so it passes.
    EXPECT_EQ(made("s3", "crm.lookup", ToolEffect::Read), "allow");
    EXPECT_EQ(made("s3", "web.fetch", ToolEffect::Read), "allow");
    EXPECT_EQ(made("s3", "crm.update", ToolEffect::Write), "ask by two-of-three");
}

TEST(Rules, AReloadGivesNoFreshAllowance) {
    const std::string yaml =
        "rules:\n- {name: two, match: {tool: t}, limit: {calls: 2, per: 1h}, effect: deny}\n";
    CallMemory memory;
    ToolCall call;
    call.tool = "t";
    call.session = "s";
    call.now = noon;
    for (const char* const version : {"v1", "v2", "v3"}) {
        const Policy policy = parse_policy("p", version, yaml).value();
        const auto snapshot = ControlSnapshot::build({}, std::span(&policy, 1), 1).value();
        const Verdict wanted = std::string_view(version) == "v3" ? Verdict::Deny : Verdict::Allow;
        EXPECT_EQ(admit(*snapshot, call, memory).verdict, wanted) << version;
    }
}

TEST(Rules, WorkIsBoundedForACallAndNotOnlyForACondition) {
    std::string yaml = "rules:\n";
    std::string list = "[";
    for (int i = 0; i < 100; ++i) {
        list += "1,";
    }
    list += "2]";
    for (int i = 0; i < 500; ++i) {
        yaml += "- { name: r" + std::to_string(i) +
                ", match: { tool: t }, effect: deny, mode: shadow, when: \"" + list + ".all(a, " +
                list + ".all(b, a + b < " + std::to_string(i + 10) + " || args.x == b))\" }\n";
    }
    World world(yaml);
    world.call.tool = "t";
    world.call.arguments = R"({"x": 1})";
    // Unbounded, these would be 500 times 10,000 comparisons; past the bound every rule fails closed.
    EXPECT_EQ(world.decided(), "allow (shadow r0)");
    world.call.now = noon;
    const Decision decision = decide(world.snapshot(), world.call);
    EXPECT_TRUE(decision.read_arguments);
}

TEST(Rules, StaticChecksNameLineAndRemedy) {
    struct Row {
        const char* yaml;
        int line;
        const char* words;
    };
    const Row rows[] = {
        {"rules:\n- name: a\n  effect: deny\n  when: args.amount > 'x' && tol == 1\n", 4,
         "'tol' means nothing here"},
        {"rules:\n- name: a\n  effect: deny\n  when: |\n    true &&\n    tool == 5\n", 5,
         "does not go with string and int"},
        {"rules:\n- {name: a, effect: deny, when: \"1 > 2\"}\n", 2, "never true"},
        {"rules:\n- {name: a, effect: deny, when: \"1 / 0 > 2\"}\n", 2, "never has an answer"},
        {"rules:\n- {name: a, effect: deny, when: tool}\n", 2, "not true or false"},
        {"rules:\n- name: a\n  effect: deny\n  args: { type: strin }\n", 4, "no JSON Schema"},
        {"rules:\n- {name: a, effect: allow, limit: {calls: 1, per: 1m}}\n", 2, "over its limit"},
        {"rules:\n- {name: a, effect: deny, limit: {calls: 0, per: 1m}}\n", 2, "calls"},
        {"rules:\n- {name: a, effect: deny, limit: {calls: 5, per: 2d}}\n", 2, "per"},
        {"rules:\n- {name: a, effect: deny, flow: tainted}\n", 2, "Write untrusted"},
        {"rules:\n- {name: a, match: {tool: t}, effect: deny}\n"
         "- {name: b, match: {tool: t}, effect: allow}\n",
         3, "contradicts rule 'a' in line 2"},
        {"rules:\n- {name: a, match: {tool: \"t*\"}, effect: deny}\n- {name: b, match: {tool: t}, when: "
         "args.x == 1, effect: deny}\n",
         3, "never reached"},
        {"rules:\n- {name: a, effect: deny}\ntests:\n"
         "- {name: x, call: {tool: t}, expect: deny, rule: b}\n",
         4,
         "there is no rule 'b'"},
        {"rules:\n- {name: a, effect: deny}\nmarks:\n- {match: {tool: t}, as: changed}\n", 4,
         "not possible here"},
        {"rules:\n- {name: a, effect: deny}\ntests: []\n", 3, "list of tests"},
    };
    for (const Row& row : rows) {
        const PolicyReport report = read_policy("p", "v1", row.yaml);
        ASSERT_FALSE(report.mistakes.empty()) << row.yaml;
        const catalog::Mistake& mistake = report.mistakes.front();
        EXPECT_EQ(mistake.line, row.line) << catalog::to_text(mistake, "p");
        EXPECT_NE(catalog::to_text(mistake, "p").find(row.words), std::string::npos)
            << catalog::to_text(mistake, "p");
        EXPECT_FALSE(mistake.remedy.empty());
    }
}

TEST(Rules, WhatASharperRuleTakesIsNoReasonToRefuseALaterOne) {
    for (const char* const yaml :
         {"rules:\n- {name: a, match: {tool: t}, when: args.x == 1, effect: deny}\n"
          "- {name: b, match: {tool: t}, effect: deny}\n",
          "rules:\n- {name: a, match: {tool: t}, limit: {calls: 1, per: 1m}, effect: deny}\n"
          "- {name: b, match: {tool: t}, effect: ask}\n",
          "rules:\n- {name: a, match: {tool: t}, when: args.x == 1, effect: allow}\n"
          "- {name: b, match: {tool: t}, when: args.x == 1, effect: deny}\n"}) {
        const PolicyReport report = read_policy("p", "v1", yaml);
        EXPECT_TRUE(report.mistakes.empty()) << yaml << catalog::to_text(report.mistakes[0], "p");
    }
}

TEST(Rules, ToolsThatTheCatalogDoesNotKnowAreRemarkedUpon) {
    catalog::Contents contents;
    for (const auto& [name, effect] :
         {std::pair("payments.refund", ToolEffect::Write), {"web.*", ToolEffect::Read}}) {
        catalog::Tool& tool = contents.tools.emplace_back();
        tool.name = ToolName(name);
        tool.effect = effect;
    }
    const catalog::Catalog catalog(std::move(contents));
    const PolicyReport report = read_policy("p", "v1", R"(rules:
- {name: a, match: {tool: payments.refnd}, effect: deny}
- {name: b, match: {tool: web.fetch}, effect: deny}
- {name: c, match: {tool: payments.refund, effect: read}, effect: deny}
- {name: d, match: {tool: "payments.*"}, effect: ask}
- {name: e, match: {tool: other}, flow: untrusted, effect: deny}
)", &catalog);
    EXPECT_TRUE(report.policy.has_value());
    std::vector<std::string> remarks;
    for (const catalog::Mistake& remark : report.remarks) {
        remarks.push_back(catalog::to_text(remark, "p"));
    }
    ASSERT_EQ(remarks.size(), 4U) << testing::PrintToString(remarks);
    EXPECT_NE(remarks[0].find("p:2:"), std::string::npos) << remarks[0];
    EXPECT_NE(remarks[0].find("Write payments.refund"), std::string::npos) << remarks[0];
    EXPECT_NE(remarks[1].find("never fits"), std::string::npos) << remarks[1];
    EXPECT_NE((remarks[2] + remarks[3]).find("marks a session as untrusted"), std::string::npos);
    EXPECT_NE((remarks[2] + remarks[3]).find("no tool 'other'"), std::string::npos);
}

TEST(Rules, TestsInTheFileAreRun) {
    const PolicyReport report = read_policy("shop", "v1", std::string(flow_policy) + R"(
tests:
  - name: mail is free
    call: { tool: mail.send, effect: egress }
    expect: allow
  - name: mail after a web page is refused
    call: { tool: mail.send, effect: egress, marks: untrusted }
    expect: deny
    rule: no-mail-after-web
  - name: a note is seen in shadow
    call: { tool: note, effect: read, marks: [sensitive], args: { text: hello, n: 3, deep: [true, null] } }
    expect: allow
    shadow: seen
  - name: this one is wrong
    call: { tool: mail.send, effect: egress }
    expect: deny
    rule: no-mail-after-web
)");
    ASSERT_TRUE(report.policy.has_value()) << catalog::to_text(report.mistakes[0], "p");
    const auto results = run_cases(*report.policy, report.cases, catalog::Catalog());
    ASSERT_TRUE(results.has_value());
    ASSERT_EQ(results->size(), 4U);
    EXPECT_TRUE((*results)[0].passed) << (*results)[0].said;
    EXPECT_TRUE((*results)[1].passed) << (*results)[1].said;
    EXPECT_TRUE((*results)[2].passed) << (*results)[2].said;
    EXPECT_FALSE((*results)[3].passed);
    EXPECT_EQ((*results)[3].said, "allow; expected was deny by rule no-mail-after-web");
    EXPECT_EQ(report.cases[2].args, R"({"text":"hello","n":3,"deep":[true,null]})");
}

TEST(Rules, TheExampleOfTheGuideIsGoodAndPassesItsTests) {
    std::ifstream file(std::string(TAGOUT_SOURCE_DIR) + "/docs/guide/policy.example.yaml");
    const std::string yaml{std::istreambuf_iterator<char>(file), {}};
    const PolicyReport report = read_policy("example", "v1", yaml);
    ASSERT_TRUE(report.policy.has_value()) << catalog::to_text(report.mistakes[0], "example");
    EXPECT_TRUE(report.remarks.empty()) << catalog::to_text(report.remarks[0], "example");
    EXPECT_EQ(report.cases.size(), 8U);
    const auto results = run_cases(*report.policy, report.cases, catalog::Catalog());
    ASSERT_TRUE(results.has_value());
    for (const CaseResult& result : *results) {
        EXPECT_TRUE(result.passed) << result.name << ": " << result.said;
    }
}

TEST(Rules, ATestMayMakeItsCallOften) {
    const PolicyReport report = read_policy("shop", "v1", R"(
rules:
- {name: two, match: {tool: t}, limit: {calls: 2, per: 1h}, effect: deny}
tests:
- name: the second passes
  call: {tool: t, session: s, now: "2026-11-27T12:00:00Z"}
  times: 2
  expect: allow
- name: the third does not
  call: {tool: t, session: s, now: "2026-11-27T12:00:00Z"}
  times: 3
  expect: deny
  rule: two
)");
    ASSERT_TRUE(report.policy.has_value()) << catalog::to_text(report.mistakes[0], "p");
    const auto results = run_cases(*report.policy, report.cases, catalog::Catalog());
    ASSERT_TRUE(results.has_value());
    for (const CaseResult& result : *results) {
        EXPECT_TRUE(result.passed) << result.name << ": " << result.said;
    }
}

}  // namespace
}  // namespace tagout::contain
