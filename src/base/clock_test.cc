#include "base/clock.h"

#include <gtest/gtest.h>

namespace tagout {
namespace {

TEST(Clock, AnInstantReadsBackAsItWasWritten) {
    const Instant at = instant_of_nanos(1'795'470'330'936'000'000);
    EXPECT_EQ(to_rfc3339(at), "2026-11-23T21:45:30.936Z");
    const Result<Instant> back = parse_rfc3339(to_rfc3339(at));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, at);
}

TEST(Clock, OffsetsAndFractionsAreUnderstood) {
    struct Row {
        const char* text;
        std::int64_t unix_nanos;
    };
    const Row rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T01:00:00+01:00", 0},
        {"1969-12-31T23:30:00-00:30", -1},
        {"1970-01-01 00:00:01.5Z", 1'500'000'000},
        {"1970-01-01T00:00:00.123456789Z", 123'456'789},
        {"2024-02-29T00:00:00Z", 1'709'164'800'000'000'000},
    };
    for (const Row& row : rows) {
        const Result<Instant> at = parse_rfc3339(row.text);
        if (row.unix_nanos < 0) {
            EXPECT_FALSE(at.has_value()) << row.text << ": a year before 1970 is refused";
        } else {
            ASSERT_TRUE(at.has_value()) << row.text;
            EXPECT_EQ(unix_nanos(*at), row.unix_nanos) << row.text;
        }
    }
}

TEST(Clock, WhatIsNoTimeIsRefusedWithTheRemedy) {
    for (const char* text :
         {"", "now", "2026-11-24", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
          "2026-11-24T24:00:00Z", "2026-11-24T03:39:27", "2026-11-24T03:39:27.Z",
          "2026-11-24T03:39:27Zjunk", "2026-11-24T03:39:27+1:00"}) {
        const Result<Instant> at = parse_rfc3339(text);
        ASSERT_FALSE(at.has_value()) << text;
        EXPECT_EQ(at.error().code, ErrorCode::InvalidArgument);
        EXPECT_NE(at.error().message.find("RFC 3339"), std::string::npos);
    }
}

TEST(Clock, DurationsReadAndWrite) {
    struct Row {
        const char* text;
        std::int64_t nanos;
        const char* shortest;
    };
    const Row rows[] = {
        {"0s", 0, "0s"},
        {"250ms", 250'000'000, "250ms"},
        {"90s", 90'000'000'000, "1m30s"},
        {"1h30m", 5'400'000'000'000, "1h30m"},
        {"36h", 129'600'000'000'000, "1d12h"},
        {"5m250ms", 300'250'000'000, "5m250ms"},
    };
    for (const Row& row : rows) {
        const Result<Duration> duration = parse_duration(row.text);
        ASSERT_TRUE(duration.has_value()) << row.text;
        EXPECT_EQ(duration->count(), row.nanos) << row.text;
        EXPECT_EQ(to_text(*duration), row.shortest);
    }
    for (const char* text : {"", "5", "s", "-5s", "5 s", "5x", "99999999999d", "1.5h"}) {
        EXPECT_FALSE(parse_duration(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace tagout
