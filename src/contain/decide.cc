#include "contain/decide.h"

#include "contain/tables.h"

#include <algorithm>
#include <cstring>

namespace tagout::contain {

namespace {

using Tables = ControlSnapshot::Tables;

/// Which answer goes before which; the number of the control or rule breaks ties.
enum class Rank : std::uint8_t {
    Stopped = 0,
    NotListed = 1,
    ReadOnly = 2,
    PolicyDeny = 3,
    Approvals = 4,
    PolicyEscalate = 5,
    Routed = 6,
    None = 7,
};

/// Rank and number as one word: the least wins.
constexpr std::uint64_t standing(Rank rank, std::uint32_t number) noexcept {
    return (static_cast<std::uint64_t>(rank) << 32) | number;
}
constexpr std::uint64_t nobody = standing(Rank::None, 0);

constexpr bool is_policy(Rank rank) noexcept {
    return rank == Rank::PolicyDeny || rank == Rank::PolicyEscalate;
}

constexpr Verdict verdict_of(Rank rank) noexcept {
    switch (rank) {
        case Rank::Stopped:
        case Rank::NotListed:
        case Rank::ReadOnly:
        case Rank::PolicyDeny:
            return Verdict::Deny;
        case Rank::Approvals:
        case Rank::PolicyEscalate:
            return Verdict::Escalate;
        case Rank::Routed:
            return Verdict::Modify;
        case Rank::None:
            return Verdict::Allow;
    }
    return Verdict::Deny;
}

bool has_long_name(const ToolCall& call) noexcept {
    for (const std::string_view name :
         {call.tool,
          call.server,
          call.agent,
          call.workflow,
          call.session,
          call.tenant,
          call.environment,
          call.user,
          call.model,
          call.prompt_version}) {
        if (name.size() > call_name_bytes_max) {
            return true;
        }
    }
    return false;
}

/// One call before one snapshot.
class Judge {
public:
    Judge(const Tables& tables, const ToolCall& call) noexcept
        : tables_(tables),
          call_(call),
          effect_(effect_bit(call.effect)),
          risk_(risk_bit(call.risk)),
          tool_(call.tool),
          agent_(call.agent),
          workflow_(call.workflow),
          tenant_(call.tenant),
          environment_(call.environment) {
        constexpr std::string_view prefix = "mcp__";
        std::string_view server = call.server;
        std::string_view tool = call.tool;
        if (server.empty() && tool.starts_with(prefix)) {
            const std::string_view rest = tool.substr(prefix.size());
            const std::size_t gap = rest.find("__");
            if (gap != std::string_view::npos && gap > 0 && gap + 2 < rest.size()) {
                server = rest.substr(0, gap);
                tool = rest.substr(gap + 2);
                bare_ = Name(tool);
            }
        }
        if (!tool.empty() && !server.empty()) {
            std::memcpy(room_, server.data(), server.size());
            room_[server.size()] = '.';
            std::memcpy(room_ + server.size() + 1, tool.data(), tool.size());
            qualified_ = Name(std::string_view(room_, server.size() + 1 + tool.size()));
        }
        server_ = Name(server);
    }

    [[nodiscard]] Decision judge() noexcept {
        for (const std::uint32_t control : tables_.global) {
            ask(control);
        }
        ask_classes();
        ask_named(ScopeKind::Tool, tool_);
        ask_named(ScopeKind::Tool, qualified_);
        ask_named(ScopeKind::Tool, bare_);
        ask_named(ScopeKind::McpServer, server_);
        ask_named(ScopeKind::Agent, agent_);
        ask_named(ScopeKind::Workflow, workflow_);
        ask_named(ScopeKind::Tenant, tenant_);
        ask_named(ScopeKind::Environment, environment_);
        ask_named(ScopeKind::Session, call_.session);
        ask_named(ScopeKind::User, call_.user);
        ask_named(ScopeKind::Model, call_.model);
        ask_named(ScopeKind::PromptVersion, call_.prompt_version);
        if (call_.kind == CallKind::Tool) {
            ask_rules();
        }
        return decision();
    }

private:
    void ask_named(ScopeKind kind, const Name& name) noexcept {
        ask_exact(kind, name.text);
        if (has(tables_.glob_kinds, kind)) {
            ask_globs(kind, name);
        }
    }
    void ask_named(ScopeKind kind, std::string_view name) noexcept {
        ask_exact(kind, name);
        if (has(tables_.glob_kinds, kind)) {
            ask_globs(kind, Name(name));
        }
    }

    static bool has(std::uint32_t kinds, ScopeKind kind) noexcept {
        return (kinds & (1U << static_cast<unsigned>(kind))) != 0;
    }

    void ask_exact(ScopeKind kind, std::string_view name) noexcept {
        if (name.empty() || !has(tables_.named_kinds, kind)) {
            return;
        }
        const Slot* const slot = tables_.find(kind, name);
        if (slot == nullptr) {
            return;
        }
        for (std::uint32_t at = slot->controls.begin; at < slot->controls.end; ++at) {
            ask(tables_.control_lists[at]);
        }
        if (slot->rules.begin < slot->rules.end) {
            add_rules(
                tables_.rule_lists.data() + slot->rules.begin,
                tables_.rule_lists.data() + slot->rules.end
            );
        }
    }

