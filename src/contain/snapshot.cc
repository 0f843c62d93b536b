// Builds the tables that decide() reads: all of them, or none.
#include "contain/reasons.h"
#include "contain/tables.h"

#include <algorithm>
#include <map>

namespace tagout::contain {

namespace {

using Tables = ControlSnapshot::Tables;

bool is_glob(std::string_view text) {
    return text.find_first_of("*?") != std::string_view::npos;
}

/// What hangs on one exact name while tables are being built.
struct Hanging {
    std::vector<std::uint32_t> controls;
    std::vector<std::uint32_t> rules;
};

class Builder {
public:
    Builder(std::uint64_t revision, const Tables* earlier)
        : tables_(std::make_unique<Tables>()), earlier_(earlier) {
        tables_->revision = revision;
        tables_->long_name = made_by_long_name();
    }

    void add(const Control& control) {
        const auto number = static_cast<std::uint32_t>(tables_->controls.size());
        ControlHead head{.mode = control.mode, .validating = control.validating};
        head.of_models = control.scope.kind == ScopeKind::Model;
        head.opened = control.validating && !control.opening.is_shut();
        if (control.mode == ControlMode::Allowlist) {
            head.detail = static_cast<std::uint32_t>(tables_->allowlists.size());
            tables_->allowlists.push_back(list_of(control.allowed));
        } else if (control.mode == ControlMode::Throttle) {
            head.detail = static_cast<std::uint32_t>(tables_->throttles.size());
            tables_->throttles.push_back(throttle_of(control));
        } else if (control.mode == ControlMode::Budget) {
            head.detail = static_cast<std::uint32_t>(tables_->budgets.size());
            tables_->budgets.push_back(budget_of(control));
        } else if (control.mode == ControlMode::Pin) {
            head.detail = static_cast<std::uint32_t>(tables_->pins.size());
            std::vector<PinnedVersion>& pins = tables_->pins.emplace_back();
            for (const std::string& each : control.terms.pin) {
                if (auto version = parse_pinned_version(each)) {
                    pins.push_back(*std::move(version));
                }
            }
        } else if (control.mode == ControlMode::Redact) {
            head.detail = static_cast<std::uint32_t>(tables_->redactors.size());
        }
        std::shared_ptr<const MadeControl> made = made_of(control);
        if (made->redactor && tables_->redactors.size() == ControlSnapshot::redactors_max) {
            fault_ = too_many_redactors();
        } else if (made->redactor) {
            tables_->redactors.push_back(made->redactor);
        }
        tables_->controls.push_back(head);
        tables_->made.push_back(std::move(made));
        place(control.scope, number);
    }

    void add(const MarkRule& rule) {
        MarkRow row{{}, matchers_of(rule), rule.marks};
        row.head.effects = effects_of(rule.effect, Verdict::Deny);
        row.head.risks = rule.risk ? risk_bit(*rule.risk) : std::uint8_t{0xff};
        const std::pair<const Matcher&, RuleAsks> all[] = {
            {row.matchers.tool, AsksTool},
            {row.matchers.server, AsksServer},
            {row.matchers.agent, AsksAgent},
            {row.matchers.workflow, AsksWorkflow},
            {row.matchers.tenant, AsksTenant},
            {row.matchers.environment, AsksEnvironment},
            {row.matchers.model, AsksModel}};
        for (const auto& [matcher, bit] : all) {
            globs_ += matcher.glob ? 1 : 0;
            if (!matcher.text.empty()) {
                row.head.asks = static_cast<std::uint8_t>(row.head.asks | bit);
            }
        }
        tables_->marks.push_back(std::move(row));
        tables_->keeps_marks = true;
    }

    void add(const Policy& policy, std::uint32_t position, const PolicyRule& rule) {
        const auto number = static_cast<std::uint32_t>(tables_->rules.size());
        RuleMatchers matchers = matchers_of(rule);
        const std::uint8_t effects = effects_of(rule);
        tables_->rule_effects = static_cast<std::uint8_t>(tables_->rule_effects | effects);
        tables_->rules.push_back(
            {.policy = position,
             .effects = effects,
             .risks = rule.risk ? risk_bit(*rule.risk) : std::uint8_t{0xff},
             .asks = place(matchers, number, effects),
             .shadow = rule.shadow,
             .then = rule.then,
             .redactor = redactor_of(rule),
             .extra = extra_of(policy, rule)}
        );
        tables_->rule_matchers.push_back(std::move(matchers));
        tables_->rule_by.push_back(made_by(policy, rule));
    }

