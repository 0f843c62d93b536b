// What the learner of ratings promises: displeasure is told apart in other words, the same ratings
// in whatever order and however split give the same judge, rare ratings are not crowded out, and
// whatever stands in a text stays bounded.

#include "detect/intent/rating_judge.h"

#include "base/prng.h"
#include "detect/intent/dialogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {
namespace {

constexpr Instant rated_at{std::chrono::hours(24 * 365 * 50)};

TurnFeatures heard(std::string_view answered, std::string_view said) {
    Dialogue dialogue;
    dialogue.note_said("hello there", read_tone("hello there"));
    dialogue.note_answer(answered);
    dialogue.note_said(said, read_tone(said));
    return turn_features(dialogue.turn());
}

struct Rated {
    TurnFeatures features;
    bool displeased = false;
};

/// Users of this deployment say "meh" and "skip it" when they are not pleased.
std::vector<Rated> ratings() {
    constexpr std::array things{
        "the red lamp",
        "a blue chair",
        "the oak table",
        "some wool socks",
        "a steel pan",
        "the tea set",
        "a long scarf",
        "the desk clock"};
    constexpr std::array calm{
        "what does it cost",
        "send it to me then",
        "and the size please",
        "lovely, one of those",
        "is there another colour",
        "how big is it"};
    constexpr std::array upset{"meh", "meh, skip it", "skip it, show the next", "meh, next"};
    std::vector<Rated> all;
    for (const std::string_view thing : things) {
        const std::string answer = "We have " + std::string(thing) + ".";
        for (const std::string_view said : calm) {
            all.push_back({heard(answer, std::string(said) + " for " + std::string(thing)), false});
        }
        for (const std::string_view said : upset) {
            all.push_back({heard(answer, std::string(said) + " " + std::string(thing)), true});
        }
    }
    return all;
}

RatingLessons taught() {
    RatingLessons lessons;
    for (const Rated& rated : ratings()) {
        lessons.learn(rated.features, rated.displeased, rated_at);
    }
    return lessons;
}

TEST(RatingJudge, TellsDispleasureOfThisDeploymentApart) {
    const auto judge = train_rating_judge(taught());
    ASSERT_NE(judge, nullptr);
    EXPECT_EQ(judge->held_out(), ratings().size());
    const std::string_view answer = "We have a glass bowl.";
    const double upset = judge->read(heard(answer, "meh, a bowl, skip it"));
    const double calm = judge->read(heard(answer, "what does the bowl cost"));
    EXPECT_GT(upset, calm + 0.5);
    // As it was held out: nearly all that displeased lies above 0, hardly anything else does.
    EXPECT_GT(judge->found(0), 0.9);
    EXPECT_LT(judge->chance(0), 0.1);
    EXPECT_LE(judge->chance(upset), judge->chance(0));
    EXPECT_EQ(judge->chance(-100), 1);
}

TEST(RatingJudge, SilentWhileTooLittleIsRated) {
    RatingLessons lessons;
    EXPECT_EQ(train_rating_judge(lessons), nullptr);
    for (const Rated& rated : ratings()) {
        if (!rated.displeased) {
            lessons.learn(rated.features, false, rated_at);
        }
    }
    EXPECT_EQ(train_rating_judge(lessons), nullptr);  // nobody was displeased
    lessons.learn({}, true, rated_at);
    EXPECT_TRUE(lessons.displeased().empty());
}

TEST(RatingJudge, TheSameWhateverTheOrderAndTheShards) {
    const std::vector<Rated> all = ratings();
    const auto one = train_rating_judge(taught());
    std::array<RatingLessons, 3> shards;
    for (std::size_t i = all.size(); i > 0; --i) {
        shards[i % 3].learn(all[i - 1].features, all[i - 1].displeased, rated_at);
    }
    RatingLessons merged = shards[2];
    merged.merge(shards[0]);
    merged.merge(shards[1]);
    merged.merge(shards[0]);
    const auto other = train_rating_judge(merged);
    ASSERT_NE(one, nullptr);
    ASSERT_NE(other, nullptr);
    EXPECT_EQ(merged.bytes(), taught().bytes());
    for (const Rated& rated : all) {
        EXPECT_EQ(one->read(rated.features), other->read(rated.features));
    }
}

TEST(RatingJudge, TrainedInStepsIsTheSame) {
    const RatingLessons lessons = taught();
    RatingTraining training(lessons);
    std::shared_ptr<const RatingJudge> judge;
    int steps = 0;
    while (!training.finished()) {
        judge = training.step(5'000);
        ++steps;
    }
    ASSERT_NE(judge, nullptr);
    EXPECT_GT(steps, 10);
    const TurnFeatures turn = heard("We have a glass bowl.", "meh");
    EXPECT_EQ(judge->read(turn), train_rating_judge(lessons)->read(turn));
}

TEST(RatingLessons, KeepsTheNewestAndTheRareInAnyOrder) {
    constexpr std::size_t turns = RatingLessons::pleased_max + 3'000;
    const auto at = [](std::size_t i) { return rated_at + std::chrono::hours(24) * (i % 1'000); };
    RatingLessons up;
    RatingLessons down;
    const auto features = [](std::size_t i) {
        return TurnFeatures{
            static_cast<std::uint16_t>(i % 251), static_cast<std::uint16_t>(300 + i / 251)};
    };
    up.learn({7, 9}, true, rated_at);
    for (std::size_t i = 0; i < turns; ++i) {
        up.learn(features(i), false, at(i));
        down.learn(features(turns - 1 - i), false, at(turns - 1 - i));
    }
    down.learn({7, 9}, true, rated_at);
    EXPECT_EQ(up.displeased().size(), 1U);  // not crowded out
    ASSERT_EQ(up.pleased().size(), RatingLessons::pleased_max);
    const auto kinds = [](const RatingLessons& lessons) {
        std::vector<std::uint64_t> all;
        for (const RatedTurn& turn : lessons.pleased()) {
            all.push_back(turn.kind);
        }
        return all;
    };
    EXPECT_EQ(kinds(up), kinds(down));
    EXPECT_TRUE(std::ranges::is_sorted(kinds(up)));
    EXPECT_EQ(up.bytes(), down.bytes());
    EXPECT_LT(up.bytes(), RatingLessons::bytes_max);
    std::int64_t seconds = 0;
    for (const RatedTurn& turn : up.pleased()) {
        seconds += turn.second;
    }
    const auto mean = seconds / static_cast<std::int64_t>(RatingLessons::pleased_max);
    EXPECT_GT(mean, unix_nanos(at(500)) / 1'000'000'000);  // newer ones are the likelier to stay
}

TEST(TurnFeatures, BoundedWhateverTheTextsAre) {
    std::string many;
    Prng chance(5);
    for (int i = 0; i < 4'000; ++i) {
        many += static_cast<char>(chance.below(256));
    }
    for (const std::string& text :
         {std::string(),
          many,
          std::string(100'000, '?'),
          std::string("\xff\xe2\x80"),
          std::string(turn_text_bytes_max - 1, 'x') + "\xe2\x80\x99"}) {
        for (const std::string& answer : {std::string(), many}) {
            const TurnFeatures features = heard(answer, text);
            EXPECT_LE(features.size(), turn_features_max);
            EXPECT_FALSE(features.empty());
            EXPECT_LT(features.back(), TurnBuckets::end);
            EXPECT_TRUE(std::ranges::is_sorted(features));
            EXPECT_EQ(std::ranges::adjacent_find(features), features.end());
        }
    }
}

TEST(Dialogue, ATurnRepliesToTheLastAnswerBeforeIt) {
    Dialogue dialogue;
    EXPECT_EQ(dialogue.turn().turn, 0);
    dialogue.note_said("one", {});
    EXPECT_EQ(dialogue.turn().answered, "");
    dialogue.note_answer("thinking");
    dialogue.note_answer("first");
    dialogue.note_said("no, that's wrong", read_tone("no, that's wrong"));
    dialogue.note_said("still wrong", read_tone("still wrong"));
    const HeardTurn turn = dialogue.turn();
    EXPECT_EQ(turn.said, "still wrong");
    EXPECT_EQ(turn.said_before, "no, that's wrong");
    EXPECT_EQ(turn.answered, "");
    EXPECT_EQ(turn.answered_before, "first");
    EXPECT_EQ(turn.turn, 3);
    EXPECT_EQ(turn.corrections, 1);
}

}  // namespace
}  // namespace tagout::detect
