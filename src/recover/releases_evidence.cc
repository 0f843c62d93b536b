// What speaks for and against a bundle: sessions, time, journeys, incidents.
#include "base/log.h"
#include "incident/transitions.h"
#include "recover/entry_text.h"
#include "recover/metrics.h"
#include "recover/releases_live.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::recover {

namespace {

namespace json = boost::json;

By tagout_by(std::string reason) {
    return By{Actor("tagout"), std::move(reason)};
}

std::string versions_text(const catalog::Bundle& bundle) {
    std::string text;
    for (const catalog::VersionRef& each : bundle.versions) {
        text += (text.empty() ? "" : ", ") + catalog::to_text(each.key) + " " +
                version_text(each.number);
    }
    return text;
}

std::string incidents_text(const std::set<IncidentId>& incidents) {
    std::string text;
    for (const IncidentId& each : incidents) {
        text += (text.empty() ? "" : ", ") + each.text();
    }
    return text;
}

/// Of an incident that counts against what its agent ran.
bool counts(const incident::Incident& incident) {
    return incident.kind == IncidentKind::Real && !incident.agent.empty() &&
           incident::is_listed(incident.state);
}

std::optional<Instant> onset_of(const incident::Anchors& anchors) {
    for (const std::optional<Instant>& each :
         {anchors.onset_at, anchors.signal_at, anchors.triage_at, anchors.declared_at}) {
        if (each) {
            return each;
        }
    }
    return std::nullopt;
}

json::object about(const BundleRecord& record) {
    return json::object{{"agent", record.bundle.agent.text()}, {"id", record.bundle.id}};
}

}  // namespace

std::vector<std::string> LiveReleases::tools_of(const AgentName& agent) const {
    std::vector<std::string> tools;
    for (const catalog::Agent& each : catalog_->contents().agents) {
        if (each.name == agent) {
            for (const ToolName& tool : each.tools) {
                tools.push_back(tool.text());
            }
        }
    }
    return tools;
}

/// Since when the present set runs: the last move of a production label, or now when it was the tools
/// that changed. After a crash that came between the two, the move's own time.
Instant LiveReleases::set_since(const AgentName& agent, const BundleRecord* standing) const {
    Instant last{};
    for (const auto& [key, line] : fold_.lines()) {
        const auto moves = line.labels.find(catalog::production_label);
        if (line.agent == agent && moves != line.labels.end() && !moves->second.empty()) {
            last = std::max(last, moves->second.back().at);
        }
    }
    const bool is_news = standing == nullptr || !standing->in_force_since ||
                         last > *standing->in_force_since;
    return last != Instant{} && is_news ? last : parts_.clock.now();
}

Result<void> LiveReleases::settle(const AgentName& agent, const By& by) {
    if (agent.empty()) {
        return {};
    }
    ReleasePlan plan;
    {
        const MutexLock lock(mutex_);
        const catalog::Bundle now = fold_.present_set(agent, tools_of(agent));
        const BundleRecord* const standing = fold_.bundles().in_force(agent);
        unsettled_.erase(agent);
        if (now.versions.empty() || (standing != nullptr && standing->bundle.id == now.id)) {
            return {};
        }
        const Instant at = set_since(agent, standing);
        if (fold_.bundles().find(agent, now.id) == nullptr) {
            plan.drafts.push_back(
                {"bundle.made", agent.text(), by.actor, by.reason, at, json::serialize(tree_of(now))}
            );
        }
        plan.drafts.push_back(
            {"bundle.in_force", agent.text(), by.actor, by.reason, at,
             json::serialize(json::object{{"agent", agent.text()}, {"id", now.id}})}
        );
        ReleaseChange change;
        change.what = ReleaseChange::What::BundleInForce;
        change.agent = agent;
        change.bundle = now.id;
        change.by = by;
        change.sentence = agent.text() + " runs " + now.id + " now: " + versions_text(now);
        plan.changes.push_back(std::move(change));
        unsettled_.insert(agent);
    }
    TAGOUT_TRY(commit(std::move(plan)));
    const MutexLock lock(mutex_);
    unsettled_.erase(agent);
    return {};
}

