// Control: one containment in force, and Decision: what it means for one call.
//
// A Control is scope x mode with a reason, an author and a time at which somebody must look again.
// It never lapses by itself. A ToolCall is what an enforcement point knows of a call before it lets
// it through; a Decision is the Verdict on it, with the control or rule that decided and the
// revision of the snapshot that was read, so that an audit can judge it again.
#pragma once

#include "base/clock.h"
#include "domain/agent_event.h"
#include "domain/vocabulary.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout {

using ControlId = Named<struct ControlIdTag>;  ///< "CTL-1", "CTL-2", ...

/// What a control is about. Append, never renumber.
enum class ScopeKind : std::uint8_t {
    Global = 1,
    Tenant = 2,
    Environment = 3,
    Agent = 4,
    Workflow = 5,
    Tool = 6,
    ToolClass = 7,  ///< read, write, egress or high_risk
    McpServer = 8,
    Model = 9,
    PromptVersion = 10,  ///< NAME@VERSION
    Session = 11,
    User = 12,
};

/// The ladder that people remember, and the effects beside it.
enum class ControlMode : std::uint8_t {
    Observe = 1,    ///< Decide and record, enforce nothing.
    ReadOnly = 2,   ///< Writes and egress are denied.
    Approvals = 3,  ///< Writes and egress wait for a person.
    Allowlist = 4,  ///< Only listed tools.
    Stopped = 5,    ///< Every call is denied, calls in flight are cancelled, tools are hidden.
    Route = 6,      ///< Of a workflow or a model: its requests go to another one.
    Throttle = 7,   ///< So many calls in a period; one more is told when to come back.
    Redact = 8,     ///< What is named is taken out of arguments, results or both.
    Budget = 9,     ///< Calls are denied once models were paid so many tokens or dollars.
    Pin = 10,       ///< Who asks for a prompt or model route is given the version that is named.
};
inline constexpr ControlMode control_mode_last = ControlMode::Pin;

/// Of whom calls are counted together. A call that names none of that kind counts with its agent.
enum class LimitKey : std::uint8_t {
    Session = 1,
    Agent = 2,
    User = 3,
    Tenant = 4,
    Tool = 5,
    Scope = 6,  ///< All that a control covers; of rules, all calls that fit.
};

/// What a budget counts. Money is counted in millionths of a US dollar.
enum class BudgetUnit : std::uint8_t { Tokens = 1, Usd = 2 };

enum class RedactWhere : std::uint8_t { Arguments = 1, Results = 2, Both = 3 };

TAGOUT_NAMED_ENUM(ScopeKind, parse_scope_kind);      // global tenant ... tool tool_class mcp_server
TAGOUT_NAMED_ENUM(ControlMode, parse_control_mode);  // observe read_only approvals allowlist ...
TAGOUT_NAMED_ENUM(LimitKey, parse_limit_key);        // session agent user tenant tool scope
TAGOUT_NAMED_ENUM(RedactWhere, parse_redact_where);  // arguments results both

struct Scope {
    ScopeKind kind = ScopeKind::Tool;
    std::string name;  ///< Exact, or a glob with * and ?; "" for global.
    friend bool operator==(const Scope&, const Scope&) = default;
};

/// "global", "tool:payments.refund", "tool_class:write", "agent:refund-*": as people write it.
[[nodiscard]] std::string to_text(const Scope& scope);
/// Nothing if `text` is no scope: unknown kind, missing name, a tool class that does not exist, a name
/// over scope_name_bytes_max or with control characters.
[[nodiscard]] std::optional<Scope> parse_scope(std::string_view text);
inline constexpr std::size_t scope_name_bytes_max = 256;
inline constexpr std::array<std::string_view, 4> tool_class_names{
    "read", "write", "egress", "high_risk"};

/// What the effects need beside their name; each takes its own.
struct EffectTerms {
    std::uint32_t calls = 0;          ///< throttle: so many pass in any period.
    Duration per{};                   ///< throttle, budget
    LimitKey key = LimitKey::Scope;   ///< throttle, budget
    std::vector<std::string> redact;  ///< Named kinds, or "re:" and a pattern of RE2.
    RedactWhere where = RedactWhere::Both;
    std::uint64_t budget = 0;  ///< budget: tokens, or millionths of a dollar; its period is `per`,
                               ///< zero for all that is spent while the control stands.
    BudgetUnit unit = BudgetUnit::Tokens;
    std::vector<std::string> pin;  ///< pin: FAMILY/NAME@VERSION each (parse_pinned_version).
    bool user_approves = false;  ///< approvals: the yes of the user at the client counts, too.

    static constexpr std::uint64_t budget_max = 100'000'000'000;
    static constexpr Duration budget_per_min = std::chrono::minutes(1);
    static constexpr Duration budget_per_max = std::chrono::hours(24 * 31);
    friend bool operator==(const EffectTerms&, const EffectTerms&) = default;
};
inline constexpr std::uint32_t throttle_calls_max = 1'000'000;
/// "20/1m": calls, and the period from a second to a day.
[[nodiscard]] std::string rate_text(const EffectTerms& terms);
/// Fills calls and per; false, changing nothing, if `text` is no rate.
[[nodiscard]] bool parse_rate(std::string_view text, EffectTerms& terms);
/// "200000 tokens/1d", "2.5 usd", the period from a minute to 31 days or absent.
[[nodiscard]] std::string budget_text(const EffectTerms& terms);
/// "prompts/support@v3" or "model-routes/main@v2".
struct PinnedVersion {
    std::string family;
    std::string name;
    std::string version;
};
[[nodiscard]] std::optional<PinnedVersion> parse_pinned_version(std::string_view text);
/// Fills budget, unit and per; false, changing nothing, if `text` is no budget.
[[nodiscard]] bool parse_budget(std::string_view text, EffectTerms& terms);

