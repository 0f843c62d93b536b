#include "incident/tally.h"

#include <algorithm>

namespace tagout::incident {

namespace {

void change(std::multiset<std::uint64_t>& counts, std::uint64_t count, bool up) {
    if (up) {
        counts.insert(count);
    } else if (const auto found = counts.find(count); found != counts.end()) {
        counts.erase(found);
    }
}

std::uint64_t largest(const std::multiset<std::uint64_t>& counts) {
    return counts.empty() ? 0 : *counts.rbegin();
}

}  // namespace

void Tally::count(const KnownFinding& known, bool up) {
    if (known.supports) {
        return;
    }
    const bool failed = known.outcome == SessionOutcome::Failed;
    if (known.rate) {
        change(rates_, known.sessions, up);
        if (failed) {
            change(failed_rates_, known.sessions, up);
        }
        if (known.write_completed) {
            rate_writes_ = up ? rate_writes_ + 1 : rate_writes_ - 1;
        }
        return;
    }
    Session& session = sessions_[known.correlation];
    const bool was_failed = session.failed > 0;
    const bool was_writing = session.writes > 0;
    const std::uint32_t step = up ? 1U : 0xffffffffU;  // Adding the largest number subtracts one.
    session.findings += step;
    session.failed += failed ? step : 0;
    session.writes += known.write_completed ? step : 0;
    failed_sessions_ = failed_sessions_ + (session.failed > 0 ? 1 : 0) - (was_failed ? 1 : 0);
    writing_sessions_ = writing_sessions_ + (session.writes > 0 ? 1 : 0) - (was_writing ? 1 : 0);
    if (session.findings == 0) {
        sessions_.erase(known.correlation);
    }
}

void Tally::fill(Impact& impact) const {
    impact.sessions = std::max<std::uint64_t>(sessions_.size(), largest(rates_));
    impact.failed_sessions = std::max(failed_sessions_, largest(failed_rates_));
    impact.writes = writing_sessions_;
}

bool Tally::opens(FailureClass failure_class) const {
    return failed_sessions_ > 0 || opens_alone(failure_class);
}

bool Tally::opens_alone(FailureClass failure_class) const {
    return !failed_rates_.empty() ||
           (failure_class == FailureClass::Safety && (writing_sessions_ > 0 || rate_writes_ > 0));
}

}  // namespace tagout::incident
