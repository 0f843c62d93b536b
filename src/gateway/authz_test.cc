#include "gateway/authz_road.h"
#include "gateway/test_world.h"

#include "intake/json_writer.h"
#include "net/grpc_test_client.h"

#include <gtest/gtest.h>

namespace tagout::gateway {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Check {
    Pairs extensions;
    std::string body;
    Pairs headers{};
    std::int64_t size = -1;
    bool as_header_map = false;
    bool raw = false;
};

void entry(
    intake::json::Writer& out, std::uint32_t number, const std::string& key,
    const std::string& value, std::uint32_t place = 2
) {
    const auto open = out.begin(number, false);
    out.bytes(1, key);
    out.bytes(place, value);
    out.end(open);
}

std::string bytes_of(const Check& check) {
    intake::json::Writer out;
    const auto attributes = out.begin(1, true);
    const auto request = out.begin(4, true);
    const auto http = out.begin(2, true);
    if (check.as_header_map) {
        const auto map = out.begin(13, true);
        for (const auto& [key, value] : check.headers) {
            entry(out, 1, key, value, 3);
        }
        out.end(map);
    } else {
        for (const auto& [key, value] : check.headers) {
            entry(out, 3, key, value);
        }
    }
    if (check.size >= 0) {
        out.varint(9, static_cast<std::uint64_t>(check.size));
    }
    out.bytes(check.raw ? 12 : 11, check.body);
    out.end(http);
    out.end(request);
    for (const auto& [key, value] : check.extensions) {
        entry(out, 10, key, value);
    }
    out.end(attributes);
    return std::string(out.view());
}

class Authz : public testing::Test {
protected:
    /// The encoded CheckResponse; texts in it stand as they are.
    std::string ask(const Check& check) {
        net::GrpcTestClient client(world.gateway->authz_port());
        const auto answer = client.call(std::string(authz_method), bytes_of(check));
        EXPECT_EQ(answer.status(), "0");
        return answer.message();
    }
    static bool passes(const std::string& response) {
        return response.find("denied") == std::string::npos &&
               response.find("\"verdict\":\"allow\"") != std::string::npos;
    }
    static bool says(const std::string& response, std::string_view words) {
        return response.find(words) != std::string::npos;
    }
    World world{[](net::ScriptedPeer&) {}};
};

TEST_F(Authz, AnMcpCallIsReadAndRefusedInItsProtocol) {
    const Check refund{{{"server", "shop"}}, tool_call("refund")};
    EXPECT_TRUE(passes(ask(refund)));
    world.control({World::stop("tool:shop.refund")});
    const std::string refused = ask(refund);
    EXPECT_TRUE(says(refused, "pays twice"));
    EXPECT_TRUE(says(refused, "\"isError\":true")) << "a result that the model can read";
    EXPECT_TRUE(says(refused, "\"verdict\":\"deny\""));
    EXPECT_TRUE(passes(ask({{{"server", "shop"}}, tool_call("get_order")})));
    EXPECT_TRUE(passes(ask({{{"server", "shop"}}, R"({"jsonrpc":"2.0","id":1,"method":"ping"})"})));
    EXPECT_TRUE(passes(ask({{{"server", "shop"}}, ""})));
    for (const bool raw : {false, true}) {
        Check other = refund;
        other.raw = raw;
        other.as_header_map = true;
        other.headers = {{"tagout-agent", "bot"}};
        EXPECT_FALSE(passes(ask(other)));
    }
}

TEST_F(Authz, ARouteMayBeOneToolOrOneWorkflow) {
    world.control({World::stop("agent:bot")});
    EXPECT_TRUE(passes(ask({{{"tool", "http.get"}}, "any"})));
    EXPECT_FALSE(passes(ask({{{"tool", "http.get"}, {"agent", "bot"}}, "any"})));
    EXPECT_FALSE(passes(ask({{{"tool", "http.get"}}, "any", {{"tagout-agent", "bot"}}})));
    EXPECT_TRUE(passes(ask({{{"tool", "x"}, {"agent", "bot"}}, "", {{"tagout-agent", "other"}}})))
        << "what the caller says goes before the route's own";
    world.control({World::stop("workflow:returns")});
    EXPECT_FALSE(passes(ask({{{"workflow", "returns"}}, "any"})));
    EXPECT_TRUE(passes(ask({{{"workflow", "other"}}, "any"})));
    world.control({World::stop("tool:x", ControlMode::Approvals)});
    EXPECT_TRUE(says(ask({{{"tool", "x"}}, ""}), "nobody can be asked on this road"));
}

TEST_F(Authz, WhatMustBeRedactedDoesNotPass) {
    Control redact = World::stop("tool:x", ControlMode::Redact);
    redact.terms.redact = {"email"};
    world.control({redact});
    EXPECT_TRUE(says(ask({{{"tool", "x"}}, "to a@b.c"}), "must be redacted"));
    EXPECT_TRUE(passes(ask({{{"tool", "y"}}, "to a@b.c"})));
}

TEST_F(Authz, WhatCannotBeJudgedIsRefusedWithTheRemedy) {
    EXPECT_TRUE(says(ask({{}, "x"}), "context_extensions"));
    EXPECT_TRUE(says(ask({{{"server", "shop"}}, "{\"cut"}), "cannot be judged"));
    EXPECT_TRUE(says(ask({{{"server", "shop"}}, "{", {}, 9000}), "max_request_bytes"));
    net::GrpcTestClient client(world.gateway->authz_port());
    EXPECT_EQ(client.call(std::string(authz_method), "\x0a\x7f").status(), "3");
    EXPECT_EQ(client.call("/envoy.service.auth.v3.Authorization/Other", "").status(), "12");
}

TEST_F(Authz, OverHttpTheAnswerIsTheStatus) {
    const auto ask_http = [&](net::Headers headers, const std::string& body) {
        return world.ask({"POST", "/ext_authz/mcp", body, std::move(headers)});
    };
    world.control({World::stop("tool:refund")});
    const auto refused = ask_http({{"tagout-server", "shop"}}, tool_call("refund"));
    EXPECT_EQ(refused.status, 403);
    EXPECT_TRUE(says(refused.body, "pays twice"));
    EXPECT_EQ(ask_http({{"tagout-server", "shop"}}, tool_call("get_order")).status, 200);
    EXPECT_EQ(ask_http({{"tagout-tool", "refund"}}, "").status, 403);
    EXPECT_EQ(ask_http({}, "").status, 403);
    EXPECT_EQ(world.ask({"GET", "/ext_authzx", ""}).status, 404);
}

TEST(AuthzRoad, SaysSoBeforeControlsAreInForce) {
    World world([](net::ScriptedPeer&) {}, nullptr, false);
    net::GrpcTestClient client(world.gateway->authz_port());
    EXPECT_EQ(client.call(std::string(authz_method), "").status(), "14");
}

}  // namespace
}  // namespace tagout::gateway