void LiveReleases::settle_or_tell(const AgentName& agent, const By& by) {
    if (const Result<void> settled = settle(agent, by); !settled) {
        // The change itself stands; the bundle is journaled by the next tick that can.
        log::warn(
            "bundle_not_settled", {{"agent", agent.text()}, {"error", settled.error().message}}
        );
    }
}

Result<void> LiveReleases::settle_all() {
    std::vector<AgentName> agents;
    {
        const MutexLock lock(mutex_);
        agents = fold_.agents();
    }
    for (const AgentName& agent : agents) {
        TAGOUT_TRY(settle(agent, tagout_by("what production points at")));
    }
    return {};
}

Result<BundleView> LiveReleases::make_bundle(const AgentName& agent, const By& by) {
    if (by.reason.empty()) {
        return fail(ErrorCode::InvalidArgument, "a bundle needs a reason");
    }
    const Telling telling(*this);
    const MutexLock changing(changing_);
    TAGOUT_TRY(settle(agent, by));
    const MutexLock lock(mutex_);
    const BundleRecord* const now = fold_.bundles().in_force(agent);
    if (now == nullptr) {
        return fail(
            ErrorCode::NotFound,
            "nothing of agent '" + agent.text().substr(0, 100) +
                "' is in production; publish versions with its name and the label production"
        );
    }
    return view_of(*now);
}

void LiveReleases::session_ended(const SessionEnd& session) {
    const MutexLock lock(mutex_);
    const BundleRecord* const record = fold_.bundles().in_force_at(session.agent, session.began_at);
    if (record == nullptr) {
        count(bundle_sessions_total, "no_bundle");
        return;
    }
    // A session that says it ran another version than the bundle's speaks about that one.
    if (const std::size_t at = session.prompt_version.find('@'); at != std::string::npos) {
        const catalog::VersionKey key{
            catalog::VersionFamily::Prompt, session.prompt_version.substr(0, at)};
        const Line* const line = fold_.find(key);
        const auto named = std::ranges::find(
            record->bundle.versions, key, &catalog::VersionRef::key
        );
        if (line != nullptr && named != record->bundle.versions.end()) {
            const Result<std::uint32_t> ran =
                resolve(key, *line, std::string_view(session.prompt_version).substr(at + 1));
            if (ran && *ran != named->number) {
                count(bundle_sessions_total, "other_version");
                return;
            }
        }
    }
    seen_[{session.agent, record->bundle.id}].add(session.outcome);
    count(bundle_sessions_total, "counted");
}

OutcomeTally LiveReleases::evidence_of(const BundleRecord& record) const {
    OutcomeTally tally = record.evidence;
    if (const auto seen = seen_.find({record.bundle.agent, record.bundle.id}); seen != seen_.end()) {
        tally.add(seen->second);
    }
    return tally;
}

std::string LiveReleases::missing(const BundleRecord& record, Instant now) const {
    const OutcomeTally tally = evidence_of(record);
    const std::uint64_t good = tally.of(SessionOutcome::Succeeded);
    const Duration time = record.in_force_until(now);
    if (good < settings_.good_outcomes_min) {
        return std::to_string(good) + " of " + std::to_string(settings_.good_outcomes_min) +
               " sessions succeeded that are needed";
    }
    if (time < settings_.good_time_min) {
        return "in force for " + to_text(std::chrono::floor<std::chrono::seconds>(time)) + " of " +
               to_text(settings_.good_time_min) + " that are needed";
    }
    if (tally.failed_share() > settings_.good_failed_share_max) {
        return std::to_string(
                   tally.of(SessionOutcome::Failed) + tally.of(SessionOutcome::Abandoned)
               ) +
               " of " + std::to_string(tally.total()) + " sessions failed, too large a share";
    }
    return "";
}

