#include "incident/statistics.h"

#include <gtest/gtest.h>

namespace tagout::incident {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Instant noon = Instant(hours(24 * 365 * 50));
constexpr Period all{.from = Instant(), .to = noon + hours(1000)};

/// Signal at noon; contained after `contained`, if it ever was.
Incident incident(IncidentState state, std::optional<Duration> contained) {
    Incident made;
    made.state = state;
    made.failure_class = FailureClass::Tool;
    made.severity = Severity::Sev2;
    made.anchors.onset_at = noon - minutes(2);
    made.anchors.signal_at = noon;
    if (contained) {
        made.anchors.contained_at = noon + *contained;
    }
    return made;
}

Distribution contain(std::span<const Incident> incidents, Instant now = noon + hours(5)) {
    for (const Statistic& row : statistics(incidents, all, now)) {
        if (row.measure == Measure::Contain && !row.failure_class && !row.severity) {
            return row.distribution;
        }
    }
    return {};
}

std::vector<Incident> contained_after(std::initializer_list<int> after) {
    std::vector<Incident> made;
    for (const int each : after) {
        made.push_back(incident(IncidentState::Closed, minutes(each)));
    }
    return made;
}

TEST(Statistics, WithoutOpenOnesQuantilesAreNearestRank) {
    const auto ten = contained_after({1, 2, 3, 4, 5, 6, 7, 8, 9, 100});
    const Distribution got = contain(ten);
    EXPECT_EQ(got.n, 10U);
    EXPECT_EQ(got.open, 0U);
    EXPECT_EQ(got.median, minutes(5));
    EXPECT_EQ(got.p75, minutes(8));
    EXPECT_EQ(got.p90, minutes(9));
    EXPECT_EQ(got.max, minutes(100));
    const Distribution one = contain(contained_after({7}));
    EXPECT_EQ(one.median, minutes(7));
    EXPECT_EQ(one.p90, minutes(7));
}

TEST(Statistics, AnOpenIncidentIsNotLeftOut) {
    // Kaplan-Meier by hand: ended 1, 2, open at 3, ended 4 -> S = 3/4, 2/4, then 0.
    std::vector<Incident> some = contained_after({1, 2, 4});
    some.push_back(incident(IncidentState::Declared, {}));
    const Distribution got = contain(some, noon + minutes(3));
    EXPECT_EQ(got.n, 3U);
    EXPECT_EQ(got.open, 1U);
    EXPECT_EQ(got.median, minutes(2));
    EXPECT_EQ(got.p75, minutes(4));
    EXPECT_EQ(got.max, minutes(4));
}

TEST(Statistics, WhatOpenIncidentsHideIsAbsentAndNotFlattering) {
    std::vector<Incident> some = contained_after({1});
    some.push_back(incident(IncidentState::Declared, {}));
    some.push_back(incident(IncidentState::Declared, {}));
    const Distribution got = contain(some);
    EXPECT_EQ(got.n, 1U);
    EXPECT_EQ(got.open, 2U);
    EXPECT_EQ(got.median, std::nullopt)
        << "one of three was contained: the median is not known yet";
    EXPECT_EQ(got.max, minutes(1));
    EXPECT_EQ(contain({}).median, std::nullopt);
}

TEST(Statistics, OnlyRealIncidentsCount) {
    struct Row {
        const char* name;
        IncidentKind kind;
        IncidentState state;
        bool counts;
    };
    const Row rows[] = {
        {"a real one", IncidentKind::Real, IncidentState::Closed, true},
        {"one in triage", IncidentKind::Real, IncidentState::Triage, true},
        {"a drill", IncidentKind::Drill, IncidentState::Closed, false},
        {"a chaos run", IncidentKind::Chaos, IncidentState::Closed, false},
        {"one written down later", IncidentKind::Backfilled, IncidentState::Closed, false},
        {"only a signal", IncidentKind::Real, IncidentState::Signal, false},
        {"a false positive", IncidentKind::Real, IncidentState::FalsePositive, false},
        {"one merged away", IncidentKind::Real, IncidentState::Merged, false},
        {"one cancelled", IncidentKind::Real, IncidentState::Cancelled, false},
    };
    for (const Row& row : rows) {
        Incident made = incident(row.state, minutes(1));
        made.kind = row.kind;
        made.recurrence_of = IncidentId("INC-1");
        EXPECT_EQ(contain({&made, 1}).n, row.counts ? 1U : 0U) << row.name;
        EXPECT_EQ(recurrences({&made, 1}, all)[0].recurrences, row.counts ? 1U : 0U) << row.name;
    }
}

TEST(Statistics, WhatNeverCameAndWhatRunsBackwardsAreToldApart) {
    const std::vector<Incident> some{
        incident(IncidentState::Closed, {}),
        incident(IncidentState::Closed, minutes(-1)),
        incident(IncidentState::Closed, minutes(3))};
    const Distribution got = contain(some);
    EXPECT_EQ(got.n, 1U);
    EXPECT_EQ(got.never, 1U);
    EXPECT_EQ(got.backwards, 1U);
    EXPECT_EQ(got.median, minutes(3));
}

TEST(Statistics, EachMeasureRunsBetweenItsAnchors) {
    Incident made;
    made.state = IncidentState::Closed;
    made.anchors = {
        .onset_at = noon,
        .signal_at = noon + minutes(1),
        .triage_at = noon + minutes(1),
        .declared_at = noon + minutes(2),
        .paged_at = noon + minutes(3),
        .acked_at = noon + minutes(5),
        .contain_requested_at = noon + minutes(8),
        .contained_at = noon + minutes(9),
        .recovery_started_at = noon + minutes(10),
        .recovered_at = noon + minutes(20),
        .verified_at = noon + minutes(25),
        .impact_ended_at = noon + minutes(9),
        .resolved_at = noon + minutes(30),
        .review_published_at = {},
        .closed_at = noon + minutes(60)};
    const std::pair<Measure, int> expected[] = {
        {Measure::Detect, 1},
        {Measure::Acknowledge, 2},
        {Measure::Contain, 8},
        {Measure::Decide, 7},
        {Measure::Activate, 1},
        {Measure::Recover, 19},
        {Measure::Resolve, 28},
    };
    const std::vector<Statistic> rows = statistics({&made, 1}, all, noon + hours(9));
    for (const auto& [measure, after] : expected) {
        EXPECT_EQ(rows[static_cast<std::size_t>(measure)].measure, measure);
        EXPECT_EQ(rows[static_cast<std::size_t>(measure)].distribution.median, minutes(after))
            << name_of(measure);
    }
}

TEST(Statistics, ClassesSeveritiesAndPeriodsAreKeptApart) {
    std::vector<Incident> some = contained_after({1, 3});
    some[1].failure_class = FailureClass::Cost;
    some[1].severity = Severity::Sev1;
    some[1].recurrence_of = IncidentId("INC-1");
    std::size_t of_class = 0;
    std::size_t of_severity = 0;
    for (const Statistic& row : statistics(some, all, noon + hours(9))) {
        of_class += row.failure_class ? 1 : 0;
        of_severity += row.severity ? 1 : 0;
        if (row.measure == Measure::Contain && row.failure_class == FailureClass::Cost) {
            EXPECT_EQ(row.distribution.median, minutes(3));
        }
        if (row.measure == Measure::Contain && row.severity == Severity::Sev2) {
            EXPECT_EQ(row.distribution.median, minutes(1));
        }
    }
    EXPECT_EQ(of_class, 2 * measures.size()) << "classes without incidents have no row";
    EXPECT_EQ(of_severity, 2 * measures.size());
    const std::vector<Recurrence> again = recurrences(some, all);
    ASSERT_EQ(again.size(), 6U);
    EXPECT_EQ(again[0].incidents, 2U);
    EXPECT_EQ(again[0].recurrences, 1U);
    EXPECT_EQ(recurrences(some, {.from = noon + hours(1), .to = noon + hours(2)})[0].incidents, 0U);
    EXPECT_EQ(recurrences(some, {.from = noon, .to = noon + hours(1)})[0].incidents, 2U);
}

}  // namespace
}  // namespace tagout::incident
