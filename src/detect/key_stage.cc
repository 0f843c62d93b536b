#include "detect/hash.h"
#include "detect/key_state.h"
#include "detect/safety/sequence_habits.h"
#include "detect/safety/tool_habits.h"
#include "detect/safety/value_habits.h"
#include "detect/tool/written_values.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace tagout::detect {

namespace {

constexpr std::int64_t idle_panes_max = 720;  ///< A key without events this long is forgotten.
constexpr Duration outcome_idle_max = std::chrono::hours(24);  ///< So is a workflow's cost.

SignalId signal_of(RateKind kind) {
    switch (kind) {
        case RateKind::ClientErrors:
        case RateKind::ClientErrorShapes:
            return SignalId::ClientErrorSpike;
        case RateKind::Timeouts:
            return SignalId::TimeoutRate;
        case RateKind::Corrections:
            return SignalId::UserCorrections;
        case RateKind::PolicyDenials:
            return SignalId::PolicyDenials;
    }
    return SignalId::ClientErrorSpike;
}

}  // namespace

RateBounds KeyStage::State::bounds_of(RateKind kind) const {
    switch (kind) {
        case RateKind::ClientErrors:
            return {
                settings.tool.client_errors_usual,
                settings.tool.client_errors_raised,
                settings.tool.client_errors_min,
                settings.tool.client_error_sessions_min};
        case RateKind::ClientErrorShapes:
            return bounds_of(RateKind::ClientErrors);
        case RateKind::PolicyDenials:
            return {
                settings.tool.denials_usual,
                settings.tool.denials_raised,
                settings.tool.denials_min,
                settings.tool.denial_sessions_min};
        case RateKind::Timeouts:
            return {
                settings.cost.timeouts_usual,
                settings.cost.timeouts_raised,
                settings.cost.timeouts_min,
                1};
        case RateKind::Corrections:
            return {
                settings.intent.corrections_usual,
                settings.intent.corrections_raised,
                settings.intent.corrections_min,
                2};
    }
    return {};
}

RateWatch* KeyStage::State::watch_of(const RateKey& key) {
    const auto known = watches.find(key);
    if (known != watches.end()) {
        return &known->second;
    }
    if (keys_live() >= settings.keys_max) {
        return nullptr;
    }
    return &watches[key];
}

void KeyStage::State::merge(KeyPartials&& partials) {
    newest = std::max(newest, partials.newest);
    for (const auto& [key, pane] : partials.rates) {
        stats.events += pane.total;
        RateWatch* const watch = watch_of(key.first);
        if (key.second < closed_before) {
            stats.late_events += pane.total;
        } else if (watch == nullptr) {
            stats.keys_refused += pane.total;
        } else {
            watch->open[key.second].merge(pane);
        }
    }
    for (const auto& [key, pane] : partials.spending) {
        const auto known = spending.find(key.first);
        if (key.second < closed_before) {
            stats.late_events += pane.per_call.n;
        } else if (known == spending.end() && keys_live() >= settings.keys_max) {
            stats.keys_refused += pane.per_call.n;
        } else {
            spending[key.first].open[key.second].merge(pane);
        }
    }
    for (const auto& [key, pane] : partials.loads) {
        take_load(key.first, key.second, pane);
    }
    for (const auto& [key, delta] : partials.affected) {
        const auto watch = watches.find(key);
        if (watch != watches.end()) {
            watch->second.affected.merge(delta);
        }
    }
    boards.add(partials);
    const auto take = [](auto& into, auto& from) {
        into.insert(
            into.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end())
        );
    };
    take(calls, partials.calls);
    take(writes, partials.writes);
    take(request_facts, partials.requests);
    take(corrections, partials.corrections);
    take(rating_facts, partials.ratings);
    take(session_facts, partials.sessions);
}

void KeyStage::State::take_correction(const CorrectionFact& fact) {
    if (habit_findings.contains(fact.exemplar.correlation)) {
        return;  // the user complains about a call that has its own finding
    }
    RateWatch* const watch = watch_of({RateKind::Corrections, fact.key});
    if (watch == nullptr) {
        ++stats.keys_refused;
        return;
    }
    RatePane& pane = watch->open[std::max(fact.pane, closed_before)];
    pane.total += 1;
    pane.bad += 1;
    pane.sessions.add(hash_of(fact.exemplar.correlation));
    pane.agents.add(fact.exemplar.agent);
    pane.exemplar.merge(fact.exemplar);
}

