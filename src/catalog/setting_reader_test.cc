#include "catalog/setting_reader.h"

#include "domain/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tagout::catalog {
namespace {

struct Options {
    bool enabled = true;
    std::uint32_t sessions_min = 10;
    double rate_min = 0.2;
    Duration window = std::chrono::minutes(5);
    Severity severity = Severity::Sev2;
    std::string host = "127.0.0.1";
    std::vector<std::string> words = {"a"};
};

template <class Visitor>
void describe(Options& options, Visitor&& visit) {
    visit(SettingInfo{.path = "x.enabled", .help = "Whether."}, options.enabled);
    visit(
        SettingInfo{
            .path = "x.sessions_min", .min = 1, .max = 1e6, .unit = "sessions", .help = "H."},
        options.sessions_min
    );
    visit(SettingInfo{.path = "x.rate_min", .min = 0, .max = 1, .help = "H."}, options.rate_min);
    visit(SettingInfo{.path = "x.window", .min = 1, .max = 3600, .help = "H."}, options.window);
    visit(SettingInfo{.path = "x.severity", .help = "H."}, options.severity);
    visit(SettingInfo{.path = "x.host", .help = "H."}, options.host);
    visit(SettingInfo{.path = "x.words", .help = "H."}, options.words);
}

TEST(Settings, EachTypeReadsAsPeopleWriteIt) {
    const std::vector<SettingText> texts{
        {.path = "x.enabled", .value = "false"},
        {.path = "x.sessions_min", .value = "50k"},
        {.path = "x.rate_min", .value = "5%"},
        {.path = "x.window", .value = "1m30s"},
        {.path = "x.severity", .value = "SEV1"},
        {.path = "x.host", .value = "::1"},
        {.path = "x.words", .value = "b, c d ,"},
    };
    Options options;
    SettingReader reader(texts);
    reader.read(options);
    EXPECT_TRUE(reader.finish().empty());
    EXPECT_FALSE(options.enabled);
    EXPECT_EQ(options.sessions_min, 50'000U);
    EXPECT_DOUBLE_EQ(options.rate_min, 0.05);
    EXPECT_EQ(options.window, std::chrono::seconds(90));
    EXPECT_EQ(options.severity, Severity::Sev1);
    EXPECT_EQ(options.host, "::1");
    EXPECT_EQ(options.words, (std::vector<std::string>{"b", "c d"}));
}

TEST(Settings, AMistakeLeavesTheOptionAsItWas) {
    struct Row {
        const char* path;
        const char* value;
        const char* says;
    };
    const Row rows[] = {
        {"x.enabled", "on", "Write true or false"},
        {"x.sessions_min", "0", "from 1 to 1000000 sessions"},
        {"x.sessions_min", "ten", "whole number"},
        {"x.sessions_min", "1.5", "whole number"},
        {"x.rate_min", "120%", "too large"},
        {"x.rate_min", "nan", "no number"},
        {"x.rate_min", "1e999", "no number"},
        {"x.rate_min", "", "no number"},
        {"x.window", "5", "with its unit"},
        {"x.window", "2h", "from 1s to 1h"},
        {"x.severity", "SEV9", "SEV1, SEV2 or SEV3"},
        {"x.windov", "1m", "Write x.window"},
        {"y.other.thing", "1m", "docs/reference/settings.md"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(std::string(row.path) + " = " + row.value);
        const std::vector<SettingText> texts{
            {.path = row.path, .value = row.value, .line = 7, .column = 3}};
        Options options;
        SettingReader reader(texts);
        reader.read(options);
        const std::vector<Mistake> mistakes = reader.finish();
        ASSERT_EQ(mistakes.size(), 1U);
        EXPECT_EQ(mistakes[0].line, 7);
        EXPECT_EQ(mistakes[0].column, 3);
        EXPECT_THAT(mistakes[0].what + "|" + mistakes[0].remedy, testing::HasSubstr(row.says));
        EXPECT_EQ(options.sessions_min, 10U);
        EXPECT_DOUBLE_EQ(options.rate_min, 0.2);
        EXPECT_EQ(options.window, std::chrono::minutes(5));
    }
}

TEST(Settings, APathWrittenTwiceIsAMistake) {
    const std::vector<SettingText> texts{
        {.path = "x.host", .value = "a", .line = 2}, {.path = "x.host", .value = "b", .line = 5}};
    Options options;
    SettingReader reader(texts);
    reader.read(options);
    const std::vector<Mistake> mistakes = reader.finish();
    ASSERT_EQ(mistakes.size(), 1U);
    EXPECT_EQ(mistakes[0].line, 5);
    EXPECT_THAT(mistakes[0].what, testing::HasSubstr("first in line 2"));
}

TEST(Settings, DeclaredSettingsShowWhatIsInForce) {
    Options options;
    std::vector<SettingDeclared> declared;
    declare_settings(options, declared);
    ASSERT_EQ(declared.size(), 7U);
    EXPECT_EQ(declared[0].value, "true");
    EXPECT_EQ(declared[1].value, "10");
    EXPECT_EQ(declared[1].type, ValueType::Integer);
    EXPECT_EQ(declared[3].value, "5m");
    EXPECT_EQ(declared[4].choices, (std::vector<std::string>{"SEV1", "SEV2", "SEV3"}));
    EXPECT_EQ(declared[6].value, "a");
}

TEST(Nearest, SuggestsOnlyWhatIsNear) {
    constexpr std::string_view words[] = {"effect", "risk", "server", "reversibility"};
    EXPECT_EQ(nearest("efect", words), "effect");
    EXPECT_EQ(nearest("efefct", words), "effect");
    EXPECT_EQ(nearest("servers", words), "server");
    EXPECT_EQ(nearest("reversability", words), "reversibility");
    EXPECT_EQ(nearest("colour", words), "");
    EXPECT_EQ(nearest("x", words), "");
    EXPECT_EQ(nearest("", words), "");
}

TEST(NumberText, WholeNumbersAreWrittenOut) {
    EXPECT_EQ(number_text(200'000), "200000");
    EXPECT_EQ(number_text(0.25), "0.25");
    EXPECT_EQ(number_text(-3), "-3");
}

}  // namespace
}  // namespace tagout::catalog
