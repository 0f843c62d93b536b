// The way back: which version, whether it may be gone back to, and the batch that does it.
#include "recover/entry_text.h"
#include "recover/metrics.h"
#include "recover/releases_live.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::recover {

namespace {

namespace json = boost::json;

std::string how(Target target) {
    switch (target) {
        case Target::Named:
            return "as named";
        case Target::LastKnownGood:
            return "of the last known good bundle";
        case Target::Previous:
            return "which was in production before";
    }
    return "?";
}

std::string sentence_of(const RollbackDone& done) {
    std::string text = done.whole_bundle ? "Rolled back " + done.agent.text() + ": " : "Rolled back ";
    bool first = true;
    for (const LabelMoved& move : done.moves) {
        text += (first ? "" : ", ") + catalog::to_text(move.key) + " from " +
                (move.from == 0 ? std::string("nothing") : version_text(move.from)) + " to " +
                version_text(move.to);
        first = false;
    }
    return text + " (" + how(done.target) + ")";
}

}  // namespace

Result<std::pair<std::uint32_t, Target>> LiveReleases::target_of(
    const RollbackDraft& draft, const Line& line
) const {
    if (!draft.to.empty()) {
        return std::pair(TAGOUT_TRY(resolve(draft.key, line, draft.to)), Target::Named);
    }
    const std::uint32_t now = line.holder(catalog::production_label);
    const BundleRecord* const good =
        line.agent.empty() ? nullptr : fold_.bundles().last_known_good(line.agent, true);
    if (good != nullptr) {
        const auto version = std::ranges::find(
            good->bundle.versions, draft.key, &catalog::VersionRef::key
        );
        if (version != good->bundle.versions.end() && version->number != now) {
            return std::pair(version->number, Target::LastKnownGood);
        }
    }
    if (const std::uint32_t before = line.previous_holder(catalog::production_label); before > 0) {
        return std::pair(before, Target::Previous);
    }
    return fail(
        ErrorCode::NotFound,
        catalog::to_text(draft.key) + " has nothing to go back to: production " +
            (now == 0 ? std::string("points nowhere")
                      : "was never at another version than " + version_text(now)) +
            "; --to names a version that was in use"
    );
}

void LiveReleases::plan_rollback(
    ReleasePlan& plan, const RollbackDone& done, const Passage& passage, const By& by
) const {
    json::array moves;
    for (const LabelMoved& move : done.moves) {
        json::object row;
        put_key(row, move.key);
        row["from"] = move.from;
        row["to"] = move.to;
        moves.push_back(std::move(row));
        plan_label(plan, move, done.agent, passage, by, true);
    }
    json::object body{{"moves", std::move(moves)}, {"target", name_of(done.target)}};
    put_text(body, "agent", done.agent.text());
    put_text(body, "incident", passage.incident.text());
    put_text(body, "emergency", passage.emergency);
    body["whole_bundle"] = done.whole_bundle;
    const std::string subject =
        done.whole_bundle ? "bundle:" + done.agent.text() : catalog::to_text(done.moves.front().key);
    plan.drafts.push_back(
        {"rollback.done", subject, by.actor, by.reason, parts_.clock.now(), json::serialize(body)}
    );
    ReleaseChange change;
    change.what = ReleaseChange::What::RolledBack;
    change.agent = done.agent;
    change.incident = passage.incident;
    change.rollback = done;
    change.by = by;
    change.sentence = done.sentence;
    plan.changes.push_back(std::move(change));
}

Result<RollbackDone> LiveReleases::rollback(const RollbackDraft& draft, const By& by) {
    const Telling telling(*this);
    const MutexLock changing(changing_);
    return rollback_held(draft, by);
}

