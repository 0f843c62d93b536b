#include "prevent/gate.h"
#include "prevent/junit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace tagout::prevent {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Instant noon = Instant(hours(24 * 365 * 50));

incident::Incident incident_of(const char* id, IncidentState state, Severity severity) {
    incident::Incident made;
    made.id = IncidentId(id);
    made.agent = AgentName("refund-agent");
    made.cause = "payments.refund";
    made.state = state;
    made.severity = severity;
    made.title = "refunds go wrong";
    made.anchors.onset_at = noon - hours(5);
    if (state >= IncidentState::Resolved) {
        made.anchors.resolved_at = noon - hours(1);
    }
    return made;
}

/// Everything is well and known.
GateFacts good() {
    GateFacts facts;
    facts.agent = AgentName("refund-agent");
    facts.now = noon;
    facts.incidents = {incident_of("INC-1", IncidentState::Closed, Severity::Sev1)};
    facts.controls.emplace();
    facts.reviewed = {IncidentId("INC-1")};
    facts.with_cases = {IncidentId("INC-1")};
    facts.cases = std::vector<Check>{{"REG-1", Judgement::Pass, "denied"}};
    facts.journeys = std::vector<JourneyFact>{{"refund an order", noon - minutes(5), ""}};
    facts.last_known_good = "bundle-1";
    facts.telemetry_at = noon - minutes(1);
    return facts;
}

struct Row {
    const char* name;
    std::function<void(GateFacts&)> change;
    const char* check;
    Judgement verdict;
    const char* says;  ///< Part of the sentence: the remedy.
};

const Row rows[] = {
    {"an open SEV1",
     [](GateFacts& f) {
         f.incidents.push_back(incident_of("INC-2", IncidentState::Declared, Severity::Sev1));
     },
     "open_incidents", Judgement::Fail, "tagout incidents resolve INC-2"},
    {"an open SEV3 is no reason",
     [](GateFacts& f) {
         f.incidents.push_back(incident_of("INC-2", IncidentState::Declared, Severity::Sev3));
     },
     "open_incidents", Judgement::Pass, "no SEV1"},
    {"a control of an incident",
     [](GateFacts& f) {
         f.controls->push_back({"CTL-1", "tool:payments.refund", "stopped", IncidentId("INC-1"), true, true});
     },
     "controls", Judgement::Fail, "tagout contain release CTL-1"},
    {"a control that was not proved",
     [](GateFacts& f) {
         f.controls->push_back({"CTL-1", "tool:x", "stopped", IncidentId(), false, true});
     },
     "controls", Judgement::Fail, "tagout contain probe CTL-1"},
    {"a control that observes",
     [](GateFacts& f) {
         f.controls->push_back({"CTL-1", "tool:x", "observe", IncidentId("INC-1"), false, false});
     },
     "controls", Judgement::Pass, ""},
    {"unknown controls", [](GateFacts& f) { f.controls.reset(); }, "controls",
     Judgement::Inconclusive, "not known"},
    {"a case that fails",
     [](GateFacts& f) { f.cases->push_back({"REG-2", Judgement::Fail, "would be let through"}); },
     "regressions", Judgement::Fail, "REG-2"},
    {"cases that were not run",
     [](GateFacts& f) {
         f.cases.reset();
         f.cases_not_run = "no bundle of it is known";
     },
     "regressions", Judgement::Inconclusive, "no bundle of it is known"},
    {"an ended SEV1 without a case", [](GateFacts& f) { f.with_cases.clear(); }, "regressions",
     Judgement::Inconclusive, "tagout regressions create INC-1"},
    {"it came back",
     [](GateFacts& f) {
         CauseRecord row;
         row.cause = "payments.refund";
         row.recurrences = 1;
         row.recurred = {IncidentId("INC-1")};
         row.sessions_since = 40;
         f.recurrences.push_back(row);
     },
     "recurrence", Judgement::Fail, "40 sessions"},
    {"a missing review", [](GateFacts& f) { f.reviewed.clear(); }, "reviews", Judgement::Fail,
     "tagout review new INC-1"},
    {"an overdue action",
     [](GateFacts& f) {
         Action action;
         action.id = "ACT-1";
         action.title = "Cap refunds";
         action.owner = "payments";
         f.overdue.push_back(action);
     },
     "actions", Judgement::Fail, "tagout actions close ACT-1"},
    {"a journey that failed",
     [](GateFacts& f) { f.journeys->push_back({"buy", std::nullopt, "status 500"}); }, "journeys",
     Judgement::Fail, "status 500"},
    {"a journey that ran long ago",
     [](GateFacts& f) { f.journeys->front().passed_at = noon - hours(48); }, "journeys",
     Judgement::Inconclusive, "tagout journeys run"},
    {"no journeys", [](GateFacts& f) { f.journeys->clear(); }, "journeys", Judgement::Inconclusive,
     "tagout.yaml"},
    {"nothing to fall back to", [](GateFacts& f) { f.last_known_good = ""; }, "last_known_good",
     Judgement::Inconclusive, "no bundle has proved itself"},
    {"no telemetry", [](GateFacts& f) { f.telemetry_at.reset(); }, "detection",
     Judgement::Inconclusive, "OTEL_EXPORTER_OTLP_ENDPOINT"},
    {"old telemetry", [](GateFacts& f) { f.telemetry_at = noon - hours(3); }, "detection",
     Judgement::Inconclusive, "3h old"},
};

