#include "intake/normalise_json.h"

#include "base/prng.h"
#include "intake/event_json.h"
#include "intake/normalise_messages.h"
#include "intake/normalise_values.h"

#include <gtest/gtest.h>
#include <limits>
#include <memory>

namespace tagout::intake {
namespace {

TEST(JsonView, FindsMembersAndLeavesTheRestAlone) {
    const JsonView object = json_of(
        R"( {"a":{"b":[1,{"x":"}"}],"c":"\\\""},"d":-1.5e3,"e":true,"f":null,"g":""} tail)"
    );
    EXPECT_EQ(object.type, JsonType::Object);
    EXPECT_TRUE(object.raw.ends_with("\"\"}")) << "what follows the value is not part of it";
    EventBatch batch;
    EXPECT_EQ(text_of(member(member(object, "a"), "c"), batch), R"(\")");
    EXPECT_EQ(member(member(object, "a"), "b").raw, R"([1,{"x":"}"}])");
    EXPECT_EQ(member(object, "d").raw, "-1.5e3");
    EXPECT_TRUE(member(object, "e").is_true());
    EXPECT_EQ(member(object, "f").type, JsonType::Null);
    EXPECT_TRUE(member(object, "g").is_text());
    EXPECT_EQ(member(object, "x").type, JsonType::None) << "members of members are not its own";
}

TEST(JsonView, OnlyATextThatEndsAsItBeginsIsAContainer) {
    EXPECT_EQ(json_container_of("{\"a\":1}").type, JsonType::Object);
    EXPECT_EQ(json_container_of("[]").type, JsonType::Array);
    EXPECT_EQ(json_container_of("{ }\n").type, JsonType::Object);
    for (const std::string_view text :
         {"", "[", "{", "[urgent] hello", "[urgent]", "{name}", "{\"a\":1", "hello", "\"text\"",
          "[1] and [2", "7"}) {
        EXPECT_EQ(json_container_of(text).type, JsonType::None) << text;
    }
}

TEST(JsonView, TextsAreUnescapedIntoUtf8) {
    struct Row {
        std::string_view json;
        std::string_view text;
    };
    const Row rows[] = {
        {R"("plain")", "plain"},
        {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
        {R"("\u0041\u00e9\u20ac")", "A\xC3\xA9\xE2\x82\xAC"},
        {R"("\ud83d\ude00")", "\xF0\x9F\x98\x80"},
        {R"("\ud83d")", "\xEF\xBF\xBD"},
        {R"("\ude00x")", "\xEF\xBF\xBDx"},
        {R"("\ud83d\u0041")", "\xEF\xBF\xBD"
                              "A"},
        {R"("\u12")", "\xEF\xBF\xBD"
                      "12"},
        {R"("cut\)", "cut"},
    };
    for (const Row& row : rows) {
        EventBatch batch;
        EXPECT_EQ(text_of(json_of(row.json), batch), row.text) << row.json;
    }
}

TEST(JsonView, ListsFromTheFrontAndFromTheBackTellTheSame) {
    Prng prng(3);
    const auto text = [&prng] {
        std::string made;
        for (std::size_t i = prng.below(40); i > 0; --i) {
            made += "ab\"\\{}[]:, \nrole"[prng.below(17)];
        }
        return made;
    };
    for (int round = 0; round < 2000; ++round) {
        std::string list = "[";
        std::string wanted;
        for (std::size_t i = 1 + prng.below(5); i > 0; --i) {
            const bool user = prng.chance(0.4);
            const std::string said = text();
            list += list.size() > 1 ? "," : "";
            list += R"({"n":1,"role":)";
            append_quoted(user ? "user" : "assistant", list);
            list += R"(,"x":{"role":"user","content":"inner"},"parts":[{"type":"text","content":)";
            append_quoted(said, list);
            list += "}]}";
            wanted = user && !said.empty() ? said : wanted;
        }
        list += "]";
        EventBatch batch;
        EXPECT_EQ(last_user_message(json_container_of(list), batch), wanted) << list;
        const MessageScan scan = scan_messages(json_container_of(list));
        EXPECT_TRUE(scan.plain);
        const std::string_view scanned = scan.user.text(batch);
        if (!scanned.empty()) {
            EXPECT_EQ(scanned, wanted) << list;
        }
    }
}

TEST(JsonView, BrokenTextsGiveLessAndNeverReadOutside) {
    Prng prng(5);
    const std::string whole =
        R"([{"role":"system","content":"S"},{"role":"user","parts":[{"type":"text","content":"a\"b"}]},)"
        R"({"role":"assistant","content":[{"type":"text","text":"\u00e9"}],"k":{"z":[1,2,{}]}}])";
    for (int round = 0; round < 20'000; ++round) {
        std::string text = whole;
        for (std::size_t i = 1 + prng.below(4); i > 0; --i) {
            const std::size_t at = prng.below(text.size());
            switch (prng.below(3)) {
                case 0:
                    text[at] = "\"\\{}[]:,x"[prng.below(9)];
                    break;
                case 1:
                    text.resize(at + 1);
                    break;
                default:
                    text.erase(at, 1);
            }
            if (text.empty()) {
                text = "[";
            }
        }
        // Memory of its own size, so that a sanitizer sees a read past the end.
        const auto exact = std::make_unique<char[]>(text.size());
        std::copy(text.begin(), text.end(), exact.get());
        const std::string_view view(exact.get(), text.size());
        EventBatch batch;
        for (const JsonView json : {json_of(view), json_container_of(view)}) {
            const std::size_t size = last_user_message(json, batch).size()
                + last_answer(json, batch).size() + leading_system_message(json, batch).size()
                + text_of_content(json, batch).size();
            EXPECT_LE(size, 4 * text.size());
            std::string spaced;
            append_spaced(json, spaced);
            EXPECT_LE(spaced.size(), 8 * text.size() + 8);
        }
        EXPECT_LE(text_of_nested(view, batch).size(), 2 * text.size());
    }
}

