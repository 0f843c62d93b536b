#include "recover/journeys.h"

#include "incident/memory_journal.h"
#include "recover/journey_json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <deque>

namespace tagout::recover {
namespace {

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));
const By ann{Actor("person:ann"), "before release"};

TEST(Journey, AnExpectationHoldsOrSaysWhatWasSeen) {
    struct Row {
        const char* what;
        const char* line;
        const char* kind;
        StepAnswer answer;
        Duration took;
        const char* seen;  ///< Part of it; "" when it holds.
    };
    const StepAnswer ok{200, false, R"({"order":{"id":7,"items":[{"name":"cup"}],"paid":true}})", ""};
    const StepAnswer bad{503, false, "away", ""};
    const StepAnswer tool{0, false, "refunded 5 EUR", R"({"state":"refunded"})"};
    const StepAnswer refused{0, true, "closed by CTL-1", ""};
    const Duration fast = std::chrono::milliseconds(10);
    const Row rows[] = {
        {"a status", "status 200", "http", ok, fast, ""},
        {"another status", "status 200", "http", bad, fast, "status 503: away"},
        {"a text", "contains cup", "http", ok, fast, ""},
        {"a text that is missing", "contains plate", "http", ok, fast, "\"order\""},
        {"a text that must be missing", "not contains error", "http", ok, fast, ""},
        {"one that is there", "not contains cup", "http", ok, fast, "cup"},
        {"nothing at all", "contains x", "http", StepAnswer{}, fast, "empty"},
        {"a number", "json order.id == 7", "http", ok, fast, ""},
        {"another number", "json order.id == 8", "http", ok, fast, "order.id is 7"},
        {"a text by path", "json order.items[0].name == \"cup\"", "http", ok, fast, ""},
        {"a bare word", "json order.items[0].name == cup", "http", ok, fast, ""},
        {"a truth", "json order.paid == true", "http", ok, fast, ""},
        {"no such member", "json order.price == 1", "http", ok, fast, "there is no order.price"},
        {"past the list", "json order.items[1].name == cup", "http", ok, fast, "there is no"},
        {"no JSON", "json a == 1", "http", bad, fast, "no JSON: away"},
        {"structured content", "json state == refunded", "mcp", tool, fast, ""},
        {"a tool that worked", "is_error false", "mcp", tool, fast, ""},
        {"a tool that is stopped", "is_error false", "mcp", refused, fast, "closed by CTL-1"},
        {"a stop that is wanted", "is_error true", "mcp", refused, fast, ""},
        {"in time", "within 500ms", "mcp", tool, fast, ""},
        {"too late", "within 5ms", "mcp", tool, fast, "it took 10ms"},
    };
    for (const Row& row : rows) {
        const std::string seen = judge_answer(row.line, row.kind, row.answer, row.took);
        if (std::string_view(row.seen).empty()) {
            EXPECT_EQ(seen, "") << row.what;
        } else {
            EXPECT_NE(seen.find(row.seen), std::string::npos) << row.what << ": " << seen;
        }
    }
}

/// Answers from a list, and remembers what was sent.
class Scripted final : public JourneyTransport {
public:
    Result<StepAnswer> http(const HttpStep& step) override {
        sent.push_back(step.method + " " + step.url + " " + step.body);
        return next();
    }
    Result<StepAnswer> mcp(const McpStep& step) override {
        sent.push_back(step.server + "/" + step.tool + " " + step.arguments);
        return next();
    }

    std::deque<Result<StepAnswer>> answers;
    std::vector<std::string> sent;
    ManualClock* clock = nullptr;
    Duration each{0};

private:
    Result<StepAnswer> next() {
        clock->advance(each);
        if (answers.empty()) {
            return StepAnswer{200, false, "fine", ""};
        }
        Result<StepAnswer> answer = std::move(answers.front());
        answers.pop_front();
        return answer;
    }
};

std::shared_ptr<const catalog::Catalog> shop(const char* expected = "contains fine") {
    catalog::Contents contents;
    contents.mcp_servers.push_back({"payments", "http://127.0.0.1:1/mcp"});
    catalog::Tool refund;
    refund.name = ToolName("payments.refund");
    refund.server = "payments";
    contents.tools.push_back(refund);
    contents.journeys.push_back(
        {"refund",
         {ToolName("payments.refund")},
         {{"http", "POST http://h/chat my money back\nplease", {"status 200"}},
          {"mcp", "payments.refund {\"id\":\"7\"}", {expected}}}}
    );
    contents.journeys.push_back({"look", {}, {{"mcp", "orders.get", {}}}});
    return std::make_shared<const catalog::Catalog>(std::move(contents));
}

class JourneyDesk : public testing::Test {
protected:
    JourneyDesk() {
        transport_.clock = &clock_;
        restart();
    }
    void restart() {
        journeys_ = Journeys::make({journal_, clock_, metrics_, transport_}, catalog_, settings_);
        ASSERT_TRUE(journeys_->rebuild().has_value());
    }
    std::string text() const {
        std::string all;
        for (const JourneyView& each : journeys_->list()) {
            all += boost::json::serialize(tree_of(each)) + "\n";
        }
        return all;
    }

    ManualClock clock_{noon};
    MetricRegistry metrics_;
    Settings settings_;
    Scripted transport_;
    incident::MemoryJournal journal_{clock_};
    std::shared_ptr<const catalog::Catalog> catalog_ = shop();
    std::unique_ptr<Journeys> journeys_;
};