void KeyStage::State::take_rating(const RatingFact& fact) {
    if (fact.rating != 0) {
        ratings.learn(fact.features, fact.rating < 0, fact.exemplar.at);
        return;
    }
    RateWatch* const watch = watch_of({RateKind::Corrections, fact.key});
    if (watch == nullptr) {
        ++stats.keys_refused;
        return;
    }
    RatePane& pane = watch->open[std::max(fact.pane, closed_before)];
    pane.total += 1;
    if (ratings.displeases(fact.features, settings.intent) &&
        !habit_findings.contains(fact.exemplar.correlation)) {
        pane.bad += 1;
        pane.sessions.add(hash_of(fact.exemplar.correlation));
        pane.agents.add(fact.exemplar.agent);
        pane.exemplar.merge(fact.exemplar);
    }
}

void KeyStage::State::take_ratings() {
    std::ranges::stable_sort(rating_facts, [](const RatingFact& a, const RatingFact& b) {
        return std::tie(a.exemplar.at, a.exemplar.correlation) <
               std::tie(b.exemplar.at, b.exemplar.correlation);
    });
    for (const RatingFact& fact : rating_facts) {
        take_rating(fact);
    }
    rating_facts.clear();
    ratings.tend();
}

void KeyStage::State::take_outcome(SessionFact& fact, Output& out) {
    const auto known = habit_findings.find(fact.correlation);
    const bool doubted = known != habit_findings.end() && teaches_all_the_same(known->second);
    if (known == habit_findings.end() || doubted) {
        const bool better = fact.outcome == SessionOutcome::Succeeded;
        if (!better) {
            lessons.erase(fact.correlation);
        } else if (const auto waiting = lessons.find(fact.correlation); waiting != lessons.end()) {
            SessionFact& lesson = waiting->second;
            lesson.clean = lesson.clean && fact.clean;
            std::ranges::move(fact.uses, std::back_inserter(lesson.uses));
        } else if (lessons.size() < lessons_max) {
            lesson_order.emplace_back(fact.at, fact.correlation);
            SessionFact& kept = lessons[fact.correlation];
            if (doubted) {
                kept = fact;  // what follows reads it
            } else {
                kept = std::move(fact);
            }
        }
    }
    if (known == habit_findings.end()) {
        return;
    }
    Finding& finding = known->second;
    const bool harm =
        !doubted && finding.failure_class == FailureClass::Tool && finding.write_completed;
    const bool no_failure = finding.signal == info_of(SignalId::OutOfScope).name;
    const SessionOutcome outcome = no_failure ? SessionOutcome::Unknown
                                   : harm     ? SessionOutcome::Failed
                                              : fact.outcome;
    std::string explained_by = fact.leader == finding.id ? "" : fact.leader;
    const bool told_failed =
        finding.explained_by.empty() && finding.outcome == SessionOutcome::Failed;
    if (told_failed) {
        explained_by.clear();  // it led with a failed outcome: it leads for good
    }
    const bool user_new = fact.user != 0 && finding.users.empty();
    if (fact.user != 0) {
        finding.users.add(fact.user);
    }
    finding.tokens = std::max(finding.tokens, fact.tokens);
    finding.cost_usd = std::max(finding.cost_usd, fact.cost_usd);
    if (outcome != finding.outcome || explained_by != finding.explained_by || user_new) {
        if (!harm) {
            finding.outcome_reason = fact.reason;
        }
        finding.outcome = outcome;
        finding.explained_by = std::move(explained_by);
        out.findings.push_back(finding);
    }
}

void KeyStage::State::learn_habits() {
    const Instant until = newest - (settings.settle + settings.lateness + std::chrono::seconds(2));
    while (!lesson_order.empty() &&
           (lesson_order.front().first <= until || lesson_order.size() > lessons_max)) {
        const auto lesson = lessons.find(lesson_order.front().second);
        if (lesson != lessons.end()) {
            const auto habit = habit_findings.find(lesson->first);
            const bool teaches =
                habit == habit_findings.end() || teaches_all_the_same(habit->second);
            if (teaches && profiles.learn(lesson->second, settings.keys_max)) {
                const SessionFact& good = lesson->second;
                requests.learn(good.workflow, good.request, good.at);
            }
            lessons.erase(lesson);
        }
        lesson_order.pop_front();
    }
}

void KeyStage::State::tell_habit(SignalId signal, Finding finding, Output& out) {
    boards.count_finding(signal, finding.seen_at);
    const std::string correlation = finding.correlation.text();
    const auto known = habit_findings.find(correlation);
    if (known != habit_findings.end() && known->second.id == finding.id) {
        known->second = finding;  // the same again: the newest stands
    } else if (known != habit_findings.end()) {
        const auto place = std::ranges::find(signal_table, known->second.signal, &SignalInfo::name);
        const bool told_failed =
            known->second.explained_by.empty() && known->second.outcome == SessionOutcome::Failed;
        if (told_failed || place->precedence <= info_of(signal).precedence) {
            finding.explained_by = known->second.id;
            out.findings.push_back(std::move(finding));
            return;
        }
        known->second.explained_by = finding.id;
        out.findings.push_back(std::exchange(known->second, finding));
    } else {
        habit_findings.emplace(correlation, finding);
        habit_order.push_back(correlation);
    }
    out.findings.push_back(std::move(finding));
    if (habit_order.size() > habit_findings_max) {
        habit_findings.erase(habit_order.front());
        habit_order.pop_front();
    }
}

