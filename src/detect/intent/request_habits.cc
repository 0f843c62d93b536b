#include "detect/intent/request_habits.h"

#include "detect/signal_id.h"
#include "intake/texts.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace tagout::detect {

namespace {

constexpr std::uint64_t changes_min = 16;
constexpr std::uint64_t changed_part = 8;  ///< One in so many.
constexpr double known_share_min = 0.6;    ///< Below, what a workflow is asked does not mark it.
constexpr double taken_share_max = 0.05;   ///< Above, two workflows are asked alike.
constexpr double fit_lost_min = 0.5;       ///< A stranger fits by so much worse than is usual.
constexpr std::size_t quoted_bytes_max = 160;

/// "1 in 400": a share for people.
std::string one_in(double share) {
    return "1 in " + std::to_string(static_cast<std::uint64_t>(std::lround(1 / share)));
}

Finding draft_of(const RequestFact& fact, SignalId signal) {
    const SignalInfo& info = info_of(signal);
    const Exemplar& place = fact.place;
    Finding finding;
    finding.id = finding_id(info.name, place.correlation);
    finding.signal = info.name;
    finding.failure_class = info.failure_class;
    finding.unit = info.unit;
    finding.correlation = CorrelationId(place.correlation);
    finding.trace_id = place.trace_id;
    finding.span_id = place.span_id;
    finding.step = place.step;
    finding.agent = AgentName(place.agent);
    finding.workflow = WorkflowName(place.workflow);
    finding.model = place.model;
    finding.service = place.service;
    finding.environment = place.environment;
    finding.prompt_version = place.prompt_version;
    finding.cause = fact.key;
    finding.seen_at = place.at;
    finding.explained_by = fact.leader;
    finding.outcome = fact.outcome;
    return finding;
}

}  // namespace

void RequestHabits::learn(std::string_view workflow, std::string_view text, Instant at) {
    lessons_.learn(workflow, text, at);
}

void RequestHabits::tend(const IntentSettings& settings) {
    if (training_) {
        if (auto judge = training_->step(work_per_call)) {
            judge_ = std::move(judge);
        }
        if (training_->finished()) {
            training_.reset();
        }
        return;
    }
    std::size_t kept = 0;
    for (const auto& [workflow, requests] : lessons_.workflows()) {
        kept += requests.size();
    }
    const std::uint64_t changed = lessons_.changes() - changes_trained_;
    if (changed < std::max<std::uint64_t>(changes_min, kept / changed_part) &&
        requests_min_ == settings.requests_min) {
        return;
    }
    changes_trained_ = lessons_.changes();
    requests_min_ = settings.requests_min;
    training_ = std::make_unique<RequestTraining>(lessons_, settings.requests_min);
    if (training_->finished()) {
        training_.reset();
        judge_.reset();  // too few are known, perhaps because one was forgotten
    }
}

/// Whether good requests of either are rarely taken for the other's, and mostly for its own.
bool RequestHabits::tells_apart(std::string_view one, std::string_view other) const {
    return judge_->taken_for(one, one) >= known_share_min &&
           judge_->taken_for(other, other) >= known_share_min &&
           judge_->taken_for(one, other) <= taken_share_max &&
           judge_->taken_for(other, one) <= taken_share_max;
}

std::optional<Finding> RequestHabits::judge(const RequestFact& fact, const IntentSettings& settings)
    const {
    if (!judge_) {
        return std::nullopt;
    }
    const RequestReading reading = judge_->read(fact.text, fact.key);
    if (!reading.own_known) {
        return std::nullopt;  // a new workflow: what it is for is not known yet
    }
    const std::string quoted =
        "\"" + std::string(intake::clipped(fact.text, quoted_bytes_max)) + "\"";
    const std::string known = " of " + std::to_string(judge_->held_out()) + " good requests";
    const double misfit = judge_->misfit_chance(reading.own_margin);
    if (reading.best != fact.key && reading.best_score > 0 && reading.own_score < 0 &&
        -reading.own_margin >= settings.misfit_margin_min && misfit <= settings.misfit_chance_max &&
        tells_apart(fact.key, reading.best)) {
        Finding finding = draft_of(fact, SignalId::WrongWorkflow);
        finding.score = std::min(0.95, 0.6 - 0.2 * reading.own_margin);
        finding.observed = 1;
        finding.threshold = 1;
        finding.evidence = quoted + " is what " + std::string(reading.best) + " is asked and not " +
                           fact.key + ": at most " + one_in(misfit) + known + " looks as misplaced";
        return finding;
    }
    const double strange = judge_->stranger_chance(reading.best_score);
    if (reading.best_score <= settings.stranger_fit_max &&
        judge_->usual_fit() - reading.best_score >= fit_lost_min &&
        strange <= settings.stranger_chance_max) {
        Finding finding = draft_of(fact, SignalId::OutOfScope);
        finding.outcome = SessionOutcome::Unknown;
        finding.score = std::min(0.95, 0.5 - 0.4 * reading.best_score);
        finding.observed = finding.score;
        finding.threshold = 0.5 - 0.4 * settings.stranger_fit_max;
        finding.evidence =
            quoted + " is like nothing that the " + std::to_string(judge_->workflows().size()) +
            " known workflows are asked: at most " + one_in(strange) + known + " fits as badly";
        return finding;
    }
    return std::nullopt;
}

std::size_t RequestHabits::bytes() const noexcept {
    return lessons_.bytes() + (judge_ ? judge_->bytes() : 0);
}

}  // namespace tagout::detect