BundleView LiveReleases::view_of(const BundleRecord& record) const {
    const BundleBook& book = fold_.bundles();
    const AgentName& agent = record.bundle.agent;
    BundleView view{record, false, false, ""};
    view.record.evidence = evidence_of(record);
    const BundleRecord* const now = book.in_force(agent);
    view.in_force = now != nullptr && now->bundle.id == record.bundle.id;
    const BundleRecord* const good = book.last_known_good(agent, false);
    view.last_known_good = good != nullptr && good->bundle.id == record.bundle.id;
    if (!record.blocked_by.empty()) {
        view.sentence = incidents_text(record.blocked_by) + " began while it was in force";
    } else if (record.is_good()) {
        view.sentence = record.good_reason;
    } else {
        const std::string lacks = missing(record, parts_.clock.now());
        view.sentence = "not known good: " +
                        (lacks.empty() ? "its journeys or an open incident stand against it" : lacks);
    }
    return view;
}

std::vector<BundleView> LiveReleases::bundles(const AgentName& agent) const {
    const MutexLock lock(mutex_);
    std::vector<BundleView> views;
    const std::vector<AgentName> agents =
        agent.empty() ? fold_.bundles().agents() : std::vector<AgentName>{agent};
    for (const AgentName& each : agents) {
        for (const BundleRecord* record : fold_.bundles().of(each)) {
            views.push_back(view_of(*record));
        }
    }
    std::ranges::stable_sort(views, [](const BundleView& a, const BundleView& b) {
        return a.record.made_at > b.record.made_at;
    });
    return views;
}

Result<BundleContents> LiveReleases::bundle(const AgentName& agent, std::string_view id) const {
    const MutexLock lock(mutex_);
    const BundleRecord* const record =
        id.empty() ? fold_.bundles().in_force(agent) : fold_.bundles().find(agent, id);
    if (record == nullptr) {
        return fail(
            ErrorCode::NotFound,
            "agent '" + agent.text().substr(0, 100) + "' has no bundle" +
                (id.empty() ? std::string(" in force") : " '" + std::string(id.substr(0, 60)) + "'") +
                "; tagout catalog bundles lists them"
        );
    }
    BundleContents contents{view_of(*record), {}, {}};
    for (const catalog::VersionRef& each : record->bundle.versions) {
        const Line* const line = TAGOUT_TRY(line_of(each.key));
        contents.versions.push_back(line->version(each.number, true));
    }
    for (const auto& [key, line] : fold_.lines()) {
        const std::uint32_t number = line.holder(catalog::production_label);
        if (line.agent.empty() && number > 0 && key.family != catalog::VersionFamily::Profile) {
            contents.shared.push_back(line.version(number, true));
        }
    }
    return contents;
}

Result<void> LiveReleases::incident_changed(const incident::Incident& incident) {
    const Telling telling(*this);
    const MutexLock changing(changing_);
    ReleasePlan plan;
    {
        const MutexLock lock(mutex_);
        const BundleBook& book = fold_.bundles();
        const BundleRecord* blamed = nullptr;
        if (const auto onset = onset_of(incident.anchors); counts(incident) && onset) {
            blamed = book.in_force_at(incident.agent, *onset);
        }
        if (blamed != nullptr && blamed->blocked_by.contains(incident.id)) {
            return {};
        }
        const Instant now = parts_.clock.now();
        if (book.is_blocked_by(incident.id)) {
            plan.drafts.push_back(
                {"bundle.unblocked", incident.agent.text(), Actor("tagout"),
                 blamed == nullptr ? "the incident does not count any more" : "its onset was corrected",
                 now, json::serialize(json::object{{"incident", incident.id.text()}})}
            );
        }
        if (blamed != nullptr) {
            json::object body = about(*blamed);
            body["incident"] = incident.id.text();
            const std::string reason =
                incident.id.text() + " began while " + blamed->bundle.id + " was in force";
            plan.drafts.push_back(
                {"bundle.blocked", incident.agent.text(), Actor("tagout"), reason, now,
                 json::serialize(body)}
            );
            ReleaseChange change;
            change.what = ReleaseChange::What::BundleBlocked;
            change.agent = incident.agent;
            change.bundle = blamed->bundle.id;
            change.incident = incident.id;
            change.by = tagout_by(reason);
            change.sentence = reason + ": " + versions_text(blamed->bundle);
            plan.changes.push_back(std::move(change));
        }
    }
    return commit(std::move(plan));
}