    [[nodiscard]] std::size_t globs() const { return globs_; }
    /// Why a redactor could not be made, or that there are too many.
    [[nodiscard]] const std::optional<Error>& fault() const { return fault_; }

    [[nodiscard]] std::unique_ptr<const Tables> finish() && {
        tables_->names.reserve(hanging_.size());
        if (!hanging_.empty()) {
            tables_->slots.resize(std::bit_ceil(hanging_.size() * 2));
            tables_->tags.resize(tables_->slots.size());
        }
        for (const auto& [key, hangs] : hanging_) {
            tables_->names.push_back(key.second);
            put(key.first, tables_->names.back(), hangs);
        }
        return std::move(tables_);
    }

private:
    static RuleMatchers matchers_of(const CallMatch& match) {
        return {
            .tool = Matcher(match.tool),
            .server = Matcher(match.server),
            .agent = Matcher(match.agent),
            .workflow = Matcher(match.workflow),
            .tenant = Matcher(match.tenant),
            .environment = Matcher(match.environment),
            .model = Matcher(match.model)};
    }

    std::uint32_t extra_of(const Policy& policy, const PolicyRule& rule) {
        const bool asks_marks = rule.flow != Flow::Any || names_marks(rule.when);
        tables_->keeps_marks = tables_->keeps_marks || asks_marks;
        if (!rule.when.program && !rule.args.schema && !rule.limit && rule.flow == Flow::Any) {
            return RuleHead::no_extra;
        }
        RuleExtra extra;
        extra.when = rule.when;
        extra.args = rule.args;
        extra.limit = rule.limit;
        extra.flow = rule.flow;
        const std::string name = policy.name + "#" + rule.name;
        extra.key = XXH3_64bits_withSeed(
            name.data(), name.size(),
            rule.limit ? static_cast<std::uint64_t>(rule.limit->per.count()) : 0
        );
        extra.fault_by = made_by_fault(policy, rule);
        tables_->extras.push_back(std::move(extra));
        return static_cast<std::uint32_t>(tables_->extras.size() - 1);
    }

    static Throttle throttle_of(const Control& control) {
        const std::string name = to_text(control.scope);
        return {
            {control.terms.calls, control.terms.per, control.terms.key},
            XXH3_64bits_withSeed(
                name.data(), name.size(), static_cast<std::uint64_t>(control.terms.per.count())
            )};
    }

    /// A period's accounts outlive the control, so that one applied anew gives no fresh allowance;
    /// without a period its own time is part of them. The id is not: it changes when it is adopted.
    static BudgetRow budget_of(const Control& control) {
        const EffectTerms& terms = control.terms;
        const std::string name = to_text(control.scope) + "#" + std::string(name_of(terms.key)) +
                                 (terms.unit == BudgetUnit::Usd ? "#usd" : "#tokens");
        const std::int64_t seed =
            terms.per == Duration{} ? unix_nanos(control.since) : -terms.per.count();
        return {
            {terms.budget, terms.per},
            terms.key,
            terms.unit,
            XXH3_64bits_withSeed(name.data(), name.size(), static_cast<std::uint64_t>(seed))};
    }

    /// Both lists are in the order in which controls were applied, so what is looked for lies ahead.
    std::shared_ptr<const MadeControl> made_of(const Control& control) {
        if (earlier_ != nullptr) {
            const auto found = std::find_if(
                earlier_->made.begin() + next_, earlier_->made.end(),
                [&](const auto& each) { return each->control.id == control.id; }
            );
            if (found != earlier_->made.end()) {
                next_ = found - earlier_->made.begin() + 1;
                if ((*found)->control == control) {
                    return *found;
                }
            }
        }
        auto made = std::make_shared<MadeControl>(MadeControl{control, made_by(control), nullptr});
        if (control.mode == ControlMode::Redact) {
            made->redactor = redactor_of(control.terms.redact, control.terms.where);
        }
        return made;
    }

