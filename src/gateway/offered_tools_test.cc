#include "gateway/offered_tools.h"

#include <gtest/gtest.h>

namespace tagout::gateway {
namespace {

/// Stopped: refund anywhere, all of server "bank", web_search; "shop" is known to offer two tools.
const ToolStops stops{
    [](const NamedTool& tool) {
        return tool.tool == "refund" || tool.tool == "web_search" || tool.server == "bank";
    },
    [](const std::string& server) {
        return server == "shop" ? std::vector<std::string>{"find", "refund"}
                                : std::vector<std::string>{};
    }};

std::string cut(ModelApi api, const std::string& json) {
    EXPECT_TRUE(check_json(json)) << json;
    const auto request = cut_stopped_tools(api, json, stops);
    if (request) {
        EXPECT_TRUE(check_json(request->json)) << request->json;
    }
    return request ? request->json : "as it was";
}

struct Row {
    ModelApi api;
    const char* name;
    std::string before;
    std::string after;
};
class OfferedTools : public testing::TestWithParam<Row> {};

TEST_P(OfferedTools, AreCut) {
    EXPECT_EQ(cut(GetParam().api, GetParam().before), GetParam().after);
}

const std::string find = R"({"type":"function","function":{"name":"find","x":1.0}})";
const std::string refund = R"({"type":"function","function":{"name":"refund"}})";

INSTANTIATE_TEST_SUITE_P(
    Requests, OfferedTools,
    testing::Values(
        Row{ModelApi::Chat, "nothing", R"({"model":"m","tools":[)" + find + "]}", "as it was"},
        Row{ModelApi::Chat,
            "one",
            R"({"tools":[ )" + refund + " , " + find + R"( ],"tool_choice":"required"})",
            R"({"tools":[ )" + find + R"( ],"tool_choice":"required"})"},
        Row{ModelApi::Chat,
            "the_chosen",
            R"({"tools":[)" + find + "," + refund +
                R"(],"tool_choice":{"type":"function","function":{"name":"refund"}}})",
            R"({"tools":[)" + find + R"(],"tool_choice":"auto"})"},
        Row{ModelApi::Chat,
            "all",
            R"({"model":"m","tools":[)" + refund +
                R"(],"tool_choice":"auto","parallel_tool_calls":false,"n":1})",
            R"({"model":"m","n":1})"},
        Row{ModelApi::Chat,
            "older_functions",
            R"({"functions":[{"name":"refund"},{"name":"find"}],"function_call":{"name":"refund"}})",
            R"({"functions":[{"name":"find"}],"function_call":"auto"})"},
        Row{ModelApi::Chat,
            "allowed_choice",
            R"({"tools":[)" + find + "," + refund +
                R"(],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[)" +
                refund + "," + find + "]}}}",
            R"({"tools":[)" + find +
                R"(],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[)" +
                find + "]}}}"},
        Row{ModelApi::Responses,
            "the_providers_own",
            R"({"tools":[{"type":"web_search"},{"type":"code_interpreter"}],"tool_choice":{"type":"web_search"}})",
            R"({"tools":[{"type":"code_interpreter"}],"tool_choice":"auto"})"},
        Row{ModelApi::Responses,
            "a_server",
            R"({"tools":[{"type":"mcp","server_label":"bank","server_url":"u"},{"type":"function","name":"find"}]})",
            R"({"tools":[{"type":"function","name":"find"}]})"},
        Row{ModelApi::Responses,
            "a_servers_list",
            R"({"tools":[{"type":"mcp","server_label":"x","allowed_tools":["refund","a"]}]})",
            R"({"tools":[{"type":"mcp","server_label":"x","allowed_tools":["a"]}]})"},
        Row{ModelApi::Responses,
            "a_servers_list_as_object",
            R"({"tools":[{"type":"mcp","server_label":"x","allowed_tools":{"tool_names":["a","refund"]}}]})",
            R"({"tools":[{"type":"mcp","server_label":"x","allowed_tools":{"tool_names":["a"]}}]})"},
        Row{ModelApi::Responses,
            "a_servers_whole_list",
            R"({"input":"x","tools":[{"type":"mcp","server_label":"x","allowed_tools":["refund"]}]})",
            R"({"input":"x"})"},
        Row{ModelApi::Responses,
            "a_server_without_list",
            R"({"tools":[{"type":"mcp","server_label":"shop"}]})",
            R"({"tools":[{"allowed_tools":["find"],"type":"mcp","server_label":"shop"}]})"},
        Row{ModelApi::Messages,
            "one_of_messages",
            R"({"tools":[{"name":"refund","input_schema":{}},{"name":"find"}],"tool_choice":{"type":"tool","name":"refund"}})",
            R"({"tools":[{"name":"find"}],"tool_choice":{"type":"auto"}})"},
        Row{ModelApi::Messages,
            "any_choice_stays",
            R"({"tools":[{"type":"web_search_20250305","name":"web_search"},{"name":"find"}],"tool_choice":{"type":"any"}})",
            R"({"tools":[{"name":"find"}],"tool_choice":{"type":"any"}})"},
        Row{ModelApi::Messages,
            "a_toolset",
            R"({"mcp_servers":[{"type":"url","name":"shop"}],"tools":[{"type":"mcp_toolset","mcp_server_name":"shop"}]})",
            R"({"mcp_servers":[{"type":"url","name":"shop"}],"tools":[{"configs":{"refund":{"enabled":false}},"type":"mcp_toolset","mcp_server_name":"shop"}]})"},
        Row{ModelApi::Messages,
            "a_toolset_with_configs",
            R"({"tools":[{"type":"mcp_toolset","mcp_server_name":"x","configs":{"refund":{"enabled":true},"a":{"n":1.0}}}]})",
            R"({"tools":[{"type":"mcp_toolset","mcp_server_name":"x","configs":{"refund":{"enabled":false},"a":{"n":1.0}}}]})"},
        Row{ModelApi::Messages,
            "a_stopped_server",
            R"({"mcp_servers":[{"name":"bank"},{"name":"shop"}],"tools":[{"type":"mcp_toolset","mcp_server_name":"bank"},{"name":"find"}]})",
            R"({"mcp_servers":[{"name":"shop"}],"tools":[{"name":"find"}]})"},
        Row{ModelApi::Messages,
            "an_older_servers_list",
            R"({"mcp_servers":[{"name":"x","tool_configuration":{"enabled":true,"allowed_tools":["refund","a"]}}]})",
            R"({"mcp_servers":[{"name":"x","tool_configuration":{"enabled":true,"allowed_tools":["a"]}}]})"},
        Row{ModelApi::Messages,
            "all_without_history",
            R"({"tools":[{"name":"refund"}],"tool_choice":{"type":"any"},"messages":[]})",
            R"({"messages":[]})"},
        Row{ModelApi::Messages,
            "all_with_calls_in_the_messages",
            R"({"tools":[{"name":"refund"}],"messages":[{"role":"user","content":[{"type":"tool_result"}]}]})",
            R"({"tool_choice":{"type":"none"},"tools":[{"name":"refund"}],"messages":[{"role":"user","content":[{"type":"tool_result"}]}]})"}
    ),
    [](const testing::TestParamInfo<Row>& row) { return std::string(row.param.name); }
);

TEST(OfferedTools, OtherRequestsAndOddShapesPass) {
    EXPECT_EQ(cut(ModelApi::Other, R"({"tools":[)" + refund + "]}"), "as it was");
    for (const char* const odd :
         {"[]",
          "3",
          R"({"tools":{"name":"refund"}})",
          R"({"tools":["refund",null,3]})",
          R"({"mcp_servers":"bank","functions":7})"}) {
        EXPECT_EQ(cut(ModelApi::Messages, odd), "as it was") << odd;
    }
}

TEST(ModelApis, AreToldByTheirPath) {
    EXPECT_EQ(model_api_of("POST", "/chat/completions"), ModelApi::Chat);
    EXPECT_EQ(model_api_of("POST", "/openai/deployments/x/chat/completions/"), ModelApi::Chat);
    EXPECT_EQ(model_api_of("POST", "/v1/responses"), ModelApi::Responses);
    EXPECT_EQ(model_api_of("POST", "/v1/messages"), ModelApi::Messages);
    EXPECT_EQ(model_api_of("GET", "/v1/responses"), ModelApi::Other);
    EXPECT_EQ(model_api_of("POST", "/v1/messages/count_tokens"), ModelApi::Other);
    EXPECT_EQ(model_api_of("POST", "/v1/embeddings"), ModelApi::Other);
}

}  // namespace
}  // namespace tagout::gateway