Result<void> LiveReleases::journal_evidence() {
    ReleasePlan plan;
    std::map<std::pair<AgentName, std::string>, OutcomeTally> seen;
    {
        const MutexLock lock(mutex_);
        const Instant now = parts_.clock.now();
        if (now - evidence_at_ < settings_.evidence_every) {
            return {};
        }
        evidence_at_ = now;
        seen = seen_;
        for (const auto& [place, tally] : seen) {
            json::object body = tree_of(tally);
            body["agent"] = place.first.text();
            body["id"] = place.second;
            plan.drafts.push_back(
                {"bundle.evidence", place.first.text(), Actor("tagout"), "", now,
                 json::serialize(body)}
            );
        }
    }
    TAGOUT_TRY(commit(std::move(plan)));
    // What came in meanwhile waits for the next sum.
    const MutexLock lock(mutex_);
    for (const auto& [place, tally] : seen) {
        OutcomeTally& rest = seen_[place];
        for (std::size_t i = 0; i < rest.by_outcome.size(); ++i) {
            rest.by_outcome[i] -= tally.by_outcome[i];
        }
        if (rest.total() == 0) {
            seen_.erase(place);
        }
    }
    return {};
}

std::vector<BundleRecord> LiveReleases::candidates() const {
    const MutexLock lock(mutex_);
    const Instant now = parts_.clock.now();
    std::vector<BundleRecord> found;
    for (const AgentName& agent : fold_.bundles().agents()) {
        const BundleRecord* const record = fold_.bundles().in_force(agent);
        if (record != nullptr && !record->good_at && record->blocked_by.empty() &&
            missing(*record, now).empty()) {
            found.push_back(*record);
            found.back().evidence = evidence_of(*record);
        }
    }
    return found;
}

Result<void> LiveReleases::find_good_ones() {
    const std::vector<BundleRecord> found = candidates();
    if (found.empty()) {
        return {};
    }
    const std::vector<incident::Incident> open = open_incidents();
    bool needs_journeys = false;
    {
        const MutexLock lock(mutex_);
        needs_journeys = settings_.good_needs_journeys;
    }
    ReleasePlan plan;
    const Instant now = parts_.clock.now();
    for (const BundleRecord& record : found) {
        const AgentName& agent = record.bundle.agent;
        const bool troubled = std::ranges::any_of(open, [&](const incident::Incident& each) {
            return each.agent == agent;
        });
        const bool passed =
            !needs_journeys || !parts_.journeys_passed ||
            parts_.journeys_passed(record.bundle.tools, record.in_force_since.value_or(now))
                .has_value();
        if (troubled || !passed) {
            continue;
        }
        const Duration time = std::chrono::floor<std::chrono::seconds>(record.in_force_until(now));
        const std::string reason =
            std::to_string(record.evidence.of(SessionOutcome::Succeeded)) + " of " +
            std::to_string(record.evidence.total()) + " sessions succeeded over " + to_text(time) +
            ", and no incident began";
        plan.drafts.push_back(
            {"bundle.good", agent.text(), Actor("tagout"), reason, now,
             json::serialize(about(record))}
        );
        ReleaseChange change;
        change.what = ReleaseChange::What::BundleGood;
        change.agent = agent;
        change.bundle = record.bundle.id;
        change.by = tagout_by(reason);
        change.sentence = record.bundle.id + " of " + agent.text() + " is known good: " + reason;
        plan.changes.push_back(std::move(change));
    }
    return commit(std::move(plan));
}

Result<void> LiveReleases::tick() {
    const Telling telling(*this);
    const MutexLock changing(changing_);
    std::vector<AgentName> unsettled;
    {
        const MutexLock lock(mutex_);
        unsettled.assign(unsettled_.begin(), unsettled_.end());
    }
    for (const AgentName& agent : unsettled) {
        TAGOUT_TRY(settle(agent, tagout_by("what production points at")));
    }
    TAGOUT_TRY(journal_evidence());
    return find_good_ones();
}

}  // namespace tagout::recover
