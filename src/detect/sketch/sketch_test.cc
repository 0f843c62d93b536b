#include "base/prng.h"
#include "detect/sketch/ddsketch.h"
#include "detect/sketch/moments.h"
#include "detect/sketch/rate_cusum.h"
#include "detect/sketch/space_saving.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace tagout::detect {
namespace {

double normal(Prng& prng) {
    return std::sqrt(-2 * std::log(1 - prng.unit())) * std::cos(6.283185307 * prng.unit());
}

TEST(DdSketch, QuantilesAreWithinTheBoundAndMergingLosesNothing) {
    Prng prng(7);
    std::vector<double> values;
    DdSketch whole;
    DdSketch parts[3];
    for (int i = 0; i < 30'000; ++i) {
        const double value = std::exp(6 + 0.8 * normal(prng));
        values.push_back(value);
        whole.add(value);
        parts[prng.below(3)].add(value);
    }
    std::ranges::sort(values);
    DdSketch merged = parts[2];
    merged.merge(parts[0]);
    merged.merge(parts[1]);
    for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
        const double exact = values[static_cast<std::size_t>(share * 29'999)];
        EXPECT_NEAR(whole.quantile(share) / exact, 1, DdSketch::relative_error + 1e-3) << share;
        EXPECT_EQ(whole.quantile(share), merged.quantile(share)) << share;
    }
}

TEST(DdSketch, HighQuantilesSurviveTheBound) {
    Prng prng(8);
    std::vector<double> values;
    DdSketch sketch;
    for (int i = 0; i < 20'000; ++i) {
        const double value = std::pow(10, prng.unit() * 18 - 5);
        values.push_back(value);
        sketch.add(value);
    }
    std::ranges::sort(values);
    EXPECT_LE(sketch.buckets().size(), DdSketch::buckets_max);
    const double exact = values[static_cast<std::size_t>(0.99 * 19'999)];
    EXPECT_NEAR(sketch.quantile(0.99) / exact, 1, 0.04);
    sketch.add(0);
    sketch.add(-5);
    EXPECT_EQ(sketch.zeros(), 2U);
    EXPECT_EQ(sketch.quantile(0), 0);
    EXPECT_EQ(DdSketch().quantile(0.5), 0);
}

TEST(SpaceSaving, KeepsEveryFrequentNameWithinItsError) {
    Prng prng(9);
    std::map<std::string, std::uint64_t> exact;
    SpaceSaving<8> left;
    SpaceSaving<8> right;
    for (int i = 0; i < 20'000; ++i) {
        const auto rank = static_cast<int>(std::pow(2, prng.unit() * 8));
        const std::string name = "n" + std::to_string(rank);
        ++exact[name];
        (prng.chance(0.5) ? left : right).add(name);
    }
    left.merge(right);
    EXPECT_EQ(left.total(), 20'000U);
    EXPECT_LE(left.entries().size(), 8U);
    for (const auto& [name, count] : exact) {
        if (count > 20'000 / 4) {  // twice the bound, for two summaries were merged
            EXPECT_TRUE(std::ranges::any_of(left.entries(), [&](const auto& e) {
                return e.name == name;
            }));
        }
    }
    for (const SpaceSavingEntry& entry : left.entries()) {
        EXPECT_GE(entry.count, exact[entry.name]);
        EXPECT_LE(entry.count - entry.error, exact[entry.name]);
    }
}

TEST(UsualLogMean, ABusyPaneIsNoSpikeAndABigOneIs) {
    Prng prng(10);
    UsualLogMean usual;
    const auto pane_of = [&](int n, double factor) {
        LogMoments pane;
        for (int i = 0; i < n; ++i) {
            pane.add(factor * std::exp(6.5 + 0.7 * normal(prng)));
        }
        return pane;
    };
    for (int i = 0; i < 60; ++i) {
        usual.learn(pane_of(10 + i % 5, 1), 60);
    }
    EXPECT_LT(usual.z(pane_of(200, 1)), 4);
    EXPECT_LT(usual.z(pane_of(2, 2)), 4);
    EXPECT_GT(usual.z(pane_of(20, 4)), 5);
    EXPECT_NEAR(usual.ratio(pane_of(400, 4)), 4, 0.6);
}

TEST(LogMoments, MergingIsAdding) {
    LogMoments whole;
    LogMoments left;
    LogMoments right;
    for (int i = 1; i < 50; ++i) {
        whole.add(i);
        (i % 3 == 0 ? left : right).add(i);
    }
    left.merge(right);
    EXPECT_EQ(left.n, whole.n);
    EXPECT_NEAR(left.log_mean(), whole.log_mean(), 1e-12);
    EXPECT_NEAR(left.log_variance(), whole.log_variance(), 1e-12);
}

TEST(RateCusum, SparseKeysStaySilentAndStormsDoNot) {
    struct Row {
        const char* name;
        std::uint64_t bad;
        std::uint64_t total;
        bool fires;
    };
    const Row rows[] = {
        {"one error of one call", 1, 1, false},
        {"three of three", 3, 3, false},
        {"seven of seven", 7, 7, true},
        {"five of a hundred", 5, 100, false},
        {"thirty of sixty", 30, 60, true},
    };
    for (const Row& row : rows) {
        RateCusum cusum;
        cusum.add(row.bad, row.total, 0.05, 0.25, 10);
        EXPECT_EQ(cusum.sum() >= 10, row.fires) << row.name;
    }
}

TEST(RateCusum, UsualErrorsRarelyAlarm) {
    int alarms = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Prng prng(seed);
        RateCusum cusum;
        bool fired = false;
        for (int i = 0; i < 600; ++i) {
            cusum.add(prng.chance(0.05) ? 1 : 0, 1, 0.05, 0.25, 10);
            fired = fired || cusum.sum() >= 10;
        }
        alarms += fired ? 1 : 0;
    }
    EXPECT_LE(alarms, 1);
}

TEST(UsualRate, AnUnknownKeyIsHeldToThePrior) {
    UsualRate usual;
    EXPECT_NEAR(usual.rate(0.05, 20), 0.05, 1e-12);
    usual.learn(300, 1'000, 400);
    EXPECT_NEAR(usual.rate(0.05, 20), 0.288, 0.01);
    EXPECT_LE(usual.seen(), 400);
}

}  // namespace
}  // namespace tagout::detect
