#include "recover/bundle_book.h"

#include <algorithm>
#include <numeric>

namespace tagout::recover {

void OutcomeTally::add(const OutcomeTally& other) noexcept {
    for (std::size_t i = 0; i < by_outcome.size(); ++i) {
        by_outcome[i] += other.by_outcome[i];
    }
}

std::uint64_t OutcomeTally::total() const noexcept {
    return std::accumulate(by_outcome.begin(), by_outcome.end(), std::uint64_t{0});
}

double OutcomeTally::failed_share() const noexcept {
    const std::uint64_t known = total() - of(SessionOutcome::Unknown);
    const std::uint64_t failed = of(SessionOutcome::Failed) + of(SessionOutcome::Abandoned);
    return known == 0 ? 0 : static_cast<double>(failed) / static_cast<double>(known);
}

Duration BundleRecord::in_force_until(Instant now) const {
    return in_force_for +
           (in_force_since ? std::max(Duration{0}, now - *in_force_since) : Duration{0});
}

BundleRecord* BundleBook::record(const AgentName& agent, std::string_view id) {
    const auto found = agents_.find(agent);
    if (found == agents_.end()) {
        return nullptr;
    }
    for (BundleRecord& each : found->second.records) {
        if (each.bundle.id == id) {
            return &each;
        }
    }
    return nullptr;
}

const BundleRecord* BundleBook::find(const AgentName& agent, std::string_view id) const {
    const auto found = agents_.find(agent);
    if (found == agents_.end()) {
        return nullptr;
    }
    const auto at = std::ranges::find(
        found->second.records, id, [](const BundleRecord& each) -> std::string_view {
            return each.bundle.id;
        }
    );
    return at == found->second.records.end() ? nullptr : &*at;
}

void BundleBook::make(catalog::Bundle bundle, Instant at, const Actor& by) {
    if (find(bundle.agent, bundle.id) != nullptr) {
        return;
    }
    AgentBook& book = agents_[bundle.agent];
    if (book.records.size() >= bundles_max_) {
        const auto idle = [&](const BundleRecord& each) { return each.bundle.id != book.now; };
        auto oldest = std::ranges::find_if(book.records, [&](const BundleRecord& each) {
            return idle(each) && !each.is_good();
        });
        if (oldest == book.records.end()) {
            oldest = std::ranges::find_if(book.records, idle);
        }
        if (oldest != book.records.end()) {
            book.records.erase(oldest);
        }
    }
    BundleRecord made;
    made.bundle = std::move(bundle);
    made.made_at = at;
    made.made_by = by;
    book.records.push_back(std::move(made));
}

void BundleBook::put_in_force(const AgentName& agent, const std::string& id, Instant at) {
    AgentBook& book = agents_[agent];
    if (book.now == id) {
        return;
    }
    if (BundleRecord* const before = record(agent, book.now)) {
        before->in_force_for = before->in_force_until(at);
        before->in_force_since.reset();
        before->last_in_force_at = at;
    }
    book.now = id;
    book.periods.push_back({id, at});
    if (book.periods.size() > periods_max) {
        book.periods.pop_front();
    }
    if (BundleRecord* const now = record(agent, id)) {
        now->in_force_since = at;
        now->last_in_force_at = at;
    }
}

void BundleBook::add_evidence(
    const AgentName& agent, const std::string& id, const OutcomeTally& tally
) {
    if (BundleRecord* const found = record(agent, id)) {
        found->evidence.add(tally);
    }
}

void BundleBook::set_good(
    const AgentName& agent, const std::string& id, Instant at, const std::string& reason
) {
    if (BundleRecord* const found = record(agent, id)) {
        found->good_at = at;
        found->good_reason = reason;
    }
}

void BundleBook::block(const AgentName& agent, const std::string& id, const IncidentId& incident) {
    if (BundleRecord* const found = record(agent, id)) {
        found->blocked_by.insert(incident);
    }
}

void BundleBook::unblock(const IncidentId& incident) {
    for (auto& [agent, book] : agents_) {
        for (BundleRecord& each : book.records) {
            each.blocked_by.erase(incident);
        }
    }
}

const BundleRecord* BundleBook::in_force(const AgentName& agent) const {
    const auto found = agents_.find(agent);
    return found == agents_.end() ? nullptr : find(agent, found->second.now);
}

const BundleRecord* BundleBook::in_force_at(const AgentName& agent, Instant at) const {
    const auto found = agents_.find(agent);
    if (found == agents_.end()) {
        return nullptr;
    }
    const std::deque<Period>& periods = found->second.periods;
    for (auto period = periods.rbegin(); period != periods.rend(); ++period) {
        if (period->from <= at) {
            return find(agent, period->id);
        }
    }
    return nullptr;
}

const BundleRecord* BundleBook::last_known_good(const AgentName& agent, bool other_than_now)
    const {
    const auto found = agents_.find(agent);
    if (found == agents_.end()) {
        return nullptr;
    }
    const BundleRecord* best = nullptr;
    const auto last = [](const BundleRecord& each) {
        return each.in_force_since ? Instant::max() : each.last_in_force_at.value_or(each.made_at);
    };
    for (const BundleRecord& each : found->second.records) {
        const bool fits =
            each.is_good() && !(other_than_now && each.bundle.id == found->second.now);
        if (fits && (best == nullptr || last(each) >= last(*best))) {
            best = &each;
        }
    }
    return best;
}

bool BundleBook::is_blocked_by(const IncidentId& incident) const {
    return std::ranges::any_of(agents_, [&](const auto& agent) {
        return std::ranges::any_of(agent.second.records, [&](const BundleRecord& each) {
            return each.blocked_by.contains(incident);
        });
    });
}

std::vector<const BundleRecord*> BundleBook::of(const AgentName& agent) const {
    std::vector<const BundleRecord*> found;
    if (const auto book = agents_.find(agent); book != agents_.end()) {
        for (const BundleRecord& each : book->second.records) {
            found.push_back(&each);
        }
    }
    return found;
}

std::vector<AgentName> BundleBook::agents() const {
    std::vector<AgentName> names;
    for (const auto& [agent, book] : agents_) {
        names.push_back(agent);
    }
    return names;
}

}  // namespace tagout::recover