void KeyStage::State::take_call(const CallFact& fact, Output& out) {
    const catalog::WorkflowProfile* const profile =
        profiles.find(fact.draft.workflow.text(), fact.draft.agent.text());
    auto finding = judge_new_tool(fact, profile, settings.safety, *catalog);
    if (!finding) {
        finding = judge_new_value(fact, profile, settings.safety);
    }
    if (!finding) {
        finding = judge_sequence(fact, profile, settings.safety);
    }
    if (!finding) {
        return;
    }
    const auto told = habit_findings.find(finding->correlation.text());
    if (told != habit_findings.end() && told->second.id == finding->id &&
        (told->second.write_completed || !finding->write_completed)) {
        return;  // the session goes on in the same way
    }
    const SignalId signal = signal_named(finding->signal);
    tell_habit(signal, std::move(*finding), out);
}

void KeyStage::State::take_facts(Output& out) {
    // What arrived since the last call came from several shards in no order; time gives it one.
    std::vector<const RequestFact*> asked;  // facts are large: their places are sorted
    asked.reserve(request_facts.size());
    for (const RequestFact& fact : request_facts) {
        asked.push_back(&fact);
    }
    std::ranges::stable_sort(asked, [](const RequestFact* a, const RequestFact* b) {
        return std::tie(a->place.at, a->place.correlation) <
               std::tie(b->place.at, b->place.correlation);
    });
    for (const RequestFact* const fact : asked) {
        if (auto finding = requests.judge(*fact, settings.intent)) {
            const bool wrong = finding->signal == info_of(SignalId::WrongWorkflow).name;
            tell_habit(
                wrong ? SignalId::WrongWorkflow : SignalId::OutOfScope, std::move(*finding), out
            );
        }
    }
    request_facts.clear();
    std::ranges::stable_sort(calls, [](const CallFact& a, const CallFact& b) {
        return std::tie(a.draft.seen_at, a.draft.correlation, a.draft.tool) <
               std::tie(b.draft.seen_at, b.draft.correlation, b.draft.tool);
    });
    for (const CallFact& fact : calls) {
        take_call(fact, out);
    }
    calls.clear();
    std::ranges::stable_sort(writes, [](const WriteFact& a, const WriteFact& b) {
        return std::tie(a.draft.seen_at, a.draft.correlation, a.draft.tool) <
               std::tie(b.draft.seen_at, b.draft.correlation, b.draft.tool);
    });
    for (const WriteFact& fact : writes) {
        if (habit_findings.contains(fact.draft.correlation.text())) {
            continue;
        }
        const catalog::WorkflowProfile* const profile =
            profiles.find(fact.draft.workflow.text(), fact.draft.agent.text());
        if (auto finding = judge_written_values(fact, profile, settings.tool)) {
            tell_habit(SignalId::UnexpectedWrite, *std::move(finding), out);
        }
    }
    writes.clear();
    for (const CorrectionFact& fact : corrections) {
        take_correction(fact);
    }
    corrections.clear();
    take_ratings();
    std::vector<SessionFact*> in_order;  // a fact is large to move about
    in_order.reserve(session_facts.size());
    for (SessionFact& fact : session_facts) {
        in_order.push_back(&fact);
    }
    std::ranges::stable_sort(in_order, [](const SessionFact* a, const SessionFact* b) {
        return std::tie(a->at, a->correlation) < std::tie(b->at, b->correlation);
    });
    for (SessionFact* const fact : in_order) {
        take_outcome_cost(*fact);
        take_outcome(*fact, out);
    }
    session_facts.clear();
    learn_habits();
    requests.tend(settings.intent);
}

void KeyStage::State::close_panes(std::int64_t pane) {
    for (auto& [key, watch] : watches) {
        const bool had = !watch.open.empty();
        watch.close_panes(pane, bounds_of(key.kind));
        if (had && key.kind != RateKind::ClientErrorShapes) {  // the tool itself is on the board
            boards.observe(
                signal_of(key.kind),
                end_of(watch.last_pane()),
                watch.newest_rate(),
                watch.threshold(bounds_of(key.kind))
            );
        }
        renew_rate(key, watch);
    }
    for (auto& [agent, watch] : spending) {
        const bool had = !watch.open.empty();
        watch.close_panes(pane, settings.cost, spending.size());
        if (had) {
            boards.observe(
                SignalId::TokenSpike,
                end_of(watch.last_pane()),
                watch.ratio(),
                watch.threshold() > 0 ? watch.threshold() : settings.cost.spike_ratio
            );
        }
        renew_spending(agent, watch);
    }
    close_loads(pane);
    closed_before = std::max(closed_before, pane);
}

