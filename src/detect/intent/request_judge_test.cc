// What the request learners promise: kinds of requests are told apart, strangers are seen as such,
// the same lessons give the same judge in whatever order they came, and broken bytes are refused.

#include "detect/intent/request_judge.h"

#include "detect/testing/request_kinds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {
namespace {

constexpr Instant taught_at{std::chrono::hours(24 * 365 * 50)};

RequestLessons taught() {
    RequestLessons lessons;
    for (const RequestKind& kind : request_kinds()) {
        for (const std::string_view wish : kind.wishes) {
            for (const std::string_view thing : kind.things) {
                lessons.learn(
                    kind.workflow, std::string(wish) + " " + std::string(thing), taught_at
                );
            }
        }
    }
    return lessons;
}

TEST(RequestFeatures, BlindToCaseApostrophesAndNumbersAlone) {
    EXPECT_EQ(request_features("Where's order 4711?"), request_features("wheres ORDER 9824"));
    EXPECT_NE(request_features("where is my order"), request_features("order is my where"));
    EXPECT_NE(request_features("order 4711"), request_features("order 47111"));
}

TEST(RequestFeatures, BoundedWhateverTheTextIs) {
    EXPECT_TRUE(request_features("").empty());
    EXPECT_TRUE(request_features("?!  ...").empty());
    std::string many;
    for (int i = 0; i < 10'000; ++i) {
        many += "w" +
                std::string(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26)) + " ";
    }
    for (const std::string& text :
         {many, std::string(100'000, 'x'), std::string("\xff\xfe\xe2\x80")}) {
        const RequestFeatures features = request_features(text);
        EXPECT_LE(features.size(), request_features_max);
        EXPECT_FALSE(features.empty());
        EXPECT_TRUE(std::ranges::is_sorted(features));
        EXPECT_EQ(std::ranges::adjacent_find(features), features.end());
    }
}

TEST(RequestJudge, TellsKindsOfRequestsApartInOtherWords) {
    const auto judge = train_request_judge(taught());
    ASSERT_NE(judge, nullptr);
    struct Row {
        std::string_view text;
        std::string_view workflow;
    };
    const std::array rows{
        Row{"refund the lamp please, it is broken", "refunds"},
        Row{"I'd like to return my shoes and get the money back", "refunds"},
        Row{"help, my pasword is not working, can't sign in", "passwords"},
        Row{"reset the login of my account", "passwords"},
        Row{"a flight to Rome and a hotel", "travel"},
        Row{"which train leaves for Oslo next friday", "travel"},
    };
    for (const Row& row : rows) {
        const RequestReading reading = judge->read(row.text, row.workflow);
        EXPECT_EQ(reading.best, row.workflow) << row.text;
        EXPECT_TRUE(reading.own_known);
        EXPECT_GT(reading.own_margin, 0) << row.text;
    }
    EXPECT_GT(judge->accuracy(), 0.95);
    EXPECT_EQ(judge->held_out(), request_kinds().size() * 6 * 12);
}

TEST(RequestJudge, ARequestAtTheWrongWorkflowIsRarerThanAnyGoodOne) {
    const auto judge = train_request_judge(taught());
    const RequestReading reading = judge->read("please refund my last order", "passwords");
    EXPECT_EQ(reading.best, "refunds");
    EXPECT_LT(reading.own_margin, -0.5);
    EXPECT_DOUBLE_EQ(
        judge->misfit_chance(reading.own_margin), 1.0 / static_cast<double>(judge->held_out() + 1)
    );
}

TEST(RequestJudge, AStrangerFitsNothing) {
    const auto judge = train_request_judge(taught());
    const RequestReading known = judge->read("I want a refund for two chairs");
    const RequestReading strange = judge->read("explain quantum chromodynamics vividly");
    EXPECT_FALSE(strange.own_known);
    EXPECT_LT(strange.best_score, 0);
    EXPECT_GT(known.best_score, strange.best_score + 0.5);
    EXPECT_LT(judge->stranger_chance(strange.best_score), 0.05);
    EXPECT_GT(judge->stranger_chance(known.best_score), 0.2);
}

TEST(RequestJudge, OneWorkflowAloneIsJudgedByNobody) {
    RequestLessons lessons;
    lessons.learn("refunds", "please refund my order", taught_at);
    EXPECT_EQ(train_request_judge(lessons), nullptr);
    lessons.learn("travel", "book a flight", taught_at);
    EXPECT_NE(train_request_judge(lessons), nullptr);
    EXPECT_EQ(train_request_judge(lessons, 2), nullptr) << "neither has two";
}

TEST(RequestLessons, TheOrderOfLessonsDoesNotMatter) {
    RequestLessons forward;
    RequestLessons left;
    RequestLessons right;
    for (int i = 0; i < 1'000; ++i) {
        const std::string text = "request " +
                                 std::string(static_cast<std::size_t>(1 + i % 40), 'a') +
                                 " about " + std::string(static_cast<std::size_t>(1 + i / 40), 'b');
        const Instant at = taught_at + std::chrono::hours(i);
        forward.learn("w", text, at);
        (i % 3 == 0 ? left : right).learn("w", text, at);
    }
    right.merge(left);
    EXPECT_EQ(forward.requests_of("w"), RequestLessons::requests_max);
    EXPECT_EQ(to_bytes(forward), to_bytes(right));
    right.merge(forward);
    EXPECT_EQ(to_bytes(forward), to_bytes(right)) << "merging twice changes nothing";
}

TEST(RequestLessons, AWorkflowsLinesTeachTheSameAgainAndBrokenOnesNothing) {
    const RequestLessons lessons = taught();
    const std::string workflow = lessons.workflows().begin()->first;
    std::vector<std::string> lines = request_lines(lessons, workflow);
    ASSERT_EQ(lines.size(), lessons.requests_of(workflow));
    RequestLessons other;
    other.learn(workflow, "what a poisoned session asked for once", Instant(std::chrono::hours(9)));
    other.adopt(workflow, lines);
    EXPECT_EQ(request_lines(other, workflow), lines);  // instead of what it knew
    EXPECT_EQ(other.refused(), 0U);

    lines = {lines.front() + "00", lines.front().substr(0, lines.front().size() - 2), "xyz", ""};
    other.adopt(workflow, lines);
    EXPECT_EQ(other.requests_of(workflow), 0U);
    EXPECT_EQ(other.refused(), lines.size());
    EXPECT_TRUE(request_lines(other, "unheard of").empty());
}

TEST(RequestLessons, WhatIsOldMakesRoomForWhatIsNew) {
    RequestLessons lessons;
    for (int i = 0; i < 400; ++i) {
        lessons.learn(
            "w", "old request " + std::string(static_cast<std::size_t>(1 + i), 'a'), taught_at
        );
    }
    const Instant later = taught_at + std::chrono::hours(24 * 365);
    for (int i = 0; i < 400; ++i) {
        lessons.learn(
            "w", "new request " + std::string(static_cast<std::size_t>(1 + i), 'b'), later
        );
    }
    const std::int64_t second = unix_nanos(later) / 1'000'000'000;
    const auto& kept = lessons.workflows().find("w")->second;
    EXPECT_GT(std::ranges::count(kept, second, &LearnedRequest::second), 180);
    EXPECT_LE(lessons.bytes(), 192U * 1'200U);
}

TEST(RequestLessons, InventedWorkflowsAreCountedAndNotKept) {
    RequestLessons lessons;
    for (int i = 0; i < 1'000; ++i) {
        lessons.learn("workflow" + std::to_string(i), "do something useful", taught_at);
    }
    EXPECT_EQ(lessons.workflows().size(), RequestLessons::workflows_max);
    EXPECT_EQ(lessons.refused(), 1'000U - RequestLessons::workflows_max);
    lessons.forget("workflow0");
    EXPECT_EQ(lessons.requests_of("workflow0"), 0U);
    lessons.learn("late", "do something useful", taught_at);
    EXPECT_EQ(lessons.requests_of("late"), 1U);
}

TEST(RequestLessons, BytesComeBackAsTheyWentAndNonsenseIsRefused) {
    const RequestLessons lessons = taught();
    const std::string bytes = to_bytes(lessons);
    const auto back = parse_request_lessons(bytes);
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(to_bytes(*back), bytes);
    EXPECT_EQ(back->bytes(), lessons.bytes());
    for (std::size_t size = 0; size < bytes.size(); size += 7) {
        EXPECT_FALSE(parse_request_lessons(bytes.substr(0, size)).has_value()) << size;
    }
    for (std::size_t at = 0; at < bytes.size(); at += 11) {
        std::string broken = bytes;
        broken[at] = static_cast<char>(broken[at] ^ 0x55);
        (void)parse_request_lessons(broken);  // refused or other lessons, never a crash
    }
    EXPECT_EQ(parse_request_lessons("x").error().code, ErrorCode::Corrupt);
}

TEST(RequestTraining, InStepsOrAtOnceItIsTheSameJudge) {
    const RequestLessons lessons = taught();
    const auto at_once = train_request_judge(lessons);
    RequestTraining training(lessons, 1);
    std::shared_ptr<const RequestJudge> in_steps;
    int steps = 0;
    while (!training.finished()) {
        in_steps = training.step(50'000);
        ++steps;
    }
    EXPECT_GT(steps, 10);
    for (const RequestKind& kind : request_kinds()) {
        const RequestReading one = at_once->read(kind.wishes.front(), kind.workflow);
        const RequestReading other = in_steps->read(kind.wishes.front(), kind.workflow);
        EXPECT_EQ(one.best_score, other.best_score);
        EXPECT_EQ(one.own_margin, other.own_margin);
    }
}

}  // namespace
}  // namespace tagout::detect
