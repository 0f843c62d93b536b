#include "domain/control.h"

#include "domain/named_enum.h"

#include <xxhash.h>

#include <algorithm>
#include <charconv>

namespace tagout {

namespace {

constexpr std::array scope_kind_names{
    EnumName{ScopeKind::Global, "global"},
    EnumName{ScopeKind::Tenant, "tenant"},
    EnumName{ScopeKind::Environment, "environment"},
    EnumName{ScopeKind::Agent, "agent"},
    EnumName{ScopeKind::Workflow, "workflow"},
    EnumName{ScopeKind::Tool, "tool"},
    EnumName{ScopeKind::ToolClass, "tool_class"},
    EnumName{ScopeKind::McpServer, "mcp_server"},
    EnumName{ScopeKind::Model, "model"},
    EnumName{ScopeKind::PromptVersion, "prompt_version"},
    EnumName{ScopeKind::Session, "session"},
    EnumName{ScopeKind::User, "user"},
};

constexpr std::array control_mode_names{
    EnumName{ControlMode::Observe, "observe"},
    EnumName{ControlMode::ReadOnly, "read_only"},
    EnumName{ControlMode::Approvals, "approvals"},
    EnumName{ControlMode::Allowlist, "allowlist"},
    EnumName{ControlMode::Stopped, "stopped"},
    EnumName{ControlMode::Route, "route"},
    EnumName{ControlMode::Throttle, "throttle"},
    EnumName{ControlMode::Redact, "redact"},
    EnumName{ControlMode::Budget, "budget"},
    EnumName{ControlMode::Pin, "pin"},
};

constexpr std::array limit_key_names{
    EnumName{LimitKey::Session, "session"}, EnumName{LimitKey::Agent, "agent"},
    EnumName{LimitKey::User, "user"},       EnumName{LimitKey::Tenant, "tenant"},
    EnumName{LimitKey::Tool, "tool"},       EnumName{LimitKey::Scope, "scope"},
};

constexpr std::array redact_where_names{
    EnumName{RedactWhere::Arguments, "arguments"},
    EnumName{RedactWhere::Results, "results"},
    EnumName{RedactWhere::Both, "both"},
};

constexpr std::array release_stage_names{
    EnumName{ReleaseStage::None, "none"},     EnumName{ReleaseStage::Shadow, "shadow"},
    EnumName{ReleaseStage::Tenant, "tenant"}, EnumName{ReleaseStage::Share, "share"},
    EnumName{ReleaseStage::All, "all"},
};

constexpr std::array call_kind_names{
    EnumName{CallKind::Tool, "tool"},
    EnumName{CallKind::Model, "model"},
    EnumName{CallKind::Workflow, "workflow"},
};

bool is_scope_name(ScopeKind kind, std::string_view name) {
    if (name.empty() || name.size() > scope_name_bytes_max) {
        return false;
    }
    if (std::ranges::any_of(name, [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        })) {
        return false;
    }
    return kind != ScopeKind::ToolClass ||
           std::ranges::find(tool_class_names, name) != tool_class_names.end();
}

}  // namespace

TAGOUT_DEFINE_NAMED_ENUM(ScopeKind, parse_scope_kind, scope_kind_names)
TAGOUT_DEFINE_NAMED_ENUM(ControlMode, parse_control_mode, control_mode_names)
TAGOUT_DEFINE_NAMED_ENUM(LimitKey, parse_limit_key, limit_key_names)
TAGOUT_DEFINE_NAMED_ENUM(RedactWhere, parse_redact_where, redact_where_names)
TAGOUT_DEFINE_NAMED_ENUM(ReleaseStage, parse_release_stage, release_stage_names)
TAGOUT_DEFINE_NAMED_ENUM(CallKind, parse_call_kind, call_kind_names)

std::uint32_t place_of_session(std::string_view session) noexcept {
    constexpr std::uint64_t seed = 0x5ea5e5510ULL;
    return static_cast<std::uint32_t>(XXH3_64bits_withSeed(session.data(), session.size(), seed) % 100);
}

ReleaseStage stage_of(const Control& control) noexcept {
    return !control.validating              ? ReleaseStage::None
           : control.opening.share > 0      ? ReleaseStage::Share
           : !control.opening.tenant.empty() ? ReleaseStage::Tenant
                                            : ReleaseStage::Shadow;
}

std::string to_text(const Scope& scope) {
    std::string text(name_of(scope.kind));
    return scope.kind == ScopeKind::Global ? text : text + ":" + scope.name;
}

std::optional<Scope> parse_scope(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::optional<ScopeKind> kind = parse_scope_kind(text.substr(0, colon));
    if (!kind) {
        return std::nullopt;
    }
    const bool named = colon != std::string_view::npos;
    if (*kind == ScopeKind::Global) {
        return named ? std::nullopt : std::optional(Scope{*kind, ""});
    }
    const std::string_view name = named ? text.substr(colon + 1) : std::string_view{};
    if (!is_scope_name(*kind, name)) {
        return std::nullopt;
    }
    return Scope{*kind, std::string(name)};
}

std::string rate_text(const EffectTerms& terms) {
    return std::to_string(terms.calls) + "/" + to_text(terms.per);
}

bool parse_rate(std::string_view text, EffectTerms& terms) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return false;
    }
    std::uint32_t calls = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + slash, calls);
    const Result<Duration> per = parse_duration(text.substr(slash + 1));
    if (error != std::errc{} || at != text.data() + slash || calls == 0 ||
        calls > throttle_calls_max || !per || *per < std::chrono::seconds(1) ||
        *per > std::chrono::hours(24)) {
        return false;
    }
    terms.calls = calls;
    terms.per = *per;
    return true;
}

