// What one decision costs with 1,000 policy rules and 100 controls in force, over calls of 300 tools
// and 40 agents of which about one in eight is refused.
//
// Budget: mean <= 150 ns, p99 <= 500 ns. The p99 is of single calls and contains reading the clock.

#include "base/prng.h"
#include "contain/call_memory.h"
#include "contain/decide_reference.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>

namespace tagout::contain {
namespace {

constexpr std::size_t tool_count = 300;
constexpr std::size_t call_count = 512;  ///< Few enough to lie in cache, as a call just parsed does.

std::string tool_name(std::size_t i) {
    return "tool_" + std::to_string(i % tool_count);
}
std::string server_name(std::size_t i) {
    return "server" + std::to_string(i % 12);
}

struct World {
    std::vector<Control> controls;
    std::vector<Policy> policies;
    std::deque<std::array<std::string, 5>> texts;
    std::vector<ToolCall> calls;
    std::shared_ptr<const ControlSnapshot> snapshot;

    World() {
        Prng prng(7);
        for (std::size_t i = 0; i < 100; ++i) {
            Control control;
            control.id = ControlId("CTL-" + std::to_string(i + 1));
            control.reason = "bench";
            control.author = Actor("person:ann");
            control.scope = i < 60   ? Scope{ScopeKind::Tool, tool_name(i * 7)}
                            : i < 80 ? Scope{ScopeKind::Session, "session-" + std::to_string(i)}
                            : i < 92 ? Scope{ScopeKind::Agent, "other-agent-" + std::to_string(i)}
                                     : Scope{ScopeKind::Tool, "old.tool" + std::to_string(i) + ".*"};
            control.mode = i % 5 == 0   ? ControlMode::ReadOnly
                           : i % 5 == 1 ? ControlMode::Observe
                                        : ControlMode::Stopped;
            controls.push_back(std::move(control));
        }
        for (int p = 0; p < 4; ++p) {
            Policy policy{"policy" + std::to_string(p), "v1", {}};
            for (std::size_t i = 0; i < 250; ++i) {
                PolicyRule rule;
                rule.name = "rule" + std::to_string(i);
                if (i < 235) {
                    rule.tool = prng.chance(0.5) ? tool_name(prng.below(tool_count))
                                                 : server_name(i) + "." + tool_name(i);
                    rule.agent = "agent-" + std::to_string(prng.below(40));
                } else if (i < 245) {
                    rule.agent = "agent-" + std::to_string(prng.below(40));
                    rule.effect = ToolEffect::Egress;
                } else {
                    rule.tool = "danger" + std::to_string(i) + ".*";
                }
                rule.then = i % 3 == 0 ? Verdict::Escalate : Verdict::Deny;
                policy.rules.push_back(std::move(rule));
            }
            policies.push_back(std::move(policy));
        }
        for (std::size_t i = 0; i < call_count; ++i) {
            const std::array<std::string, 5>& own = texts.emplace_back(std::array<std::string, 5>{
                tool_name(prng.below(tool_count)),
                server_name(prng.below(12)),
                "agent-" + std::to_string(prng.below(40)),
                "workflow-" + std::to_string(prng.below(20)),
                "session-" + std::to_string(prng.next())});
            ToolCall call;
            call.tool = own[0];
            call.server = own[1];
            call.agent = own[2];
            call.workflow = own[3];
            call.session = own[4];
            call.tenant = "acme";
            call.environment = "production";
            call.user = "user-77";
            call.effect = static_cast<ToolEffect>(1 + prng.below(3));
            calls.push_back(call);
        }
        auto built = ControlSnapshot::build(controls, policies, 1);
        snapshot = built ? *built : nullptr;
    }