TEST(Gate, EachFactDecidesItsCheckAndSaysWhatToDo) {
    EXPECT_EQ(evaluate(good(), Settings{}).verdict, Judgement::Pass)
        << evaluate(good(), Settings{}).sentence;
    for (const Row& row : rows) {
        GateFacts facts = good();
        row.change(facts);
        const Gate gate = evaluate(facts, Settings{});
        const auto check = std::ranges::find(gate.checks, row.check, &Check::name);
        ASSERT_NE(check, gate.checks.end()) << row.name;
        EXPECT_EQ(check->judgement, row.verdict) << row.name << ": " << check->sentence;
        EXPECT_NE(check->sentence.find(row.says), std::string::npos) << row.name << ": " << check->sentence;
        EXPECT_EQ(gate.verdict, row.verdict) << row.name;
        if (row.verdict != Judgement::Pass) {
            EXPECT_EQ(gate.sentence, check->sentence) << row.name;
        }
    }
}

TEST(Gate, NothingKnownIsNoPass) {
    GateFacts facts;
    facts.now = noon;
    const Gate gate = evaluate(facts, Settings{});
    EXPECT_EQ(gate.verdict, Judgement::Inconclusive);
    EXPECT_EQ(exit_code_of(gate.verdict), 2);
}

TEST(Gate, AFailOutweighsWhatIsNotKnown) {
    GateFacts facts = good();
    facts.telemetry_at.reset();
    facts.reviewed.clear();
    const Gate gate = evaluate(facts, Settings{});
    EXPECT_EQ(gate.verdict, Judgement::Fail);
    EXPECT_EQ(exit_code_of(gate.verdict), 1);
}

TEST(Gate, SettingsSayWhatIsRequired) {
    Settings settings;
    settings.review_within = hours(24);
    settings.journeys_required = false;
    settings.fallback_required = false;
    settings.cases_required = false;
    settings.sev2_blocks = false;
    GateFacts facts = good();
    facts.reviewed.clear();
    facts.journeys->clear();
    facts.last_known_good = "";
    facts.with_cases.clear();
    facts.incidents.push_back(incident_of("INC-2", IncidentState::Declared, Severity::Sev2));
    EXPECT_EQ(evaluate(facts, settings).verdict, Judgement::Pass) << evaluate(facts, settings).sentence;
}

TEST(Junit, AnInconclusiveCheckIsAnErrorAndNoPass) {
    const Check checks[] = {
        {"a", Judgement::Pass, "fine"},
        {"b", Judgement::Fail, "x < y & \"z\"\n\x01"},
        {"c", Judgement::Inconclusive, "unknown"},
    };
    const std::string xml = junit_xml("tagout gate", checks);
    EXPECT_NE(xml.find(R"(tests="3" failures="1" errors="1")"), std::string::npos) << xml;
    EXPECT_NE(xml.find("x &lt; y &amp; &quot;z&quot;&#10;\xEF\xBF\xBD"), std::string::npos) << xml;
    EXPECT_NE(xml.find(R"(<error message="unknown"/>)"), std::string::npos) << xml;
}

incident::Incident began(const char* id, Duration ago, std::optional<Duration> ended_ago) {
    incident::Incident made = incident_of(
        id, ended_ago ? IncidentState::Resolved : IncidentState::Declared, Severity::Sev2
    );
    made.anchors.onset_at = noon - ago;
    made.anchors.resolved_at.reset();
    if (ended_ago) {
        made.anchors.resolved_at = noon - *ended_ago;
    }
    return made;
}

TEST(Recurrence, OnlyWhatBeganAfterItWasOverCameBack) {
    std::vector<incident::Incident> all{
        began("INC-1", hours(240), hours(200)),
        began("INC-2", hours(190), hours(180)),   // came back
        began("INC-3", hours(185), hours(170)),   // began while INC-2 was open, after INC-1 was over
        began("INC-4", hours(2), std::nullopt)};  // came back, still open
    incident::Incident drill = began("INC-5", hours(1), std::nullopt);
    drill.kind = IncidentKind::Drill;
    all.push_back(drill);
    incident::Incident other = began("INC-6", hours(3), hours(1));
    other.cause = "mail.send";
    all.push_back(other);
    const std::vector<CauseRecord> found = recurrences_by_cause(
        all,
        hours(24 * 30),
        noon,
        [](const AgentName&, Instant since) -> std::optional<std::uint64_t> {
            return since == noon - hours(170) ? 2000 : 0;
        }
    );
    ASSERT_EQ(found.size(), 2U);
    const CauseRecord& row = found.front();
    EXPECT_EQ(row.incidents, 4U) << "a drill never counts";
    EXPECT_EQ(row.recurrences, 3U);
    EXPECT_EQ(row.recurred.back(), IncidentId("INC-4"));
    EXPECT_TRUE(row.open);
    EXPECT_EQ(row.sessions_since, 2000U);
    EXPECT_DOUBLE_EQ(*row.per_thousand_sessions(), 1.5);
    EXPECT_EQ(found.back().recurrences, 0U);
    EXPECT_FALSE(found.back().per_thousand_sessions().has_value()) << "no exposure, no rate";
}

TEST(Recurrence, OutsideTheWindowItIsForgotten) {
    const std::vector<incident::Incident> all{
        began("INC-1", hours(24 * 90), hours(24 * 80)), began("INC-2", hours(2), hours(1))};
    const std::vector<CauseRecord> found = recurrences_by_cause(all, hours(24 * 30), noon, {});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().recurrences, 0U);
    EXPECT_TRUE(recurrences_by_cause(std::span(all).first(1), hours(24 * 30), noon, {}).empty());
}

}  // namespace
}  // namespace tagout::prevent
