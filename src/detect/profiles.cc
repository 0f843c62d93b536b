#include "detect/profiles.h"

#include "detect/key_partials.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr std::uint64_t settled_sessions = 3;  ///< So many good sessions make a use a habit.

std::uint64_t settled_uses(const catalog::WorkflowProfile& profile) {
    std::uint64_t settled = 0;
    for (const catalog::ProfileFacetInfo& facet : catalog::profile_facet_table) {
        settled += static_cast<std::uint64_t>(
            std::ranges::count_if(profile.counts(facet.facet), [](const auto& item) {
                return item.second >= settled_sessions;
            })
        );
    }
    return settled;
}

}  // namespace

bool Profiles::is_held(const SessionFact& fact) const {
    return std::ranges::any_of(holds_, [&](const LearningHold& hold) {
        return (hold.workflow.empty() || hold.workflow == fact.workflow) &&
               (hold.agent.empty() || hold.agent == fact.agent);
    });
}

bool Profiles::learn(const SessionFact& fact, std::size_t workflows_max) {
    if (source_ || fact.outcome != SessionOutcome::Succeeded || !fact.clean ||
        fact.workflow.empty()) {
        return false;
    }
    const bool goes_on = fact.before == SessionOutcome::Succeeded;  // counted before
    if (is_held(fact)) {
        ++held_;
        return false;
    }
    auto found = entries_.find(fact.workflow);
    if (found == entries_.end()) {
        if (goes_on) {
            return false;  // what it began with was not learned
        }
        if (entries_.size() >= workflows_max) {
            ++refused_;
            return false;
        }
        found = entries_.emplace(fact.workflow, Entry{}).first;
    }
    Entry& entry = found->second;
    if (fact.at <= entry.since) {
        return false;
    }
    if (!goes_on) {
        entry.profile.begin_session();
    }
    for (const catalog::ProfileUse& use : fact.uses) {
        entry.profile.learn(use.facet, use.key);
    }
    return !goes_on;
}

const catalog::WorkflowProfile* Profiles::find(
    std::string_view workflow, std::string_view agent
) const {
    if (source_) {
        return source_->find(workflow, agent);
    }
    const auto found = entries_.find(workflow);
    return found == entries_.end() ? nullptr : &found->second.profile;
}

void Profiles::adopt(
    const std::string& workflow, catalog::WorkflowProfile profile, Instant since
) {
    Entry& entry = entries_[workflow];
    entry.profile = std::move(profile);
    entry.since = since;
    entry.taken_sessions = entry.profile.sessions();
    entry.taken_settled = settled_uses(entry.profile);
}

void Profiles::hold(std::vector<LearningHold> holds) {
    std::erase_if(holds, [](const LearningHold& hold) {
        return hold.agent.empty() && hold.workflow.empty();
    });
    if (holds.size() > holds_max) {
        holds.resize(holds_max);
    }
    holds_ = std::move(holds);
}

std::vector<LearnedProfile> Profiles::take_changed(std::uint64_t sessions_min) {
    std::vector<LearnedProfile> changed;
    for (auto& [workflow, entry] : entries_) {
        const std::uint64_t sessions = entry.profile.sessions();
        if (sessions < sessions_min || sessions == entry.taken_sessions) {
            continue;
        }
        const std::uint64_t settled = settled_uses(entry.profile);
        const bool grew = sessions >= entry.taken_sessions + (entry.taken_sessions + 1) / 2;
        if (!grew && settled <= entry.taken_settled) {
            continue;
        }
        entry.taken_sessions = sessions;
        entry.taken_settled = settled;
        changed.push_back({workflow, entry.profile});
    }
    return changed;
}

std::vector<ProfileBrief> Profiles::briefs(std::size_t limit) const {
    std::vector<ProfileBrief> briefs;
    for (const auto& [workflow, entry] : entries_) {
        ProfileBrief& brief = briefs.emplace_back();
        brief.workflow = workflow;
        brief.sessions = entry.profile.sessions();
        for (std::size_t i = 0; i < brief.keys.size(); ++i) {
            brief.keys[i] = entry.profile.counts(static_cast<catalog::ProfileFacet>(i)).size();
        }
        brief.held = std::ranges::any_of(holds_, [&](const LearningHold& hold) {
            return hold.workflow == workflow;
        });
        brief.unsaved = entry.profile.sessions() != entry.taken_sessions;
    }
    std::ranges::stable_sort(briefs, std::ranges::greater{}, &ProfileBrief::sessions);
    if (briefs.size() > limit) {
        briefs.resize(limit);
    }
    return briefs;
}

std::size_t Profiles::bytes() const noexcept {
    std::size_t bytes = 0;
    for (const auto& [workflow, entry] : entries_) {
        bytes += entry.profile.bytes() + workflow.size();
    }
    return bytes;
}

}  // namespace tagout::detect
