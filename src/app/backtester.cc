#include "app/backtester.h"

#include "app/backtest.h"
#include "app/policy_suggestion.h"
#include "contain/policy.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::app {

namespace {

namespace json = boost::json;

using Snapshot = std::shared_ptr<const contain::ControlSnapshot>;

Result<Snapshot> snapshot_of(const contain::Policy& policy) {
    return contain::ControlSnapshot::build({}, std::span(&policy, 1), 0);
}

/// The control as it would be; its name says that it is none yet.
Control control_of(const contain::ControlDraft& draft, Instant now) {
    Control control;
    control.id = ControlId("CTL-candidate");
    control.scope = draft.scope;
    control.mode = draft.mode;
    control.allowed = draft.allowed;
    control.route_to = draft.route_to;
    control.terms = draft.terms;
    control.reason = "back-test";
    control.author = Actor("person:you");
    control.since = now;
    control.review_by = now;
    return control;
}

}  // namespace

Result<verify::PastCalls> LiveBacktester::past(Instant from, Instant to) {
    const verify::PastCallsSources sources{
        [this](Instant begin, Instant end, const auto& visit) {
            return parts_.evidence.scan(begin, end, visit);
        },
        [this](std::string_view correlation, std::size_t limit) {
            return parts_.evidence.find(correlation, limit);
        }};
    return verify::read_past_calls(sources, from, to);
}

Result<std::string> LiveBacktester::policy(std::string_view yaml, Duration since) {
    const contain::Policy policy = TAGOUT_TRY(contain::parse_policy("candidate", "new", yaml));
    const Snapshot snapshot = TAGOUT_TRY(snapshot_of(policy));
    const Instant now = parts_.clock.now();
    const MutexLock lock(mutex_);
    const verify::PastCalls calls = TAGOUT_TRY(past(now - since, now));
    return json::serialize(tree_of(backtest(*snapshot, *parts_.catalog(), calls, now - since, now)));
}

Result<std::string> LiveBacktester::control(const contain::ControlDraft& draft, Duration since) {
    if (draft.mode == ControlMode::Pin) {
        return fail(ErrorCode::InvalidArgument, "a pin changes which version is served, and no call");
    }
    if (draft.mode == ControlMode::Budget) {
        return fail(
            ErrorCode::InvalidArgument,
            "a budget cannot be tried on what has been: what models were paid is not among recorded calls"
        );
    }
    const Instant now = parts_.clock.now();
    const Control control = control_of(draft, now);
    const Snapshot snapshot =
        TAGOUT_TRY(contain::ControlSnapshot::build(std::span(&control, 1), {}, 0));
    const MutexLock lock(mutex_);
    const verify::PastCalls calls = TAGOUT_TRY(past(now - since, now));
    return json::serialize(tree_of(backtest(*snapshot, *parts_.catalog(), calls, now - since, now)));
}

Result<std::string> LiveBacktester::suggest(const IncidentId& id, Duration since) {
    const incident::Incident incident = TAGOUT_TRY(parts_.desk.get(id));
    const Instant now = parts_.clock.now();
    // The incident's own time is part of what is looked at, however long ago it was.
    Instant from = now - since;
    for (const Finding& finding : incident.findings) {
        from = std::min(from, finding.seen_at - std::chrono::minutes(10));
    }
    from = std::max(from, now - backtest_since_max);
    const MutexLock lock(mutex_);
    const verify::PastCalls calls = TAGOUT_TRY(past(from, now));
    const PolicySuggestion made = TAGOUT_TRY(suggest_policy(incident, calls));
    const contain::Policy policy = TAGOUT_TRY(contain::parse_policy("suggested", "new", made.yaml));
    const Snapshot snapshot = TAGOUT_TRY(snapshot_of(policy));
    json::array why;
    for (const std::string& each : made.why) {
        why.emplace_back(each);
    }
    json::array shown;
    for (const std::string& each : made.calls) {
        shown.emplace_back(each);
    }
    return json::serialize(json::object{
        {"incident", id.text()},
        {"policy", made.yaml},
        {"why", std::move(why)},
        {"calls", std::move(shown)},
        {"backtest", tree_of(backtest(*snapshot, *parts_.catalog(), calls, from, now))}});
}

}  // namespace tagout::app