    std::shared_ptr<const Redactor> redactor_of(
        std::span<const std::string> what, RedactWhere where
    ) {
        auto made = Redactor::make(what, where);
        if (!made) {
            fault_ = made.error();
            return nullptr;
        }
        return *std::move(made);
    }

    std::uint8_t redactor_of(const PolicyRule& rule) {
        if (rule.redact.empty()) {
            return RuleHead::no_redactor;
        }
        const std::pair key(rule.where, rule.redact);
        if (const auto known = tables_->rule_redactors.find(key); known != tables_->rule_redactors.end()) {
            return known->second;
        }
        if (tables_->redactors.size() == ControlSnapshot::redactors_max) {
            fault_ = too_many_redactors();
            return RuleHead::no_redactor;
        }
        std::shared_ptr<const Redactor> made;
        if (earlier_ != nullptr && earlier_->rule_redactors.contains(key)) {
            made = earlier_->redactors[earlier_->rule_redactors.at(key)];
        } else {
            made = redactor_of(rule.redact, rule.where);
        }
        if (made == nullptr) {
            return RuleHead::no_redactor;
        }
        const auto place = static_cast<std::uint8_t>(tables_->redactors.size());
        tables_->redactors.push_back(std::move(made));
        tables_->rule_redactors.emplace(key, place);
        return place;
    }

    static Error too_many_redactors() {
        return {
            ErrorCode::LimitExceeded,
            "more than " + std::to_string(ControlSnapshot::redactors_max) +
                " controls and rules would redact; release or remove some first"};
    }

    void place(const Scope& scope, std::uint32_t number) {
        if (scope.kind == ScopeKind::Global) {
            tables_->global.push_back(number);
            return;
        }
        if (scope.kind == ScopeKind::ToolClass) {
            const auto found = std::ranges::find(tool_class_names, scope.name);
            if (found != tool_class_names.end()) {
                const auto position = static_cast<std::size_t>(found - tool_class_names.begin());
                tables_->classes[position].push_back(number);
            }
            return;
        }
        if (is_glob(scope.name)) {
            tables_->globs[static_cast<std::size_t>(scope.kind)].push_back({Matcher(scope.name), number});
            tables_->glob_kinds |= 1U << static_cast<unsigned>(scope.kind);
            ++globs_;
            return;
        }
        hanging_[{scope.kind, scope.name}].controls.push_back(number);
    }

    /// A rule hangs on its most telling exact name; without one, every call asks it. Gives RuleAsks.
    std::uint8_t place(const RuleMatchers& row, std::uint32_t number, std::uint8_t effects) {
        struct Ask {
            ScopeKind kind;
            const Matcher& matcher;
            RuleAsks bit;
        };
        const Ask all[] = {
            {ScopeKind::Tool, row.tool, AsksTool},
            {ScopeKind::Model, row.model, AsksModel},
            {ScopeKind::Agent, row.agent, AsksAgent},
            {ScopeKind::Workflow, row.workflow, AsksWorkflow},
            {ScopeKind::McpServer, row.server, AsksServer},
            {ScopeKind::Tenant, row.tenant, AsksTenant},
            {ScopeKind::Environment, row.environment, AsksEnvironment}};
        bool hung = false;
        std::uint8_t asks = 0;
        for (const Ask& ask : all) {
            globs_ += ask.matcher.glob ? 1 : 0;
            if (!hung && !ask.matcher.glob && !ask.matcher.text.empty()) {
                hanging_[{ask.kind, ask.matcher.text}].rules.push_back(number);
                hung = true;
            } else if (!ask.matcher.text.empty()) {
                asks = static_cast<std::uint8_t>(asks | ask.bit);
            }
        }
        if (!hung) {
            const bool any = row.tool.text.empty();
            const std::uint64_t head = any ? 0 : row.tool.head;
            tables_->unnamed_list.push_back(number);
            tables_->unnamed_rules[head & 0xff].push_back(
                {head, any ? 0 : row.tool.mask, number, effects}
            );
        }
        return asks;
    }

