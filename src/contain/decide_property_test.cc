// decide() against its plain reference: seeded random controls, policies and calls from a small world,
// so that most of them touch each other.

#include "base/prng.h"
#include "contain/decide_reference.h"

#include <gtest/gtest.h>

#include <array>

namespace tagout::contain {
namespace {

constexpr std::array<const char*, 6> tools{"refund", "lookup", "send", "a", "ab", "mcp__pay__refund"};
constexpr std::array<const char*, 4> servers{"", "pay", "mail", "p"};
constexpr std::array<const char*, 4> words{"", "x", "xy", "xyz"};
constexpr std::array<const char*, 9> tool_patterns{
    "refund", "lookup", "pay.refund", "pay.*", "*", "a?", "mcp__*", "*.refund", "mail.send"};
constexpr std::array<const char*, 6> word_patterns{"x", "xy", "x*", "?y*", "*", "z"};

template <class Array>
std::string pick(Prng& prng, const Array& from) {
    return from[prng.below(from.size())];
}

Control random_control(Prng& prng, int number) {
    Control made;
    made.id = ControlId("CTL-" + std::to_string(number));
    made.scope.kind = static_cast<ScopeKind>(prng.between(1, 12));
    switch (made.scope.kind) {
        case ScopeKind::Global:
            break;
        case ScopeKind::ToolClass:
            made.scope.name = tool_class_names[prng.below(tool_class_names.size())];
            break;
        case ScopeKind::Tool:
            made.scope.name = pick(prng, tool_patterns);
            break;
        case ScopeKind::McpServer:
            made.scope.name = prng.chance(0.5) ? "pay" : "p*";
            break;
        default:
            made.scope.name = pick(prng, word_patterns);
    }
    made.mode = static_cast<ControlMode>(prng.between(1, 10));
    made.terms.redact = {"email"};
    made.terms.calls = 1'000'000;
    made.terms.per = std::chrono::hours(1);
    if (made.scope.kind == ScopeKind::Global && made.mode == ControlMode::Stopped) {
        made.mode = ControlMode::Approvals;  // Else it would be all that is ever seen.
    }
    for (std::size_t i = prng.below(3); i > 0; --i) {
        made.allowed.push_back(pick(prng, tool_patterns));
    }
    made.validating = prng.chance(0.3);
    if (prng.chance(0.4)) {  // Without effect unless it is validating.
        made.opening.tenant = prng.chance(0.5) ? pick(prng, word_patterns) : "";
        made.opening.share = static_cast<std::uint32_t>(prng.below(100));
    }
    return made;
}

PolicyRule random_rule(Prng& prng, int number) {
    PolicyRule made;
    made.name = "r" + std::to_string(number);
    const auto maybe = [&](const auto& patterns) {
        return prng.chance(0.3) ? pick(prng, patterns) : std::string();
    };
    made.tool = prng.chance(0.7) ? pick(prng, tool_patterns) : "";
    made.server = prng.chance(0.2) ? "pay" : "";
    made.agent = maybe(word_patterns);
    made.workflow = maybe(word_patterns);
    made.tenant = maybe(word_patterns);
    made.environment = maybe(word_patterns);
    if (prng.chance(0.4)) {
        made.effect = static_cast<ToolEffect>(prng.below(4));
    }
    if (prng.chance(0.2)) {
        made.risk = static_cast<ToolRisk>(prng.between(1, 2));
    }
    made.then = std::array{Verdict::Deny, Verdict::Escalate, Verdict::Allow}[prng.below(3)];
    made.shadow = prng.chance(0.2);
    if (prng.chance(0.2)) {
        made.model = pick(prng, word_patterns);
        made.tool.clear();
        made.server.clear();
        made.effect.reset();
        made.risk.reset();
    }
    if (prng.chance(0.2)) {
        made.then = Verdict::Modify;
        if (prng.chance(0.5)) {
            made.redact = {"email"};
        } else {
            made.route_to = WorkflowName("elsewhere");
            made.tool.clear();
            made.server.clear();
            made.effect.reset();
            made.risk.reset();
        }
    }
    return made;
}

struct OwnedCall {
    std::array<std::string, 10> texts;
    ToolCall call;