    void ask_globs(ScopeKind kind, const Name& name) noexcept {
        if (name.text.empty()) {
            return;
        }
        for (const GlobRow& row : tables_.globs[static_cast<std::size_t>(kind)]) {
            if (row.pattern.fits(name)) {
                ask(row.control);
            }
        }
    }

    void ask_classes() noexcept {
        if (call_.kind != CallKind::Tool) {
            return;
        }
        const bool member[] = {
            call_.effect == ToolEffect::Read,
            call_.effect == ToolEffect::Write || call_.effect == ToolEffect::Unknown,
            call_.effect == ToolEffect::Egress,
            call_.risk == ToolRisk::High};
        static_assert(std::size(member) == tool_class_names.size());
        for (std::size_t i = 0; i < std::size(member); ++i) {
            if (member[i]) {
                for (const std::uint32_t control : tables_.classes[i]) {
                    ask(control);
                }
            }
        }
    }

    void ask(std::uint32_t number) noexcept {
        const ControlHead& control = tables_.controls[number];
        if (control.validating && call_.journey) {
            return;
        }
        if (control.mode == ControlMode::Observe) {
            shadow_control_ = std::min(shadow_control_, number);
            return;
        }
        best_ = std::min(best_, standing(answer_of(control), number));
    }

    [[nodiscard]] Rank answer_of(const ControlHead& control) const noexcept {
        const bool tool_call = call_.kind == CallKind::Tool;
        const bool may_write = call_.effect != ToolEffect::Read;
        switch (control.mode) {
            case ControlMode::Stopped:
                return Rank::Stopped;
            case ControlMode::Allowlist:
                return tool_call && !is_listed(tables_.allowlists[control.allowlist])
                           ? Rank::NotListed
                           : Rank::None;
            case ControlMode::ReadOnly:
                return tool_call && may_write ? Rank::ReadOnly : Rank::None;
            case ControlMode::Approvals:
                return tool_call && may_write ? Rank::Approvals : Rank::None;
            case ControlMode::Route:
                return call_.kind == CallKind::Workflow ? Rank::Routed : Rank::None;
            case ControlMode::Observe:
                break;
        }
        return Rank::None;
    }

    [[nodiscard]] bool is_listed(const Allowlist& list) const noexcept {
        const auto named = [&](const Name& name) {
            return !name.text.empty() && (list.names.contains(name.text) ||
                                     std::ranges::any_of(list.globs, [&](const Matcher& glob) {
                                         return glob.fits(name);
                                     }));
        };
        return named(tool_) || named(qualified_) || named(bare_);
    }

    void add_rules(const std::uint32_t* begin, const std::uint32_t* end) noexcept {
        lists_[lists_used_++] = {begin, end};
    }

    /// The first rule of each policy that fits decides for it. Few rules fit a call: they are
    /// gathered and put in order; when they are many, all lists are merged instead.
    void ask_rules() noexcept {
        std::array<std::uint32_t, 32> fitting;
        std::size_t count = 0;
        const auto gather = [&](std::uint32_t number) {
            if (count < fitting.size()) {
                fitting[count] = number;
            }
            ++count;
        };
        for (std::size_t i = 0; i < lists_used_; ++i) {
            for (const std::uint32_t* at = lists_[i].at; at != lists_[i].end; ++at) {
                if (fits(*at)) {
                    gather(*at);
                }
            }
        }
        const auto gather_unnamed = [&](std::uint64_t first_byte) {
            for (const UnnamedRule& rule : tables_.unnamed_rules[first_byte]) {
                const auto may_be = [&](const Name& name) {
                    return ((name.head ^ rule.tool_head) & rule.tool_mask) == 0;
                };
                if ((rule.effects & effect_) != 0 &&
                    (may_be(tool_) || may_be(qualified_) || may_be(bare_)) && fits(rule.number)) {
                    gather(rule.number);
                }
            }
        };
        // Each byte once, or a rule would be gathered twice.
        const std::uint64_t bytes[] = {
            0, tool_.head & 0xff, qualified_.head & 0xff, bare_.head & 0xff};
        for (std::size_t i = 0; i < std::size(bytes); ++i) {
            if (std::find(bytes, bytes + i, bytes[i]) == bytes + i) {
                gather_unnamed(bytes[i]);
            }
        }
        if (count > fitting.size()) {
            return merge_rules();
        }
        std::sort(fitting.begin(), fitting.begin() + static_cast<std::ptrdiff_t>(count));
        for (std::size_t i = 0; i < count; ++i) {
            hear(fitting[i]);
        }
    }

    void merge_rules() noexcept {
        if (!tables_.unnamed_list.empty()) {
            add_rules(
                tables_.unnamed_list.data(),
                tables_.unnamed_list.data() + tables_.unnamed_list.size()
            );
        }
        while (true) {
            List* next = nullptr;
            for (std::size_t i = 0; i < lists_used_; ++i) {
                List& list = lists_[i];
                if (list.at != list.end && (next == nullptr || *list.at < *next->at)) {
                    next = &list;
                }
            }
            if (next == nullptr) {
                return;
            }
            const std::uint32_t number = *next->at++;
            if (fits(number)) {
                hear(number);
            }
        }
    }