    Allowlist list_of(const std::vector<std::string>& allowed) {
        Allowlist list;
        for (const std::string& name : allowed) {
            if (is_glob(name)) {
                list.globs.emplace_back(name);
                ++globs_;
            } else {
                list.names.insert(name);
            }
        }
        return list;
    }

    void put(ScopeKind kind, std::string_view name, const Hanging& hangs) {
        const auto list = [](std::vector<std::uint32_t>& all, const std::vector<std::uint32_t>& own) {
            const auto begin = static_cast<std::uint32_t>(all.size());
            all.insert(all.end(), own.begin(), own.end());
            return Range{begin, static_cast<std::uint32_t>(all.size())};
        };
        Slot slot;
        const std::uint64_t hash = hash_of(kind, name);
        slot.kind = kind;
        slot.name = name;
        slot.controls = list(tables_->control_lists, hangs.controls);
        slot.rules = list(tables_->rule_lists, hangs.rules);
        tables_->named_kinds |= 1U << static_cast<unsigned>(kind);
        const std::size_t mask = tables_->slots.size() - 1;
        std::size_t at = hash & mask;
        while (tables_->tags[at] != 0) {
            at = (at + 1) & mask;
        }
        tables_->slots[at] = slot;
        tables_->tags[at] = tag_of(hash);
    }

    std::unique_ptr<Tables> tables_;
    const Tables* const earlier_;
    std::ptrdiff_t next_ = 0;  ///< Of earlier_->made: all before it were passed.
    std::map<std::pair<ScopeKind, std::string>, Hanging> hanging_;
    std::size_t globs_ = 0;
    std::optional<Error> fault_;
};

std::unexpected<Error> too_many(std::string_view what, std::size_t count, std::size_t max) {
    return fail(
        ErrorCode::LimitExceeded,
        std::to_string(count) + " " + std::string(what) + " would be in force, over the limit of " +
            std::to_string(max) + "; release or remove some first"
    );
}

}  // namespace

ControlSnapshot::ControlSnapshot(std::unique_ptr<const Tables> tables)
    : tables_(std::move(tables)) {}
ControlSnapshot::~ControlSnapshot() = default;

Result<std::shared_ptr<const ControlSnapshot>> ControlSnapshot::build(
    std::span<const Control> controls, std::span<const Policy> policies, std::uint64_t revision,
    const ControlSnapshot* earlier
) {
    std::size_t rules = 0;
    for (const Policy& policy : policies) {
        rules += policy.rules.size();
    }
    if (controls.size() > controls_max) {
        return too_many("controls", controls.size(), controls_max);
    }
    if (rules > rules_max) {
        return too_many("policy rules", rules, rules_max);
    }
    Builder builder(revision, earlier == nullptr ? nullptr : earlier->tables_.get());
    for (const Control& control : controls) {
        builder.add(control);
    }
    for (std::size_t i = 0; i < policies.size(); ++i) {
        for (const PolicyRule& rule : policies[i].rules) {
            builder.add(policies[i], static_cast<std::uint32_t>(i), rule);
        }
        for (const MarkRule& rule : policies[i].marks) {
            builder.add(rule);
        }
    }
    if (builder.fault()) {
        return std::unexpected(*builder.fault());
    }
    if (builder.globs() > globs_max) {
        return too_many("globs in scopes, lists and rules", builder.globs(), globs_max);
    }
    return std::shared_ptr<const ControlSnapshot>(new ControlSnapshot(std::move(builder).finish()));
}

std::uint64_t ControlSnapshot::revision() const noexcept {
    return tables_->revision;
}
std::size_t ControlSnapshot::controls() const noexcept {
    return tables_->controls.size();
}
std::size_t ControlSnapshot::rules() const noexcept {
    return tables_->rules.size();
}
bool ControlSnapshot::has_request_rules() const noexcept {
    return tables_->rule_effects > 0x0f;
}
const Redactor& ControlSnapshot::redactor(std::size_t bit) const noexcept {
    return *tables_->redactors[bit];
}

}  // namespace tagout::contain
