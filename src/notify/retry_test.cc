// What an answer means, and when the next attempt comes.

#include "notify/retry.h"

#include <gtest/gtest.h>

#include <string>

namespace tagout::notify {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Judge, EveryAnswerForEveryKindOfReceiver) {
    using enum Judgement;
    const struct {
        const char* name;
        int status;
        Judgement webhook;
        Judgement slack;
        Judgement pagerduty;
        Judgement alertmanager;
    } rows[] = {
        {"ok", 200, Delivered, Delivered, Delivered, Delivered},
        {"accepted, as PagerDuty says", 202, Delivered, Delivered, Delivered, Delivered},
        {"no answer", 0, Retry, Retry, Retry, Retry},
        {"a redirect is not followed", 302, Fail, Fail, Fail, Fail},
        {"bad request", 400, Fail, Fail, Fail, Fail},
        {"not authorised: webhooks may be mid-deploy", 401, Retry, Fail, Fail, Fail},
        {"not found: webhooks may be mid-deploy", 404, Retry, Fail, Fail, Fail},
        {"request timeout", 408, Retry, Retry, Retry, Retry},
        {"gone switches the channel off", 410, Disable, Disable, Disable, Disable},
        {"too large", 413, Fail, Fail, Fail, Fail},
        {"too many", 429, Retry, Retry, Retry, Retry},
        {"server error", 500, Retry, Retry, Retry, Retry},
        {"bad gateway", 502, Retry, Retry, Retry, Retry},
        {"unavailable", 503, Retry, Retry, Retry, Retry},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(judge(ChannelType::Webhook, row.status), row.webhook) << row.name;
        EXPECT_EQ(judge(ChannelType::Slack, row.status), row.slack) << row.name;
        EXPECT_EQ(judge(ChannelType::PagerDuty, row.status), row.pagerduty) << row.name;
        EXPECT_EQ(judge(ChannelType::Alertmanager, row.status), row.alertmanager) << row.name;
    }
}

TEST(RetryDelay, FollowsTheScheduleWithAtMostAFifthOnTop) {
    Prng chance(1);
    const Duration schedule[] = {seconds(5), minutes(5), minutes(30), hours(2),  hours(5),
                                 hours(10),  hours(14),  hours(20),   hours(24)};
    for (std::uint32_t failed = 1; failed <= 9; ++failed) {
        const std::optional<Duration> delay = retry_delay(failed, chance);
        ASSERT_TRUE(delay.has_value()) << failed;
        EXPECT_GE(*delay, schedule[failed - 1]) << failed;
        EXPECT_LE(*delay, schedule[failed - 1] + schedule[failed - 1] / 5) << failed;
    }
    EXPECT_FALSE(retry_delay(10, chance).has_value()) << "ten attempts are all there are";
}

TEST(RetryDelay, TheSameSeedWaitsTheSameAndAnotherDoesNot) {
    Prng one(7);
    Prng same(7);
    Prng other(8);
    EXPECT_EQ(retry_delay(2, one), retry_delay(2, same));
    EXPECT_NE(retry_delay(2, one), retry_delay(2, other));
}

TEST(RetryAfter, ReadsSecondsAndDatesAndNothingElse) {
    const Instant now = *parse_rfc3339("2026-11-24T12:00:00Z");
    const struct {
        const char* name;
        const char* value;
        std::optional<Duration> expected;
    } rows[] = {
        {"seconds", "120", seconds(120)},
        {"zero", "0", seconds(0)},
        {"more than a day is a day", "9999999", hours(24)},
        {"a date", "Tue, 24 Nov 2026 12:02:00 GMT", minutes(2)},
        {"a date that has passed", "Tue, 24 Nov 2026 11:00:00 GMT", seconds(0)},
        {"absent", "", std::nullopt},
        {"a word", "soon", std::nullopt},
        {"negative", "-5", std::nullopt},
        {"a fraction", "1.5", std::nullopt},
        {"a date of no month", "Tue, 24 Foo 2026 12:02:00 GMT", std::nullopt},
        {"a date of no day", "Tue, 31 Feb 2026 12:02:00 GMT", std::nullopt},
        {"past every number", "99999999999999999999999", std::nullopt},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(parse_retry_after(row.value, now), row.expected) << row.name;
    }
}

}  // namespace
}  // namespace tagout::notify
