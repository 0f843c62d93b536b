#include "app/evidence_key.h"

#include "app/app.h"
#include "app/evidence_verify.h"
#include "cli/api_client.h"
#include "journal/chain.h"
#include "net/http_client.h"
#include "verify/evidence_pack.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>

namespace tagout::app {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::IsEmpty;

class EvidenceTest : public testing::Test {
protected:
    EvidenceTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "tagout-XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
    }
    ~EvidenceTest() override {
        std::error_code error;
        std::filesystem::remove_all(folder, error);
    }
    std::string path(const std::string& name) const { return folder + "/" + name; }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary | std::ios::trunc) << text;
    }
    std::string read(const std::string& name) const {
        std::ifstream file(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    Result<int> verified(EvidenceVerifyOptions options) const {
        options.file = path("pack.tar");
        if (options.data_dir == "data") {
            options.data_dir = folder;
        }
        cli::Terminal terminal;
        testing::internal::CaptureStdout();
        Result<int> code = verify_evidence_pack(options, terminal);
        said = testing::internal::GetCapturedStdout();
        return code;
    }

    std::string folder;
    mutable std::string said;
};

TEST_F(EvidenceTest, TheKeyIsMadeOnceAndOnlyItsOwnerReadsIt) {
    const verify::PublicKey made = load_or_make_evidence_key(folder).value().public_key();
    EXPECT_EQ(load_or_make_evidence_key(folder).value().public_key(), made);
    EXPECT_EQ(read("evidence.pub"), verify::to_text(made) + "\n");
    struct stat facts {};
    ASSERT_EQ(::stat(path("evidence.key").c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U);
    std::filesystem::remove(path("evidence.pub"));
    EXPECT_EQ(load_or_make_evidence_key(folder).value().public_key(), made);
    EXPECT_EQ(read("evidence.pub"), verify::to_text(made) + "\n");
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(folder)) {
        ++files;
    }
    EXPECT_EQ(files, 2U) << "nothing half-written is left";
}

TEST_F(EvidenceTest, ManyThatMakeTheKeyAtOnceGetTheSame) {
    std::array<std::string, 8> keys;
    std::vector<std::thread> threads;
    threads.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        threads.emplace_back([this, &keys, i] {
            const Result<verify::SigningKey> key = load_or_make_evidence_key(folder);
            keys[i] = key ? verify::to_text(key->public_key()) : key.error().message;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_THAT(keys, testing::Each(keys[0]));
    EXPECT_EQ(read("evidence.pub"), keys[0] + "\n");
}

TEST_F(EvidenceTest, AKeyThatIsNoneOrOpenToOthersIsRefusedWithTheRemedy) {
    EXPECT_EQ(load_or_make_evidence_key(path("nowhere")).error().code, ErrorCode::Unavailable);
    ASSERT_TRUE(load_or_make_evidence_key(folder).has_value());
    ::chmod(path("evidence.key").c_str(), 0644);
    EXPECT_THAT(load_or_make_evidence_key(folder).error().message, HasSubstr("chmod 600"));
    ::chmod(path("evidence.key").c_str(), 0600);
    write("evidence.pub", std::string(64, '0') + "\n");
    EXPECT_THAT(
        load_or_make_evidence_key(folder).error().message, HasSubstr("not the public half")
    );
    write("evidence.key", "half a key");
    EXPECT_THAT(load_or_make_evidence_key(folder).error().message, HasSubstr("no signing key"));
    write("evidence.key", "");
    EXPECT_THAT(load_or_make_evidence_key(folder).error().message, HasSubstr("is empty"));
}

/// A server with an incident and one write of it, reached as a user reaches it.
class EvidenceServer : public EvidenceTest {
protected:
    void SetUp() override {
        ServeOptions options;
        options.data_dir = folder;
        options.http_port = 0;
        options.otlp_http_port = 0;
        options.otlp_grpc_port = 0;
        options.gateway_port = 0;
        Result<std::unique_ptr<App>> started = App::start(options, clock);
        ASSERT_TRUE(started.has_value()) << started.error().message;
        app = std::move(*started);
        cli::Connection connection;
        connection.url = app->addresses().http;
        connection.token = app->new_token();
        api = std::make_unique<cli::ApiClient>(connection);
        send_write();
        const Result<std::string> incident = api->post(
            "/v1/incidents",
            R"({"title":"it refunds","class":"tool","reason":"seen","agent":"refund-agent"})"
        );
        ASSERT_TRUE(incident.has_value()) << incident.error().message;
        id = std::string(json::parse(*incident).as_object()["id"].as_string());
    }

    void send_write() const {
        const std::int64_t end = unix_nanos(clock.now());
        const std::string body =
            R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10",)"
            R"("spanId":"0102030405060708","name":"execute_tool payments.refund","startTimeUnixNano":")" +
            std::to_string(end - 1'000'000) + R"(","endTimeUnixNano":")" + std::to_string(end) +
            R"(","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"execute_tool"}},)"
            R"({"key":"gen_ai.tool.name","value":{"stringValue":"payments.refund"}},)"
            R"({"key":"gen_ai.agent.name","value":{"stringValue":"refund-agent"}},)"
            R"({"key":"gen_ai.tool.call.arguments","value":{"stringValue":"{\"amount\":42}"}}]}]}]}]})";
        net::HttpRequest request;
        request.method = "POST";
        request.url = app->addresses().otlp_http + "/v1/traces";
        request.headers.emplace_back("Content-Type", "application/json");
        request.body = body;
        net::HttpClient client;
        const Result<net::HttpResponse> answer = client.send(request);
        ASSERT_TRUE(answer.has_value());
        ASSERT_EQ(answer->status, 200) << answer->body;
    }

    SystemClock clock;
    std::unique_ptr<App> app;
    std::unique_ptr<cli::ApiClient> api;
    std::string id;
};

