#include "base/distinct_count.h"

#include "base/prng.h"

#include <gtest/gtest.h>

namespace tagout {
namespace {

DistinctCount of(std::uint64_t seed, int things) {
    Prng prng(seed);
    DistinctCount made;
    for (int i = 0; i < things; ++i) {
        made.add(prng.next());
    }
    return made;
}

TEST(DistinctCount, IsExactWhileFew) {
    EXPECT_EQ(DistinctCount{}.count(), 0U);
    EXPECT_EQ(of(1, 1).count(), 1U);
    EXPECT_EQ(of(1, 255).count(), 255U);
}

TEST(DistinctCount, IsWithinAFifthOfMany) {
    for (const int things : {300, 1'000, 10'000, 200'000}) {
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            const auto counted = static_cast<double>(of(seed, things).count());
            EXPECT_NEAR(counted / things, 1.0, 0.2) << things << " things, seed " << seed;
        }
    }
}

TEST(DistinctCount, TakesRepeatsAndOrderAndSharesAsOne) {
    DistinctCount ab = of(1, 400);
    ab.merge(of(2, 500));
    DistinctCount ba = of(2, 500);
    ba.merge(of(1, 400));
    EXPECT_EQ(ab, ba);
    ba.merge(ba);
    ba.merge(of(1, 400));
    EXPECT_EQ(ab, ba);
    EXPECT_LE(ab.kept().size(), DistinctCount::kept_max);
}

TEST(DistinctCount, ComesBackFromItsText) {
    for (const int things : {0, 1, 7, 2'000}) {
        const DistinctCount made = of(3, things);
        EXPECT_EQ(distinct_count_of(to_text(made)), made);
    }
    EXPECT_EQ(distinct_count_of("no hash at all, and long enough").count(), 0U);
    EXPECT_EQ(distinct_count_of("0123456789abcdef0123").count(), 1U) << "a torn end is left away";
}

}  // namespace
}  // namespace tagout