    /// "" when every decision is the reference's and both answers occur.
    [[nodiscard]] std::string wrong() const {
        std::size_t refused = 0;
        for (const ToolCall& call : calls) {
            const Decision made = decide(*snapshot, call);
            const reference::Answer wanted = reference::decide(controls, policies, call);
            if (made.verdict != wanted.verdict ||
                (made.by == nullptr ? "" : made.by->id) != wanted.by) {
                return "wrong answer: the reference decides otherwise";
            }
            refused += made.verdict == Verdict::Allow ? 0 : 1;
        }
        return refused > call_count / 20 && refused < call_count / 2 ? ""
                                                                    : "wrong mix of refused calls";
    }
};

void decisions(benchmark::State& state) {
    const World world;
    if (world.snapshot == nullptr || world.snapshot->rules() != 1'000 ||
        world.snapshot->controls() != 100) {
        state.SkipWithError("the world is not as its name says");
        return;
    }
    if (const std::string wrong = world.wrong(); !wrong.empty()) {
        state.SkipWithError(wrong.c_str());
        return;
    }
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(decide(*world.snapshot, world.calls[next]));
        next = (next + 1) % call_count;
    }
    std::vector<double> nanos;
    nanos.reserve(100'000);
    for (std::size_t i = 0; i < 100'000; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        benchmark::DoNotOptimize(decide(*world.snapshot, world.calls[i % call_count]));
        const auto end = std::chrono::steady_clock::now();
        nanos.push_back(std::chrono::duration<double, std::nano>(end - begin).count());
    }
    std::ranges::sort(nanos);
    state.counters["p50_ns"] = nanos[nanos.size() / 2];
    state.counters["p99_ns"] = nanos[nanos.size() * 99 / 100];
}
BENCHMARK(decisions)->Name("Decide/1000rules_100controls");

/// A call that three conditions and a form of its arguments are asked about.
void conditions(benchmark::State& state) {
    Policy policy{"policy", "v1", {}};
    for (const char* const text :
         {"args.amount > 1000 && environment == 'production'",
          "has(args.to) && !args.to.endsWith('@example.com')",
          "args.items.exists(item, item.price > 500)"}) {
        PolicyRule rule;
        rule.name = "rule" + std::to_string(policy.rules.size());
        rule.tool = "refund";
        auto condition = compile_condition(text);
        if (!condition) {
            state.SkipWithError(condition.error().says.c_str());
            return;
        }
        rule.when = *std::move(condition);
        policy.rules.push_back(std::move(rule));
    }
    const auto snapshot = ControlSnapshot::build({}, std::span(&policy, 1), 1);
    ToolCall call;
    call.tool = "refund";
    call.agent = "refund-agent";
    call.environment = "production";
    call.arguments =
        R"({"amount": 20.5, "to": "ann@example.com", "reason": "broken on arrival", "items": [)"
        R"({"sku": "A-1", "price": 12}, {"sku": "B-2", "price": 8.5}], "note": null, "urgent": false})";
    if (!snapshot || decide(**snapshot, call).verdict != Verdict::Allow) {
        state.SkipWithError("wrong answer: no rule fits this call");
        return;
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(decide(**snapshot, call));
    }
}
BENCHMARK(conditions)->Name("Decide/3conditions_170bytes");

void limits(benchmark::State& state) {
    Policy policy{"policy", "v1", {}};
    PolicyRule rule;
    rule.name = "limit";
    rule.tool = "refund";
    rule.limit = RuleLimit{.calls = RuleLimit::calls_max, .per = std::chrono::hours(1)};
    policy.rules.push_back(std::move(rule));
    const auto snapshot = ControlSnapshot::build({}, std::span(&policy, 1), 1);
    ToolCall call;
    call.tool = "refund";
    call.session = "session-7";
    call.now = Instant(std::chrono::hours(24 * 365 * 50));
    CallMemory memory;
    if (!snapshot || admit(**snapshot, call, memory).verdict != Verdict::Allow) {
        state.SkipWithError("wrong answer: there is room");
        return;
    }
    for (auto _ : state) {
        call.now += std::chrono::milliseconds(10);
        benchmark::DoNotOptimize(admit(**snapshot, call, memory));
    }
}
BENCHMARK(limits)->Name("Admit/1limit");

void builds(benchmark::State& state) {
    const World world;
    for (auto _ : state) {
        auto built = ControlSnapshot::build(world.controls, world.policies, 2);
        if (!built) {
            state.SkipWithError("not built");
            return;
        }
        benchmark::DoNotOptimize(built);
    }
}
BENCHMARK(builds)->Name("BuildSnapshot/1000rules_100controls")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tagout::contain
