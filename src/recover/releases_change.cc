// Publishing, labels and rollbacks: checked first, then journaled as one batch.
#include "catalog/workflow_profile.h"
#include "recover/entry_text.h"
#include "recover/metrics.h"
#include "recover/releases_live.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::recover {

namespace {

namespace json = boost::json;

constexpr std::size_t message_bytes_max = 2'000;

std::string mib(std::size_t bytes) {
    return std::to_string(bytes / 1024) + " KiB";
}

/// Text that a journal entry can hold: UTF-8, no control characters but line ends and tabs.
Result<void> check_text(std::string_view content) {
    for (const char c : content) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\n' && c != '\t' && c != '\r') || byte == 0x7f) {
            return fail(
                ErrorCode::InvalidArgument,
                "the content has a control character; a version is text in UTF-8"
            );
        }
    }
    boost::system::error_code error;
    const std::string quoted = json::serialize(json::string_view(content.data(), content.size()));
    json::parse(quoted, error);
    if (error) {
        return fail(
            ErrorCode::InvalidArgument, "the content is not UTF-8; save it as UTF-8 and try again"
        );
    }
    return {};
}

Result<void> check_model_route(const catalog::VersionKey& key, std::string_view content) {
    boost::system::error_code error;
    const json::value route = json::parse(content, error);
    if (error || !route.is_object()) {
        return fail(
            ErrorCode::InvalidArgument,
            "model route " + key.name + " is no JSON object" +
                (error ? " (" + error.message() + ")" : std::string()) +
                "; write one such as {\"model\": \"gpt-4o-mini\"}"
        );
    }
    if (text_at(route.get_object(), "model").empty()) {
        return fail(
            ErrorCode::InvalidArgument,
            "model route " + key.name + " names no model; add \"model\" with the model's name"
        );
    }
    return {};
}

std::string passed_text(const FreezeVerdict& verdict) {
    return verdict.passed == FreezeVerdict::Passed::NothingFrozen ? "" : "; " + verdict.sentence;
}

}  // namespace

Result<void> LiveReleases::check_content(
    const catalog::VersionKey& key, std::string_view content
) const {
    if (content.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        return fail(ErrorCode::InvalidArgument, "the content is empty");
    }
    TAGOUT_TRY(check_text(content));
    if (key.family == catalog::VersionFamily::ModelRoute) {
        return check_model_route(key, content);
    }
    if (key.family == catalog::VersionFamily::Profile) {
        TAGOUT_TRY(catalog::parse_workflow_profile(content));
        return {};
    }
    if (key.family == catalog::VersionFamily::Policy && parts_.check_policy) {
        return parts_.check_policy(key.name, content);
    }
    return {};
}

Result<void> LiveReleases::check_limits(const PublishDraft& draft) const {
    const MutexLock lock(mutex_);
    if (draft.content.size() > settings_.content_bytes_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "the content is over " + mib(settings_.content_bytes_max) +
                "; a version is a prompt, a policy or a route, not a data file"
        );
    }
    if (fold_.content_bytes() + draft.content.size() > settings_.content_total_bytes_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "all versions together would pass releases.content_total_bytes_max; raise it"
        );
    }
    const Line* const line = fold_.find(draft.key);
    if (line == nullptr && fold_.lines().size() >= settings_.names_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "there are " + std::to_string(settings_.names_max) +
                " names already; raise releases.names_max"
        );
    }
    if (line != nullptr && line->versions.size() >= settings_.versions_max) {
        return fail(
            ErrorCode::LimitExceeded,
            catalog::to_text(draft.key) + " has " + std::to_string(settings_.versions_max) +
                " versions; raise releases.versions_max or publish under a new name"
        );
    }
    return {};
}

Result<void> LiveReleases::check_incident(const IncidentId& incident) const {
    if (incident.empty()) {
        return {};
    }
    const incident::Incident known = TAGOUT_TRY(parts_.incidents.get(incident));
    if (known.state == IncidentState::Merged) {
        return fail(
            ErrorCode::Conflict,
            incident.text() + " was merged into " + known.merged_into.text() + "; name that one"
        );
    }
    return {};
}