    explicit OwnedCall(Prng& prng) {
        texts = {pick(prng, tools), pick(prng, servers), pick(prng, words), pick(prng, words),
                 pick(prng, words), pick(prng, words),   pick(prng, words), pick(prng, words),
                 pick(prng, words), pick(prng, words)};
        call.kind = prng.chance(0.7) ? CallKind::Tool : static_cast<CallKind>(prng.between(2, 3));
        call.tool = texts[0];
        call.server = texts[1];
        if (call.kind != CallKind::Tool && prng.chance(0.8)) {
            call.tool = call.server = {};
        }
        call.agent = texts[2];
        call.workflow = texts[3];
        call.session = texts[4];
        call.tenant = texts[5];
        call.environment = texts[6];
        call.user = texts[7];
        call.model = texts[8];
        call.prompt_version = texts[9];
        call.effect = static_cast<ToolEffect>(prng.below(4));
        call.risk = static_cast<ToolRisk>(prng.between(1, 2));
        call.journey = prng.chance(0.2);
    }
    OwnedCall(const OwnedCall&) = delete;
    OwnedCall& operator=(const OwnedCall&) = delete;
};

void expect_the_same(
    const std::vector<Control>& controls, const std::vector<Policy>& policies,
    const ControlSnapshot& snapshot, const ToolCall& call
) {
    const Decision made = decide(snapshot, call);
    const reference::Answer wanted = reference::decide(controls, policies, call);
    EXPECT_EQ(made.verdict, wanted.verdict) << call.tool;
    EXPECT_EQ(made.by == nullptr ? "" : made.by->id, wanted.by) << call.tool;
    EXPECT_EQ(made.shadow == nullptr ? "" : made.shadow->id, wanted.shadow) << call.tool;
}

TEST(DecideProperty, AgreesWhereMoreRulesFitThanAreGathered) {
    Prng prng(7);
    for (int world = 0; world < 20; ++world) {
        std::vector<Policy> policies;
        for (int p = 0; p < 40; ++p) {
            Policy policy{"p" + std::to_string(p), "v1", {}};
            for (int i = 0; i < 6; ++i) {
                PolicyRule rule;
                rule.name = "r" + std::to_string(i);
                rule.tool = std::array{"refund", "*", "", "pay.refund", "re*"}[prng.below(5)];
                rule.then = std::array{Verdict::Deny, Verdict::Escalate, Verdict::Allow}[prng.below(3)];
                rule.shadow = prng.chance(0.3);
                policy.rules.push_back(std::move(rule));
            }
            policies.push_back(std::move(policy));
        }
        const auto snapshot = ControlSnapshot::build({}, policies, 1);
        ASSERT_TRUE(snapshot.has_value());
        ToolCall call;
        call.tool = "refund";
        call.server = "pay";
        expect_the_same({}, policies, **snapshot, call);
        call.tool = "lookup";
        expect_the_same({}, policies, **snapshot, call);
    }
}

TEST(DecideProperty, AgreesWithThePlainReference) {
    constexpr std::uint64_t seed = 20260801;
    Prng prng(seed);
    std::array<int, 6> seen{};
    for (int world = 0; world < 400; ++world) {
        std::vector<Control> controls;
        for (std::size_t i = prng.below(6); i > 0; --i) {
            controls.push_back(random_control(prng, static_cast<int>(controls.size()) + 1));
        }
        std::vector<Policy> policies;
        for (std::size_t i = prng.below(4); i > 0; --i) {
            Policy policy{"p" + std::to_string(i), "v1", {}};
            for (std::size_t rules = prng.below(8); rules > 0; --rules) {
                policy.rules.push_back(random_rule(prng, static_cast<int>(rules)));
            }
            policies.push_back(std::move(policy));
        }
        const auto snapshot = ControlSnapshot::build(controls, policies, 1);
        ASSERT_TRUE(snapshot.has_value());
        for (int i = 0; i < 200; ++i) {
            const OwnedCall owned(prng);
            const Decision made = decide(**snapshot, owned.call);
            const reference::Answer wanted = reference::decide(controls, policies, owned.call);
            const reference::Answer given{
                made.verdict,
                made.by == nullptr ? "" : made.by->id,
                made.shadow == nullptr ? "" : made.shadow->id};
            ASSERT_EQ(given, wanted)
                << "seed " << seed << " world " << world << " call " << i << ": "
                << name_of(given.verdict) << " by '" << given.by << "' shadow '" << given.shadow
                << "' wanted " << name_of(wanted.verdict) << " by '" << wanted.by << "' shadow '"
                << wanted.shadow << "' tool " << owned.call.tool;
            ++seen[static_cast<std::size_t>(given.verdict)];
        }
    }
    for (const Verdict verdict : {Verdict::Allow, Verdict::Deny, Verdict::Escalate, Verdict::Modify}) {
        EXPECT_GT(seen[static_cast<std::size_t>(verdict)], 100) << name_of(verdict) << " is not tried";
    }
}

}  // namespace
}  // namespace tagout::contain
