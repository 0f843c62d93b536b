#include "schema/pattern.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tagout::schema {
namespace {

struct Case {
    const char* ecma;
    std::vector<std::string> matches;
    std::vector<std::string> does_not;
};

// What means another thing in RE2 than in ECMA-262, or exists in one of them alone.
TEST(Pattern, MeansWhatItMeansInEcmaScript) {
    const std::vector<Case> cases{
        {R"(^\s$)", {" ", "\t", "\xc2\xa0", "\xef\xbb\xbf", "\v"}, {"", "a"}},
        {R"(^\S$)", {"a", "\xc3\xbc"}, {" ", "\xe2\x80\xa8"}},
        {R"(^[\s,]$)", {" ", ",", "\xc2\xa0"}, {"a"}},
        {R"(^[^\S]$)", {" ", "\xc2\xa0"}, {"a"}},
        {R"(^.$)", {"a", "\xf0\x9f\x90\xb2"}, {"\n", "\r", "\xe2\x80\xa8"}},
        {R"(^a$)", {"a"}, {"a\n"}},
        {R"(^[^]$)", {"\n", "x"}, {""}},
        {R"([])", {}, {"", "a"}},
        {R"(^\u00fc$)", {"\xc3\xbc"}, {"u"}},
        {R"(^\ud83d\udc32*$)", {"\xf0\x9f\x90\xb2\xf0\x9f\x90\xb2"}, {"x"}},
        {R"(^\u{1F432}$)", {"\xf0\x9f\x90\xb2"}, {}},
        {R"(^\x41\cJ\0$)", {std::string("A\n\0", 3)}, {"A"}},
        {R"(^\p{Letter}+$)", {"\xc3\xbcx"}, {"1"}},
        {R"(^\P{Lu}$)", {"a"}, {"A"}},
        {R"(^\p{Script=Greek}$)", {"\xce\xb1"}, {"a"}},
        {R"(^(?<year>\d{4})$)", {"2026"}, {"\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4"}},
        {R"(^[\w-.]+$)", {"a-b.c"}, {"a b"}},
        {R"(^[a\-z]$)", {"-", "a"}, {"b"}},
        {R"(^[[:alpha:]]$)", {"a]", ":]"}, {"b"}},
        {R"(^\/\-\_$)", {"/-_"}, {}},
        {R"(^[\b]$)", {"\b"}, {"b"}},
        {R"(\bfoo\b)", {"a foo b"}, {"afoo"}},
        {R"(a{,2})", {"a{,2}"}, {"aa"}},
    };
    for (const Case& one : cases) {
        const auto pattern = Pattern::compile(one.ecma, 64 << 10);
        ASSERT_TRUE(pattern) << one.ecma << ": " << pattern.error().message;
        for (const std::string& text : one.matches) {
            EXPECT_TRUE(pattern->matches(text)) << one.ecma << " | " << text;
        }
        for (const std::string& text : one.does_not) {
            EXPECT_FALSE(pattern->matches(text)) << one.ecma << " | " << text;
        }
    }
}

TEST(Pattern, WhatRe2CannotRunIsNamedWithItsPlace) {
    const std::vector<std::pair<const char*, const char*>> refused{
        {"ab(?=c)", "a look-ahead, which RE2 cannot run: use allOf, anyOf or not at byte 2"},
        {"(?<!a)b", "a look-behind, which RE2 cannot run: use allOf, anyOf or not at byte 0"},
        {R"((a)\1)", "a back-reference, which RE2 cannot run: write what it repeats at byte 3"},
        {R"(\k<n>)", "a back-reference, which RE2 cannot run: write what it repeats at byte 0"},
        {R"(\Qa)", "an escape that ECMA-262 does not know: \\Q at byte 0"},
        {"(?i)a", "a group that ECMA-262 does not know at byte 0"},
        {R"(\u12)", "\\u without four hex digits at byte 0"},
        {"[a", "a class without its closing bracket at byte 2"},
        {"a\\", "a lone backslash at byte 1"},
    };
    for (const auto& [ecma, message] : refused) {
        const auto pattern = Pattern::compile(ecma, 64 << 10);
        ASSERT_FALSE(pattern) << ecma;
        EXPECT_EQ(pattern.error().message, message);
    }
}

}  // namespace
}  // namespace tagout::schema