Result<FreezeVerdict> LiveReleases::pass_freeze(
    const AgentName& agent, const WorkflowName& workflow, const Passage& passage
) const {
    TAGOUT_TRY(check_incident(passage.incident));
    std::shared_ptr<const catalog::Catalog> catalog;
    {
        const MutexLock lock(mutex_);
        catalog = catalog_;
    }
    FreezeVerdict verdict = judge(
        freezes(), ChangeScope{agent, workflow, passage.incident, passage.emergency}, *catalog
    );
    switch (verdict.passed) {
        case FreezeVerdict::Passed::NothingFrozen:
            return verdict;
        case FreezeVerdict::Passed::OwnChange:
            count(frozen_changes_total, "own_change");
            return verdict;
        case FreezeVerdict::Passed::Emergency:
            count(frozen_changes_total, "emergency");
            return verdict;
        case FreezeVerdict::Passed::No:
            break;
    }
    count(frozen_changes_total, "refused");
    return fail(ErrorCode::Conflict, "frozen: " + verdict.sentence);
}

Result<void> LiveReleases::commit(ReleasePlan plan) {
    if (plan.drafts.empty()) {
        return {};
    }
    const std::vector<journal::JournalEntry> entries =
        TAGOUT_TRY(parts_.journal.append(plan.drafts));
    const MutexLock lock(mutex_);
    for (const journal::JournalEntry& entry : entries) {
        fold_.apply(entry);
    }
    std::ranges::move(plan.changes, std::back_inserter(changes_));
    return {};
}

void LiveReleases::plan_label(
    ReleasePlan& plan, const LabelMoved& move, const AgentName& agent, const Passage& passage,
    const By& by, bool rollback
) const {
    json::object body;
    put_key(body, move.key);
    body["label"] = move.label;
    body["from"] = move.from;
    body["to"] = move.to;
    body["hash"] = move.hash;
    put_text(body, "incident", passage.incident.text());
    put_text(body, "emergency", passage.emergency);
    if (rollback) {
        body["rollback"] = true;
    }
    const Instant now = parts_.clock.now();
    plan.drafts.push_back(
        {"version.labelled", catalog::to_text(move.key), by.actor, by.reason, now,
         json::serialize(body)}
    );
    ReleaseChange change;
    change.what = ReleaseChange::What::Labelled;
    change.key = move.key;
    change.label = move.label;
    change.from = move.from;
    change.to = move.to;
    change.agent = agent;
    change.incident = passage.incident;
    change.by = by;
    change.sentence =
        "Label " + move.label + " of " + catalog::to_text(move.key) + " moved " +
        (move.from == 0 ? std::string() : "from " + version_text(move.from) + " ") + "to " +
        version_text(move.to) +
        (passage.emergency.empty() ? "" : " as an emergency: " + passage.emergency);
    plan.changes.push_back(std::move(change));
}

Result<catalog::Version> LiveReleases::publish(const PublishDraft& draft, const By& by) {
    const Telling telling(*this);
    const MutexLock changing(changing_);
    return publish_held(draft, by);
}

