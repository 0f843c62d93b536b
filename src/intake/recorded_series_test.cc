#include "intake/recorded_series.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tagout::intake {
namespace {

using std::chrono::milliseconds;

TEST(RecordedSeries, TimesAreTextsOrMilliseconds) {
    const auto series = parse_recorded_series(
        R"({"kind":"series","id":"a/b","source":"nab","t":["2014-04-01 00:05:00","2014-04-01T00:10:00.5Z",)"
        R"(1396311000000],"v":[1,-2.5,null],"windows":[[0,1],[2,2]]})"
    );
    ASSERT_TRUE(series) << series.error().message;
    EXPECT_EQ(series->id, "a/b");
    EXPECT_EQ(to_rfc3339(series->times[0]), "2014-04-01T00:05:00.000Z");
    EXPECT_EQ(to_rfc3339(series->times[1]), "2014-04-01T00:10:00.500Z");
    EXPECT_EQ(to_rfc3339(series->times[2]), "2014-04-01T00:10:00.000Z");
    EXPECT_EQ(series->values[1], -2.5);
    EXPECT_TRUE(std::isnan(series->values[2])) << "null: nothing was measured";
    ASSERT_EQ(series->windows.size(), 2U);
    EXPECT_EQ(series->windows[0].second, 1U);
}

TEST(RecordedSeries, ARequestHasItsTokens) {
    const auto request = parse_recorded_request(
        R"({"source":"azure","t":"2023-11-16 18:17:03.9799600","in":4808,"out":10})"
    );
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request->input_tokens, 4808);
    EXPECT_EQ(to_rfc3339(request->at), "2023-11-16T18:17:03.979Z");
    const auto later = parse_recorded_request(R"({"source":"mooncake","t":1500,"in":1,"out":0})");
    ASSERT_TRUE(later);
    EXPECT_EQ(later->at - Instant(), milliseconds(1500));
}

TEST(RecordedSeries, WhatIsWrongIsNamed) {
    struct Row {
        const char* line;
        const char* says;
    };
    const Row rows[] = {
        {"[1]", "a JSON object was expected"},
        {R"({"t":[1],"v":[1)", "no JSON"},
        {R"({"v":[1]})", "t: a list of times"},
        {R"({"t":[1]})", "v: a list of numbers"},
        {R"({"t":[1,2],"v":[1]})", "as many times"},
        {R"({"t":[1],"v":[1,2]})", "as many times"},
        {R"({"t":["soon"],"v":[1]})", "t[0]"},
        {R"({"t":[1e300],"v":[1]})", "t[0]"},
        {R"({"t":[1],"v":["x"]})", "v[0]: a number"},
        {R"({"t":[1,2],"v":[1,2],"windows":[[1,0]]})", "windows[0]"},
        {R"({"t":[1,2],"v":[1,2],"windows":[[0,2]]})", "windows[0]"},
        {R"({"t":[1,2],"v":[1,2],"windows":[[0,1],[1,1]]})", "windows[1]"},
    };
    for (const Row& row : rows) {
        const auto series = parse_recorded_series(row.line);
        ASSERT_FALSE(series) << row.line;
        EXPECT_NE(series.error().message.find(row.says), std::string::npos)
            << row.line << " says " << series.error().message;
    }
    EXPECT_FALSE(parse_recorded_request(R"({"t":1,"in":-1,"out":0})"));
    EXPECT_FALSE(parse_recorded_request(R"({"t":1,"in":1})"));
}

}  // namespace
}  // namespace tagout::intake
