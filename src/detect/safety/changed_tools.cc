#include "detect/safety/changed_tools.h"

#include "detect/hash.h"
#include "intake/texts.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace tagout::detect {

namespace {

constexpr double changed_score = 0.7;
constexpr double orders_score = 0.9;
constexpr double told_from = 0.6;
constexpr std::size_t shown_bytes_max = 120;

using ByName = boost::unordered_flat_map<std::string_view, const OfferedTool*, TextHash>;

bool both_told_and_differ(std::string_view before, std::string_view now) noexcept {
    return !before.empty() && !now.empty() && before != now;
}

bool differs(const OfferedTool& before, const OfferedTool& now) noexcept {
    return both_told_and_differ(before.description, now.description) ||
           both_told_and_differ(before.schema_text, now.schema_text);
}

struct Change {
    const OfferedTool* before = nullptr;
    const OfferedTool* now = nullptr;
};

/// The first tool of which the definition changed, if the lists are two states of one.
Change change_between(const std::vector<OfferedTool>& before, const std::vector<OfferedTool>& now) {
    ByName known;
    for (const OfferedTool& tool : before) {
        known.emplace(tool.name, &tool);
    }
    Change first;
    std::size_t shared = 0;
    std::size_t changed = 0;
    for (const OfferedTool& tool : now) {
        const auto same = known.find(tool.name);
        if (same == known.end()) {
            continue;
        }
        ++shared;
        if (differs(*same->second, tool) && ++changed == 1) {
            first = {same->second, &tool};
        }
    }
    const bool of_one_origin = shared * 2 >= std::max(before.size(), now.size());
    const bool other_form = changed > std::max<std::size_t>(1, shared / 2);
    return of_one_origin && !other_form ? first : Change{};
}

/// The newest list before the last that the same agent was offered in the same way.
const Offer* offer_before(const Trail& trail) noexcept {
    const Offer& last = trail.offers.back();
    for (std::size_t i = trail.offers.size() - 1; i-- > 0;) {
        if (trail.offers[i].agent == last.agent && trail.offers[i].all == last.all) {
            return &trail.offers[i];
        }
    }
    return nullptr;
}

std::string shown(std::string_view text) {
    const std::string_view head = intake::clipped(text, shown_bytes_max);
    return "\"" + std::string(head) + (head.size() < text.size() ? "...\"" : "\"");
}

Sighting sighting_of(const OfferedTool& tool, double score, std::string evidence) {
    Sighting sighting{.signal = SignalId::ChangedTool};
    sighting.score = score;
    sighting.observed = score;
    sighting.threshold = told_from;
    sighting.cause = tool.name;
    sighting.evidence = std::move(evidence);
    return sighting;
}

}  // namespace

bool ChangedTools::gives_orders(
    const OfferedTool& tool, InstructionText& orders, const SafetySettings& settings
) {
    if (!settings.phrases || tool.description.empty()) {
        return false;
    }
    regions_.clear();
    return orders.scan(tool.description, regions_).score >= settings.instruction_score;
}

void ChangedTools::learn(
    const Offer& offer, const std::vector<OfferedTool>& tools, InstructionText& orders,
    const SafetySettings& settings
) {
    for (std::size_t i = 0; i < tools.size(); ++i) {
        const OfferedTool& tool = tools[i];
        if (tool.description.empty()) {
            continue;
        }
        const std::uint64_t key = combine(offer.agent, hash_of(tool.name));
        const std::uint64_t definition = hash_of(tool.description);
        const auto known = known_.find(key);
        if (known == known_.end()) {
            if (known_.size() < known_max) {
                known_.emplace(key, definition);
            }
        } else if (known->second != definition && poisoned_.size() < poisoned_max &&
                   gives_orders(tool, orders, settings)) {
            poisoned_.emplace(offer.list, i);
        }
    }
}

std::optional<Sighting> ChangedTools::judge(
    const Trail& trail, const OfferNews& news, const ToolLists& lists, InstructionText& orders,
    const SafetySettings& settings
) {
    const std::vector<OfferedTool>* const now = lists.tools(news.list);
    if (!news.new_to_session || now == nullptr || now->empty() || trail.offers.empty()) {
        return std::nullopt;
    }
    if (news.new_to_shard) {
        learn(trail.offers.back(), *now, orders, settings);
    }
    if (const auto poisoned = poisoned_.find(news.list);
        poisoned != poisoned_.end() && poisoned->second < now->size()) {
        const OfferedTool& tool = (*now)[poisoned->second];
        return sighting_of(
            tool,
            orders_score,
            "the description of " + tool.name +
                " is not what it was when it was first offered, and gives the agent orders now: " +
                shown(tool.description)
        );
    }
    const Offer* const earlier = offer_before(trail);
    const std::vector<OfferedTool>* const before =
        earlier == nullptr ? nullptr : lists.tools(earlier->list);
    if (before == nullptr) {
        return std::nullopt;
    }
    const Change change = change_between(*before, *now);
    if (change.now == nullptr) {
        return std::nullopt;
    }
    const bool described =
        both_told_and_differ(change.before->description, change.now->description);
    const bool ordered = described && gives_orders(*change.now, orders, settings);
    return sighting_of(
        *change.now,
        ordered ? orders_score : changed_score,
        "the " + std::string(described ? "description" : "arguments") + " of " + change.now->name +
            " changed while the session was under way: it was " +
            shown(described ? change.before->description : change.before->schema_text) +
            " and is " + shown(described ? change.now->description : change.now->schema_text)
    );
}

}  // namespace tagout::detect
