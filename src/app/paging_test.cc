// Pages of two configurations compared, and thresholds for a budget of pages.
#include "app/calibrate.h"
#include "app/paging.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tagout::app {
namespace {

/// Recorded runs of an agent that repeats a call `times` times and then gives up.
std::string stuck_run(int number, int times) {
    const std::string id = "stuck-" + std::to_string(times) + "-" + std::to_string(number);
    std::string turns = R"({"role":"user","content":"Where is my order 4711?"})";
    for (int i = 0; i < times; ++i) {
        const std::string call = std::to_string(i);
        turns += R"(,{"role":"assistant","content":"","tool_calls":[{"id":")" + call +
                 R"(","name":"get_order","arguments":{"order":"4711"}}]},{"role":"tool",)" +
                 R"("tool_call_id":")" + call + R"(","content":"status: shipped"})";
    }
    return R"({"id":")" + id + R"(","source":"mine","agent":"agent-)" + std::to_string(times) +
           R"(","task":"orders","turns":[)" + turns + "]}\n";
}

class Paging : public testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("tagout-paging-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
        std::string text;
        for (int i = 0; i < 5; ++i) {
            text += stuck_run(i, 9) + stuck_run(i, 14);
        }
        history_ = file("history.jsonl", text);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string file(const std::string& name, const std::string& content) {
        const std::string path = (folder_ / name).string();
        std::ofstream(path) << content;
        return path;
    }

    std::vector<Page> pages_with(const Configured& configured) {
        PageCounter counter(configured);
        Player player({&counter});
        EXPECT_TRUE(play_files({history_}, player, nullptr, terminal_).has_value());
        return counter.pages();
    }
    static Configured with(const std::string& yaml) {
        ConfigFile read = check_text(yaml, "test.yaml");
        for (const catalog::Mistake& mistake : read.mistakes) {
            ADD_FAILURE() << catalog::to_text(mistake, "test.yaml");
        }
        return read.configured.value_or(Configured{});
    }

    /// SEV3 incidents are not declared by themselves by default, so nobody would be paged here.
    static constexpr const char* tell_all = "incidents:\n  auto_declare_sev3: true\n";
    std::filesystem::path folder_;
    std::string history_;
    cli::Terminal terminal_;
};

TEST_F(Paging, AHigherThresholdLosesThePagesThatItSpares) {
    const std::string strict =
        std::string(tell_all) +
        "detection:\n  context:\n    stuck_calls: 12\n    duplicate_action:\n      calls_min: 12\n";
    const std::vector<Page> before = pages_with(with(tell_all));
    const std::vector<Page> after = pages_with(with(strict));
    ASSERT_EQ(before.size(), 2U) << "one of each agent, however many sessions";
    ASSERT_EQ(after.size(), 1U);
    EXPECT_EQ(after[0].incident.agent.text(), "agent-14");
    const std::vector<Page> lost = only_in(before, after);
    ASSERT_EQ(lost.size(), 1U);
    EXPECT_EQ(lost[0].incident.agent.text(), "agent-9");
    EXPECT_NE(why_text(lost[0].incident).find("get_order"), std::string::npos);
    EXPECT_TRUE(only_in(after, before).empty());
}

TEST_F(Paging, AgainstNeedsBothConfigurations) {
    ReplayOptions options;
    options.files = {history_};
    options.against = file("old.yaml", tell_all);
    const Result<int> refused = compare_pages(options, terminal_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("--config"), std::string::npos);
    options.config = file("new.yaml", "detection:\n  context:\n    stuck_calls: 60\n");
    EXPECT_EQ(compare_pages(options, terminal_).value_or(9), 0);
}

TEST_F(Paging, ThresholdsMeetTheBudgetAndTheFileIsGood) {
    CalibrateOptions options;
    options.files = {history_};
    options.config = file("tagout.yaml", tell_all);
    options.sessions_per_week = 10;
    options.pages_per_week = 1;
    const Result<Calibration> made = calibrate(options, terminal_);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ(made->sessions, 10U);
    EXPECT_DOUBLE_EQ(made->weeks, 1);
    EXPECT_EQ(made->pages_before, 2U);
    EXPECT_LE(made->pages_after, 1U);
    EXPECT_FALSE(made->changes.empty());
    EXPECT_LT(made->per_week_interval.low, made->per_week + 0.001);
    EXPECT_GT(made->per_week_interval.high, made->per_week);
    const std::string yaml = yaml_of(*made, options.pages_per_week);
    const Configured proposed = with(std::string(tell_all) + yaml);
    EXPECT_EQ(pages_with(proposed).size(), made->pages_after) << yaml;
}

TEST_F(Paging, ABudgetThatIsKeptChangesNothing) {
    CalibrateOptions options;
    options.files = {history_};
    options.config = file("tagout.yaml", tell_all);
    options.sessions_per_week = 10;
    options.pages_per_week = 5;
    const Result<Calibration> made = calibrate(options, terminal_);
    ASSERT_TRUE(made.has_value());
    EXPECT_TRUE(made->changes.empty());
    EXPECT_NE(yaml_of(*made, 5).find("No threshold needs to change"), std::string::npos);
    (void)with(yaml_of(*made, 5) + tell_all);
}

TEST_F(Paging, WithoutTimesTheWeekMustBeNamed) {
    CalibrateOptions options;
    options.files = {history_};
    const Result<Calibration> refused = calibrate(options, terminal_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("--sessions-per-week"), std::string::npos);
    options.pages_per_week = 0;
    EXPECT_FALSE(calibrate(options, terminal_).has_value());
}

TEST(Poisson, TheIntervalIsTheExactOne) {
    struct Row {
        std::uint64_t count;
        double low;
        double high;
    };
    const Row rows[] = {{0, 0, 3.689}, {1, 0.0253, 5.572}, {10, 4.795, 18.39}, {100, 81.36, 121.63},
                         {1'000, 938.97, 1'063.95}};
    for (const Row& row : rows) {
        const Interval interval = poisson_interval(row.count);
        EXPECT_NEAR(interval.low, row.low, 0.002 * row.low + 0.0005) << row.count;
        EXPECT_NEAR(interval.high, row.high, 0.002 * row.high) << row.count;
    }
}

}  // namespace
}  // namespace tagout::app