std::optional<PinnedVersion> parse_pinned_version(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::size_t at = text.rfind('@');
    if (slash == std::string_view::npos || at == std::string_view::npos || at < slash) {
        return std::nullopt;
    }
    PinnedVersion pinned{
        std::string(text.substr(0, slash)), std::string(text.substr(slash + 1, at - slash - 1)),
        std::string(text.substr(at + 1))};
    constexpr std::size_t number_bytes_max = 10;
    const bool known = pinned.family == "prompts" || pinned.family == "model-routes";
    const std::string& version = pinned.version;
    if (!known || pinned.name.empty() || pinned.name.size() > scope_name_bytes_max ||
        pinned.name.find_first_of("/@*? \t\r\n") != std::string::npos || version.size() < 2 ||
        version.size() > number_bytes_max || version[0] != 'v' || version[1] == '0' ||
        version.find_first_not_of("0123456789", 1) != std::string::npos) {
        return std::nullopt;
    }
    return pinned;
}

std::string budget_text(const EffectTerms& terms) {
    std::string text;
    if (terms.unit == BudgetUnit::Tokens) {
        text = std::to_string(terms.budget) + " tokens";
    } else {
        std::string parts = std::to_string(terms.budget % 1'000'000);
        parts.insert(0, 6 - parts.size(), '0');
        while (parts.size() > 2 && parts.ends_with('0')) {
            parts.pop_back();
        }
        text = std::to_string(terms.budget / 1'000'000) + "." + parts + " usd";
    }
    return terms.per == Duration{} ? text : text + "/" + to_text(terms.per);
}

bool parse_budget(std::string_view text, EffectTerms& terms) {
    const std::size_t slash = text.find('/');
    Duration per{};
    if (slash != std::string_view::npos) {
        const Result<Duration> read = parse_duration(text.substr(slash + 1));
        if (!read || *read < EffectTerms::budget_per_min || *read > EffectTerms::budget_per_max) {
            return false;
        }
        per = *read;
    }
    std::string_view amount = text.substr(0, slash);
    BudgetUnit unit = BudgetUnit::Tokens;
    if (amount.ends_with("tokens")) {
        amount.remove_suffix(6);
    } else if (amount.ends_with("usd")) {
        amount.remove_suffix(3);
        unit = BudgetUnit::Usd;
    } else {
        return false;
    }
    while (amount.ends_with(' ')) {
        amount.remove_suffix(1);
    }
    const std::size_t dot = amount.find('.');
    const std::string_view whole = amount.substr(0, dot);
    std::string fraction(dot == std::string_view::npos ? "" : amount.substr(dot + 1));
    const bool whole_only = dot == std::string_view::npos;
    if (whole.empty() || whole.size() > 12 || fraction.size() > 6 ||
        (!whole_only && (fraction.empty() || unit == BudgetUnit::Tokens)) ||
        (std::string(whole) + fraction).find_first_not_of("0123456789") != std::string::npos) {
        return false;
    }
    std::string digits(whole);
    if (unit == BudgetUnit::Usd) {
        fraction.resize(6, '0');
        digits += fraction;
    }
    std::uint64_t budget = 0;
    (void)std::from_chars(digits.data(), digits.data() + digits.size(), budget);
    if (budget == 0 || budget > EffectTerms::budget_max) {
        return false;
    }
    terms.budget = budget;
    terms.unit = unit;
    terms.per = per;
    return true;
}

}  // namespace tagout
