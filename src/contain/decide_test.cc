#include "contain/decide.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> allocations{0};

void* counted(std::size_t bytes) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) {
        return memory;
    }
    std::abort();
}

}  // namespace

void* operator new(std::size_t bytes) {
    return counted(bytes);
}
void* operator new[](std::size_t bytes) {
    return counted(bytes);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace tagout::contain {
namespace {

Control control(const std::string& id, const std::string& scope, ControlMode mode) {
    Control made;
    made.id = ControlId(id);
    made.scope = parse_scope(scope).value_or(Scope{});
    EXPECT_EQ(to_text(made.scope), scope);
    made.mode = mode;
    made.reason = "customers were refunded twice";
    made.author = Actor("person:ann");
    made.incident = IncidentId("INC-7");
    return made;
}

std::shared_ptr<const ControlSnapshot> snapshot_of(
    const std::vector<Control>& controls, const std::vector<Policy>& policies = {}
) {
    const auto built = ControlSnapshot::build(controls, policies, 42);
    EXPECT_TRUE(built.has_value());
    return built ? *built : nullptr;
}

std::string by_of(const Decision& decision) {
    return decision.by == nullptr ? "" : decision.by->id;
}
std::string shadow_of(const Decision& decision) {
    return decision.shadow == nullptr ? "" : decision.shadow->id;
}

/// A refund: tool refund of server payments, a high-risk write by refund-agent.
ToolCall refund() {
    ToolCall call;
    call.tool = "refund";
    call.server = "payments";
    call.agent = "refund-agent";
    call.workflow = "refunds";
    call.session = "session-1";
    call.tenant = "acme";
    call.environment = "production";
    call.user = "user-9";
    call.model = "gpt-5";
    call.prompt_version = "refund@v7";
    call.effect = ToolEffect::Write;
    call.risk = ToolRisk::High;
    return call;
}
ToolCall lookup() {
    ToolCall call = refund();
    call.tool = "lookup";
    call.effect = ToolEffect::Read;
    call.risk = ToolRisk::Low;
    return call;
}
ToolCall mail() {
    ToolCall call = lookup();
    call.tool = "send";
    call.server = "mail";
    call.effect = ToolEffect::Egress;
    return call;
}
ToolCall mystery() {
    ToolCall call = lookup();
    call.tool = "frobnicate";
    call.effect = ToolEffect::Unknown;
    return call;
}
ToolCall asks_model() {
    ToolCall call = refund();
    call.kind = CallKind::Model;
    call.tool = call.server = {};
    call.effect = ToolEffect::Unknown;
    call.risk = ToolRisk::Low;
    return call;
}
ToolCall enters_workflow() {
    ToolCall call = asks_model();
    call.kind = CallKind::Workflow;
    call.model = {};
    return call;
}

struct Row {
    const char* name;
    const char* scope;
    ControlMode mode;
    ToolCall call;
    Verdict verdict;
};

TEST(Decide, SaysWhatEachModeMeansForEachCall) {
    using enum ControlMode;
    using enum Verdict;
    const Row rows[] = {
        {"a stopped tool is denied", "tool:refund", Stopped, refund(), Deny},
        {"a tool is known with its server too", "tool:payments.refund", Stopped, refund(), Deny},
        {"another server's tool of that name passes", "tool:mail.refund", Stopped, refund(), Allow},
        {"its neighbour passes", "tool:refund", Stopped, lookup(), Allow},
        {"a stopped tool leaves models alone", "tool:refund", Stopped, asks_model(), Allow},
        {"global stop: tools", "global", Stopped, lookup(), Deny},
        {"global stop: models", "global", Stopped, asks_model(), Deny},
        {"global stop: workflows", "global", Stopped, enters_workflow(), Deny},
        {"stop by glob", "tool:payments.*", Stopped, lookup(), Deny},
        {"a glob stops nothing beside it", "tool:payments.*", Stopped, mail(), Allow},
        {"stop by one-letter glob", "tool:payments.refun?", Stopped, refund(), Deny},
        {"agent", "agent:refund-agent", Stopped, refund(), Deny},
        {"agent by glob", "agent:refund-*", Stopped, asks_model(), Deny},
        {"another agent", "agent:mail-agent", Stopped, refund(), Allow},
        {"workflow", "workflow:refunds", Stopped, enters_workflow(), Deny},
        {"MCP server", "mcp_server:payments", Stopped, lookup(), Deny},
        {"another MCP server", "mcp_server:payments", Stopped, mail(), Allow},
        {"model", "model:gpt-5", Stopped, asks_model(), Deny},
        {"another model", "model:gpt-4", Stopped, asks_model(), Allow},
        {"session", "session:session-1", Stopped, lookup(), Deny},
        {"another session", "session:session-2", Stopped, lookup(), Allow},
        {"user", "user:user-9", Stopped, lookup(), Deny},
        {"tenant", "tenant:acme", Stopped, lookup(), Deny},
        {"environment", "environment:production", Stopped, asks_model(), Deny},
        {"prompt version", "prompt_version:refund@v7", Stopped, refund(), Deny},
        {"older prompt version", "prompt_version:refund@v6", Stopped, refund(), Allow},
        {"class write: a write", "tool_class:write", Stopped, refund(), Deny},
        {"class write: unknown counts as a write", "tool_class:write", Stopped, mystery(), Deny},
        {"class write: a read passes", "tool_class:write", Stopped, lookup(), Allow},
        {"class write: a mail is not a write", "tool_class:write", Stopped, mail(), Allow},
        {"class egress", "tool_class:egress", Stopped, mail(), Deny},
        {"class read", "tool_class:read", Stopped, lookup(), Deny},
        {"class read: unknown is no read", "tool_class:read", Stopped, mystery(), Allow},
        {"class high_risk", "tool_class:high_risk", Stopped, refund(), Deny},
        {"class high_risk: a low one passes", "tool_class:high_risk", Stopped, lookup(), Allow},
        {"classes are of tools, not of models", "tool_class:write", Stopped, asks_model(), Allow},
        {"read only: a write", "agent:refund-agent", ReadOnly, refund(), Deny},
        {"read only: egress", "agent:refund-agent", ReadOnly, mail(), Deny},
        {"read only: unknown", "agent:refund-agent", ReadOnly, mystery(), Deny},
        {"read only: a read passes", "agent:refund-agent", ReadOnly, lookup(), Allow},
        {"read only: models pass", "agent:refund-agent", ReadOnly, asks_model(), Allow},
        {"approvals: a write waits", "agent:refund-agent", Approvals, refund(), Escalate},
        {"approvals: egress waits", "global", Approvals, mail(), Escalate},
        {"approvals: unknown waits", "global", Approvals, mystery(), Escalate},
        {"approvals: a read passes", "global", Approvals, lookup(), Allow},
        {"approvals: models pass", "global", Approvals, asks_model(), Allow},
        {"allowlist: what is not listed", "agent:refund-agent", Allowlist, refund(), Deny},
        {"allowlist: listed", "agent:refund-agent", Allowlist, lookup(), Allow},
        {"allowlist: listed by glob", "agent:refund-agent", Allowlist, mail(), Allow},
        {"allowlist: models pass", "agent:refund-agent", Allowlist, asks_model(), Allow},
        {"route: a request", "workflow:refunds", Route, enters_workflow(), Modify},
        {"route: its tools pass", "workflow:refunds", Route, refund(), Allow},
        {"route: another workflow", "workflow:orders", Route, enters_workflow(), Allow},
        {"observe refuses nothing", "global", Observe, refund(), Allow},
    };
    for (const Row& row : rows) {
        Control made = control("CTL-1", row.scope, row.mode);
        if (row.mode == Allowlist) {
            made.allowed = {"payments.lookup", "mail.*"};
        }
        made.route_to = WorkflowName("refunds-by-hand");
        const auto snapshot = snapshot_of({made});
        const Decision decision = decide(*snapshot, row.call);
        EXPECT_EQ(decision.verdict, row.verdict) << row.name;
        EXPECT_EQ(by_of(decision), row.verdict == Allow ? "" : "CTL-1") << row.name;
        EXPECT_EQ(decision.revision, 42U) << row.name;
        EXPECT_EQ(
            is_hidden(*snapshot, row.call), row.mode == Stopped && row.verdict == Deny
        ) << row.name;
    }
}

TEST(Decide, NamesOfCodingAgentsAreTakenApart) {
    ToolCall call = refund();
    call.tool = "mcp__payments__refund";
    call.server = {};
    for (const char* scope :
         {"tool:payments.refund",
          "tool:refund",
          "tool:mcp__payments__refund",
          "mcp_server:payments",
          "tool:payments.*"}) {
        const auto snapshot = snapshot_of({control("CTL-1", scope, ControlMode::Stopped)});
        EXPECT_EQ(decide(*snapshot, call).verdict, Verdict::Deny) << scope;
    }
    for (const char* odd : {"mcp__", "mcp____", "mcp__a", "mcp__a__", "mcp____b"}) {
        call.tool = odd;
        const auto snapshot = snapshot_of({control("CTL-1", "tool:a.b", ControlMode::Stopped)});
        EXPECT_EQ(decide(*snapshot, call).verdict, Verdict::Allow) << odd;
    }
}

TEST(Decide, TheStrictestControlWins) {
    const Control approvals = control("CTL-1", "agent:refund-agent", ControlMode::Approvals);
    const Control read_only = control("CTL-2", "tool:refund", ControlMode::ReadOnly);
    const Control stopped = control("CTL-3", "tenant:acme", ControlMode::Stopped);
    const Control newer = control("CTL-4", "global", ControlMode::Stopped);
    EXPECT_EQ(by_of(decide(*snapshot_of({approvals}), refund())), "CTL-1");
    EXPECT_EQ(by_of(decide(*snapshot_of({approvals, read_only}), refund())), "CTL-2");
    EXPECT_EQ(by_of(decide(*snapshot_of({approvals, read_only, stopped}), refund())), "CTL-3");
    EXPECT_EQ(
        by_of(decide(*snapshot_of({approvals, read_only, stopped, newer}), refund())), "CTL-3"
    ) << "among equals the older one is named";
    Control route = control("CTL-5", "workflow:refunds", ControlMode::Route);
    route.route_to = WorkflowName("by-hand");
    const auto routed = snapshot_of({route});
    const Decision decision = decide(*routed, enters_workflow());
    EXPECT_EQ(decision.verdict, Verdict::Modify);
    EXPECT_EQ(decision.by->route_to, WorkflowName("by-hand"));
    EXPECT_EQ(decide(*snapshot_of({route, newer}), enters_workflow()).verdict, Verdict::Deny)
        << "a stop goes before a route";
}

TEST(Decide, AnObservingControlSaysWhatItWouldHaveRefused) {
    const Control watching = control("CTL-1", "tool:refund", ControlMode::Observe);
    const Control stopped = control("CTL-2", "agent:refund-agent", ControlMode::Stopped);
    const auto alone = snapshot_of({watching});
    EXPECT_EQ(decide(*alone, refund()).verdict, Verdict::Allow);
    EXPECT_EQ(shadow_of(decide(*alone, refund())), "CTL-1");
    EXPECT_EQ(shadow_of(decide(*alone, lookup())), "");
    const auto both = snapshot_of({watching, stopped});
    EXPECT_EQ(by_of(decide(*both, refund())), "CTL-2");
    EXPECT_EQ(shadow_of(decide(*both, refund())), "CTL-1");
}

TEST(Decide, JourneysPassAControlThatIsValidatingAndNoOther) {
    Control validating = control("CTL-1", "tool:refund", ControlMode::Stopped);
    validating.validating = true;
    ToolCall journey = refund();
    journey.journey = true;
    EXPECT_EQ(decide(*snapshot_of({validating}), journey).verdict, Verdict::Allow);
    EXPECT_EQ(decide(*snapshot_of({validating}), refund()).verdict, Verdict::Deny);
    EXPECT_TRUE(is_hidden(*snapshot_of({validating}), refund()));
    EXPECT_FALSE(is_hidden(*snapshot_of({validating}), journey));
    const Control other = control("CTL-2", "agent:refund-agent", ControlMode::ReadOnly);
    EXPECT_EQ(by_of(decide(*snapshot_of({validating, other}), journey)), "CTL-2");
}

PolicyRule rule(const std::string& name, const std::string& tool, Verdict then) {
    PolicyRule made;
    made.name = name;
    made.tool = tool;
    made.then = then;
    return made;
}

TEST(Decide, TheFirstRuleOfAPolicyThatFitsDecides) {
    const Policy policy{
        "refunds",
        "v3",
        {rule("except-lookup", "payments.lookup", Verdict::Allow),
         rule("ask", "refund", Verdict::Escalate),
         rule("none", "payments.*", Verdict::Deny)}};
    const auto snapshot = snapshot_of({}, {policy});
    EXPECT_EQ(decide(*snapshot, lookup()).verdict, Verdict::Allow);
    EXPECT_EQ(by_of(decide(*snapshot, lookup())), "") << "an exception is no objection";
    EXPECT_EQ(decide(*snapshot, refund()).verdict, Verdict::Escalate);
    EXPECT_EQ(by_of(decide(*snapshot, refund())), "policy:refunds@v3#ask");
    ToolCall other = refund();
    other.tool = "charge";
    EXPECT_EQ(by_of(decide(*snapshot, other)), "policy:refunds@v3#none");
    EXPECT_EQ(decide(*snapshot, mail()).verdict, Verdict::Allow);
    EXPECT_EQ(decide(*snapshot, asks_model()).verdict, Verdict::Allow) << "rules are about tools";
    EXPECT_FALSE(is_hidden(*snapshot, other)) << "a policy refuses calls, it hides no tools";
}

TEST(Decide, PoliciesCannotWidenWhatAnotherOrAControlCloses) {
    const Policy open{"a", "v1", {rule("all", "*", Verdict::Allow)}};
    const Policy closed{"b", "v1", {rule("refunds", "refund", Verdict::Deny)}};
    EXPECT_EQ(by_of(decide(*snapshot_of({}, {open, closed}), refund())), "policy:b@v1#refunds");
    const Control stopped = control("CTL-1", "tool:lookup", ControlMode::Stopped);
    EXPECT_EQ(by_of(decide(*snapshot_of({stopped}, {open}), lookup())), "CTL-1");
    const Control approvals = control("CTL-2", "tool:refund", ControlMode::Approvals);
    EXPECT_EQ(by_of(decide(*snapshot_of({approvals}, {closed}), refund())), "policy:b@v1#refunds")
        << "a denial goes before waiting";
}

TEST(Decide, AShadowRuleOnlySaysWhatItWouldHaveDone) {
    PolicyRule shadow = rule("try", "refund", Verdict::Deny);
    shadow.shadow = true;
    const Policy policy{"p", "v1", {shadow, rule("ask", "refund", Verdict::Escalate)}};
    const auto snapshot = snapshot_of({}, {policy});
    const Decision decision = decide(*snapshot, refund());
    EXPECT_EQ(by_of(decision), "policy:p@v1#ask");
    EXPECT_EQ(shadow_of(decision), "policy:p@v1#try");
}

TEST(Decide, RulesMatchEffectRiskAndWhoCalls) {
    PolicyRule writes = rule("writes", "", Verdict::Deny);
    writes.effect = ToolEffect::Write;
    const auto no_writes = snapshot_of({}, {Policy{"p", "v1", {writes}}});
    EXPECT_EQ(decide(*no_writes, refund()).verdict, Verdict::Deny);
    EXPECT_EQ(decide(*no_writes, mystery()).verdict, Verdict::Deny) << "unknown counts as a write";
    EXPECT_EQ(decide(*no_writes, lookup()).verdict, Verdict::Allow);
    PolicyRule may_write = writes;
    may_write.name = "may-write";
    may_write.then = Verdict::Allow;
    const auto exception =
        snapshot_of({}, {Policy{"p", "v1", {may_write, rule("rest", "*", Verdict::Deny)}}});
    EXPECT_EQ(decide(*exception, refund()).verdict, Verdict::Allow);
    EXPECT_EQ(decide(*exception, mystery()).verdict, Verdict::Deny)
        << "what is unknown is not let through as a write";
    PolicyRule who = rule("who", "", Verdict::Deny);
    who.agent = "refund-*";
    who.tenant = "acme";
    who.risk = ToolRisk::High;
    const auto narrow = snapshot_of({}, {Policy{"p", "v1", {who}}});
    EXPECT_EQ(decide(*narrow, refund()).verdict, Verdict::Deny);
    EXPECT_EQ(decide(*narrow, lookup()).verdict, Verdict::Allow);
    ToolCall elsewhere = refund();
    elsewhere.tenant = "other";
    EXPECT_EQ(decide(*narrow, elsewhere).verdict, Verdict::Allow);
}

TEST(Decide, WithoutControlsEverythingPasses) {
    const auto snapshot = snapshot_of({});
    const std::string endless(call_name_bytes_max * 4, 'a');
    ToolCall call = refund();
    call.session = endless;
    EXPECT_EQ(decide(*snapshot, call).verdict, Verdict::Allow);
}

TEST(Decide, ANameWithoutEndDoesNotSlipPastAGlob) {
    const auto snapshot = snapshot_of({control("CTL-1", "agent:refund-*", ControlMode::Stopped)});
    std::string endless(call_name_bytes_max, 'a');
    ToolCall call = mail();
    call.agent = endless;
    EXPECT_EQ(decide(*snapshot, call).verdict, Verdict::Allow) << "as long as may be";
    endless += 'a';
    call.agent = endless;
    EXPECT_EQ(decide(*snapshot, call).verdict, Verdict::Deny);
    EXPECT_EQ(by_of(decide(*snapshot, call)), "limit:call_name_bytes_max");
    EXPECT_FALSE(is_hidden(*snapshot, call));
}

TEST(Decide, TellsTheModelWhatToDoAndThePersonWhoDidIt) {
    Control stopped = control("CTL-1", "tool:payments.refund", ControlMode::Stopped);
    const auto snapshot = snapshot_of({stopped});
    const Decision decision = decide(*snapshot, refund());
    ASSERT_NE(decision.by, nullptr);
    EXPECT_NE(decision.by->reason_for_model.find("customers were refunded twice"), std::string::npos);
    EXPECT_NE(decision.by->reason_for_model.find("Do not call again"), std::string::npos);
    EXPECT_NE(decision.by->reason_for_person.find("person:ann"), std::string::npos);
    EXPECT_NE(decision.by->reason_for_person.find("INC-7"), std::string::npos);
    EXPECT_EQ(decision.by->incident, IncidentId("INC-7"));
}

TEST(Decide, AllocatesNothing) {
    std::vector<Control> controls;
    std::vector<PolicyRule> rules;
    for (int i = 0; i < 50; ++i) {
        const std::string n = std::to_string(i);
        controls.push_back(control("CTL-" + n, "tool:tool-" + n, ControlMode::Stopped));
        controls.push_back(control("CTL-g" + n, "agent:agent-" + n + "*", ControlMode::ReadOnly));
        rules.push_back(rule("r" + n, i % 2 == 0 ? "tool-" + n : "tool-" + n + "*", Verdict::Deny));
    }
    const auto snapshot = snapshot_of(controls, {Policy{"p", "v1", rules}});
    ToolCall coding = refund();
    coding.tool = "mcp__payments__refund";
    coding.server = {};
    const ToolCall calls[] = {
        refund(), lookup(), mail(), mystery(), asks_model(), enters_workflow(), coding};
    std::uint64_t refused = 0;
    const std::uint64_t before = allocations.load();
    for (const ToolCall& call : calls) {
        refused += decide(*snapshot, call).verdict == Verdict::Allow ? 0 : 1;
        refused += is_hidden(*snapshot, call) ? 1 : 0;
    }
    EXPECT_EQ(allocations.load(), before);
    EXPECT_EQ(refused, 0U);
    const auto counted = std::make_unique<int>(1);
    EXPECT_GT(allocations.load(), before) << "the counter counts: " << *counted;
}

TEST(Snapshot, IsBuiltWholeOrNotAtAll) {
    std::vector<Control> many;
    for (std::size_t i = 0; i <= ControlSnapshot::globs_max; ++i) {
        many.push_back(
            control("CTL-" + std::to_string(i), "tool:t" + std::to_string(i) + "*", ControlMode::Stopped)
        );
    }
    const auto globs = ControlSnapshot::build(many, {}, 1);
    ASSERT_FALSE(globs.has_value());
    EXPECT_EQ(globs.error().code, ErrorCode::LimitExceeded);
    EXPECT_NE(globs.error().message.find("1001 globs"), std::string::npos) << globs.error().message;
    many.pop_back();
    EXPECT_TRUE(ControlSnapshot::build(many, {}, 1).has_value());

    Policy policy{"p", "v1", {}};
    policy.rules.resize(ControlSnapshot::rules_max + 1);
    const auto rules = ControlSnapshot::build({}, std::span(&policy, 1), 1);
    ASSERT_FALSE(rules.has_value());
    EXPECT_EQ(rules.error().code, ErrorCode::LimitExceeded);
    const std::vector<Control> too_many(ControlSnapshot::controls_max + 1);
    ASSERT_FALSE(ControlSnapshot::build(too_many, {}, 1).has_value());
}

TEST(Snapshot, SharesWithTheOneBeforeWhatDidNotChange) {
    const Control gone = control("CTL-1", "tool:gone", ControlMode::Stopped);
    Control blind = control("CTL-2", "tool:blind", ControlMode::Redact);
    blind.terms.redact = {"email"};
    const Control same = control("CTL-3", "tool:same", ControlMode::Stopped);
    Control changed = control("CTL-4", "tool:changed", ControlMode::Stopped);
    const auto asks = [](const auto& snapshot, std::string_view tool) {
        ToolCall call;
        call.tool = tool;
        return decide(*snapshot, call);
    };
    auto first = ControlSnapshot::build(std::vector{gone, blind, same, changed}, {}, 1).value();
    const DecidedBy* const same_before = asks(first, "same").by;
    const DecidedBy* const changed_before = asks(first, "changed").by;
    const Redactor* const redactor_before = &first->redactor(0);
    changed.reason = "another reason";
    const Control fresh = control("CTL-5", "tool:fresh", ControlMode::Stopped);
    const auto next =
        ControlSnapshot::build(std::vector{blind, same, changed, fresh}, {}, 2, first.get()).value();
    EXPECT_EQ(asks(next, "same").by, same_before);
    EXPECT_EQ(&next->redactor(0), redactor_before);
    EXPECT_NE(asks(next, "changed").by, changed_before);
    first.reset();
    EXPECT_EQ(asks(next, "gone").verdict, Verdict::Allow);
    EXPECT_EQ(asks(next, "same").by->id, "CTL-3") << "and it outlives the one before";
    EXPECT_NE(asks(next, "changed").by->reason_for_person.find("another reason"), std::string::npos);
    EXPECT_EQ(asks(next, "fresh").by->id, "CTL-5");
    EXPECT_EQ(asks(next, "blind").redactions, 1U);
}

TEST(AddFacts, SaysWhatTheCatalogKnowsOfATool) {
    catalog::Contents contents;
    contents.tools.push_back(
        {.name = ToolName("refund"),
         .server = "payments",
         .effect = ToolEffect::Write,
         .risk = ToolRisk::High,
         .compensating_tool = {}}
    );
    contents.tools.push_back(
        {.name = ToolName("mail.*"), .server = "", .effect = ToolEffect::Egress, .compensating_tool = {}}
    );
    const catalog::Catalog catalog(contents);
    ToolCall call;
    call.tool = "refund";
    call.server = "payments";
    add_facts(catalog, call);
    EXPECT_EQ(call.effect, ToolEffect::Write);
    EXPECT_EQ(call.risk, ToolRisk::High);
    call.tool = "digest";
    call.server = "mail";
    add_facts(catalog, call);
    EXPECT_EQ(call.effect, ToolEffect::Egress) << "by the name with its server";
    ToolCall nothing;
    add_facts(catalog, nothing);
    EXPECT_EQ(nothing.effect, ToolEffect::Unknown);
}

}  // namespace
}  // namespace tagout::contain
