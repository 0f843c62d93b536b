#include "base/prng.h"
#include "detect/cost/series_watch.h"
#include "detect/sketch/level_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace tagout::detect {
namespace {

constexpr double score_min = 8.7;
constexpr double five_minutes = 300;

double normal(Prng& prng) {
    return std::sqrt(-2 * std::log(1 - prng.unit())) * std::cos(6.283185307 * prng.unit());
}

/// Points at which an episode began.
std::vector<int> episodes(int points, const std::function<double(int, Prng&)>& value) {
    Prng prng(11);
    SeriesWatch watch;
    std::vector<int> began;
    for (int i = 0; i < points; ++i) {
        if (watch.add(i * five_minutes, value(i, prng), score_min).begins) {
            began.push_back(i);
        }
    }
    return began;
}

TEST(SeriesDetector, WhatFires) {
    constexpr int fault = 1'500;
    struct Row {
        const char* name;
        std::function<double(int, Prng&)> value;
        int within;  ///< Points behind `fault`.
    };
    const Row rows[] = {
        {"a spike", [](int i, Prng& p) { return 100 + 5 * normal(p) + (i == fault ? 200 : 0); }, 0},
        {"a dip", [](int i, Prng& p) { return 100 + 5 * normal(p) - (i == fault ? 90 : 0); }, 0},
        {"a new level",
         [](int i, Prng& p) { return 100 + 8 * normal(p) + (i >= fault ? 70 : 0); },
         20},
        {"a drift",
         [](int i, Prng& p) {
             return 100 + 8 * normal(p) + (i >= fault ? std::min(i - fault, 200) * 0.6 : 0);
         },
         200},
        {"a night as busy as the day",
         [](int i, Prng& p) {
             const double day = 100 + 80 * std::sin(6.283185307 * i / 288);
             return (i >= fault && i < fault + 144 ? 260 - day : day) + 4 * normal(p);
         },
         144},
    };
    for (const Row& row : rows) {
        const std::vector<int> began = episodes(2'000, row.value);
        const bool found = std::ranges::any_of(began, [&](int at) {
            return at >= fault && at <= fault + row.within;
        });
        EXPECT_TRUE(found) << row.name;
        const auto before = std::ranges::count_if(began, [](int at) { return at < fault; });
        EXPECT_EQ(before, 0) << row.name << " cries before there is a reason";
    }
}

TEST(SeriesDetector, WhatMustNot) {
    struct Row {
        const char* name;
        std::function<double(int, Prng&)> value;
        int most;  ///< Episodes in 5,200 points, about eighteen days.
    };
    const Row rows[] = {
        {"nothing at all", [](int, Prng&) { return 20.0; }, 0},
        {"zeros", [](int, Prng&) { return 0.0; }, 0},
        {"noise", [](int, Prng& p) { return 100 + 10 * normal(p); }, 5},
        {"days",
         [](int i, Prng& p) { return 100 + 80 * std::sin(6.283185307 * i / 288) + 5 * normal(p); },
         2},
        {"a spike every six hours becomes a habit",
         [](int i, Prng& p) { return 50 + 3 * normal(p) + (i > 500 && i % 72 == 0 ? 150 : 0); },
         12},
        {"few counts", [](int, Prng& p) { return static_cast<double>(p.below(4)); }, 2},
    };
    for (const Row& row : rows) {
        const std::vector<int> began = episodes(6'000, row.value);
        const auto late = std::ranges::count_if(began, [](int at) { return at > 800; });
        EXPECT_LE(late, row.most) << row.name;
    }
}

TEST(SeriesDetector, AnEpisodeIsToldOnceAndNonsenseIsPassedOver) {
    const std::vector<int> began = episodes(1'600, [](int i, Prng& p) {
        return 100 + 5 * normal(p) + (i >= 1'500 && i < 1'510 ? 300 : 0);
    });
    EXPECT_EQ(began, (std::vector<int>{1'500}));
    SeriesWatch watch;
    const double nonsense[] = {std::nan(""), HUGE_VAL, -HUGE_VAL};
    for (const double value : nonsense) {
        EXPECT_EQ(watch.add(0, value, score_min).reading.score, 0);
        EXPECT_EQ(watch.add(value, 1, score_min).reading.score, 0);
    }
    EXPECT_EQ(watch.detector().points(), 0U);
    for (int i = 0; i < 1'000; ++i) {  // clocks that run backwards, and huge numbers
        const double value = i % 2 == 0 ? 1e300 : -1e300;
        EXPECT_TRUE(std::isfinite(watch.add(1e9 - i * 1e5, value, score_min).reading.score));
    }
}

/// Panes with `count(i)` calls of about `tokens(i)` tokens: those at which the level rose.
int first_rise(
    int panes, const std::function<int(int)>& count, const std::function<double(int)>& tokens
) {
    Prng prng(5);
    LevelWatch watch;
    std::vector<LogMoments> recent;
    for (int i = 0; i < panes; ++i) {
        LogMoments pane;
        for (int call = count(i); call > 0; --call) {
            pane.add(tokens(i) * std::exp(0.9 * normal(prng)));
        }
        recent.push_back(pane);
        if (recent.size() > 6) {
            watch.learn(recent.front());
            recent.erase(recent.begin());
        }
        LogMoments first;
        LogMoments all;
        for (std::size_t k = 0; k < recent.size(); ++k) {
            all.merge(recent[k]);
            if (k + 3 >= recent.size()) {
                first.merge(recent[k]);
            }
        }
        if (watch.judge({first, all}, {.numbers_min = 5, .usual_min = 30}, true).certain) {
            return i;
        }
    }
    return -1;
}

TEST(LevelWatch, TwiceTheTokensIsFoundWhereThereAreCallsEnoughToKnow) {
    const auto steady = [](int) { return 20; };
    const auto sparse = [](int) { return 1; };
    const auto flat = [](int) { return 800.0; };
    const auto doubled = [](int i) { return i < 300 ? 800.0 : 1'600.0; };
    const auto tenfold = [](int i) { return i < 300 ? 800.0 : 8'000.0; };
    EXPECT_EQ(first_rise(900, steady, flat), -1);
    EXPECT_EQ(first_rise(900, sparse, flat), -1);
    const int found = first_rise(900, steady, doubled);
    EXPECT_GE(found, 300);
    EXPECT_LE(found, 306) << "half a minute";
    EXPECT_GE(first_rise(900, sparse, tenfold), 300);
    EXPECT_LE(first_rise(900, sparse, tenfold), 308);
    EXPECT_EQ(
        first_rise(
            900, [](int i) { return i < 300 ? 5 : 60; }, flat
        ),
        -1
    ) << "a busy hour";
}

TEST(LevelWatch, MoreKeysAreJudgedMoreCalmly) {
    EXPECT_DOUBLE_EQ(z_for(3.5, 1), 3.5);
    EXPECT_DOUBLE_EQ(z_for(3.5, 0), 3.5);
    EXPECT_NEAR(z_for(3.5, 1'000), 5.1, 0.01);
}

}  // namespace
}  // namespace tagout::detect