TEST(JsonView, DeepNestingCostsNoStack) {
    const std::string deep(1'000'000, '[');
    EventBatch batch;
    EXPECT_EQ(json_of(deep).type, JsonType::Array);
    EXPECT_EQ(last_user_message(json_container_of(deep + "]"), batch), "");
    std::string objects;
    for (int i = 0; i < 100'000; ++i) {
        objects += "{\"a\":";
    }
    EXPECT_EQ(member(json_of(objects), "b").type, JsonType::None);
    EXPECT_EQ(text_of_content(json_of(objects), batch), "");
}

TEST(JsonView, NestedContentIsLookedIntoOnlySoDeep) {
    std::string nested;
    for (int i = 0; i < 50'000; ++i) {
        nested += R"({"content":[)";
    }
    nested += "\"x\"";
    for (int i = 0; i < 50'000; ++i) {
        nested += "]}";
    }
    EventBatch batch;
    EXPECT_LE(text_of_content(json_of(nested), batch).size(), nested.size());
    EXPECT_LE(text_of_nested(nested, batch).size(), nested.size());
}

TEST(Values, NumbersArePrintedAsTheReferencePrintsThem) {
    struct Row {
        double number;
        std::string_view ints;
        std::string_view point;
    };
    const Row rows[] = {
        {0, "0", "0.0"},
        {102, "102", "102.0"},
        {-3, "-3", "-3.0"},
        {0.00035835, "0.00035835", "0.00035835"},
        {0.0001, "0.0001", "0.0001"},
        {0.00001, "1e-05", "1e-05"},
        {9.650512, "9.650512", "9.650512"},
        {0.060038076999999704, "0.060038076999999704", "0.060038076999999704"},
        {1e17, "1e+17", "1e+17"},
        {std::numeric_limits<double>::infinity(), "null", "null"},
    };
    for (const Row& row : rows) {
        std::string ints;
        append_number(row.number, WholeNumbers::AsInts, ints);
        EXPECT_EQ(ints, row.ints);
        std::string point;
        append_number(row.number, WholeNumbers::WithPoint, point);
        EXPECT_EQ(point, row.point);
    }
}

TEST(Values, WhateverReadsAsANumberIsOne) {
    EXPECT_EQ(count_of(AnyValue::integer(7)), 7);
    EXPECT_EQ(count_of(AnyValue::number(7.0)), 7);
    EXPECT_EQ(count_of(AnyValue::text("7")), 7);
    EXPECT_EQ(count_of(AnyValue::text(" 7.9 ")), 7);
    for (const AnyValue& value :
         {AnyValue::integer(-1), AnyValue::number(-0.5), AnyValue::text("seven"), AnyValue::text(""),
          AnyValue::text("7 apples"), AnyValue::text("nan"), AnyValue::text("1e999"),
          AnyValue::boolean(true), AnyValue{}}) {
        EXPECT_EQ(count_of(value), -1);
    }
    EXPECT_EQ(count_of(AnyValue::number(1e300)), -1);
}

TEST(EventJson, TextsAreClippedByCharactersAndEscaped) {
    AgentEvent event;
    event.kind = EventKind::Tool;
    std::string args = "\"\\\n\x01";
    for (int i = 0; i < 200; ++i) {
        args += "\xC3\xA9";
    }
    event.tool_args = args;
    const std::string line = to_json_line(event);
    EXPECT_NE(line.find(R"("tool.args": "\"\\\n\u0001)"), std::string::npos) << line;
    std::size_t characters = 0;
    for (std::size_t at = line.find("\xC3\xA9"); at != std::string::npos;
         at = line.find("\xC3\xA9", at + 1)) {
        ++characters;
    }
    EXPECT_EQ(characters, 156U) << "160 with the four before them";
    EXPECT_EQ(line.find("user_text"), std::string::npos) << "what is not there is left out";
}

}  // namespace
}  // namespace tagout::intake