Result<catalog::Version> LiveReleases::publish_held(const PublishDraft& draft, const By& by) {
    TAGOUT_TRY(catalog::check_version_name(draft.key.name));
    if (!draft.label.empty()) {
        TAGOUT_TRY(catalog::check_label(draft.label));
    }
    if (draft.message.empty() || draft.message.size() > message_bytes_max) {
        return fail(
            ErrorCode::InvalidArgument, "publishing needs a message of at most 2000 bytes that says why"
        );
    }
    TAGOUT_TRY(check_limits(draft));
    TAGOUT_TRY(check_content(draft.key, draft.content));
    const std::string hash = catalog::content_hash(draft.key, draft.content);
    AgentName agent = draft.agent;
    WorkflowName workflow = draft.workflow;
    std::uint32_t number = 1;
    std::uint32_t existing = 0;
    std::uint32_t holder = 0;
    {
        const MutexLock lock(mutex_);
        if (const Line* const line = fold_.find(draft.key)) {
            if (!agent.empty() && !line->agent.empty() && agent != line->agent) {
                return fail(
                    ErrorCode::Conflict,
                    catalog::to_text(draft.key) + " belongs to agent " + line->agent.text() +
                        "; publish under another name for " + agent.text()
                );
            }
            agent = line->agent.empty() ? agent : line->agent;
            workflow = line->workflow.empty() ? workflow : line->workflow;
            existing = line->number_of_hash(hash);
            number = static_cast<std::uint32_t>(line->versions.size()) + 1;
            holder = line->holder(draft.label);
        }
    }
    const std::uint32_t target = existing > 0 ? existing : number;
    const bool moves = !draft.label.empty() && holder != target;
    if (existing == 0 || moves) {
        const FreezeVerdict verdict = TAGOUT_TRY(pass_freeze(agent, workflow, draft.passage));
        ReleasePlan plan;
        By author = by;
        author.reason = draft.message;
        if (existing == 0) {
            json::object body;
            put_key(body, draft.key);
            body["number"] = number;
            body["hash"] = hash;
            put_text(body, "agent", agent.text());
            put_text(body, "workflow", workflow.text());
            put_text(body, "incident", draft.passage.incident.text());
            put_text(body, "emergency", draft.passage.emergency);
            body["content"] = draft.content;
            plan.drafts.push_back(
                {"version.published", catalog::to_text(draft.key), by.actor, draft.message,
                 parts_.clock.now(), json::serialize(body)}
            );
            ReleaseChange published;
            published.key = draft.key;
            published.to = number;
            published.agent = agent;
            published.incident = draft.passage.incident;
            published.by = author;
            published.sentence = "Published " + catalog::to_text(draft.key) + " " +
                                 version_text(number) + passed_text(verdict);
            plan.changes.push_back(std::move(published));
        }
        if (moves) {
            plan_label(
                plan, {draft.key, draft.label, holder, target, hash}, agent, draft.passage, author,
                false
            );
        }
        TAGOUT_TRY(commit(std::move(plan)));
        if (existing == 0) {
            count(versions_published_total, catalog::name_of(draft.key.family));
        }
        if (moves) {
            count(labels_moved_total, catalog::name_of(draft.key.family));
        }
        settle_or_tell(agent, author);
    }
    return TAGOUT_TRY(found(draft.key, version_text(target), draft.label)).version;
}

Result<catalog::Version> LiveReleases::label(const LabelDraft& draft, const By& by) {
    const Telling telling(*this);
    const MutexLock changing(changing_);
    return label_held(draft, by);
}

Result<catalog::Version> LiveReleases::label_held(const LabelDraft& draft, const By& by) {
    TAGOUT_TRY(catalog::check_label(draft.label));
    if (by.reason.empty()) {
        return fail(ErrorCode::InvalidArgument, "moving a label needs a reason");
    }
    const Found target = TAGOUT_TRY(found(draft.key, draft.to, draft.label));
    if (!draft.from.empty()) {
        const Found expected = TAGOUT_TRY(found(draft.key, draft.from, draft.label));
        if (expected.version.number != target.holder) {
            return fail(
                ErrorCode::Conflict,
                draft.label + " of " + catalog::to_text(draft.key) + " is at " +
                    (target.holder == 0 ? "no version" : version_text(target.holder)) + ", not " +
                    version_text(expected.version.number) +
                    ": somebody moved it; look and decide again"
            );
        }
    }
    if (target.holder == target.version.number) {
        return target.version;
    }
    TAGOUT_TRY(check_content(draft.key, target.version.content));
    TAGOUT_TRY(pass_freeze(target.agent, target.workflow, draft.passage));
    ReleasePlan plan;
    plan_label(
        plan,
        {draft.key, draft.label, target.holder, target.version.number, target.version.hash},
        target.agent,
        draft.passage,
        by,
        false
    );
    TAGOUT_TRY(commit(std::move(plan)));
    count(labels_moved_total, catalog::name_of(draft.key.family));
    settle_or_tell(target.agent, by);
    return TAGOUT_TRY(found(draft.key, draft.to, draft.label)).version;
}

}  // namespace tagout::recover
