#include "detect/arguments.h"

#include <gtest/gtest.h>

#include <string>

namespace tagout::detect {
namespace {

struct Pair {
    const char* name;
    const char* left;
    const char* right;
    bool equal;
};

TEST(Arguments, EqualCallsShareOneHash) {
    const Pair rows[] = {
        {"blanks do not matter", R"({"id": 1, "to":"a"})", R"( { "id":1,"to" : "a" } )", true},
        {"order of keys does not matter", R"({"a":1,"b":2})", R"({"b":2,"a":1})", true},
        {"order in nested objects neither",
         R"({"x":{"a":1,"b":2}})",
         R"({"x":{"b":2,"a":1}})",
         true},
        {"order in arrays matters", "[1,2]", "[2,1]", false},
        {"another value is another call", R"({"id":"A-1"})", R"({"id":"A-2"})", false},
        {"swapped values are another call", R"({"a":1,"b":2})", R"({"a":2,"b":1})", false},
        {"a number is no string", R"({"id":1})", R"({"id":"1"})", false},
        {"no arguments are no empty object", "", "{}", false},
        {"bare text is compared as it stands", "ls -la", "  ls -la ", true},
        {"bare text with a comma is one text", "ls, then cd", "ls", false},
        {"a missing key is another call", R"({"a":1})", R"({"a":1,"b":null})", false},
    };
    for (const Pair& row : rows) {
        EXPECT_EQ(hash_arguments(row.left) == hash_arguments(row.right), row.equal) << row.name;
    }
}

TEST(Arguments, CallsInOtherWordsShareTheirDigest) {
    const Pair rows[] = {
        {"order", R"({"a":1,"b":"x"})", R"({"b":"x","a":1})", true},
        {"case, blanks, signs", R"({"q":"Plan B."})", R"({"q":" plan b "})", true},
        {"a number in quotes", R"({"n":10})", R"({"n":"10.0"})", true},
        {"an address", R"({"u":"www.a.example"})", R"({"u":"https://a.example/"})", true},
        {"null is nothing", R"({"a":1,"b":null,"c":""})", R"({"a":1})", true},
        {"zero is something", R"({"a":1,"b":0})", R"({"a":1})", false},
        {"another number", R"({"n":10.5})", R"({"n":105})", false},
        {"another word", R"({"q":"plan a"})", R"({"q":"plan b"})", false},
        {"order in arrays matters", R"({"n":["a","b"]})", R"({"n":["b","a"]})", false},
        {"no JSON", "ls -la", "LS -la ", true},
    };
    for (const Pair& row : rows) {
        const ArgumentDigest left = digest_arguments(row.left);
        EXPECT_EQ(left.near == digest_arguments(row.right).near, row.equal) << row.name;
        EXPECT_EQ(left.exact, hash_arguments(row.left)) << row.name;
    }
    EXPECT_EQ(digest_arguments(R"({"a":1,"b":{"c":2},"d":null})").fields_count, 2);
}

TEST(Arguments, ValuesComeWithTheirNames) {
    std::vector<ArgumentValue> values;
    const std::string json =
        R"({"to":"a@b.c","lines":[{"sku":"X\u002d1"},"y"],"n":12.5,"ok":true})";
    read_values(json, {}, values);
    ASSERT_EQ(values.size(), 5U);
    EXPECT_EQ(values[0].name, "to");
    EXPECT_EQ(values[0].text, "a@b.c");
    EXPECT_TRUE(values[0].quoted);
    EXPECT_EQ(values[1].text, "X-1");
    EXPECT_EQ(values[2].name, "lines");
    EXPECT_EQ(values[3].text, "12.5");
    EXPECT_FALSE(values[3].quoted);
    EXPECT_EQ(values[4].text, "true");
}

TEST(Arguments, AnythingIsReadToItsEnd) {
    const std::string deep = std::string(100'000, '[') + "1";
    const std::string rows[] = {
        deep,
        "{",
        "{\"a",
        "{\"a\":",
        "{\"a\":}",
        "{,,,}",
        "[}",
        "{\"a\" \"b\"}",
        "\\",
        "\"\\",
        std::string(50'000, '{'),
        "{\"a\":\"" + std::string(100'000, 'x'),
        "}}}}",
        "{:}",
    };
    for (const std::string& row : rows) {
        std::vector<ArgumentValue> values;
        read_values(row, {}, values);
        EXPECT_LE(values.size(), ArgumentLimits{}.values_max);
        EXPECT_EQ(hash_arguments(row), hash_arguments(row)) << row.substr(0, 20);
        for (const ArgumentValue& value : values) {
            EXPECT_LE(value.text.size(), ArgumentLimits{}.value_bytes_max + 3);
        }
    }
}

}  // namespace
}  // namespace tagout::detect
