// What a snapshot is made of: flat tables that decide() reads and nobody changes.
//
// Every exact name of a scope or rule has one slot in an open hash table, with the controls and the
// rules that hang on it; so a call costs one look-up for each name it carries, whatever the number
// of controls. Globs stand in a list for each kind of scope. Internal to contain/.
#pragma once

#include "contain/decide.h"
#include "contain/redactor.h"
#include "contain/spend_memory.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <unordered_set>

namespace tagout::contain {

inline constexpr std::size_t scope_kinds = 13;  ///< Values of ScopeKind, from 0.

/// The first bytes of a text as one word, zeroes where it is shorter: unequal words are found without
/// a call.
[[nodiscard]] inline std::uint64_t head_of(std::string_view text) noexcept {
    const std::size_t size = text.size();
    const auto byte = [&](std::size_t at) {
        return static_cast<std::uint64_t>(static_cast<unsigned char>(text[at])) << (8 * at);
    };
    if (size >= 8) {
        std::uint64_t head = 0;
        std::memcpy(&head, text.data(), sizeof head);
        return head;
    }
    if (size >= 4) {  // Two halves that may overlap: what both hold is equal.
        std::uint32_t low = 0;
        std::uint32_t high = 0;
        std::memcpy(&low, text.data(), sizeof low);
        std::memcpy(&high, text.data() + size - sizeof high, sizeof high);
        return low | (static_cast<std::uint64_t>(high) << (8 * (size - sizeof high)));
    }
    return size == 0 ? 0 : byte(0) | byte(size / 2) | byte(size - 1);
}
static_assert(std::endian::native == std::endian::little, "head_of() packs as memory lies");

/// A name of a call with its head.
struct Name {
    std::string_view text;
    std::uint64_t head = 0;

    Name() = default;
    explicit Name(std::string_view from) noexcept : text(from), head(head_of(from)) {}
};

/// A name, or a glob with * and ?, whose beginning without either is compared before all else.
struct Matcher {
    std::string text;
    std::uint64_t head = 0;
    std::uint64_t mask = 0;  ///< Bytes of the head that must be equal.
    bool glob = false;

    explicit Matcher(std::string from) : text(std::move(from)) {
        const std::size_t plain = std::min(text.find_first_of("*?"), text.size());
        glob = plain < text.size();
        const std::size_t bytes = glob ? std::min(plain, sizeof mask) : sizeof mask;
        mask = bytes == sizeof mask ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * bytes)) - 1;
        head = head_of(text) & mask;
    }
    [[nodiscard]] bool fits(const Name& name) const noexcept {
        if ((name.head & mask) != head) {
            return false;
        }
        return glob ? catalog::glob_matches(text, name.text) : text == name.text;
    }
};

/// What mode allowlist lets through.
struct Allowlist {
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    std::unordered_set<std::string, Hash, std::equal_to<>> names;
    std::vector<Matcher> globs;
};

/// What a decision needs of a control: small, so that many lie in one cache line.
struct ControlHead {
    ControlMode mode = ControlMode::Stopped;
    bool validating = false;
    bool of_models = false;    ///< Of mode route: it moves model calls.
    bool opened = false;       ///< Its opening lets somebody pass.
    std::uint32_t detail = 0;  ///< Position in Tables::allowlists, throttles, budgets, pins or redactors.
};

/// What mode budget counts.
struct BudgetRow {
    SpendLimit limit;
    LimitKey key = LimitKey::Scope;
    BudgetUnit unit = BudgetUnit::Tokens;
    std::uint64_t seed = 0;  ///< Of its accounts: the same in every snapshot.
};

/// What mode throttle counts.
struct Throttle {
    RuleLimit limit;
    std::uint64_t key = 0;  ///< The same in every snapshot.
};

enum RuleAsks : std::uint8_t {
    AsksTool = 1,
    AsksServer = 2,
    AsksAgent = 4,
    AsksWorkflow = 8,
    AsksTenant = 16,
    AsksEnvironment = 32,
    AsksModel = 64,
};

struct RuleHead {
    std::uint32_t policy = 0;  ///< Position of its policy.
    std::uint8_t effects = 0;  ///< A bit for each ToolEffect that it covers, or what it is about.
    std::uint8_t risks = 0;    ///< A bit for each ToolRisk.
    std::uint8_t asks = 0;     ///< RuleAsks: what is to be compared beside the name it hangs on.
    bool shadow = false;
    Verdict then = Verdict::Deny;
    std::uint8_t redactor = no_redactor;  ///< Position in Tables::redactors.
    std::uint32_t extra = no_extra;  ///< Position of what it asks beside names.

    static constexpr std::uint32_t no_extra = UINT32_MAX;
    static constexpr std::uint8_t no_redactor = UINT8_MAX;
    static_assert(ControlSnapshot::redactors_max < no_redactor);
};

/// What a rule asks beside names.
struct RuleExtra {
    CallCondition when;
    ArgumentForm args;
    std::optional<RuleLimit> limit;
    Flow flow = Flow::Any;
    std::uint64_t key = 0;  ///< Of its limit: the same in every version of the policy.
    DecidedBy fault_by;     ///< When `when` or `args` had no answer.
};

struct RuleMatchers {
    Matcher tool;
    Matcher server;
    Matcher agent;
    Matcher workflow;
    Matcher tenant;
    Matcher environment;
    Matcher model;
};