void KeyStage::State::sweep(std::int64_t pane) {
    std::erase_if(watches, [&](const auto& item) {
        return item.second.open.empty() && !item.second.active() &&
               item.second.last_pane() + idle_panes_max < pane;
    });
    std::erase_if(spending, [&](const auto& item) {
        return item.second.open.empty() && !item.second.active() &&
               item.second.last_pane() + idle_panes_max < pane;
    });
    std::erase_if(loads, [&](const auto& item) {
        return item.second.open.empty() && !item.second.active() &&
               item.second.last_pane() + idle_panes_max < pane;
    });
    std::erase_if(outcome_costs, [&](const auto& item) {  // sparse workflows end a session a day
        return !item.second.active() && item.second.last_at() + outcome_idle_max < newest;
    });
    std::erase_if(load_findings, [](const auto& item) { return !item.second.active; });
    std::erase_if(rate_findings, [](const auto& item) { return !item.second.active; });
    std::erase_if(spending_findings, [](const auto& item) { return !item.second.active; });
}

void KeyStage::State::evaluate(Instant now, bool all, Output& out) {
    if (newest > newest_before) {
        newest_before = newest;
        quiet_since = now;
    }
    take_facts(out);
    // When nothing comes any more, nothing can be late: the last panes are judged without waiting.
    const bool quiet = now - quiet_since >= settings.lateness + settings.pane;
    const Instant watermark = all || quiet ? newest + settings.pane : newest - settings.lateness;
    const std::int64_t pane = unix_nanos(watermark) / settings.pane.count();
    close_panes(pane);
    explain();
    tell(out);
    sweep(pane);
}

KeyStage::KeyStage(const Settings& settings, std::shared_ptr<const catalog::Catalog> catalog)
    : state_(std::make_unique<State>(settings, std::move(catalog))) {}

KeyStage::~KeyStage() = default;
KeyStage::KeyStage(KeyStage&&) noexcept = default;

void KeyStage::merge(const KeyPartials& partials) {
    state_->merge(KeyPartials(partials));
}
void KeyStage::merge(KeyPartials&& partials) {
    state_->merge(std::move(partials));
}
void KeyStage::evaluate(Instant now, Output& out) {
    state_->evaluate(now, false, out);
}
void KeyStage::finish(Output& out) {
    state_->evaluate(state_->newest, true, out);
}

void KeyStage::use(const Settings& settings, std::shared_ptr<const catalog::Catalog> catalog) {
    if (settings.pane != state_->settings.pane) {
        state_->watches.clear();  // panes of another length cannot be compared
        state_->spending.clear();
        state_->loads.clear();
        state_->rate_findings.clear();  // they ask their watches who was hit
        state_->spending_findings.clear();
        state_->load_findings.clear();
        state_->closed_before = 0;
    }
    state_->settings = settings;
    state_->catalog = std::move(catalog);
}

void KeyStage::adopt_profile(
    const std::string& workflow, catalog::WorkflowProfile profile, Instant since
) {
    state_->requests.adopt(workflow, profile.requests());
    profile.set_requests({});  // they live in the lessons
    state_->profiles.adopt(workflow, std::move(profile), since);
}
void KeyStage::hold_learning(std::vector<LearningHold> holds) {
    state_->profiles.hold(std::move(holds));
}
void KeyStage::judge_by(std::shared_ptr<const ProfileSource> source) {
    state_->profiles.judge_by(std::move(source));
}
std::vector<LearnedProfile> KeyStage::take_changed_profiles() {
    std::vector<LearnedProfile> changed =
        state_->profiles.take_changed(state_->settings.safety.profile_sessions_min);
    for (LearnedProfile& each : changed) {
        each.profile.set_requests(request_lines(state_->requests.lessons(), each.workflow));
    }
    return changed;
}

std::vector<ProfileBrief> KeyStage::profile_briefs(std::size_t limit) const {
    return state_->profiles.briefs(limit);
}

std::vector<ClassBoard> KeyStage::boards() const {
    return state_->boards.boards();
}

StageStats KeyStage::stats() const {
    StageStats stats = state_->stats;
    stats.keys_live = state_->keys_live();
    const std::size_t paned = state_->spending.size() + state_->loads.size();
    stats.bytes = state_->watches.size() * sizeof(RateWatch) + paned * 8'000 +
                  state_->outcome_costs.size() * sizeof(OutcomeCostWatch) +
                  state_->profiles.bytes() + state_->ratings.bytes() +
                  state_->habit_findings.size() * 1'000;
    return stats;
}

}  // namespace tagout::detect
