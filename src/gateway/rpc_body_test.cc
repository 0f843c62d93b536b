#include "gateway/rpc_body.h"

#include <gtest/gtest.h>

namespace tagout::gateway {
namespace {

std::expected<RpcBody, RpcFault> read(std::string_view text) {
    return read_rpc_body(PaddedBytes::copy_of(text));
}

TEST(RpcBody, ACallIsReadWithoutAWordChanged) {
    const PaddedBytes bytes = PaddedBytes::copy_of(
        R"( {"jsonrpc":"2.0","id":9007199254740993.0,"method":"tools/call","params":{"name":"re\u0066und",)"
        R"("arguments":{ "amount": 1.10000000000000000001, "b":[1,{"}":"]"}] },"_meta":{)"
        R"("io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bot"},)"
        R"("traceparent":"00-a-b-01","baggage":"gen_ai.agent.name=x","gen_ai.tool.call.id":"call_1"}}} )"
    );
    const auto body = read_rpc_body(bytes);
    ASSERT_TRUE(body.has_value()) << body.error().message;
    ASSERT_EQ(body->messages.size(), 1U);
    const RpcMessage& message = body->messages.front();
    EXPECT_EQ(message.method, "tools/call");
    EXPECT_EQ(message.id, "9007199254740993.0");
    EXPECT_EQ(message.target, "refund") << "an escaped letter is the letter";
    EXPECT_EQ(message.arguments, R"({ "amount": 1.10000000000000000001, "b":[1,{"}":"]"}] })");
    EXPECT_EQ(message.protocol_version, "2026-07-28");
    EXPECT_EQ(message.client_name, "bot");
    EXPECT_EQ(message.traceparent, "00-a-b-01");
    EXPECT_EQ(message.baggage, "gen_ai.agent.name=x");
    EXPECT_EQ(message.tool_call_id, "call_1");
    EXPECT_TRUE(body->is_modern());
}

struct Row {
    const char* name;
    const char* body;
    int code;  ///< 0: passes
    const char* says;
};

class RpcTable : public testing::TestWithParam<Row> {};

TEST_P(RpcTable, IsReadOrRefusedWithItsReason) {
    const Row& row = GetParam();
    const auto body = read(row.body);
    if (row.code == 0) {
        EXPECT_TRUE(body.has_value()) << body.error().message;
        return;
    }
    ASSERT_FALSE(body.has_value()) << "it passed";
    EXPECT_EQ(body.error().code, row.code);
    EXPECT_NE(body.error().message.find(row.says), std::string::npos) << body.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, RpcTable,
    testing::Values(
        Row{"nothing", "", -32700, "not JSON"},
        Row{"half a message", R"({"jsonrpc":"2.0",)", -32700, "not JSON"},
        Row{"two messages", R"({"method":"ping"} {"method":"tools/call"})", -32700, "not JSON"},
        Row{"bytes that are no UTF-8", "{\"method\":\"\xff\"}", -32700, "not JSON"},
        Row{"a number", "7", -32600, "object"},
        Row{"method twice", R"({"method":"ping","id":1,"method":"tools/call"})", -32600, "twice"},
        Row{"method twice, once escaped",
            R"({"method":"ping","id":1,"m\u0065thod":"tools/call"})",
            -32600,
            "twice"},
        Row{"method in another case", R"({"Method":"tools/call","id":1})", -32600, "case"},
        Row{"a long s in params", "{\"method\":\"x\",\"param\xC5\xBF\":{}}", -32600, "case"},
        Row{"params twice",
            R"({"method":"tools/call","id":1,"params":{"name":"a"},"params":{"name":"b"}})",
            -32600,
            "twice"},
        Row{"name twice",
            R"({"method":"tools/call","id":1,"params":{"name":"a","name":"b"}})",
            -32600,
            "twice"},
        Row{"arguments twice",
            R"({"method":"tools/call","id":1,"params":{"name":"a","arguments":{},"arguments":{}}})",
            -32600,
            "twice"},
        Row{"no name", R"({"method":"tools/call","id":1,"params":{}})", -32602, "params.name"},
        Row{"a list for a name",
            R"({"method":"tools/call","id":1,"params":{"name":["refund"]}})",
            -32602,
            "params.name"},
        Row{"a call without an id",
            R"({"method":"tools/call","params":{"name":"a"}})",
            -32600,
            "needs an id"},
        Row{"a call with null for an id",
            R"({"method":"tools/call","id":null,"params":{"name":"a"}})",
            -32600,
            "needs an id"},
        Row{"a method that is no text", R"({"method":["tools/call"],"id":1})", -32600, "string"},
        Row{"a fault in a batch",
            R"([{"method":"ping"},{"method":"a","method":"b"}])",
            -32600,
            "twice"},
        Row{"arguments may hold anything",
            R"({"method":"tools/call","id":"a","params":{"name":"x","arguments":{"name":1,"name":2}}})",
            0,
            ""},
        Row{"unknown methods pass", R"({"method":"x/y","id":1,"params":{"new":true}})", 0, ""},
        Row{"a response passes", R"({"jsonrpc":"2.0","id":1,"result":{}})", 0, ""},
        Row{"params as a list pass", R"({"method":"x","params":[1]})", 0, ""}
    ),
    [](const testing::TestParamInfo<Row>& row) {
        std::string name = row.param.name;
        for (char& c : name) {
            c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
        }
        return name;
    }
);

TEST(RpcBody, ABatchHasABound) {
    std::string batch = "[";
    for (std::size_t i = 0; i <= batch_messages_max; ++i) {
        batch += std::string(i > 0 ? "," : "") + R"({"method":"ping"})";
    }
    const auto body = read(batch + "]");
    ASSERT_FALSE(body.has_value());
    EXPECT_NE(body.error().message.find("in parts"), std::string::npos);
    EXPECT_FALSE(read(std::string(100'000, '[')).has_value()) << "depth is bounded";
}

TEST(RpcBody, HeadersMustSayWhatTheBodySays) {
    const auto body = read(
        R"({"method":"tools/call","id":1,"params":{"name":"größe","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})"
    );
    ASSERT_TRUE(body.has_value());
    const RpcMessage& message = body->messages.front();
    EXPECT_EQ(header_mismatch(message, "tools/call", "=?base64?Z3LDtsOfZQ==?="), "");
    EXPECT_EQ(header_mismatch(message, "", ""), "");
    EXPECT_NE(header_mismatch(message, "tools/list", ""), "");
    EXPECT_NE(header_mismatch(message, "tools/call", "other"), "");
}

}  // namespace
}  // namespace tagout::gateway
