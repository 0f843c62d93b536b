#include "server/body.h"

#include "domain/vocabulary.h"

#include <gtest/gtest.h>

namespace tagout::server {
namespace {

TEST(Body, MembersAreReadAndTheFirstMistakeIsTold) {
    struct Row {
        const char* body;
        const char* told;  ///< "" for none.
    };
    const Row rows[] = {
        {R"({"title":"t","severity":"SEV1"})", ""},
        {R"({"title":"t"})", ""},
        {R"({"title":"t","severity":null})", ""},
        {R"({})", "'title' is missing"},
        {R"({"title":""})", "'title' must not be empty"},
        {R"({"title":5})", "'title' must be a string"},
        {R"({"title":"0123456789012345"})", "over 10 bytes"},
        {R"({"title":"t","severity":"SEV9"})", "'severity' must be one of"},
        {R"({"title":"t","titel":"x"})", "'titel' is not known here"},
    };
    for (const Row& row : rows) {
        Result<Body> body = Body::parse(row.body);
        ASSERT_TRUE(body.has_value()) << row.body;
        body->text("title", true, 10);
        body->choice("severity", false, "SEV1, SEV2, SEV3", parse_severity);
        const std::optional<Error> error = body->error();
        EXPECT_EQ(error.has_value(), *row.told != '\0') << row.body;
        if (error) {
            EXPECT_NE(error->message.find(row.told), std::string::npos) << error->message;
        }
    }
}

TEST(Body, ADeadlineMayBeADayAndEndsWithIt) {
    const struct {
        const char* body;
        const char* at;  ///< "" when it is refused.
    } rows[] = {
        {R"({"due":"2026-12-04"})", "2026-12-04T23:59:59Z"},
        {R"({"due":"2026-12-04T08:00:00Z"})", "2026-12-04T08:00:00Z"},
        {R"({"due":"2026-13-04"})", ""},
        {R"({"due":"next week!"})", ""},
    };
    for (const auto& row : rows) {
        Result<Body> body = Body::parse(row.body);
        ASSERT_TRUE(body.has_value()) << row.body;
        const std::optional<Instant> due = body->deadline("due", true);
        EXPECT_EQ(due.has_value(), *row.at != '\0') << row.body;
        EXPECT_EQ(body->error().has_value(), *row.at == '\0') << row.body;
        if (due) {
            EXPECT_EQ(*due, *parse_rfc3339(row.at)) << row.body;
        }
    }
}

TEST(Body, WhatIsNoJsonObjectIsRefused) {
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    for (const std::string& text :
         {std::string(""), std::string("[]"), std::string("{} {}"), std::string("{\"a\":"), deep}) {
        const Result<Body> body = Body::parse(text);
        ASSERT_FALSE(body.has_value()) << text.substr(0, 20);
        EXPECT_EQ(body.error().code, ErrorCode::InvalidArgument);
    }
    EXPECT_EQ(
        Body::parse(std::string(2 * 1024 * 1024, ' ')).error().code, ErrorCode::LimitExceeded
    );
}

TEST(Body, TimesAreRfc3339) {
    Result<Body> good = Body::parse(R"({"at":"2026-11-24T03:39:27Z"})");
    EXPECT_TRUE(good->time("at", true).has_value());
    EXPECT_FALSE(good->error().has_value());
    Result<Body> bad = Body::parse(R"({"at":"yesterday"})");
    EXPECT_FALSE(bad->time("at", true).has_value());
    ASSERT_TRUE(bad->error().has_value());
    EXPECT_NE(bad->error()->message.find("RFC 3339"), std::string::npos);
}

}  // namespace
}  // namespace tagout::server
