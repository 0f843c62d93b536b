#include "catalog/catalog.h"

#include "catalog/tool_words.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tagout::catalog {

namespace {

bool is_glob(std::string_view text) noexcept {
    return text.find_first_of("*?") != std::string_view::npos;
}

/// The glob of `rule` if it is about `kind`, else nothing. "*" is about everything.
std::optional<std::string_view> glob_for(const OwnerRule& rule, std::string_view kind) noexcept {
    const std::string_view match = rule.match;
    if (match.size() > kind.size() && match.starts_with(kind) && match[kind.size()] == ':') {
        return match.substr(kind.size() + 1);
    }
    return std::nullopt;
}

ToolFacts facts_of(const Tool& tool, std::string_view name) {
    ToolFacts facts = infer_tool(name);
    if (tool.effect != ToolEffect::Unknown && tool.effect != facts.effect) {
        // What was guessed along with another effect does not hold for this one.
        facts.effect = tool.effect;
        facts.reversibility =
            tool.effect == ToolEffect::Read ? Reversibility::ReadOnly : Reversibility::Unknown;
        facts.risk = ToolRisk::Low;
    }
    if (tool.reversibility != Reversibility::Unknown) {
        facts.reversibility = tool.reversibility;
    }
    if (tool.risk) {
        facts.risk = *tool.risk;
    }
    facts.configured = true;
    return facts;
}

}  // namespace

Catalog::Catalog(Contents contents) : contents_(std::move(contents)) {
    for (std::size_t i = 0; i < contents_.tools.size(); ++i) {
        const Tool& tool = contents_.tools[i];
        const std::string& name = tool.name.text();
        if (is_glob(name)) {
            tool_globs_.push_back(i);
            continue;
        }
        // A tool of a named server is called by its own name or with the server's before it.
        tools_by_name_.emplace(name, i);
        if (!tool.server.empty()) {
            tools_by_name_.emplace(tool.server + "." + name, i);
            tools_by_name_.emplace(tool.server + "__" + name, i);
            tools_by_name_.emplace("mcp__" + tool.server + "__" + name, i);
        }
    }
}

const Tool* Catalog::configured_tool(std::string_view name) const {
    if (const auto found = tools_by_name_.find(name); found != tools_by_name_.end()) {
        return &contents_.tools[found->second];
    }
    for (const std::size_t i : tool_globs_) {
        if (glob_matches(contents_.tools[i].name.text(), name)) {
            return &contents_.tools[i];
        }
    }
    return nullptr;
}

ToolFacts Catalog::tool(std::string_view name) const {
    const Tool* const configured = configured_tool(name);
    return configured == nullptr ? infer_tool(name) : facts_of(*configured, name);
}

const OwnerRule* Catalog::owner_of(
    std::string_view tool, std::string_view agent, std::string_view workflow,
    std::string_view service
) const {
    struct Present {
        std::string_view kind;
        std::string_view name;
    };
    const std::array names{
        Present{"tool", tool},
        Present{"agent", agent},
        Present{"workflow", workflow},
        Present{"service", service}};
    for (const Present& present : names) {
        if (present.name.empty()) {
            continue;
        }
        for (const OwnerRule& rule : contents_.owners) {
            const auto glob = glob_for(rule, present.kind);
            if (glob && glob_matches(*glob, present.name)) {
                return &rule;
            }
        }
    }
    for (const OwnerRule& rule : contents_.owners) {
        if (rule.match == "*") {
            return &rule;
        }
    }
    return nullptr;
}

double Catalog::cost_usd(
    std::string_view model, std::int64_t input_tokens, std::int64_t output_tokens,
    std::int64_t cached_tokens
) const {
    for (const Model& price : contents_.prices) {
        if (glob_matches(price.name, model)) {
            const std::int64_t all_input = std::max<std::int64_t>(input_tokens, 0);
            const auto cached =
                static_cast<double>(std::clamp<std::int64_t>(cached_tokens, 0, all_input));
            const double fresh = static_cast<double>(all_input) - cached;
            const auto output = static_cast<double>(std::max<std::int64_t>(output_tokens, 0));
            const double cached_price =
                price.cached_input_usd_per_million.value_or(price.input_usd_per_million);
            return (fresh * price.input_usd_per_million + cached * cached_price +
                    output * price.output_usd_per_million) /
                   1e6;
        }
    }
    return -1;
}

const NoticeChannel* Catalog::channel(std::string_view name) const {
    const std::string_view wanted = name.empty() ? contents_.default_channel : name;
    const auto found = std::ranges::find(contents_.channels, wanted, &NoticeChannel::name);
    return found == contents_.channels.end() ? nullptr : &*found;
}

bool glob_matches(std::string_view pattern, std::string_view text) noexcept {
    constexpr std::size_t none = std::string_view::npos;
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = none;    // The last * passed ...
    std::size_t star_text = 0;  // ... and how much of the text it has taken so far.
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_text = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != none) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') {
        ++p;
    }
    return p == pattern.size();
}

}  // namespace tagout::catalog