/// Calls that mark their session.
struct MarkRow {
    RuleHead head;
    RuleMatchers matchers;
    Marks marks = 0;
};

/// A rule without an exact name, with what can be said of it at a glance.
struct UnnamedRule {
    std::uint64_t tool_head = 0;  ///< Of its tool's glob; head and mask are 0 when it asks for none.
    std::uint64_t tool_mask = 0;
    std::uint32_t number = 0;
    std::uint8_t effects = 0;
};

struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

struct Slot {
    std::string_view name;
    ScopeKind kind{};
    Range controls;
    Range rules;
};

struct GlobRow {
    Matcher pattern;
    std::uint32_t control = 0;
};

[[nodiscard]] inline std::uint64_t hash_of(ScopeKind kind, std::string_view name) noexcept {
    return XXH3_64bits_withSeed(name.data(), name.size(), static_cast<std::uint64_t>(kind));
}

[[nodiscard]] constexpr std::uint32_t tag_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> 32) | 1U;
}

/// What is made of a control and stays as it is while the control does: snapshots share it.
struct MadeControl {
    Control control;
    DecidedBy by;
    std::shared_ptr<const Redactor> redactor;  ///< Of mode redact.
};

struct ControlSnapshot::Tables {
    std::uint64_t revision = 0;
    // One number is one control or rule, in each of these.
    std::vector<ControlHead> controls;  ///< In the order they were given: the older first.
    std::vector<std::shared_ptr<const MadeControl>> made;
    std::vector<Allowlist> allowlists;
    std::vector<Throttle> throttles;
    std::vector<BudgetRow> budgets;
    std::vector<std::vector<PinnedVersion>> pins;
    std::vector<std::shared_ptr<const Redactor>> redactors;  ///< Of controls and rules: at most 64.
    /// Of rules, by what they take out: equal ones share a bit, and a later snapshot the redactor.
    std::map<std::pair<RedactWhere, std::vector<std::string>>, std::uint8_t> rule_redactors;
    std::uint8_t rule_effects = 0;  ///< All RuleHead::effects together.
    std::vector<RuleHead> rules;  ///< By policy, then in the policy's order.
    std::vector<RuleMatchers> rule_matchers;
    std::vector<DecidedBy> rule_by;
    std::vector<RuleExtra> extras;
    std::vector<MarkRow> marks;
    bool keeps_marks = false;  ///< Some rule asks what a session has met.

    std::vector<Slot> slots;  ///< A power of two of them, at most half full; empty without names.
    std::vector<std::uint32_t> tags;  ///< Of each slot a part of its hash, 0 while it is free: most
                                      ///< names are not found, and these lie close together.
    std::vector<std::string> names;            ///< What slots point at.
    std::vector<std::uint32_t> control_lists;  ///< What Slot::controls points into.
    std::vector<std::uint32_t> rule_lists;
    std::uint32_t named_kinds = 0;  ///< A bit for each kind that has a slot: others are not looked up.

    std::vector<std::uint32_t> global;
    std::array<std::vector<std::uint32_t>, tool_class_names.size()> classes;
    std::array<std::vector<GlobRow>, scope_kinds> globs;
    std::uint32_t glob_kinds = 0;
    /// By the first byte of their tool's glob; those that ask for no tool, or begin with * or ?, under 0.
    std::array<std::vector<UnnamedRule>, 256> unnamed_rules;
    std::vector<std::uint32_t> unnamed_list;  ///< Their numbers alone.
    DecidedBy long_name;

    [[nodiscard]] bool is_empty() const noexcept { return controls.empty() && rules.empty(); }
    [[nodiscard]] const Slot* find(ScopeKind kind, std::string_view name) const noexcept {
        const std::uint64_t hash = hash_of(kind, name);
        const std::size_t mask = slots.size() - 1;
        for (std::size_t at = hash & mask; tags[at] != 0; at = (at + 1) & mask) {
            const Slot& slot = slots[at];
            if (tags[at] == tag_of(hash) && slot.kind == kind && slot.name == name) {
                return &slot;
            }
        }
        return nullptr;
    }
};

/// Effects that a rule or mode about `effect` covers, a bit each.
[[nodiscard]] constexpr std::uint8_t effect_bit(ToolEffect effect) noexcept {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(effect));
}
/// What stands in the place of an effect where no tool is called.
[[nodiscard]] constexpr std::uint8_t kind_bit(CallKind kind) noexcept {
    return static_cast<std::uint8_t>(0x08U << static_cast<unsigned>(kind));
}
static_assert(kind_bit(CallKind::Model) > 0x0f && kind_bit(CallKind::Workflow) > 0x0f);
[[nodiscard]] constexpr std::uint8_t risk_bit(ToolRisk risk) noexcept {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(risk));
}
[[nodiscard]] constexpr std::uint8_t effects_of(
    std::optional<ToolEffect> effect, Verdict then
) noexcept {
    if (!effect) {
        return 0x0f;
    }
    const bool refused_write = *effect == ToolEffect::Write && then != Verdict::Allow;
    return static_cast<std::uint8_t>(
        effect_bit(*effect) | (refused_write ? effect_bit(ToolEffect::Unknown) : 0)
    );
}
[[nodiscard]] inline std::uint8_t effects_of(const PolicyRule& rule) noexcept {
    const CallKind kind = kind_of(rule);
    return kind == CallKind::Tool ? effects_of(rule.effect, rule.then) : kind_bit(kind);
}

}  // namespace tagout::contain
