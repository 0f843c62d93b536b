// What the first screen says when nothing is open.
#include "app/view.h"

#include <gtest/gtest.h>

#include <utility>

namespace tagout::app {
namespace {

std::string said(std::uint64_t succeeded, std::uint64_t failed) {
    PipelineStats stats;
    stats.items = 1;
    OutcomeCounts hour;
    hour.by_outcome[std::to_underlying(SessionOutcome::Succeeded)] = succeeded;
    hour.by_outcome[std::to_underlying(SessionOutcome::Failed)] = failed;
    return situation({}, stats, hour, Instant{});
}

TEST(Situation, ThatMostSessionsFailIsNotCalledWell) {
    EXPECT_NE(said(0, 391).find("391 of 391 sessions"), std::string::npos);
    EXPECT_NE(said(9, 10).find("10 of 19 sessions"), std::string::npos);
}

TEST(Situation, FewFailuresAreWell) {
    EXPECT_EQ(said(0, 9), "All is well: no open incident.");
    EXPECT_EQ(said(100, 100), "All is well: no open incident.");
    EXPECT_EQ(said(0, 0), "All is well: no open incident.");
}

TEST(Situation, WithoutTelemetryNothingIsKnown) {
    EXPECT_EQ(situation({}, PipelineStats{}, {}, Instant{}), "No telemetry has arrived yet.");
}

}  // namespace
}  // namespace tagout::app
