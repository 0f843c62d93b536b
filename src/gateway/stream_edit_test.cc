#include "gateway/event_splitter.h"
#include "gateway/tool_list.h"

#include <gtest/gtest.h>

namespace tagout::gateway {
namespace {

const std::string stream =
    ": hello\n\nid: 1\nevent: message\ndata: {\"a\":\ndata: 1}\n\nretry: 10\r\n\r\ndata: "
    "x\r\rdata:y\n: within\n\n";

std::vector<std::string> blocks_of(std::string_view text, std::size_t step, std::string& held) {
    EventSplitter splitter;
    std::vector<std::string> blocks;
    for (std::size_t at = 0; at < text.size(); at += step) {
        EXPECT_TRUE(splitter.feed(text.substr(at, step), [&](std::string_view block) {
            blocks.emplace_back(block);
        }));
    }
    held = splitter.held();
    return blocks;
}

TEST(EventSplitter, LosesNoByteInWhateverPiecesTheyCome) {
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        std::string held;
        const auto blocks = blocks_of(stream + "data: half", step, held);
        std::string joined;
        std::vector<std::string> data;
        for (const std::string& block : blocks) {
            joined += block;
            if (const std::string each = event_data(block); !each.empty()) {
                data.push_back(each);
            }
        }
        EXPECT_EQ(joined, stream) << "in pieces of " << step;
        EXPECT_EQ(held, "data: half");
        EXPECT_EQ(data, (std::vector<std::string>{"{\"a\":\n1}", "x", "y"}))
            << "in pieces of " << step;
    }
}

TEST(EventSplitter, ACommentDoesNotWait) {
    std::string held;
    EXPECT_EQ(blocks_of(": alive\n", 8, held), std::vector<std::string>{": alive\n"});
    EXPECT_EQ(held, "");
}

TEST(EventSplitter, AnEventWithoutEndHasABound) {
    EventSplitter splitter;
    const std::string part(1024 * 1024, 'x');
    std::size_t fed = 0;
    while (splitter.feed(part, [](std::string_view) { FAIL() << "nothing ended"; })) {
        fed += part.size();
        ASSERT_LE(fed, EventSplitter::event_bytes_max + part.size());
    }
    EXPECT_EQ(splitter.rest().size(), fed + part.size()) << "what was held is handed over";
    EXPECT_FALSE(splitter.feed("data: x\n\n", [](std::string_view) {}));
}

TEST(EventSplitter, OtherDataKeepsTheOtherLines) {
    EXPECT_EQ(
        with_data("id: 7\r\ndata: a\r\ndata: b\r\nretry: 1\r\n\r\n", "new"),
        "id: 7\r\ndata: new\r\nretry: 1\r\n\r\n"
    );
    EXPECT_EQ(event_data(with_data("data: a\n\n", "one\ntwo")), "one\ntwo");
}

std::string cut(std::string_view json) {
    const auto list =
        edit_tool_list(json, [](std::string_view tool) { return tool.starts_with("no"); });
    return list ? list->json : "none";
}

std::string listed(std::string_view tools) {
    return R"({"jsonrpc":"2.0","id":1,"result":{"tools":)" + std::string(tools) +
           R"(,"nextCursor":"c"}})";
}

TEST(ToolList, CutsWhatIsHiddenAndNothingElse) {
    const std::string a = R"({"name":"a","inputSchema":{"$schema":"x","n":1.10}})";
    const std::string b = R"({ "description" : "no, [,]" , "name" : "b" })";
    const std::string no = R"({"name":"no\u0031","x":[{"name":"a"},"]"]})";
    struct Row {
        std::string before;
        std::string after;
    };
    const std::vector<Row> rows{
        {"[" + a + "," + b + "]", "[" + a + "," + b + "]"},
        {"[" + no + "," + a + "]", "[" + a + "]"},
        {"[ " + no + " , " + a + " ]", "[ " + a + " ]"},
        {"[" + a + "," + no + "," + b + "]", "[" + a + "," + b + "]"},
        {"[" + a + " , " + no + "]", "[" + a + "]"},
        {"[" + no + "]", "[]"},
        {"[ " + no + ", " + no + " ]", "[  ]"},
        {"[" + no + "," + no + "," + a + "," + no + "," + b + "," + no + "]",
         "[" + a + "," + b + "]"},
        {"[]", "[]"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(cut(listed(row.before)), listed(row.after)) << row.before;
        EXPECT_TRUE(check_json(cut(listed(row.before)))) << row.before;
    }
    EXPECT_EQ(
        cut("[" + listed("[" + no + "]") + "," + listed("[" + a + "]") + "]"),
        "[" + listed("[]") + "," + listed("[" + a + "]") + "]"
    );
}

TEST(ToolList, SaysWhatWasOffered) {
    const auto list =
        edit_tool_list(listed(R"([{"name":"a"},{"name":"no"}])"), [](std::string_view tool) {
            return tool == "no";
        });
    ASSERT_TRUE(list.has_value());
    EXPECT_EQ(list->tools, (std::vector<std::string>{"a", "no"}));
    EXPECT_EQ(list->hidden, 1U);
}

TEST(ToolList, AListMayNotBeKeptForLong) {
    EXPECT_EQ(
        cut(R"({"result":{"ttlMs":86400000,"tools":[],"cacheScope":"public"}})"),
        R"({"result":{"ttlMs":2000,"tools":[],"cacheScope":"private"}})"
    );
    EXPECT_EQ(
        cut(R"({"result":{"tools":[],"ttlMs":1e300}})"), R"({"result":{"tools":[],"ttlMs":2000}})"
    );
    EXPECT_EQ(
        cut(R"({"result":{"tools":[],"ttlMs":0,"cacheScope":"private"}})"),
        R"({"result":{"tools":[],"ttlMs":0,"cacheScope":"private"}})"
    );
}

TEST(ToolList, OtherAnswersAreNone) {
    EXPECT_EQ(cut(R"({"result":{"content":[{"type":"text","text":"tools"}]}})"), "none");
    EXPECT_EQ(cut(R"({"error":{"message":"tools"}})"), "none");
    EXPECT_EQ(cut("tools, but no JSON"), "none");
    EXPECT_EQ(cut(R"({"method":"x","params":{"tools":[{"name":"no"}]}})"), "none");
}

}  // namespace
}  // namespace tagout::gateway