Result<RollbackDone> LiveReleases::rollback_held(const RollbackDraft& draft, const By& by) {
    if (by.reason.empty()) {
        return fail(ErrorCode::InvalidArgument, "a rollback needs a reason");
    }
    std::pair<std::uint32_t, Target> target;
    {
        const MutexLock lock(mutex_);
        const Line* const line = TAGOUT_TRY(line_of(draft.key));
        if (!draft.from.empty()) {
            const std::uint32_t expected = TAGOUT_TRY(resolve(draft.key, *line, draft.from));
            const std::uint32_t now = line->holder(catalog::production_label);
            if (expected != now) {
                return fail(
                    ErrorCode::Conflict,
                    catalog::to_text(draft.key) + " is at " +
                        (now == 0 ? "no version" : version_text(now)) + ", not " +
                        version_text(expected) + ": somebody moved it; look and decide again"
                );
            }
        }
        target = TAGOUT_TRY(target_of(draft, *line));
    }
    const Found to =
        TAGOUT_TRY(found(draft.key, version_text(target.first), catalog::production_label));
    if (to.holder == to.version.number) {
        return fail(
            ErrorCode::Conflict,
            catalog::to_text(draft.key) + " is at " + version_text(to.holder) + " already"
        );
    }
    if (!to.was_labelled) {
        return fail(
            ErrorCode::Conflict,
            catalog::to_text(draft.key) + " " + version_text(to.version.number) +
                " was never in use under any label, so nothing says that it works; to put it into "
                "use all the same, move the label: tagout catalog label"
        );
    }
    TAGOUT_TRY(check_content(draft.key, to.version.content));
    TAGOUT_TRY(pass_freeze(to.agent, to.workflow, draft.passage));
    RollbackDone done;
    done.moves.push_back(
        {draft.key, std::string(catalog::production_label), to.holder, to.version.number,
         to.version.hash}
    );
    done.target = target.second;
    done.agent = to.agent;
    done.incident = draft.passage.incident;
    done.sentence = sentence_of(done);
    ReleasePlan plan;
    plan_rollback(plan, done, draft.passage, by);
    TAGOUT_TRY(commit(std::move(plan)));
    count(rollbacks_total, name_of(done.target));
    settle_or_tell(done.agent, by);
    const MutexLock lock(mutex_);
    if (const BundleRecord* const now = fold_.bundles().in_force(done.agent)) {
        done.bundle = now->bundle.id;
    }
    return done;
}

Result<RollbackDone> LiveReleases::rollback_bundle(
    const BundleRollbackDraft& draft, const By& by
) {
    const Telling telling(*this);
    const MutexLock changing(changing_);
    return rollback_bundle_held(draft, by);
}

Result<RollbackDone> LiveReleases::rollback_bundle_held(
    const BundleRollbackDraft& draft, const By& by
) {
    if (by.reason.empty()) {
        return fail(ErrorCode::InvalidArgument, "a rollback needs a reason");
    }
    RollbackDone done;
    done.agent = draft.agent;
    done.whole_bundle = true;
    done.target = draft.to.empty() ? Target::LastKnownGood : Target::Named;
    done.incident = draft.passage.incident;
    std::vector<std::string> contents;
    std::string id;
    {
        const MutexLock lock(mutex_);
        const BundleBook& book = fold_.bundles();
        const BundleRecord* const now = book.in_force(draft.agent);
        if (!draft.from.empty() && (now == nullptr || now->bundle.id != draft.from)) {
            return fail(
                ErrorCode::Conflict,
                draft.agent.text() + " runs " + (now == nullptr ? "no bundle" : now->bundle.id) +
                    ", not " + draft.from.substr(0, 60) + ": look and decide again"
            );
        }
        const BundleRecord* const record = draft.to.empty()
                                               ? book.last_known_good(draft.agent, true)
                                               : book.find(draft.agent, draft.to);
        if (record == nullptr) {
            std::string known;
            for (const BundleRecord* each : book.of(draft.agent)) {
                known += (known.empty() ? "" : ", ") + each->bundle.id;
            }
            const std::string agent = draft.agent.text().substr(0, 100);
            return fail(
                ErrorCode::NotFound,
                known.empty() ? "agent '" + agent + "' has no bundle; publish versions with --agent " +
                                    agent + " and --label production"
                : draft.to.empty()
                    ? "no other bundle of " + agent +
                          " is known good yet; --to names one of its bundles: " + known
                    : agent + " has no bundle '" + draft.to.substr(0, 60) + "'; it has " + known
            );
        }
        id = record->bundle.id;
        for (const catalog::VersionRef& each : record->bundle.versions) {
            const Line* const line = TAGOUT_TRY(line_of(each.key));
            const std::uint32_t holder = line->holder(catalog::production_label);
            if (holder != each.number) {
                done.moves.push_back(
                    {each.key, std::string(catalog::production_label), holder, each.number,
                     each.hash}
                );
                contents.push_back(line->version(each.number, true).content);
            }
        }
    }
    if (done.moves.empty()) {
        return fail(ErrorCode::Conflict, draft.agent.text() + " runs " + id + " already");
    }
    for (std::size_t i = 0; i < contents.size(); ++i) {
        TAGOUT_TRY(check_content(done.moves[i].key, contents[i]));
    }
    TAGOUT_TRY(pass_freeze(draft.agent, WorkflowName(), draft.passage));
    done.sentence = sentence_of(done);
    ReleasePlan plan;
    plan_rollback(plan, done, draft.passage, by);
    TAGOUT_TRY(commit(std::move(plan)));
    count(rollbacks_total, name_of(done.target));
    settle_or_tell(done.agent, by);
    const MutexLock lock(mutex_);
    if (const BundleRecord* const now = fold_.bundles().in_force(done.agent)) {
        done.bundle = now->bundle.id;
    }
    return done;
}

}  // namespace tagout::recover
