#include "app/profile_keeper.h"

#include "app/metrics.h"
#include "base/log.h"

#include <utility>

namespace tagout::app {

namespace {

constexpr std::string_view stopped_kind = "learning.stopped";
constexpr std::string_view resumed_kind = "learning.resumed";
constexpr std::size_t open_incidents_max = 10'000;

const incident::By tagout_itself{Actor("tagout"), "learned from good sessions"};

std::string scope_text(const incident::Incident& incident) {
    std::string text;
    if (!incident.agent.empty()) {
        text = "agent " + incident.agent.text();
    }
    if (!incident.workflow.empty()) {
        text += (text.empty() ? "workflow " : " and workflow ") + incident.workflow.text();
    }
    return text;
}

/// Whether the timeline's last word about learning is that it stopped.
bool was_told(const incident::Incident& incident) {
    bool stopped = false;
    for (const incident::TimelineEntry& entry : incident.timeline) {
        stopped = entry.kind == stopped_kind || (stopped && entry.kind != resumed_kind);
    }
    return stopped;
}

/// What stops learning: an incident from its first failed outcome until it is resolved. Findings
/// alone (state signal) need not: sessions with findings teach nothing anyway.
incident::Filter open_incidents() {
    incident::Filter filter;
    filter.states = {
        IncidentState::Triage,
        IncidentState::Declared,
        IncidentState::Contained,
        IncidentState::Recovering,
        IncidentState::Verifying};
    filter.limit = open_incidents_max;
    return filter;
}

}  // namespace

ProfileKeeper::ProfileKeeper(const ProfileKeeperParts& parts, Duration save_every)
    : parts_(parts), save_every_(save_every), saved_at_(parts.clock.now()) {}

bool ProfileKeeper::adopt_version(const catalog::Version& version) {
    Result<catalog::WorkflowProfile> profile = catalog::parse_workflow_profile(version.content);
    if (!profile) {
        log::warn(
            "profile_not_adopted",
            {{"name", version.key.name}, {"error", profile.error().message}}
        );
        return false;
    }
    const std::string workflow =
        version.workflow.empty() ? version.key.name : version.workflow.text();
    parts_.learner.adopt_profile(workflow, std::move(*profile), parts_.clock.now());
    const MutexLock lock(mutex_);
    names_.insert(version.key.name);
    unsaved_.erase(workflow);
    return true;
}

void ProfileKeeper::restore() {
    std::size_t total = 0;
    std::set<std::string> names;
    constexpr std::size_t versions_max = 1'000'000;
    for (const catalog::Version& each :
         parts_.releases.list(catalog::VersionFamily::Profile, "", versions_max, total)) {
        names.insert(each.key.name);
    }
    for (const std::string& name : names) {
        const Result<catalog::Version> version = parts_.releases.get(
            {catalog::VersionFamily::Profile, name}, catalog::production_label
        );
        if (version) {
            (void)adopt_version(*version);
        }
    }
    look_at_incidents();
}

void ProfileKeeper::use(Duration save_every) {
    const MutexLock lock(mutex_);
    save_every_ = save_every;
}

void ProfileKeeper::production_moved(const std::string& name) {
    const Result<catalog::Version> version =
        parts_.releases.get({catalog::VersionFamily::Profile, name}, catalog::production_label);
    if (!version) {
        return;
    }
    {
        const MutexLock lock(mutex_);
        const auto own = own_hashes_.find(name);
        if (own != own_hashes_.end() && own->second == version->hash) {
            return;  // saved from what the engine knows; it knows more by now
        }
        own_hashes_.erase(name);
    }
    if (adopt_version(*version)) {
        log::info("profile_adopted", {{"name", name}, {"version", version->number}});
    }
}

void ProfileKeeper::tell(
    const IncidentId& incident, const std::string& kind, const std::string& text
) {
    const Result<incident::Incident> told = parts_.desk.record(incident, kind, text, tagout_itself);
    if (!told) {
        log::warn(
            "timeline_refused", {{"incident", incident.text()}, {"error", told.error().message}}
        );
    }
}

void ProfileKeeper::look_at_incidents() {
    if (!look_again_.exchange(false)) {
        return;
    }
    std::map<std::string, incident::Incident> now;
    std::vector<detect::LearningHold> holds;
    for (incident::Incident& each : parts_.desk.list(open_incidents())) {
        if (each.agent.empty() && each.workflow.empty()) {
            continue;
        }
        if (!each.agent.empty()) {
            holds.push_back({each.agent.text(), ""});
        }
        if (!each.workflow.empty()) {
            holds.push_back({"", each.workflow.text()});
        }
        now.insert_or_assign(each.id.text(), std::move(each));
    }
    parts_.learner.hold_learning(std::move(holds));
    std::map<std::string, incident::Incident> before;
    {
        const MutexLock lock(mutex_);
        before = std::exchange(holding_, now);
    }
    for (const auto& [id, incident] : now) {
        if (!before.contains(id) && !was_told(incident)) {
            tell(incident.id, std::string(stopped_kind),
                 "Nothing is learned from sessions of " + scope_text(incident) +
                     " while this incident is open");
        }
    }
    for (const auto& [id, incident] : before) {
        if (!now.contains(id)) {
            tell(incident.id, std::string(resumed_kind),
                 "Good sessions of " + scope_text(incident) + " teach again what is normal");
        }
    }
}

bool ProfileKeeper::publish(const detect::LearnedProfile& learned) {
    recover::PublishDraft draft;
    draft.key = {catalog::VersionFamily::Profile, catalog::profile_name(learned.workflow)};
    draft.content = catalog::to_json(learned.profile);
    draft.message =
        "learned from " + std::to_string(learned.profile.sessions()) + " good sessions";
    draft.workflow = WorkflowName(learned.workflow);
    draft.label = std::string(catalog::production_label);
    {
        const MutexLock lock(mutex_);
        if (!names_.contains(draft.key.name) && names_.size() >= names_max) {
            parts_.metrics.counter(profiles_not_saved_total).add(1);
            if (!std::exchange(told_full_, true)) {
                log::warn("profiles_full", {{"saved", names_.size()}, {"max", names_max}});
            }
            return true;  // in memory only; not tried again before it changed much
        }
        names_.insert(draft.key.name);
        own_hashes_[draft.key.name] = catalog::content_hash(draft.key, draft.content);
    }
    const Result<catalog::Version> saved = parts_.releases.publish(draft, tagout_itself);
    if (saved) {
        parts_.metrics.counter(profiles_saved_total).add(1);
        return true;
    }
    log::warn(
        "profile_not_saved", {{"workflow", learned.workflow}, {"error", saved.error().message}}
    );
    // Frozen or away: later. Anything else would fail again.
    const ErrorCode code = saved.error().code;
    return code != ErrorCode::Conflict && code != ErrorCode::Unavailable;
}

void ProfileKeeper::save() {
    std::vector<detect::LearnedProfile> changed = parts_.learner.take_changed_profiles();
    std::map<std::string, catalog::WorkflowProfile> waiting;
    {
        const MutexLock lock(mutex_);
        saved_at_ = parts_.clock.now();
        for (detect::LearnedProfile& each : changed) {
            unsaved_.insert_or_assign(each.workflow, std::move(each.profile));
        }
        waiting.swap(unsaved_);
    }
    for (auto& [workflow, profile] : waiting) {
        detect::LearnedProfile learned{workflow, std::move(profile)};
        if (!publish(learned)) {
            const MutexLock lock(mutex_);
            unsaved_.insert_or_assign(workflow, std::move(learned.profile));
        }
    }
}

void ProfileKeeper::tick() {
    look_at_incidents();
    bool due = false;
    {
        const MutexLock lock(mutex_);
        due = parts_.clock.now() - saved_at_ >= save_every_;
    }
    if (due) {
        save();
    }
}

std::vector<server::ProfileView> ProfileKeeper::list(std::size_t limit) const {
    std::map<std::string, std::string> holders;  // workflow -> incidents
    {
        const MutexLock lock(mutex_);
        for (const auto& [id, incident] : holding_) {
            if (!incident.workflow.empty()) {
                std::string& ids = holders[incident.workflow.text()];
                ids += (ids.empty() ? "" : ", ") + id;
            }
        }
    }
    std::vector<server::ProfileView> views;
    for (const detect::ProfileBrief& brief : parts_.learner.profile_briefs(limit)) {
        server::ProfileView& view = views.emplace_back();
        view.workflow = brief.workflow;
        view.name = catalog::profile_name(brief.workflow);
        view.good_sessions = brief.sessions;
        for (std::size_t i = 0; i < brief.keys.size(); ++i) {
            view.keys.emplace_back(catalog::profile_facet_table[i].name, brief.keys[i]);
        }
        view.unsaved = brief.unsaved;
        if (const auto held = holders.find(brief.workflow); held != holders.end()) {
            view.held_by = held->second;
        }
        const Result<catalog::Version> version = parts_.releases.get(
            {catalog::VersionFamily::Profile, view.name}, catalog::production_label
        );
        view.version = version ? version->number : 0;
    }
    return views;
}

}  // namespace tagout::app
