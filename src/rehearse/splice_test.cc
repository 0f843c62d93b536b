// The splicer and its score: the same seed plants the same, what is blamed is what was planted, and
// what it plants into a plain good recording is found at its step.
#include "rehearse/splice.h"
#include "rehearse/splice_score.h"

#include <gtest/gtest.h>

namespace tagout::rehearse {
namespace {

using intake::RecordedRun;
using intake::RecordedTurn;
using intake::TurnRole;

RecordedTurn said(TurnRole role, std::string words) {
    RecordedTurn turn;
    turn.role = role;
    turn.content = std::move(words);
    return turn;
}

void call(RecordedRun& run, std::string name, std::string arguments, std::string answer) {
    const std::string id = "call-" + std::to_string(run.turns.size());
    RecordedTurn asked = said(TurnRole::Assistant, "");
    asked.tool_calls.push_back({id, std::move(name), std::move(arguments)});
    run.turns.push_back(std::move(asked));
    run.turns.push_back(said(TurnRole::Tool, std::move(answer)));
    run.turns.back().tool_call_id = id;
}

/// A refund as it should go, long enough for every kind.
RecordedRun good_run(int number = 0) {
    RecordedRun run;
    run.id = "good-" + std::to_string(number);
    run.source = "test";
    run.agent = "support";
    run.task = "refund/" + std::to_string(number);
    run.labels = R"({"outcome":"success","attack":false})";
    run.turns.push_back(said(TurnRole::System, "You are a support agent."));
    run.turns.push_back(
        said(TurnRole::User, "Hello, I am ann@shop.example and want a refund for order #W482193.")
    );
    call(
        run,
        "find_user",
        R"({"email":"ann@shop.example"})",
        R"({"user_id":"ann_lee_4411","name":"Ann Lee","member":"gold","since":"2021-04-02"})"
    );
    call(
        run,
        "get_order",
        R"({"order_id":"#W482193","user":"ann_lee_4411"})",
        R"({"order_id":"#W482193","status":"delivered","total":"54.90","payment":"card_7718820"})"
    );
    run.turns.push_back(said(
        TurnRole::Assistant,
        "Your order #W482193 was delivered and its total is 54.90 dollars. Shall I refund it to "
        "the card?"
    ));
    run.turns.push_back(said(TurnRole::User, "Yes, do that."));
    call(
        run,
        "get_policy",
        R"({"topic":"refunds"})",
        R"({"topic":"refunds","text":"Refunds within 30 days of delivery are free of charge."})"
    );
    call(
        run,
        "create_refund",
        R"({"order_id":"#W482193","payment":"card_7718820"})",
        R"({"refund":"R-88123","status":"created"})"
    );
    run.turns.push_back(said(
        TurnRole::Assistant, "The refund R-88123 for order #W482193 has been created successfully."
    ));
    return run;
}

TEST(Splice, TheSameSeedPlantsTheSame) {
    const catalog::Catalog catalog;
    std::set<std::string> forms;
    for (const SpliceInfo& info : splice_table()) {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const auto one = splice(good_run(), info.kind, catalog, seed);
            const auto two = splice(good_run(), info.kind, catalog, seed);
            ASSERT_EQ(one.has_value(), two.has_value()) << info.name;
            if (!one) {
                continue;
            }
            forms.insert(std::string(info.name) + " " + one->form);
            EXPECT_EQ(one->form, two->form);
            EXPECT_EQ(one->steps, two->steps);
            ASSERT_EQ(one->run.turns.size(), two->run.turns.size());
            for (std::size_t i = 0; i < one->run.turns.size(); ++i) {
                EXPECT_EQ(one->run.turns[i].content, two->run.turns[i].content);
            }
        }
    }
    EXPECT_GT(forms.size(), 3 * splice_kinds) << "other seeds plant other things";
}

TEST(Splice, WhatIsBlamedIsTheAgents) {
    const catalog::Catalog catalog;
    for (const SpliceInfo& info : splice_table()) {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const auto spliced = splice(good_run(), info.kind, catalog, seed);
            if (!spliced) {
                continue;
            }
            EXPECT_FALSE(spliced->steps.empty()) << info.name << ": " << spliced->form;
            for (const std::uint32_t step : spliced->steps) {
                ASSERT_LT(step, spliced->run.turns.size()) << info.name;
                EXPECT_EQ(spliced->run.turns[step].role, TurnRole::Assistant)
                    << info.name << ": " << spliced->form;
            }
            EXPECT_NE(spliced->run.id, good_run().id);
        }
    }
}

TEST(Splice, EveryCallKeepsItsAnswer) {
    const catalog::Catalog catalog;
    for (const SpliceInfo& info : splice_table()) {
        for (std::uint64_t seed = 1; seed <= 10; ++seed) {
            const auto spliced = splice(good_run(), info.kind, catalog, seed);
            if (!spliced) {
                continue;
            }
            const std::vector<RecordedTurn>& turns = spliced->run.turns;
            for (std::size_t i = 0; i < turns.size(); ++i) {
                if (turns[i].tool_calls.empty()) {
                    continue;
                }
                ASSERT_LT(i + 1, turns.size()) << info.name << ": " << spliced->form;
                EXPECT_EQ(turns[i + 1].tool_call_id, turns[i].tool_calls[0].id) << info.name;
            }
        }
    }
}

TEST(Splice, RewordedArgumentsStillSayTheSame) {
    Prng chance(7);
    std::set<std::string> forms;
    for (int i = 0; i < 200; ++i) {
        const auto reworded = reword_arguments(R"({"q":"www.a.example","n":5})", chance);
        ASSERT_TRUE(reworded.has_value());
        EXPECT_NE(reworded->arguments, R"({"q":"www.a.example","n":5})");
        forms.insert(reworded->form);
    }
    EXPECT_EQ(forms.size(), 7U);
    EXPECT_FALSE(reword_arguments("ls -la", chance).has_value());
    for (const char* value : {"54.90", "#W482193", "delivered", "7", "-"}) {
        EXPECT_NE(altered(value, chance), value);
    }
}

TEST(SpliceScore, WhatIsPlantedIsFoundAndNothingElse) {
    SpliceJudge judge(detect::Settings{}, std::make_shared<const catalog::Catalog>(), 1, 0);
    for (int i = 0; i < 60; ++i) {
        judge.judge(good_run(i));
    }
    const SpliceScore& score = judge.score();
    EXPECT_EQ(score.good, 60U);
    EXPECT_EQ(score.flagged, 0U);
    for (const SpliceKind kind :
         {SpliceKind::Duplicate, SpliceKind::NearDuplicate, SpliceKind::Circle}) {
        const SpliceTally& tally = score.kinds.at(kind);
        EXPECT_GT(tally.planted, 0U);
        EXPECT_GE(tally.f1(), 0.95) << splice_table()[static_cast<std::size_t>(kind)].name;
    }
    for (const SpliceKind kind :
         {SpliceKind::Polling, SpliceKind::Pagination, SpliceKind::AskedAgain}) {
        EXPECT_EQ(score.kinds.at(kind).found + score.kinds.at(kind).elsewhere, 0U);
    }
}

TEST(SpliceScore, AHalfThatThereIsNotIsRefused) {
    SpliceCommand command;
    command.half = "third";
    cli::Terminal terminal;
    const Result<int> answer = splice_command(command, terminal);
    ASSERT_FALSE(answer.has_value());
    EXPECT_NE(answer.error().message.find("tuning, kept and all"), std::string::npos);
}

}  // namespace
}  // namespace tagout::rehearse
