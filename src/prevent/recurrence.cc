#include "prevent/recurrence.h"

#include "incident/transitions.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

namespace tagout::prevent {

namespace {

bool counts(const incident::Incident& incident) {
    return incident.kind == IncidentKind::Real && incident::is_listed(incident.state);
}

Instant began(const incident::Incident& incident) {
    return incident.anchors.onset_at.value_or(incident.anchors.signal_at.value_or(
        incident.anchors.declared_at.value_or(incident.last_finding_at)
    ));
}

std::optional<Instant> ended(const incident::Incident& incident) {
    if (incident::is_open(incident.state)) {
        return std::nullopt;
    }
    return incident.anchors.resolved_at ? incident.anchors.resolved_at : incident.anchors.closed_at;
}

}  // namespace

std::optional<double> CauseRecord::per_thousand_sessions() const noexcept {
    if (!sessions_since || *sessions_since == 0) {
        return std::nullopt;
    }
    return static_cast<double>(recurrences) * 1000.0 / static_cast<double>(*sessions_since);
}

std::vector<CauseRecord> recurrences_by_cause(
    std::span<const incident::Incident> incidents, Duration window, Instant now,
    const Exposure& exposure
) {
    using Key = std::tuple<FailureClass, std::string, std::string, std::string>;
    std::map<Key, std::vector<const incident::Incident*>> groups;
    for (const incident::Incident& each : incidents) {
        if (counts(each)) {
            groups[{each.failure_class, each.agent.text(), each.tool.text(), each.cause}].push_back(
                &each
            );
        }
    }
    std::vector<CauseRecord> rows;
    for (auto& [key, group] : groups) {
        std::ranges::stable_sort(group, {}, [](const incident::Incident* each) {
            return began(*each);
        });
        if (began(*group.back()) < now - window) {
            continue;
        }
        const incident::Incident& newest = *group.back();
        CauseRecord row;
        row.failure_class = newest.failure_class;
        row.agent = newest.agent;
        row.tool = newest.tool;
        row.cause = newest.cause;
        row.newest = newest.id;
        std::set<Instant> ends;  // Of those before the one looked at.
        for (const incident::Incident* const each : group) {
            const Instant begin = began(*each);
            const auto after = ends.upper_bound(begin);
            const bool was_over = after != ends.begin() && begin - *std::prev(after) <= window;
            if (was_over && begin >= now - window) {
                ++row.recurrences;
                row.recurred.push_back(each->id);
            }
            if (const std::optional<Instant> end = ended(*each)) {
                ends.insert(*end);
            }
            row.open = row.open || incident::is_open(each->state);
            ++row.incidents;
        }
        if (!ends.empty()) {
            row.last_ended = *ends.rbegin();
        }
        if (row.last_ended && exposure) {
            row.sessions_since = exposure(row.agent, *row.last_ended);
        }
        rows.push_back(std::move(row));
    }
    std::ranges::stable_sort(rows, std::greater{}, &CauseRecord::recurrences);
    return rows;
}

}  // namespace tagout::prevent
