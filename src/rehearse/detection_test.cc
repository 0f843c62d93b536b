// The acceptance of detection, in process: each fault opens exactly one incident, of its class, under
// the default settings and within a minute of the fleet's time; a healthy fleet opens none.

#include "rehearse/detection_driver.h"

#include "rehearse/sim.h"

#include <gtest/gtest.h>

#include <future>
#include <optional>

namespace tagout::rehearse {
namespace {

constexpr int speed = 8;
constexpr Duration fleet_time = std::chrono::seconds(75);
constexpr Duration fault_start = std::chrono::seconds(15);

struct Watched {
    std::vector<incident::Incident> incidents;
    std::map<std::string, Finding> findings;
    SimReport report;
    std::string story;  ///< What was found, for the message of a failing test.
};

std::string story_of(const Watched& watched) {
    std::string out;
    for (const incident::Incident& incident : watched.incidents) {
        out += "\n  " + incident.id.text() + " " + std::string(name_of(incident.failure_class)) + " " +
               std::string(name_of(incident.state)) + ": " + incident.title;
    }
    for (const auto& [id, finding] : watched.findings) {
        out += "\n    " + finding.signal + " (" + std::string(name_of(finding.outcome)) +
               "): " + finding.evidence;
    }
    return out;
}

Watched watch(std::optional<FaultKind> fault) {
    const SystemClock real;
    const FastClock clock(real, speed);
    DetectionDriver driver(clock);
    SimOptions options;
    options.otlp_endpoint = driver.url();
    options.duration = fleet_time;
    options.pace = 1.0 / speed;
    options.agents = 24;
    options.model_timeout = std::chrono::seconds(10);  // A busy machine is no slow model ...
    if (fault) {
        Fault one;
        one.kind = *fault;
        one.start = fault_start;
        one.share = info_of(*fault).share;
        options.faults.push_back(one);
        if (*fault == FaultKind::SlowModel) {
            options.model_timeout = std::chrono::milliseconds(300);  // ... but this one is.
        }
    }
    const std::atomic<bool> never{false};
    const Result<SimReport> report = run_sim(options, clock, never);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    Watched watched{
        .incidents = driver.incidents(),
        .findings = driver.findings(),
        .report = report ? *report : SimReport{},
        .story = report ? "" : report.error().message,
    };
    watched.story += story_of(watched);
    return watched;
}

TEST(Detection, EachFaultOpensOneIncidentOfItsClassAndAHealthyFleetNone) {
    std::future<Watched> healthy =
        std::async(std::launch::async, [] { return watch(std::nullopt); });
    std::vector<std::future<Watched>> struck;
    for (const FaultInfo& fault : fault_table) {
        struck.push_back(std::async(std::launch::async, [&fault] { return watch(fault.kind); }));
    }
    for (std::size_t i = 0; i < struck.size(); ++i) {
        const Watched watched = struck[i].get();
        const FaultInfo& fault = fault_table[i];
        SCOPED_TRACE(std::string(fault.name) + watched.story);
        EXPECT_EQ(watched.report.items_lost, 0u);
        ASSERT_EQ(watched.incidents.size(), 1u);
        const incident::Incident& incident = watched.incidents.front();
        EXPECT_EQ(incident.failure_class, fault.failure_class);
        EXPECT_GT(incident.impact.failed_sessions + incident.impact.writes, 0u);
    }
    const Watched calm = healthy.get();
    SCOPED_TRACE("healthy" + calm.story);
    EXPECT_GT(calm.report.sessions_ended, 150u);
    EXPECT_TRUE(calm.incidents.empty());
}

}  // namespace
}  // namespace tagout::rehearse
