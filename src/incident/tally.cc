#include "incident/tally.h"

#include <algorithm>

namespace tagout::incident {

namespace {

template <class Number>
void change(std::multiset<Number>& counts, Number count, bool up) {
    if (up) {
        counts.insert(count);
    } else if (const auto found = counts.find(count); found != counts.end()) {
        counts.erase(found);
    }
}

template <class Number>
Number largest(const std::multiset<Number>& counts) {
    return counts.empty() ? Number{} : *counts.rbegin();
}

constexpr double micro = 1e6;
constexpr double cost_usd_max = 1e6;  ///< Of one session; a source that claims more is not believed.

std::int64_t micro_of(double cost_usd) {
    return static_cast<std::int64_t>(std::clamp(cost_usd, 0.0, cost_usd_max) * micro + 0.5);
}

}  // namespace

void Tally::count(const KnownFinding& known, bool up) {
    if (known.supports) {
        return;
    }
    users_.merge(known.users);
    if (!known.rate) {
        count_session(known, up);
        return;
    }
    change(rates_, known.sessions, up);
    change(rate_tokens_, known.tokens, up);
    change(rate_costs_, known.cost_usd, up);
    if (known.outcome == SessionOutcome::Failed) {
        change(failed_rates_, known.sessions, up);
    }
    if (known.write_completed) {
        rate_writes_ = up ? rate_writes_ + 1 : rate_writes_ - 1;
    }
}

void Tally::count_session(const KnownFinding& known, bool up) {
    const bool failed = known.outcome == SessionOutcome::Failed;
    Session& session = sessions_[known.correlation];
    const bool was_failed = session.failed > 0;
    const bool was_writing = session.writes > 0;
    const std::uint32_t step = up ? 1U : 0xffffffffU;  // Adding the largest number subtracts one.
    session.findings += step;
    session.failed += failed ? step : 0;
    session.writes += known.write_completed ? step : 0;
    failed_sessions_ = failed_sessions_ + (session.failed > 0 ? 1 : 0) - (was_failed ? 1 : 0);
    harmed_sessions_ = harmed_sessions_ + (session.failed + session.writes > 0 ? 1 : 0) -
                       (was_failed || was_writing ? 1 : 0);
    writing_sessions_ = writing_sessions_ + (session.writes > 0 ? 1 : 0) - (was_writing ? 1 : 0);
    tokens_ -= session.tokens;
    cost_micro_usd_ -= session.cost_micro_usd;
    if (up) {
        session.tokens = std::max(session.tokens, known.tokens);
        session.cost_micro_usd = std::max(session.cost_micro_usd, micro_of(known.cost_usd));
    }
    if (session.findings > 0) {
        tokens_ += session.tokens;
        cost_micro_usd_ += session.cost_micro_usd;
    } else {
        sessions_.erase(known.correlation);
    }
}

void Tally::fill(Impact& impact, FailureClass failure_class) const {
    impact.sessions = std::max<std::uint64_t>(sessions_.size(), largest(rates_));
    const bool unsafe = failure_class == FailureClass::Safety;
    impact.failed_sessions =
        std::max(unsafe ? harmed_sessions_ : failed_sessions_, largest(failed_rates_));
    impact.writes = writing_sessions_;
    impact.users = users_.count();
    impact.tokens = std::max(tokens_, largest(rate_tokens_));
    impact.cost_usd = std::max(static_cast<double>(cost_micro_usd_) / micro, largest(rate_costs_));
}

bool Tally::opens(FailureClass failure_class) const {
    return failed_sessions_ > 0 || opens_alone(failure_class);
}

bool Tally::opens_alone(FailureClass failure_class) const {
    return !failed_rates_.empty() ||
           (failure_class == FailureClass::Safety && (writing_sessions_ > 0 || rate_writes_ > 0));
}

}  // namespace tagout::incident
