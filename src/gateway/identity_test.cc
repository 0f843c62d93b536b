#include "gateway/test_world.h"

#include "contain/agent_tokens.h"
#include "contain/refusals.h"
#include "incident/memory_journal.h"
#include "net/test_certificates.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tagout::gateway {
namespace {

constexpr std::string_view call =
    R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_order","arguments":{}}})";

/// A gateway that knows agents by token; its upstreams keep what they were sent.
class IdentityRoad : public testing::Test {
protected:
    IdentityRoad()
        : tokens_(contain::AgentTokens::make(
              journal_, clock_, [this] { return std::string(63, 'b') + std::to_string(++made_); }
          )),
          refusals_(contain::Refusals::make(journal_, clock_, metrics_)) {}

    std::unique_ptr<World> world(catalog::IdentityMode mode) {
        return world(catalog::Identity{.mode = mode}, std::nullopt);
    }
    std::unique_ptr<World> world(
        const catalog::Identity& identity, const std::optional<net::TlsFiles>& tls
    ) {
        const auto keeps = [this](net::ScriptedPeer& peer) {
            for (std::string request = peer.read_request(); !request.empty();
                 request = peer.read_request()) {
                {
                    const MutexLock lock(mutex_);
                    sent_ += request;
                }
                peer.send(http_answer(
                    "application/json", R"({"jsonrpc":"2.0","id":1,"result":{"content":[]}})"
                ));
            }
        };
        auto made = std::make_unique<World>(
            keeps,
            keeps,
            true,
            1U,
            nullptr,
            Proof{identity, [this] { return tokens_->credentials(); }, refusals_.get(), tls}
        );
        return made;
    }
    std::string token(const std::string& pattern) {
        return tokens_->make_token(pattern, {Actor("person:ann"), "test"})->token;
    }
    std::string sent() {
        const MutexLock lock(mutex_);
        return sent_;
    }
    std::vector<std::string> refused() {
        std::vector<std::string> all;
        for (const contain::RefusalRow& row : refusals_->list()) {
            all.push_back(row.caller.road + " " + row.caller.why + " " + row.caller.claimed);
        }
        return all;
    }

