#include "incident/statistics.h"

#include "incident/transitions.h"

#include <algorithm>

namespace tagout::incident {

namespace {

using Anchor = std::optional<Instant> Anchors::*;

struct Ends {
    Anchor begin;
    Anchor end;
};

Ends ends_of(Measure measure) noexcept {
    switch (measure) {
        case Measure::Detect:
            return {&Anchors::onset_at, &Anchors::signal_at};
        case Measure::Acknowledge:
            return {&Anchors::paged_at, &Anchors::acked_at};
        case Measure::Contain:
            return {&Anchors::signal_at, &Anchors::contained_at};
        case Measure::Decide:
            return {&Anchors::signal_at, &Anchors::contain_requested_at};
        case Measure::Activate:
            return {&Anchors::contain_requested_at, &Anchors::contained_at};
        case Measure::Recover:
            return {&Anchors::signal_at, &Anchors::recovered_at};
        case Measure::Resolve:
            return {&Anchors::declared_at, &Anchors::resolved_at};
    }
    return {&Anchors::onset_at, &Anchors::signal_at};
}

std::optional<Instant> first_seen(const Incident& incident) {
    return incident.anchors.signal_at ? incident.anchors.signal_at : incident.anchors.declared_at;
}

bool counts(const Incident& incident, const Period& period) {
    const std::optional<Instant> seen = first_seen(incident);
    return incident.kind == IncidentKind::Real && is_listed(incident.state) && seen &&
           *seen >= period.from && *seen < period.to;
}

struct Length {
    Duration length{};
    bool censored = false;
};

/// The smallest length by which the share `p` of all, open ones included, had ended.
std::optional<Duration> quantile(const std::vector<Length>& sorted, double p) {
    constexpr double rounding = 1e-12;
    double surviving = 1;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (sorted[i].censored) {
            continue;
        }
        const auto at_risk = static_cast<double>(sorted.size() - i);
        surviving *= (at_risk - 1) / at_risk;
        if (surviving <= 1 - p + rounding) {
            return sorted[i].length;
        }
    }
    return std::nullopt;
}

Distribution distribution_of(
    std::span<const Incident* const> incidents, Measure measure, Instant now
) {
    Distribution out;
    std::vector<Length> lengths;
    const Ends ends = ends_of(measure);
    for (const Incident* const incident : incidents) {
        const std::optional<Instant>& begin = incident->anchors.*(ends.begin);
        const std::optional<Instant>& end = incident->anchors.*(ends.end);
        if (!begin) {
            continue;
        }
        if (!end && !is_open(incident->state)) {
            ++out.never;
        } else if (end.value_or(now) < *begin) {
            ++out.backwards;
        } else {
            lengths.push_back({.length = end.value_or(now) - *begin, .censored = !end});
            ++(end ? out.n : out.open);
        }
    }
    // Of equal lengths the ended ones come first, as Kaplan and Meier reckon them.
    std::ranges::sort(lengths, [](const Length& a, const Length& b) {
        return a.length != b.length ? a.length < b.length : a.censored < b.censored;
    });
    out.median = quantile(lengths, 0.5);
    out.p75 = quantile(lengths, 0.75);
    out.p90 = quantile(lengths, 0.9);
    for (const Length& each : lengths) {
        if (!each.censored) {
            out.max = each.length;
        }
    }
    return out;
}

}  // namespace

std::string_view name_of(Measure measure) noexcept {
    switch (measure) {
        case Measure::Detect:
            return "detect";
        case Measure::Acknowledge:
            return "acknowledge";
        case Measure::Contain:
            return "contain";
        case Measure::Decide:
            return "decide";
        case Measure::Activate:
            return "activate";
        case Measure::Recover:
            return "recover";
        case Measure::Resolve:
            return "resolve";
    }
    return "?";
}

std::vector<Statistic> statistics(
    std::span<const Incident> incidents, const Period& period, Instant now
) {
    std::vector<Statistic> rows;
    const auto add = [&](std::optional<FailureClass> of_class, std::optional<Severity> of_severity
                     ) {
        std::vector<const Incident*> counted;
        for (const Incident& incident : incidents) {
            if (counts(incident, period) && (!of_class || incident.failure_class == *of_class) &&
                (!of_severity || incident.severity == *of_severity)) {
                counted.push_back(&incident);
            }
        }
        if (counted.empty() && (of_class || of_severity)) {
            return;
        }
        for (const Measure measure : measures) {
            rows.push_back(
                {.measure = measure,
                 .failure_class = of_class,
                 .severity = of_severity,
                 .distribution = distribution_of(counted, measure, now)}
            );
        }
    };
    add({}, {});
    for (const FailureClass each : failure_classes) {
        add(each, {});
    }
    for (const Severity each : {Severity::Sev1, Severity::Sev2, Severity::Sev3}) {
        add({}, each);
    }
    return rows;
}

std::vector<Recurrence> recurrences(std::span<const Incident> incidents, const Period& period) {
    std::vector<Recurrence> rows{Recurrence{}};
    for (const FailureClass each : failure_classes) {
        rows.push_back({.failure_class = each});
    }
    for (const Incident& incident : incidents) {
        if (!counts(incident, period)) {
            continue;
        }
        for (Recurrence& row : rows) {
            if (!row.failure_class || *row.failure_class == incident.failure_class) {
                ++row.incidents;
                row.recurrences += incident.recurrence_of.empty() ? 0 : 1;
            }
        }
    }
    return rows;
}

}  // namespace tagout::incident
