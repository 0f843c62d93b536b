// Step five against a server as users run it: an agent harms over OTLP, an incident opens, a case is
// made of it and fails on what caused it and passes on each mend; review, actions and gate follow.
#include "app/app.h"

#include "app/candidate.h"
#include "app/offline.h"
#include "app/policy_answer.h"
#include "app/regressions.h"
#include "intake/otlp_encoder.h"
#include "net/http_client.h"
#include "prevent/regression.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

namespace tagout::app {
namespace {

namespace json = boost::json;

constexpr const char* config = R"(
tools:
  payments.refund: {effect: write, risk: high}
  orders.get: {effect: read}
)";

otlp::Attributes chat(const std::string& user, const std::string& prompt_version) {
    const json::array messages{json::object{
        {"role", "user"},
        {"parts", json::array{json::object{{"type", "text"}, {"content", user}}}}}};
    return {
        {"gen_ai.operation.name", std::string("chat")},
        {"gen_ai.request.model", std::string("gpt-x")},
        {"gen_ai.conversation.id", std::string("conv-1")},
        {"gen_ai.prompt.name", std::string("refund-system")},
        {"gen_ai.prompt.version", prompt_version},
        {"gen_ai.input.messages", json::serialize(messages)},
    };
}

otlp::Attributes tool(const std::string& name, const std::string& arguments, const std::string& result) {
    return {
        {"gen_ai.operation.name", std::string("execute_tool")},
        {"gen_ai.conversation.id", std::string("conv-1")},
        {"gen_ai.tool.name", name},
        {"gen_ai.tool.call.arguments", arguments},
        {"gen_ai.tool.call.result", result},
    };
}

/// An agent with prompt 13 refunds an order that nobody named, for ann@shop.example.
std::string harmful_session(Instant end) {
    std::vector<otlp::SpanRecord> spans;
    TraceId trace;
    trace.bytes[15] = 7;
    SpanId root;
    root.bytes[7] = 1;
    const auto add = [&](std::string name, otlp::Attributes attributes) {
        otlp::SpanRecord span;
        span.trace_id = trace;
        span.span_id.bytes[7] = static_cast<std::uint8_t>(spans.size() + 2);
        span.parent_span_id = root;
        span.name = std::move(name);
        span.started_at = end - std::chrono::seconds(10) + std::chrono::seconds(spans.size());
        span.ended_at = span.started_at + std::chrono::milliseconds(500);
        span.status = SpanStatus::Ok;
        span.attributes = std::move(attributes);
        spans.push_back(std::move(span));
    };
    const std::string wish = "Please refund order ORD-4821, I am ann@shop.example";
    add("chat gpt-x", chat(wish, "13"));
    add("execute_tool orders.get",
        tool("orders.get", R"({"id":"ORD-4821"})", R"({"id":"ORD-4821","total":"49.90"})"));
    add("chat gpt-x", chat(wish, "13"));
    add("execute_tool payments.refund",
        tool("payments.refund", R"({"order":"ORD-9977","amount":900})", R"({"ok":true})"));
    otlp::SpanRecord agent;
    agent.trace_id = trace;
    agent.span_id = root;
    agent.name = "invoke_agent refund-agent";
    agent.started_at = end - std::chrono::seconds(10);
    agent.ended_at = end;
    agent.status = SpanStatus::Ok;
    agent.attributes = {
        {"gen_ai.operation.name", std::string("invoke_agent")},
        {"gen_ai.agent.name", std::string("refund-agent")},
        {"gen_ai.conversation.id", std::string("conv-1")},
    };
    spans.push_back(std::move(agent));
    return otlp::encode_spans(
        otlp::Reporter{{{"service.name", std::string("shop")}}, "test", "1"}, spans
    );
}

/// With a policy, whose YAML `policy` is.
std::string bundle_with(const std::string& number, const std::string& policy) {
    const json::object prompt{
        {"family", "prompt"}, {"name", "refund-system"}, {"number", std::stoi(number)}, {"hash", "h"}};
    const json::object rules{
        {"family", "policy"}, {"name", "refunds"}, {"number", 2}, {"hash", "p"}, {"content", policy}};
    return json::serialize(json::object{
        {"tagout_bundle", 1},
        {"bundle", json::object{{"id", "bundle-abc"}, {"agent", "refund-agent"}}},
        {"versions", json::array{prompt, rules}}});
}

std::string bundle_with(const std::string& number) {
    return R"({"tagout_bundle":1,"bundle":{"id":"bundle-abc","agent":"refund-agent"},"versions":[)"
           R"({"family":"prompt","name":"refund-system","number":)" +
           number + R"(,"hash":"h)" + number + R"(","content":"x"}],"shared":[]})";
}

class PreventionTest : public testing::Test {
protected:
    PreventionTest() {
        folder_ = std::filesystem::temp_directory_path() /
                  ("tagout-prevention-" + std::to_string(::getpid()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        write("tagout.yaml", config);
        start();
    }
    ~PreventionTest() override {
        app_.reset();
        std::filesystem::remove_all(folder_);
    }

    void start() {
        ServeOptions options;
        options.data_dir = path("data");
        options.config = path("tagout.yaml");
        options.http_port = 0;
        options.otlp_http_port = 0;
        options.otlp_grpc_port = 0;
        options.gateway_port = 0;
        Result<std::unique_ptr<App>> app = App::start(options, clock_);
        ASSERT_TRUE(app.has_value()) << app.error().message;
        app_ = std::move(*app);
        if (!app_->new_token().empty()) {
            token_ = app_->new_token();
        }
    }

    [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }

    json::value call(
        const std::string& method, const std::string& route, const std::string& body, int status
    ) {
        net::HttpRequest request{
            .method = method,
            .url = app_->addresses().http + route,
            .headers = {{"Authorization", "Bearer " + token_}, {"Content-Type", "application/json"}},
            .body = body};
        const Result<net::HttpResponse> answer = http_.send(request);
        EXPECT_TRUE(answer.has_value()) << route;
        if (!answer) {
            return {};
        }
        EXPECT_EQ(answer->status, status) << route << ": " << answer->body;
        boost::system::error_code error;
        return json::parse(answer->body, error);
    }

    /// Sends the harm and waits until it is an incident.
    void harm() {
        const net::HttpRequest request{
            .method = "POST",
            .url = app_->addresses().otlp_http + "/v1/traces",
            .headers = {{"Content-Type", "application/x-protobuf"}},
            .body = harmful_session(clock_.now())};
        ASSERT_TRUE(http_.send(request).has_value());
        for (int i = 0; i < 300; ++i) {
            const json::value list = call("GET", "/v1/incidents", "", 200);
            if (list.at("total").to_number<int>() > 0) {
                return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        FAIL() << "no incident was opened";
    }

    /// The same prompt 13 throughout: what the policy says decides.
    void mended_by_policy(RegressionsOptions run) {
        struct Row {
            const char* name;
            const char* yaml;
            int exit_code;
        };
        const Row rows[] = {
            {"denied", "rules: [{name: r, match: {tool: payments.refund}, effect: deny}]", 0},
            {"asked", "rules: [{name: r, match: {effect: write, risk: high}, effect: ask}]", 0},
            {"observed",
             "rules: [{name: r, match: {tool: payments.refund}, effect: deny, mode: shadow}]",
             1},
            {"about another", "rules: [{name: r, match: {tool: mail.send}, effect: deny}]", 1},
            {"about another agent",
             "rules: [{name: r, match: {agent: mail-agent, tool: payments.refund}, effect: deny}]",
             1},
        };
        cli::Terminal terminal;
        for (const Row& row : rows) {
            run.policies.clear();
            run.bundle = write("policy-bundle.json", bundle_with("13", row.yaml));
            EXPECT_EQ(run_regressions(run, compile_policies(), terminal).value(), row.exit_code)
                << row.name << " in the bundle";
            run.bundle.clear();
            run.policies = {write("refunds.yaml", row.yaml)};
            EXPECT_EQ(run_regressions(run, compile_policies(), terminal).value(), row.exit_code)
                << row.name << " in a file";
        }
        run.policies = {write("refunds.yaml", "rules: 3")};
        const Result<int> refused = run_regressions(run, compile_policies(), terminal);
        ASSERT_FALSE(refused.has_value()) << "a policy that does not read judges nothing";
        EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
    }

    SystemClock clock_;
    std::filesystem::path folder_;
    std::string token_;
    std::unique_ptr<App> app_;
    net::HttpClient http_;
    std::ostringstream out_;
};

const json::value* check_named(const json::value& gate, std::string_view name) {
    for (const json::value& check : gate.at("checks").as_array()) {
        if (check.at("name").as_string() == name) {
            return &check;
        }
    }
    return nullptr;
}

TEST_F(PreventionTest, FromAnIncidentToACaseAReviewAndTheGate) {
    harm();
    const json::value none = call("POST", "/v1/incidents/INC-9/regressions", R"({"reason":"x"})", 404);
    const json::value made = call(
        "POST", "/v1/incidents/INC-1/regressions", R"({"reason":"never again","actor":"ann"})", 201
    );
    ASSERT_EQ(made.at("id").as_string(), "REG-1");
    EXPECT_EQ(made.at("agent").as_string(), "refund-agent");
    EXPECT_EQ(made.at("versions").at("prompt").as_string(), "refund-system@13");
    EXPECT_EQ(made.at("must_not").at("calls").at(0).at("tool").as_string(), "payments.refund");
    const std::string text = json::serialize(call("GET", "/v1/regressions/REG-1", "", 200));
    EXPECT_EQ(text.find("ann@shop.example"), std::string::npos);

    // Offline, as CI does: the prompt that caused it, then the one before.
    const Result<prevent::RegressionCase> regression = prevent::parse_case(text);
    ASSERT_TRUE(regression.has_value()) << regression.error().message;
    RegressionsOptions run;
    run.files = {write("reg.json", text)};
    run.junit = path("junit.xml");
    cli::Terminal terminal;
    run.bundle = write("caused.json", bundle_with("13"));
    EXPECT_EQ(run_regressions(run, {}, terminal).value(), 1);
    run.bundle = write("mended.json", bundle_with("12"));
    EXPECT_EQ(run_regressions(run, {}, terminal).value(), 0);
    EXPECT_TRUE(std::filesystem::exists(run.junit));
    run.bundle = "";
    EXPECT_EQ(run_regressions(run, {}, terminal).value(), 2) << "nothing to run it against";
    mended_by_policy(run);
    ReplayOptions again;
    again.files = run.files;
    again.config = path("tagout.yaml");
    again.findings = path("found");
    EXPECT_EQ(replay(again, terminal).value(), 0) << "the case's sessions are recorded runs";
    std::stringstream found;
    found << std::ifstream(path("found")).rdbuf();
    EXPECT_NE(found.str().find("tool.unexpected_write"), std::string::npos) << found.str();

    const json::value gate = call(
        "POST", "/v1/gate", json::serialize(json::object{{"bundle", bundle_with("13")}}), 200
    );
    EXPECT_EQ(gate.at("verdict").as_string(), "fail");
    EXPECT_EQ(check_named(gate, "regressions")->at("verdict").as_string(), "fail");
    EXPECT_EQ(check_named(gate, "detection")->at("verdict").as_string(), "pass");
    const json::value mended = call(
        "POST", "/v1/gate", json::serialize(json::object{{"bundle", bundle_with("12")}}), 200
    );
    EXPECT_EQ(check_named(mended, "regressions")->at("verdict").as_string(), "pass");

    const json::value refused = call("POST", "/v1/incidents/INC-1/review/publish", "{}", 409);
    const std::string why(refused.at("error").at("message").as_string());
    for (const char* what : {"resolved: ", "proximate_trigger: ", "systemic_gap: ", "actions: "}) {
        EXPECT_NE(why.find(what), std::string::npos) << why;
    }
    EXPECT_EQ(why.find("evidence: "), std::string::npos) << "its trace is pinned: " << why;
    call("POST", "/v1/incidents/INC-1/move", R"({"to":"resolved","reason":"rolled back"})", 200);
    call("POST", "/v1/incidents/INC-1/review",
         R"({"proximate_trigger":"Prompt 13 lost the line about order numbers",)"
         R"("systemic_gap":"Nothing bounds what one refund may be","actor":"ann"})",
         200);
    call("POST", "/v1/incidents/INC-1/review", R"({"root_cause":"x"})", 400);
    const json::value action = call(
        "POST",
        "/v1/actions",
        R"({"incident":"INC-1","title":"Bound refunds","kind":"prevent","owner":"payments",)"
        R"("due":"2020-01-01T00:00:00Z"})",
        201
    );
    EXPECT_TRUE(action.at("overdue").as_bool());
    app_->tick();
    const json::value published =
        call("POST", "/v1/incidents/INC-1/review/publish", R"({"actor":"ann"})", 200);
    EXPECT_EQ(published.at("state").as_string(), "published");
    const json::value incident = call("GET", "/v1/incidents/INC-1", "", 200);
    EXPECT_EQ(incident.at("state").as_string(), "review");
    const std::string timeline = json::serialize(incident.at("timeline"));
    EXPECT_NE(timeline.find("Made REG-1"), std::string::npos) << timeline;
    EXPECT_NE(timeline.find("is overdue"), std::string::npos) << timeline;

    const json::value after = call("GET", "/v1/gate?agent=refund-agent", "", 200);
    EXPECT_EQ(after.at("verdict").as_string(), "fail") << "an action is overdue";
    EXPECT_EQ(check_named(after, "actions")->at("verdict").as_string(), "fail");
    EXPECT_EQ(check_named(after, "reviews")->at("verdict").as_string(), "pass");
    call("POST", "/v1/actions/ACT-1/close", R"({"evidence":"policy refunds v2"})", 200);
    call("POST", "/v1/actions/ACT-1/close", R"({"evidence":"again"})", 409);

    const std::string before = json::serialize(call("GET", "/v1/incidents/INC-1/review", "", 200)) +
                               json::serialize(call("GET", "/v1/actions", "", 200)) +
                               json::serialize(call("GET", "/v1/regressions", "", 200));
    app_.reset();
    start();
    EXPECT_EQ(
        json::serialize(call("GET", "/v1/incidents/INC-1/review", "", 200)) +
            json::serialize(call("GET", "/v1/actions", "", 200)) +
            json::serialize(call("GET", "/v1/regressions", "", 200)),
        before
    ) << "a restart changes nothing";
}

TEST(BundleFiles, WhatDoesNotReadIsNamed) {
    struct Row {
        const char* text;
        const char* place;
    };
    const Row rows[] = {
        {"", "bundle: "},
        {"{}", "bundle: "},
        {R"({"tagout_bundle":2})", "tagout_bundle: "},
        {R"({"tagout_bundle":1,"versions":{}})", "versions: "},
        {R"({"tagout_bundle":1,"versions":[1]})", "versions[0]: "},
        {R"({"tagout_bundle":1,"versions":[{"family":"x","name":"y","number":1}]})", "versions[0]: "},
        {R"({"tagout_bundle":1,"shared":[{"family":"policy","name":"y","number":1}]})", "shared[0]: "},
        {R"({"tagout_bundle":1,"versions":[{"family":"prompt","name":"y","number":-1}]})", "versions[0]"},
    };
    for (const Row& row : rows) {
        const Result<BundleFile> read = read_bundle(row.text);
        ASSERT_FALSE(read.has_value()) << row.text;
        EXPECT_NE(read.error().message.find(row.place), std::string::npos) << read.error().message;
    }
    const Result<BundleFile> good = read_bundle(bundle_with("12"));
    ASSERT_TRUE(good.has_value()) << good.error().message;
    EXPECT_EQ(good->prompts.front().version, "v12");
}

}  // namespace
}  // namespace tagout::app