/// How far a control is lifted: by journeys that passed and a second person, a stage at a time.
enum class ReleaseStage : std::uint8_t {
    None = 0,    ///< Nobody asked for its release.
    Shadow = 1,  ///< Asked for: journeys pass and prove what it closed; everybody else is refused.
    Tenant = 2,  ///< One tenant passes too.
    Share = 3,   ///< And a share of the sessions.
    All = 4,     ///< Released.
};
TAGOUT_NAMED_ENUM(ReleaseStage, parse_release_stage);  // none shadow tenant share all

/// Whom a control lets pass while it is lifted in stages.
struct Opening {
    std::string tenant;       ///< "" for none.
    std::uint32_t share = 0;  ///< Of 100 sessions, always the same ones; below 100.
    [[nodiscard]] bool is_shut() const noexcept { return tenant.empty() && share == 0; }
    friend bool operator==(const Opening&, const Opening&) = default;
};

/// Where of 100 a session stands, for all controls, gateways and starts alike: who passes at a share
/// passes at every larger one.
[[nodiscard]] std::uint32_t place_of_session(std::string_view session) noexcept;

struct Control {
    ControlId id;
    Scope scope;
    ControlMode mode = ControlMode::Stopped;
    std::vector<std::string> allowed;  ///< Of mode allowlist: tool names or globs.
    /// Of mode route: a workflow; of models MODEL, UPSTREAM/MODEL or UPSTREAM/ (the same model there).
    WorkflowName route_to;
    EffectTerms terms = {};            ///< Of throttle, redact, budget and pin.
    std::string reason;                ///< Shown to people, and to the model in a refusal.
    Actor author;
    IncidentId incident;  ///< "" if it belongs to none.
    std::string rule;     ///< The playbook that applied it; "" when a person did.
    Instant since;
    Instant review_by;  ///< When somebody must look again; it pages before and never releases.
    /// Somebody asked for its release: calls of journeys that prove the capability pass it.
    bool validating = false;
    Opening opening;  ///< Shut unless it is validating.
    friend bool operator==(const Control&, const Control&) = default;
};

/// Of a control in force.
[[nodiscard]] ReleaseStage stage_of(const Control& control) noexcept;

/// What is about to happen. Gateways ask for tools and models; a front door asks for workflows.
enum class CallKind : std::uint8_t { Tool = 1, Model = 2, Workflow = 3 };
TAGOUT_NAMED_ENUM(CallKind, parse_call_kind);  // tool model workflow

/// One call before it is let through, as views into what the enforcement point holds. "" is unknown.
struct ToolCall {
    CallKind kind = CallKind::Tool;
    std::string_view tool;
    std::string_view server;  ///< MCP server
    std::string_view agent;
    std::string_view workflow;
    std::string_view session;  ///< Correlation
    std::string_view tenant;
    std::string_view environment;
    std::string_view user;
    std::string_view model;
    std::string_view prompt_version;  ///< NAME@VERSION
    /// As the catalog says; unknown effects count as writes wherever a write is refused.
    ToolEffect effect = ToolEffect::Unknown;
    ToolRisk risk = ToolRisk::Low;
    bool journey = false;  ///< Sent by a journey's runner, proved by the process's own secret.
    std::string_view arguments;  ///< JSON object as it was sent; "" counts as {}.
    Instant now;                 ///< When it is decided, for conditions and limits.
    std::uint8_t marks = 0;      ///< What its session has met, as far as the caller knows: bits.
};

/// What decided, made ready when the snapshot was built: a decision allocates nothing.
struct DecidedBy {
    std::string id;                 ///< Of the control, or "policy:NAME@VERSION#RULE".
    std::string reason_for_model;   ///< What the model is told: what is closed and what to do instead.
    std::string reason_for_person;  ///< What the on-call sees: who closed it, why, since when.
    IncidentId incident;
    ControlMode mode = ControlMode::Observe;
    WorkflowName route_to;
    bool user_approves = false;  ///< Of what waits: the user at the client may say yes.
};

/// Allow, Deny, Escalate (waits for a person) or Modify (routed or redacted). Views into the snapshot that
/// made it: whoever keeps one longer than the snapshot copies.
struct Decision {
    Verdict verdict = Verdict::Allow;
    const DecidedBy* by = nullptr;      ///< Null: nothing was against it.
    const DecidedBy* shadow = nullptr;  ///< An observing control or shadow rule against it.
    std::uint64_t revision = 0;         ///< Of the snapshot.
    /// The rule that decided has a condition without an answer for this call, and failed closed.
    bool faulted = false;
    bool read_arguments = false;  ///< Some rule looked at the arguments.
    /// What is to be taken out of its arguments and results, a bit each: contain/redactor.h.
    std::uint64_t redactions = 0;
    Duration retry_after{};  ///< Of one past a throttle or budget: when there is room again, if ever.
    std::uint8_t budgets = 0;      ///< What is to be counted when it has passed, a bit each BudgetUnit.
    bool spent_estimated = false;  ///< Past a budget of which some was estimated.
};
[[nodiscard]] constexpr std::uint8_t budget_bit(BudgetUnit unit) noexcept {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(unit));
}

}  // namespace tagout
