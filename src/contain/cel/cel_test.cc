// Conditions as operators write them, and what must not happen: crashes, endless work, wrong guesses.
// The public suite is in suite_test.cc.

#include "contain/cel/program.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tagout::contain::cel {
namespace {

/// `tool` is "payments.refund", `args` {"amount": 250, "to": "ann@example.com", "items": [{"price": 3}]}.
Environment environment() {
    Environment names;
    names.variables = {
        {"tool", {Kind::String, {}}},
        {"args", {Kind::Map, {{Kind::String, {}}, {}}}},
        {"now", {Kind::Timestamp, {}}},
        {"marks", {Kind::List, {{Kind::String, {}}}}}};
    return names;
}

struct World {
    std::vector<Value> item{value_of("price"), value_of(std::int64_t{3})};
    std::vector<Value> items{container_of(Kind::Map, item.data(), 1)};
    std::vector<Value> args{
        value_of("amount"),
        value_of(std::int64_t{250}),
        value_of("to"),
        value_of("ann@example.com"),
        value_of("items"),
        container_of(Kind::List, items.data(), 1)};
    std::vector<Value> marks{value_of("untrusted")};
    std::vector<Value> variables{
        value_of("payments.refund"),
        container_of(Kind::Map, args.data(), 3),
        parse_timestamp("2026-11-27T22:30:00Z"),
        container_of(Kind::List, marks.data(), 1)};
};

std::string answer(std::string_view text) {
    const World world;
    const auto program = Program::compile(text, environment());
    if (!program) {
        return "refused at " + std::to_string(program.error().at) + ": " + program.error().says;
    }
    Scratch scratch;
    const Value value = (*program)->evaluate(world.variables, scratch);
    switch (value.kind) {
        case Kind::Bool:
            return value.flag ? "true" : "false";
        case Kind::Int:
            return std::to_string(value.integer);
        case Kind::String:
            return std::string(value.text());
        case Kind::Error:
            return std::string(name_of(value.fault));
        default:
            return std::string(name_of(value.kind));
    }
}

struct Row {
    const char* text;
    const char* answer;
};

TEST(Cel, ConditionsMeanWhatTheySay) {
    const Row rows[] = {
        {"args.amount > 200", "true"},
        {"args.amount > 200.5 && args.amount < 1000u", "true"},
        {"tool == 'payments.refund'", "true"},
        {"tool in ['mail.send', 'payments.refund']", "true"},
        {"tool.startsWith(\"payments.\") ? args.amount : 0", "250"},
        {"args.to.endsWith('@example.com')", "true"},
        {"args.to.matches('^[a-z]+@example[.]com$')", "true"},
        {"args.to.matches(r'^\\w+@evil\\.com$')", "false"},
        {"has(args.reason)", "false"},
        {"has(args.amount) && !has(args.reason)", "true"},
        {"args.items.all(item, item.price < 5)", "true"},
        {"args.items.exists(item, item.price > 5)", "false"},
        {"args.items.exists(i, args.items.exists(j, i.price == j.price))", "true"},
        {"size(args.items) == 1 && size(args.to) == 15", "true"},
        {"'untrusted' in marks", "true"},
        {"args['amount'] == 250", "true"},
        {"now.getHours() >= 22", "true"},
        {"now.getHours('Europe/Berlin') == 23", "true"},
        {"now.getHours('+05:30')", "4"},
        {"now.getDayOfWeek() == 5", "true"},
        {"now > timestamp('2026-11-27T22:00:00Z')", "true"},
        {"now - timestamp('2026-11-27T22:00:00Z') == duration('30m')", "true"},
        {"timestamp('2050-07-01T12:00:00Z').getHours('Europe/Berlin')", "14"},
        {"timestamp('2050-01-01T12:00:00Z').getHours('Europe/Berlin')", "13"},
        {"timestamp('2050-01-01T12:00:00Z').getHours('Australia/Sydney')", "23"},
        {"string(args.amount) + ' to ' + args.to", "250 to ann@example.com"},
        {"args == {'amount': 250.0, 'to': 'ann@example.com', 'items': [{'price': 3}]}", "true"},
        {"// a remark\n true", "true"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(answer(row.text), row.answer) << row.text;
    }
}

TEST(Cel, ErrorsAreAbsorbedWhereTheOtherSideDecides) {
    const Row rows[] = {
        {"args.missing == 1 || true", "true"},
        {"true || args.missing == 1", "true"},
        {"args.missing == 1 && false", "false"},
        {"args.missing == 1 && true", "no such key"},
        {"args.missing == 1 || false", "no such key"},
        {"[1, 0].exists(x, 1 / x == 1)", "true"},
        {"[0, 1].exists(x, 1 / x == 1)", "true"},
        {"[0, 2].exists(x, 1 / x == 1)", "division by zero"},
        {"[0, 2].all(x, 1 / x == 1)", "false"},
        {"args.amount.field == 1", "values of these types do not go together"},
        {"args.to > 5", "values of these types do not go together"},
        {"args.amount ? true : false", "values of these types do not go together"},
        {"9223372036854775807 + args.amount > 0", "number or time out of range"},
        {"[args.items][1] == []", "index out of range"},
        {"timestamp(args.to) < now", "the text is no such value"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(answer(row.text), row.answer) << row.text;
    }
}

TEST(Cel, WhatCannotBeRightIsRefusedWithItsPlace) {
    const Row rows[] = {
        {"tol == 'x'", "refused at 0: the name 'tol' means nothing here"},
        {"tool == 5", "refused at 5: '==' does not go with string and int"},
        {"tool && true", "refused at 5: each side of && must be true or false, and this is string"},
        {"tool.amount == 1", "refused at 4: a string has no field 'amount'"},
        {"marks.exists(m, m > 3)", "refused at 18: '>' does not go with string and int"},
        {"5 in marks", "refused at 2: 'in' does not go with int and list(string)"},
        {"tool = 'x'", "refused at 5: '=' is no operator"},
        {"tool == 'x", "refused at 8: this text has no end"},
        {"(tool == 'x'", "refused at 12: here a ')' is missing"},
        {"tool == 'x' tool", "refused at 12: this does not belong here"},
        {"tool.matches('(')", "refused at 13: the pattern is no RE2 expression: missing ): ("},
        {"tool.matches(tool)", "refused at 13: the pattern of matches() is no literal"},
        {"now.getHours('Mars/Base')", "refused at 3: there is no time zone 'Mars/Base' on this machine"},
        {"now.getHours('../../etc/passwd')",
         "refused at 3: there is no time zone '../../etc/passwd' on this machine"},
        {"now.getHours('UTC', 'UTC')", "refused at 3: getHours() takes one time zone and no more"},
        {"tool.contains()", "refused at 4: 'contains' does not go with string"},
        {"launch(tool)", "refused at 0: launch() is no function here"},
        {"tool.lowerAscii() == 'x'", "refused at 4: lowerAscii() is no method here"},
        {"Refund{amount: 1} == 1", "refused at 6: protobuf messages are not spoken here"},
        {"", "refused at 0: the condition ends too early"},
        {"12345678901234567890", "refused at 0: this number is over 63 bits"},
        {"has(tool)", "refused at 0: has() takes a field, such as has(args.amount)"},
        {"'\\q'", "refused at 1: this is no escape"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(answer(row.text), row.answer) << row.text;
    }
}

std::string repeated(std::string_view part, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += part;
    }
    return text;
}

TEST(Cel, NothingIsDeepOrLongEnoughToHurt) {
    const std::string parens = repeated("(", 5'000) + "true" + repeated(")", 1);
    EXPECT_NE(answer(parens).find("nested deeper"), std::string::npos);
    EXPECT_NE(answer(repeated("[", 200) + repeated("]", 200)).find("nested deeper"), std::string::npos);
    EXPECT_NE(answer(repeated("!", 600) + "true").find("in a row"), std::string::npos);
    EXPECT_NE(answer("true" + repeated("&&true", 600)).find("in a row"), std::string::npos);
    EXPECT_NE(answer("args" + repeated(".a", 600)).find("in a row"), std::string::npos);
    EXPECT_NE(answer(repeated("x", 9'000)).find("over 8192 bytes"), std::string::npos);
    EXPECT_NE(
        answer("[args" + repeated(",args", 300) + "] == []").find("values at a time"), std::string::npos
    );
    EXPECT_NE(answer("[" + repeated("1,", 2'500) + "1] == []").find("parts"), std::string::npos);
    std::string loops = "true";
    for (int i = 0; i < 9; ++i) {
        loops = "[1].all(x, " + loops + ")";
    }
    EXPECT_NE(answer(loops).find("macros are nested"), std::string::npos);
}

TEST(Cel, WorkIsBoundedWhateverItIsWrittenFor) {
    // A hundred times a hundred times a hundred steps are asked for.
    const std::string hundred = "[" + repeated("1,", 99) + "1]";
    const std::string text = hundred + ".all(a, " + hundred + ".all(b, " + hundred + ".all(c, a == b)))";
    EXPECT_EQ(answer(text), "more work than a condition may make");
    EXPECT_EQ(answer(hundred + ".map(a, " + hundred + ".map(b, [b]))[0] == []"),
              "more space than a condition may take");
}

TEST(Cel, OnlyTheVariablesThatAreNamedAreLookedAt) {
    const auto program = Program::compile("args.amount > 1", environment());
    ASSERT_TRUE(program.has_value());
    EXPECT_TRUE((*program)->uses(1));
    EXPECT_FALSE((*program)->uses(0));
    EXPECT_FALSE((*program)->is_constant());
    const auto constant = Program::compile("1 < 2", environment());
    ASSERT_TRUE(constant.has_value());
    EXPECT_TRUE((*constant)->is_constant());
}

TEST(Cel, AZoneFileThatLiesIsNone) {
    EXPECT_FALSE(parse_zone_file("").has_value());
    EXPECT_FALSE(parse_zone_file("TZif2").has_value());
    std::string header = "TZif2" + std::string(15, '\0') + std::string(24, '\xff');
    EXPECT_FALSE(parse_zone_file(header).has_value());
    EXPECT_FALSE(parse_zone_file("TZif2" + std::string(2'000, '\0')).has_value());
}

TEST(Cel, DatesGoThereAndBack) {
    for (std::int64_t days = -800'000; days < 2'900'000; days += 997) {
        const Date date = date_of(days);
        ASSERT_EQ(days_of(date), days) << date.year << "-" << date.month << "-" << date.day;
    }
}

}  // namespace
}  // namespace tagout::contain::cel
