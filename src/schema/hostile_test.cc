// Schemas and instances that were made to hang or crash their reader end with an error that names
// the place, and soon.
#include "schema/check.h"
#include "schema/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tagout::schema {
namespace {

using ::testing::HasSubstr;

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    out.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) {
        out += text;
    }
    return out;
}

Result<bool> ask(
    std::string_view schema_text, std::string_view json, const CheckLimits& limits = {}
) {
    const Schema schema = TAGOUT_TRY(Schema::compile(schema_text));
    Instance instance;
    TAGOUT_TRY(instance.read(json));
    return conforms(schema, instance, limits);
}

TEST(HostileSchema, OneThatRefersToItselfWithoutMovingOnIsNamed) {
    for (const char* text :
         {R"({"$ref":"#"})",
          R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}})",
          R"({"not":{"$ref":"#"}})",
          R"({"$dynamicAnchor":"x","allOf":[{"$dynamicRef":"#x"}]})",
          R"({"if":{"$ref":"#"}})",
          R"({"unevaluatedProperties":false,"anyOf":[{"$ref":"#"},true]})"}) {
        const auto found = ask(text, R"({"a":1})");
        ASSERT_FALSE(found) << text;
        EXPECT_EQ(found.error().code, ErrorCode::LimitExceeded);
        EXPECT_THAT(found.error().message, HasSubstr("refers to itself")) << text;
        EXPECT_THAT(found.error().message, HasSubstr("for the whole instance")) << text;
    }
}

TEST(HostileSchema, OneThatDoublesItsAlternativesEndsAtItsSteps) {
    std::string text = R"({"$ref":"#/$defs/s0","$defs":{)";
    for (int i = 0; i < 60; ++i) {
        const std::string next = std::to_string(i + 1);
        const std::string reference = R"({"$ref":"#/$defs/s)" + next + R"("})";
        text += "\"s" + std::to_string(i) + R"(":{"anyOf":[)" + reference + "," + reference + "]},";
    }
    text += R"("s60":false}})";
    const auto found = ask(text, "1");
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().message, HasSubstr("gave up after 1000000 steps"));
    EXPECT_THAT(found.error().message, HasSubstr("#/$defs/s"));
}

TEST(HostileSchema, ItsSizeAndDepthAreBounded) {
    const auto deep = Schema::compile(repeated(R"({"not":)", 400) + "true" + repeated("}", 400));
    ASSERT_FALSE(deep);
    EXPECT_THAT(deep.error().message, HasSubstr("nests deeper than 128 levels"));

    const auto long_text =
        Schema::compile(R"({"description":")" + std::string(2 << 20, 'x') + "\"}");
    ASSERT_FALSE(long_text);
    EXPECT_EQ(long_text.error().code, ErrorCode::LimitExceeded);

    const auto many = Schema::compile(R"({"allOf":[true)" + repeated(",true", 30'000) + "]}");
    ASSERT_FALSE(many);
    EXPECT_THAT(many.error().message, HasSubstr("more than 20000 subschemas"));
}

// What makes a backtracking matcher take longer than the universe is linear here.
TEST(HostileSchema, CatastrophicPatternsCostNoMoreThanOthers) {
    for (const char* pattern :
         {R"(^(a+)+$)", R"(^(a|aa)+$)", R"(^(([a-z])+.)+[A-Z]([a-z])+$)", R"((.*)*x)"}) {
        const auto found =
            ask(R"({"pattern":")" + std::string(pattern) + "\"}",
                "\"" + std::string(200'000, 'a') + "!\"");
        ASSERT_TRUE(found) << pattern << ": " << found.error().message;
        EXPECT_FALSE(*found) << pattern;
    }
}

TEST(HostileInstance, TenMegabytesAreReadAndJudgedWithinTheSteps) {
    const std::string text = "{\"text\":\"" + std::string(10 << 20, 'x') + "\"}";
    const auto one = ask(R"({"properties":{"text":{"type":"string","maxLength":100}}})", text);
    ASSERT_TRUE(one);
    EXPECT_FALSE(*one);

    const std::string list = "[0" + repeated(",1", 5 << 20) + "]";
    const auto many = ask(R"({"items":{"type":"integer"}})", list);
    ASSERT_FALSE(many);
    EXPECT_EQ(many.error().code, ErrorCode::LimitExceeded);
    EXPECT_THAT(many.error().message, HasSubstr("gave up after 1000000 steps"));
    EXPECT_THAT(many.error().message, HasSubstr("#/items for /"));

    const auto twins = ask(R"({"uniqueItems":true})", list);
    ASSERT_FALSE(twins);
    EXPECT_EQ(twins.error().code, ErrorCode::LimitExceeded);
}

TEST(HostileInstance, WhatIsNoJsonIsRefusedInWords) {
    Instance instance;
    const auto deep = instance.read(repeated("[", 100'000));
    ASSERT_FALSE(deep);
    for (const std::string& text :
         {std::string(),
          std::string("{\"a\":"),
          std::string("\"\xff\xfe\""),
          std::string("nul"),
          std::string("1e999"),
          std::string("[1,]"),
          std::string(17 << 20, ' ')}) {
        const auto read = instance.read(text);
        ASSERT_FALSE(read) << text.substr(0, 20);
        EXPECT_FALSE(read.error().message.empty());
        EXPECT_EQ(instance.tree(), nullptr);
        const auto schema = Schema::compile("true");
        ASSERT_TRUE(schema);
        EXPECT_FALSE(conforms(*schema, instance));
    }
    EXPECT_TRUE(instance.read("[[1]]"));  // and goes on
}

TEST(HostileInstance, AlikeObjectsInAListAreComparedWithinTheSteps) {
    // 3,000 objects of 40 members that differ in the last alone.
    std::string text = "[";
    for (int i = 0; i < 3'000; ++i) {
        text += i == 0 ? "{" : ",{";
        for (int k = 0; k < 40; ++k) {
            text += "\"member" + std::to_string(k) + "\":0,";
        }
        text += "\"id\":" + std::to_string(i) + "}";
    }
    text += "]";
    const auto found = ask(R"({"uniqueItems":true})", text);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(*found);
}

}  // namespace
}  // namespace tagout::schema