    /// A rule that fits; called in the order of the rules.
    void hear(std::uint32_t number) noexcept {
        const RuleHead& rule = tables_.rules[number];
        if (rule.policy == decided_policy_) {
            return;
        }
        if (rule.shadow) {
            if (rule.then != Verdict::Allow) {
                shadow_rule_ = std::min(shadow_rule_, number);
            }
            return;
        }
        decided_policy_ = rule.policy;
        const Rank rank = rule.then == Verdict::Deny       ? Rank::PolicyDeny
                          : rule.then == Verdict::Escalate ? Rank::PolicyEscalate
                                                           : Rank::None;
        best_ = std::min(best_, standing(rank, number));
    }

    [[nodiscard]] bool fits(std::uint32_t number) const noexcept {
        const RuleHead& rule = tables_.rules[number];
        if ((rule.effects & effect_) == 0 || (rule.risks & risk_) == 0) {
            return false;
        }
        if (rule.asks == 0) {
            return true;
        }
        const RuleMatchers& with = tables_.rule_matchers[number];
        const auto passes = [&](RuleAsks bit, const Matcher& matcher, const Name& name) {
            return (rule.asks & bit) == 0 || matcher.fits(name);
        };
        return passes(AsksAgent, with.agent, agent_) &&
               passes(AsksWorkflow, with.workflow, workflow_) &&
               passes(AsksServer, with.server, server_) &&
               passes(AsksTenant, with.tenant, tenant_) &&
               passes(AsksEnvironment, with.environment, environment_) &&
               (passes(AsksTool, with.tool, tool_) ||
                (!qualified_.text.empty() && with.tool.fits(qualified_)) ||
                (!bare_.text.empty() && with.tool.fits(bare_)));
    }

    [[nodiscard]] Decision decision() const noexcept {
        Decision made;
        made.revision = tables_.revision;
        const auto rank = static_cast<Rank>(best_ >> 32);
        const auto number = static_cast<std::uint32_t>(best_);
        made.verdict = verdict_of(rank);
        if (rank != Rank::None) {
            made.by = is_policy(rank) ? &tables_.rule_by[number] : &tables_.control_by[number];
        }
        if (shadow_control_ != no_number) {
            made.shadow = &tables_.control_by[shadow_control_];
        } else if (shadow_rule_ != no_number) {
            made.shadow = &tables_.rule_by[shadow_rule_];
        }
        return made;
    }

    static constexpr std::uint32_t no_policy = UINT32_MAX;
    static constexpr std::uint32_t no_number = UINT32_MAX;
    struct List {
        const std::uint32_t* at;
        const std::uint32_t* end;
    };

    const Tables& tables_;
    const ToolCall& call_;
    const std::uint8_t effect_;
    const std::uint8_t risk_;
    Name tool_;  ///< As it was called.
    Name agent_;
    Name workflow_;
    Name tenant_;
    Name environment_;
    Name server_;
    Name qualified_;  ///< The tool with its server before it.
    Name bare_;       ///< The tool of "mcp__SERVER__TOOL".
    std::uint64_t best_ = nobody;
    std::uint32_t shadow_control_ = no_number;
    std::uint32_t shadow_rule_ = no_number;
    std::uint32_t decided_policy_ = no_policy;
    /// One for each name that is asked, and the rules without one; lists_used_ of them hold something.
    std::array<List, 12> lists_;
    std::size_t lists_used_ = 0;
    char room_[2 * call_name_bytes_max + 1];
};

}  // namespace

Decision decide(const ControlSnapshot& snapshot, const ToolCall& call) noexcept {
    const Tables& tables = snapshot.tables();
    if (tables.is_empty()) {
        return Decision{.revision = tables.revision};
    }
    if (has_long_name(call)) {
        return Decision{
            .verdict = Verdict::Deny, .by = &tables.long_name, .revision = tables.revision};
    }
    return Judge(tables, call).judge();
}

bool is_hidden(const ControlSnapshot& snapshot, const ToolCall& call) noexcept {
    // Stopped goes before every other answer, so the decision names it if there is one.
    const Decision decision = decide(snapshot, call);
    return decision.verdict == Verdict::Deny && decision.by != nullptr &&
           decision.by->mode == ControlMode::Stopped;
}

void add_facts(const catalog::Catalog& catalog, ToolCall& call) {
    if (call.tool.empty()) {
        return;
    }
    catalog::ToolFacts facts = catalog.tool(call.tool);
    if (!call.server.empty()) {
        std::string qualified(call.server);
        qualified += '.';
        qualified += call.tool;
        const catalog::ToolFacts named = catalog.tool(qualified);
        if (named.configured || !facts.configured) {
            facts = named.configured ? named : facts;
        }
    }
    call.effect = facts.effect;
    call.risk = facts.risk;
}

}  // namespace tagout::contain
