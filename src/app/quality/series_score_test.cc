// The NAB score against sums worked out by hand, and recorded numbers through the detectors.
#include "app/quality/nab_score.h"
#include "app/quality/scorers.h"
#include "app/recorded_numbers.h"
#include "base/prng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace tagout::app {
namespace {

using Windows = std::vector<std::pair<std::size_t, std::size_t>>;

double worth(double position) {
    return 2 / (1 + std::exp(5 * position)) - 1;
}

TEST(NabScore, IsTheBenchmarksOwn) {
    constexpr std::size_t points = 1'000;
    const Windows windows{{400, 499}, {800, 899}};
    struct Row {
        const char* name;
        std::vector<std::size_t> detections;
        double score;
    };
    const double miss = 0.11 / 4 * 100;  // one false alarm of two windows' span, in points
    const Row rows[] = {
        {"nothing", {}, 0},
        {"both at once", {400, 800}, 100},
        {"one of two", {400}, 50},
        {"the earliest of a window counts", {450, 400, 480, 800}, 100},
        {"in the middle", {450, 800}, 50 + 25 + 25 * worth(-0.5) / worth(-1)},
        {"probation does not count", {10, 149, 400, 800}, 100},
        {"before every window", {200, 400, 800}, 100 - miss},
        {"shortly behind a window", {400, 549, 800}, 100 + miss * worth(50.0 / 99)},
        {"far behind it", {400, 797, 800}, 100 - miss},
    };
    for (const Row& row : rows) {
        std::vector<double> scores(points);
        for (const std::size_t at : row.detections) {
            scores[at] = 0.7;
        }
        NabScore score;
        score.add(scores, windows);
        EXPECT_NEAR(score.score_at(0.7), row.score, 1e-9) << row.name;
        EXPECT_NEAR(score.best().score, std::max(row.score, 0.0), 1e-9) << row.name;
    }
}

TEST(NabScore, TheBestThresholdIsTheOneOfAllSeriesTogether) {
    NabScore score;
    std::vector<double> scores(1'000);
    scores[400] = 0.9;
    for (std::size_t i = 500; i < 700; ++i) {
        scores[i] = 0.5;
    }
    score.add(scores, Windows{{400, 420}});
    std::ranges::fill(scores, 0.0);
    scores[300] = 0.8;
    score.add(scores, Windows{{290, 310}});
    const NabScore::Best best = score.best();
    EXPECT_EQ(best.threshold, 0.8);
    EXPECT_EQ(best.found, 2U);
    EXPECT_EQ(best.false_alarms, 0U);
    EXPECT_GT(best.score, score.score_at(0.5));
    EXPECT_EQ(NabScore().best().score, 0);
}

TEST(RecordedNumbers, ASeriesHasFindingsAtItsSteps) {
    intake::RecordedSeries series;
    series.id = "queue/a";
    Prng prng(2);
    for (int i = 0; i < 2'000; ++i) {
        series.times.push_back(Instant(std::chrono::minutes(5) * i));
        series.values.push_back(100 + 10 * prng.unit() + (i >= 1'500 && i < 1'504 ? 400 : 0));
    }
    const std::vector<Finding> findings = findings_of(series, detect::Settings{});
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].step, 1'500U);
    EXPECT_EQ(findings[0].failure_class, FailureClass::Cost);
    EXPECT_EQ(findings[0].signal, "cost.queue_depth");
    EXPECT_NE(findings[0].evidence.find("queue/a shows a"), std::string::npos)
        << findings[0].evidence;
}

/// Lines of requests a quarter of a second apart, through the scorer that replay --score uses.
std::vector<QualityRow> score_load(const std::string& source) {
    std::vector<std::unique_ptr<SetScorer>> scorers;
    add_series_scorers(detect::Settings{}, scorers);
    Prng prng(8);
    intake::RecordedRun run;
    run.kind = intake::RecordKind::RequestTrace;
    run.source = source;
    const boost::json::object labels;
    for (int i = 0; i < 8'000; ++i) {
        const double tokens = 800 * std::exp(prng.unit() + prng.unit() + prng.unit() - 1.5);
        const std::string line = R"({"source":")" + source + R"(","t":)" + std::to_string(i * 250) +
                                 R"(,"in":)" + std::to_string(static_cast<int>(tokens)) +
                                 R"(,"out":50})";
        for (const auto& scorer : scorers) {
            if (scorer->wants(source)) {
                scorer->take({line, run, labels, {}, SessionOutcome::Unknown});
            }
        }
    }
    std::vector<QualityRow> rows;
    for (const auto& scorer : scorers) {
        std::ranges::move(scorer->rows(), std::back_inserter(rows));
    }
    return rows;
}

TEST(RequestLoads, SpikesAreFoundAndNothingElse) {
    const std::vector<QualityRow> rows = score_load("chat_conv");
    const auto value = [&](std::string_view figure) {
        const auto row = std::ranges::find(rows, figure, &QualityRow::figure);
        EXPECT_NE(row, rows.end()) << figure;
        return row == rows.end() ? -1.0 : row->value;
    };
    EXPECT_GE(value("spike x2, found"), 0.95);
    EXPECT_GE(value("spike x3, found in 60 s"), 0.95);
    EXPECT_LE(value("spike x2, median delay"), 60);
    EXPECT_EQ(value("false alarms"), 0);
}

}  // namespace
}  // namespace tagout::app