TEST_F(JourneyDesk, RunsItsStepsAndRemembers) {
    const auto runs = journeys_->run({"refund"}, "", ann);
    ASSERT_TRUE(runs.has_value()) << runs.error().message;
    ASSERT_EQ(runs->size(), 1U);
    EXPECT_TRUE(runs->front().passed) << runs->front().sentence;
    EXPECT_EQ(
        transport_.sent,
        (std::vector<std::string>{
            "POST http://h/chat my money back\nplease", "payments/payments.refund {\"id\":\"7\"}"})
    );
    const std::string before = text();
    restart();
    EXPECT_EQ(text(), before);
}

TEST_F(JourneyDesk, TheFirstStepThatDoesNotHoldEndsIt) {
    transport_.answers = {StepAnswer{500, false, "no", ""}};
    const auto runs = journeys_->run({"refund"}, "", ann);
    ASSERT_TRUE(runs.has_value());
    const JourneyRun& run = runs->front();
    EXPECT_FALSE(run.passed);
    EXPECT_EQ(run.failed_step, 1U);
    EXPECT_EQ(run.expected, "status 200");
    EXPECT_EQ(run.seen, "status 500: no");
    EXPECT_EQ(transport_.sent.size(), 1U);
    EXPECT_EQ(journal_.entries().back().draft.kind, "journey.ran");
}

TEST_F(JourneyDesk, WhatDoesNotAnswerOrIsRefusedFails) {
    transport_.answers = {fail(ErrorCode::Unavailable, "nobody listens")};
    EXPECT_EQ(journeys_->run({"look"}, "", ann)->front().seen, "nobody listens");
    transport_.answers = {StepAnswer{0, true, "stopped", ""}};
    const JourneyRun run = journeys_->run({"look"}, "", ann)->front();
    EXPECT_FALSE(run.passed) << "without a line a step must work";
    EXPECT_EQ(run.expected, "is_error false");
    transport_.answers = {StepAnswer{0, false, std::string(10'000, 'x') + "\xff", ""},
                          StepAnswer{0, false, "", ""}};
    EXPECT_TRUE(journeys_->run({"look"}, "", ann)->front().passed);
    restart();
    EXPECT_EQ(journeys_->list()[1].runs.size(), 3U);
}

TEST_F(JourneyDesk, ItsTimeIsBounded) {
    settings_.journey_timeout = std::chrono::seconds(5);
    restart();
    transport_.each = std::chrono::seconds(6);
    const JourneyRun run = journeys_->run({"refund"}, "", ann)->front();
    EXPECT_FALSE(run.passed);
    EXPECT_EQ(run.failed_step, 2U);
    EXPECT_EQ(run.seen, "the time is over");
}

TEST_F(JourneyDesk, AToolIsProvedByEveryJourneyThatNamesIt) {
    const Instant asked = clock_.now();
    JourneyProof proof = journeys_->passed_since("payments.refund", asked);
    EXPECT_FALSE(proof.holds());
    ASSERT_EQ(proof.missing.size(), 1U);
    EXPECT_NE(proof.missing[0].find("has not run since"), std::string::npos);
    ASSERT_TRUE(journeys_->run({}, "refund", ann).has_value());
    for (const char* name : {"payments.refund", "refund", "payments.*", "ref*"}) {
        EXPECT_TRUE(journeys_->passed_since(name, asked).holds()) << name;
    }
    EXPECT_TRUE(journeys_->passed_since("orders.get", asked).any()) << "a step calls it";
    EXPECT_FALSE(journeys_->passed_since("mail.send", asked).any());
    clock_.advance(std::chrono::seconds(1));
    EXPECT_FALSE(journeys_->passed_since("refund", clock_.now()).holds()) << "that was before";

    transport_.answers = {StepAnswer{500, false, "no", ""}};
    ASSERT_TRUE(journeys_->run({}, "refund", ann).has_value());
    proof = journeys_->passed_since("refund", asked);
    EXPECT_FALSE(proof.holds()) << "the newest run counts";
    EXPECT_NE(proof.missing.at(0).find("status 500"), std::string::npos);

    ASSERT_TRUE(journeys_->run({}, "refund", ann).has_value());
    EXPECT_TRUE(journeys_->passed_since("refund", asked).holds());
    journeys_->use(shop("contains something else"), settings_);
    proof = journeys_->passed_since("refund", asked);
    EXPECT_FALSE(proof.holds()) << "another journey proves nothing";
    EXPECT_NE(proof.missing.at(0).find("changed"), std::string::npos);
}

TEST_F(JourneyDesk, WhatIsNotThereIsNamed) {
    const auto unknown = journeys_->run({"nothing"}, "", ann);
    ASSERT_FALSE(unknown.has_value());
    EXPECT_EQ(unknown.error().code, ErrorCode::NotFound);
    EXPECT_NE(unknown.error().message.find("refund, look"), std::string::npos);
    const auto tool = journeys_->run({}, "mail.send", ann);
    ASSERT_FALSE(tool.has_value());
    EXPECT_NE(tool.error().message.find("tagout.yaml"), std::string::npos);
    journal_.fail_after(0);
    EXPECT_FALSE(journeys_->run({"look"}, "", ann).has_value());
    journal_.recover();
    EXPECT_TRUE(journeys_->list()[1].runs.empty()) << "journal first";
}

}  // namespace
}  // namespace tagout::recover