TEST_F(EvidenceServer, TheLedgerListsTheWriteThatTelemetryTold) {
    const json::object ledger =
        json::parse(api->get("/v1/incidents/" + id + "/ledger").value()).as_object();
    ASSERT_EQ(ledger.at("calls"), 1) << json::serialize(ledger);
    const json::object& row = ledger.at("rows").as_array()[0].as_object();
    EXPECT_EQ(row.at("tool"), "payments.refund");
    EXPECT_EQ(row.at("agent"), "refund-agent");
    EXPECT_EQ(row.at("state"), "recorded");
    EXPECT_EQ(row.at("source"), "telemetry");
    EXPECT_EQ(api->get("/v1/incidents/INC-99/ledger").error().code, ErrorCode::NotFound);
    for (const char* query : {"?limit=0", "?limit=x", "?suspect=maybe"}) {
        EXPECT_EQ(
            api->get("/v1/incidents/" + id + "/ledger" + query).error().code,
            ErrorCode::InvalidArgument
        ) << query;
    }
    const json::object none =
        json::parse(api->get("/v1/incidents/" + id + "/ledger?suspect=true").value()).as_object();
    EXPECT_EQ(none.at("rows").as_array().size(), none.at("suspects").as_int64());
}

TEST_F(EvidenceServer, AnExportedPackProvesItselfWithoutTheServer) {
    const std::string reads = "/v1/incidents/" + id + "/evidence";
    EXPECT_EQ(api->post(reads, R"({"to":"x"})").error().code, ErrorCode::InvalidArgument);
    const std::string pack =
        api->post(reads, R"({"actor":"ann","reason":"for the auditors"})").value();
    const std::string journal = api->get("/v1/journal").value();
    EXPECT_THAT(journal, HasSubstr("evidence.exported"));
    EXPECT_THAT(journal, HasSubstr(journal::to_hex(verify::sha256(pack))));
    const json::object key = json::parse(api->get("/v1/evidence/key").value()).as_object();
    app.reset();

    write("pack.tar", pack);
    EXPECT_EQ(verified({.incident = id}).value(), 0) << said;
    EXPECT_THAT(said, HasSubstr("whole, and signed with the trusted key"));
    EXPECT_THAT(said, HasSubstr("by person:ann: for the auditors"));
    EXPECT_EQ(verified({.key = std::string(key.at("public_key").as_string())}).value(), 0);
    EXPECT_EQ(verified({.key = path("evidence.pub"), .format = cli::Format::Json}).value(), 0);
    EXPECT_THAT(said, HasSubstr("\"whole\": true"));
    EXPECT_EQ(verified({.incident = "INC-99"}).value(), 1);
    EXPECT_THAT(said, HasSubstr("this is a pack of " + id + ", not of INC-99"));
    EXPECT_EQ(verified({.data_dir = path("nowhere")}).value(), 1);
    EXPECT_THAT(said, HasSubstr("the signer is unknown"));
    EXPECT_EQ(verified({.data_dir = path("nowhere"), .any_key = true}).value(), 0);
    EXPECT_THAT(said, HasSubstr("which nothing here vouches for"));
    EXPECT_EQ(verified({.key = std::string(64, '0')}).value(), 1);
    EXPECT_THAT(said, HasSubstr("forged or of another server"));
    EXPECT_EQ(verified({.key = path("absent")}).error().code, ErrorCode::NotFound);

    const verify::PackCheck check{std::nullopt, true, {}};
    std::string changed = pack;
    for (std::size_t at = 0; at < changed.size(); at += 97) {
        changed[at] = static_cast<char>(changed[at] ^ 1);
        ASSERT_THAT(verify::check_pack(changed, check).faults, testing::Not(IsEmpty())) << at;
        changed[at] = pack[at];
    }
    changed[changed.size() / 2] ^= 1;
    write("pack.tar", changed);
    EXPECT_EQ(verified({}).value(), 1);
    EXPECT_THAT(said, HasSubstr("NOT proved"));
}

}  // namespace
}  // namespace tagout::app