    ManualClock clock_{Instant(std::chrono::hours(24 * 365 * 50))};
    incident::MemoryJournal journal_{clock_};
    MetricRegistry metrics_;
    int made_ = 0;
    std::unique_ptr<contain::AgentTokens> tokens_;
    std::unique_ptr<contain::Refusals> refusals_;
    Mutex mutex_;
    std::string sent_ TAGOUT_GUARDED_BY(mutex_);
};

TEST_F(IdentityRoad, ATokenIsItsAgentWhereverItStands) {
    const auto gateway = world(catalog::IdentityMode::Token);
    const std::string bot = token("bot");
    for (const net::Headers& headers :
         {net::Headers{{"tagout-token", bot}},
          net::Headers{{"Authorization", "Bearer " + bot}},
          net::Headers{{"X-Api-Key", bot}},
          net::Headers{{"tagout-token", bot}, {"tagout-agent", "bot"}}}) {
        EXPECT_EQ(gateway->mcp(std::string(call), headers).status, 200);
    }
    const net::HttpResponse asked = gateway->ask(
        {"POST",
         "/model/openai/chat/completions",
         R"({"model":"m","messages":[]})",
         {{"Authorization", "bearer " + bot}, {"Content-Type", "application/json"}}}
    );
    EXPECT_EQ(asked.status, 200) << asked.body;
    for (const SeenCall& seen : gateway->seen()) {
        EXPECT_EQ(seen.agent, "bot");
    }
    EXPECT_GE(gateway->seen().size(), 4U);
    EXPECT_EQ(sent().find("tagout_agent_"), std::string::npos) << "no upstream sees a credential";
    EXPECT_EQ(sent().find("tagout-"), std::string::npos);
    EXPECT_TRUE(refused().empty());
}

TEST_F(IdentityRoad, WhoProvesNothingOrAnotherIsRefusedOnEveryRoad) {
    const auto gateway = world(catalog::IdentityMode::Token);
    const std::string bot = token("bot");
    const std::string old = token("old");
    ASSERT_TRUE(tokens_->revoke("AGT-2", {Actor("person:ann"), "lost"}));
    struct Case {
        const char* what;
        net::Headers headers;
        int status;
        std::string record;
    };
    const std::vector<Case> cases{
        {"nothing", {{"tagout-agent", "bot"}}, 401, "no_credential bot"},
        {"a made up one", {{"tagout-token", "tagout_agent_0000"}}, 401, "unknown_token "},
        {"its own invention", {{"tagout-proven-agent", "bot"}}, 401, "no_credential "},
        {"a revoked one", {{"tagout-token", old}}, 401, "revoked_token "},
        {"another's name",
         {{"tagout-token", bot}, {"tagout-agent", "boss"}},
         403,
         "other_agent boss"},
    };
    for (const Case& each : cases) {
        for (const auto& [method, path] :
             {std::pair("POST", "/mcp/shop"),
              std::pair("GET", "/mcp/shop"),
              std::pair("POST", "/model/openai/chat/completions"),
              std::pair("GET", "/workflow/returns"),
              std::pair("POST", "/v1/decide"),
              std::pair("POST", "/ofrep/v1/evaluate/flags"),
              std::pair("GET", "/ofrep/v1/events"),
              std::pair("POST", "/ext_authz/x"),
              std::pair("POST", "/v1/stdio/shop/call"),
              std::pair("GET", "/v1/prompts/support")}) {
            const net::HttpResponse answer =
                gateway->ask({method, path, method[0] == 'P' ? std::string(call) : "", each.headers}
                );
            EXPECT_EQ(answer.status, each.status) << each.what << " " << path << answer.body;
        }
    }
    EXPECT_EQ(sent(), "") << "nothing went out";
    const auto rows = refused();
    for (const Case& each : cases) {
        EXPECT_NE(std::ranges::find(rows, "mcp " + each.record), rows.end()) << each.record;
        EXPECT_NE(std::ranges::find(rows, "stdio " + each.record), rows.end()) << each.record;
    }
    EXPECT_EQ(gateway->ask({"GET", "/-/healthy", ""}).status, 200) << "health is anybody's";
}

TEST_F(IdentityRoad, ATokenOfManyNamesNeedsOneThatFits) {
    const auto gateway = world(catalog::IdentityMode::Token);
    const std::string any = token("refund-*");
    EXPECT_EQ(gateway->mcp(std::string(call), {{"tagout-token", any}}).status, 403);
    EXPECT_EQ(
        gateway->mcp(std::string(call), {{"tagout-token", any}, {"tagout-agent", "mail-1"}}).status,
        403
    );
    EXPECT_EQ(
        gateway->mcp(
                   std::string(call), {{"tagout-token", any}, {"tagout-agent", "refund-1"}}
        ).status,
        200
    );
    ASSERT_EQ(gateway->seen().size(), 1U);
    EXPECT_EQ(gateway->seen().front().agent, "refund-1");
}

TEST_F(IdentityRoad, WhatABodySaysIsNoProof) {
    const auto gateway = world(catalog::IdentityMode::Token);
    const std::string bot = token("bot");
    (void)gateway->control({World::stop("agent:bot")});
    const net::Headers headers{{"tagout-token", bot}};
    EXPECT_EQ(
        gateway->ask({"POST", "/v1/decide", R"({"tool":"a","agent":"boss"})", headers}).status, 403
    );
    const net::HttpResponse own = gateway->ask({"POST", "/v1/decide", R"({"tool":"a"})", headers});
    EXPECT_NE(own.body.find("\"deny\""), std::string::npos) << "judged as itself: " << own.body;
    EXPECT_EQ(
        gateway
            ->ask(
                {"POST",
                 "/ofrep/v1/evaluate/flags/tool:a",
                 R"({"context":{"agent":"boss"}})",
                 headers}
            )
            .status,
        403
    );
    EXPECT_EQ(
        gateway->ask({"POST", "/ofrep/v1/evaluate/flags/agent:boss", R"({"context":{}})", headers})
            .status,
        404
    ) << "how another agent stands is not its to know";
    // An MCP client that calls itself another is still who it proved to be.
    const net::HttpResponse answer = gateway->mcp(
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_order",)"
        R"("_meta":{"baggage":"gen_ai.agent.name=boss"}}})",
        {{"tagout-token", bot}, {"baggage", "gen_ai.agent.name=boss"}}
    );
    EXPECT_NE(answer.body.find("isError\":true"), std::string::npos) << answer.body;
}

TEST_F(IdentityRoad, InModeHeaderACredentialStillGoesNowhere) {
    const auto gateway = world(catalog::IdentityMode::Header);
    EXPECT_EQ(
        gateway->mcp(std::string(call), {{"Authorization", "Bearer tagout_agent_secret"}}).status,
        200
    );
    EXPECT_EQ(
        gateway->mcp(std::string(call), {{"Authorization", "Bearer of the upstream"}}).status, 200
    );
    EXPECT_EQ(sent().find("tagout_agent_"), std::string::npos);
    EXPECT_NE(sent().find("Bearer of the upstream"), std::string::npos);
}

TEST_F(IdentityRoad, WithoutACertificateModeMtlsLetsNobodyIn) {
    const auto gateway = world(catalog::IdentityMode::Mtls);
    const net::HttpResponse answer =
        gateway->mcp(std::string(call), {{"tagout-token", token("bot")}, {"tagout-agent", "bot"}});
    EXPECT_EQ(answer.status, 401);
    EXPECT_NE(answer.body.find("--gateway-client-ca"), std::string::npos) << answer.body;
    ASSERT_EQ(refused().size(), 1U);
    EXPECT_EQ(gateway->gateway->probe(World::stop("tool:get_order")).front().reached, true)
        << "the gateway's own probes go on";
}

TEST_F(IdentityRoad, ACertificateIsItsAgent) {
    net::TestCertificates files;
    ASSERT_TRUE(files.write_authority("ca") && files.write_authority("stranger"));
    ASSERT_TRUE(files.write("gateway", "ca", {.common_name = "gateway", .host = "127.0.0.1"}));
    const std::string prefix = "spiffe://example.org/agent/";
    ASSERT_TRUE(files.write("bot", "ca", {.common_name = "agent-bot", .uri = prefix + "bot"}));
    ASSERT_TRUE(
        files.write("door", "ca", {.common_name = "agent-", .uri = "spiffe://example.org/door"})
    );
    ASSERT_TRUE(
        files.write("forged", "stranger", {.common_name = "agent-bot", .uri = prefix + "bot"})
    );
    const net::TlsFiles tls{files.pem("gateway"), files.key("gateway"), files.pem("ca")};
    const auto by_uri =
        world({catalog::IdentityMode::Mtls, catalog::CertificateName::Uri, prefix}, tls);
    const auto as = [&](World& gateway, const std::string& name, net::Headers headers = {}) {
        gateway.tls.certificate = name.empty() ? "" : files.pem(name);
        gateway.tls.key = name.empty() ? "" : files.key(name);
        return gateway.mcp(std::string(call), std::move(headers)).status;
    };
    EXPECT_EQ(as(*by_uri, "bot"), 200);
    EXPECT_EQ(as(*by_uri, "bot", {{"tagout-agent", "bot"}}), 200);
    EXPECT_EQ(as(*by_uri, "bot", {{"tagout-agent", "boss"}}), 403);
    EXPECT_EQ(as(*by_uri, "forged"), 401);
    EXPECT_EQ(as(*by_uri, "door"), 401);
    EXPECT_EQ(as(*by_uri, ""), 401);
    ASSERT_EQ(by_uri->seen().size(), 2U);
    EXPECT_EQ(by_uri->seen().front().agent, "bot");
    const auto rows = refused();
    for (const char* row :
         {"mcp other_agent boss",
          "mcp untrusted_certificate ",
          "mcp nameless_certificate ",
          "mcp no_credential "}) {
        EXPECT_NE(std::ranges::find(rows, row), rows.end()) << row;
    }
    const auto probes = by_uri->gateway->probe(World::stop("tool:get_order"));
    ASSERT_FALSE(probes.empty());
    EXPECT_TRUE(probes.front().reached) << probes.front().detail;

    const auto by_name =
        world({catalog::IdentityMode::Mtls, catalog::CertificateName::CommonName, "agent-"}, tls);
    EXPECT_EQ(as(*by_name, "bot"), 200);
    EXPECT_EQ(as(*by_name, "door"), 401) << "a prefix alone is no name";
    EXPECT_EQ(as(*by_name, "forged"), 401);
    // The road of a token stays shut, and TLS alone changes nothing where names are taken as said.
    EXPECT_EQ(as(*by_name, "", {{"tagout-token", token("bot")}}), 401);
    const auto said = world(catalog::Identity{}, tls);
    EXPECT_EQ(as(*said, "", {{"tagout-agent", "anyone"}}), 200);
}

}  // namespace
}  // namespace tagout::gateway
