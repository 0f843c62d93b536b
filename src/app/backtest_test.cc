// Policies and controls tried on what has been, and the tests in policy files, as their users meet them.

#include "app/app.h"
#include "app/backtest.h"
#include "app/policy_files.h"
#include "app/policy_suggestion.h"
#include "cli/api_client.h"
#include "contain/policy.h"
#include "net/http_client.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tagout::app {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

const Instant noon = parse_rfc3339("2026-11-27T12:00:00Z").value();

verify::PastCall past_call(
    const char* session, const char* tool, const char* arguments, int second = 0
) {
    verify::PastCall call;
    call.at = noon + std::chrono::seconds(second);
    call.tool = tool;
    call.agent = "refund-agent";
    call.session = session;
    call.arguments = arguments;
    return call;
}

std::shared_ptr<const contain::ControlSnapshot> policy_of(const std::string& yaml) {
    const Result<contain::Policy> policy = contain::parse_policy("candidate", "new", yaml);
    EXPECT_TRUE(policy.has_value()) << (policy ? "" : policy.error().message);
    return contain::ControlSnapshot::build({}, std::span(&*policy, 1), 0).value();
}

verify::PastCalls some_calls() {
    verify::PastCalls past;
    past.calls = {
        past_call("s1", "payments.refund", R"({"amount": 500})"),
        past_call("s1", "payments.refund", R"({"amount": 5})", 1),
        past_call("s2", "payments.refund", "", 2),
        past_call("s2", "payments.lookup", R"({"id": 7})", 3),
        past_call("s3", "payments.refund", R"({"amount": 900})", 4)};
    past.calls[4].through_gateway = true;
    past.calls[4].verdict = Verdict::Deny;
    return past;
}

TEST(Backtest, SaysInNumbersWhatAPolicyWouldHaveDone) {
    const Backtest result = backtest(
        *policy_of(R"(
rules:
  - name: high
    match: { tool: payments.refund }
    when: has(args.amount) && args.amount > 100
    effect: deny
  - { name: lookups, match: { tool: payments.lookup }, effect: ask, mode: shadow }
)"),
        catalog::Catalog(), some_calls(), noon - std::chrono::hours(1), noon
    );
    EXPECT_EQ(result.calls, 5U);
    EXPECT_EQ(result.denied, 2U);
    EXPECT_EQ(result.newly, 1U) << "one was refused when it happened";
    EXPECT_EQ(result.asked, 0U);
    EXPECT_EQ(result.shadow, 1U);
    EXPECT_EQ(result.unsure, 1U) << "its arguments were not recorded";
    ASSERT_EQ(result.rows.size(), 2U);
    EXPECT_EQ(result.rows[0].tool, "payments.refund");
    EXPECT_EQ(result.rows[0].calls, 2U);
    EXPECT_EQ(result.rows[0].refused_then, 1U);
    EXPECT_TRUE(result.rows[1].shadow);
    EXPECT_EQ(result.examples[0].arguments, R"({"amount": 500})");
    EXPECT_THAT(
        sentence_of(result),
        HasSubstr("Of 5 calls in the last 1h, 2 would have been denied and 0 would have waited")
    );
    EXPECT_EQ(tree_of(result).at("rows").as_array()[0].at("decided_by"), "policy:candidate@new#high");
}

TEST(Backtest, CountsWhatWouldHavePassedRedacted) {
    verify::PastCalls past = some_calls();
    past.calls[0].arguments = R"({"to": "jane@example.com"})";
    Control blind;
    blind.id = ControlId("CTL-1");
    blind.scope = {ScopeKind::Tool, "payments.refund"};
    blind.mode = ControlMode::Redact;
    blind.terms.redact = {"email"};
    const auto snapshot = contain::ControlSnapshot::build(std::span(&blind, 1), {}, 0).value();
    const Backtest result = backtest(*snapshot, catalog::Catalog(), past, noon, noon);
    EXPECT_EQ(result.changed, 1U) << "the others hold no address";
    EXPECT_EQ(result.denied, 0U);
    EXPECT_EQ(result.unsure, 1U) << "its arguments were not recorded";
    ASSERT_EQ(result.rows.size(), 1U);
    EXPECT_EQ(result.rows[0].verdict, Verdict::Modify);
    EXPECT_THAT(
        sentence_of(result),
        HasSubstr("1 call would have passed with something taken out of the arguments; results were "
                  "not looked at.")
    );
    EXPECT_EQ(tree_of(result).at("changed"), 1);
}

TEST(Backtest, AConditionWithoutAnswerIsTold) {
    verify::PastCalls past = some_calls();
    past.calls[2].arguments = "{}";
    const Backtest result = backtest(
        *policy_of(
            "rules: [{name: high, match: {tool: payments.refund}, when: args.amount > 100, effect: deny}]"
        ),
        catalog::Catalog(), past, noon, noon
    );
    EXPECT_EQ(result.denied, 3U);
    EXPECT_EQ(result.faulted, 1U);
    EXPECT_THAT(sentence_of(result), HasSubstr("has()"));
}

incident::Incident incident_of(const char* cause, const char* tool) {
    incident::Incident incident;
    incident.id = IncidentId("INC-7");
    incident.failure_class = FailureClass::Tool;
    incident.cause = cause;
    incident.agent = AgentName("refund-agent");
    incident.tool = ToolName(tool);
    Finding finding;
    finding.correlation = CorrelationId("bad");
    finding.seen_at = noon;
    incident.findings.push_back(finding);
    return incident;
}

std::string suggested(const incident::Incident& incident, const verify::PastCalls& past) {
    const Result<PolicySuggestion> made = suggest_policy(incident, past);
    EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message);
    if (!made) {
        return "";
    }
    const contain::PolicyReport read = contain::read_policy("p", "v1", made->yaml);
    EXPECT_TRUE(read.policy.has_value())
        << made->yaml << (read.policy ? "" : catalog::to_text(read.mistakes[0], "p"));
    EXPECT_FALSE(made->why.empty());
    return made->yaml;
}

TEST(PolicySuggestion, NamesWhatSetsTheIncidentsCallsApart) {
    verify::PastCalls past;
    past.calls = {
        past_call("bad", "payments.refund", R"({"amount": 900, "currency": "EUR"})"),
        past_call("good", "payments.refund", R"({"amount": 120, "currency": "EUR"})", 1),
        past_call("good", "payments.refund", R"({"amount": 20, "currency": "EUR"})", 2)};
    const std::string yaml = suggested(incident_of("unexpected_write", "payments.refund"), past);
    EXPECT_THAT(yaml, HasSubstr("double(args.amount) > 1"));
    EXPECT_THAT(yaml, HasSubstr("mode: shadow"));
    const Backtest result = backtest(*policy_of(yaml), catalog::Catalog(), past, noon, noon);
    EXPECT_EQ(result.shadow, 1U) << "the incident's call and no other";
    past.calls[0].arguments = R"({"amount": 20, "to": "it's \"mallory\""})";
    EXPECT_THAT(
        suggested(incident_of("unexpected_write", "payments.refund"), past), HasSubstr("args.to == ")
    );
}

TEST(PolicySuggestion, ForeignTextAsksForTheFlowAndARunawayForALimit) {
    verify::PastCalls past;
    past.calls = {
        past_call("bad", "web.fetch", R"({"url": "x"})"),
        past_call("bad", "mail.send", R"({"to": "eve"})", 1),
        past_call("good", "mail.send", R"({"to": "ann"})", 2)};
    const std::string flow = suggested(incident_of("untrusted_value", "mail.send"), past);
    EXPECT_THAT(flow, HasSubstr("flow: untrusted"));
    EXPECT_THAT(flow, HasSubstr("web.fetch"));
    EXPECT_EQ(backtest(*policy_of(flow), catalog::Catalog(), past, noon, noon).shadow, 1U);

    verify::PastCalls loop;
    for (int i = 0; i < 30; ++i) {
        loop.calls.push_back(past_call("bad", "search", "{}", i));
    }
    loop.calls.push_back(past_call("good", "search", "{}", 40));
    const std::string limit = suggested(incident_of("circular_actions", "search"), loop);
    EXPECT_THAT(limit, HasSubstr("limit: { calls: 3, per: 1m, key: session }"));
    EXPECT_EQ(backtest(*policy_of(limit), catalog::Catalog(), loop, noon, noon).shadow, 27U);
}

TEST(PolicySuggestion, WithoutAToolThereIsNone) {
    EXPECT_EQ(
        suggest_policy(incident_of("x", ""), verify::PastCalls{}).error().code,
        ErrorCode::InvalidArgument
    );
}

class PolicyFolder : public testing::Test {
protected:
    PolicyFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "tagout-XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
    }
    ~PolicyFolder() override {
        std::error_code error;
        std::filesystem::remove_all(folder, error);
    }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder + "/" + name, std::ios::binary) << text;
        return folder + "/" + name;
    }
    std::string folder;
};

TEST_F(PolicyFolder, TestsInFilesGiveExitCodesAndJunit) {
    const std::string rules = "rules: [{name: r, match: {tool: t}, effect: deny}]\n";
    PolicyFiles options;
    options.junit = folder + "/junit.xml";
    const auto run = [&](const std::string& yaml) {
        options.files = {write("policy.yaml", yaml)};
        cli::Terminal terminal;
        testing::internal::CaptureStdout();
        const Result<int> code = test_policies(options, terminal);
        const std::string said = testing::internal::GetCapturedStdout();
        EXPECT_TRUE(code.has_value()) << said;
        return code.value_or(-1);
    };
    EXPECT_EQ(run(rules + "tests: [{name: ok, call: {tool: t}, expect: deny, rule: r}]\n"), 0);
    EXPECT_EQ(run(rules + "tests: [{name: bad, call: {tool: u}, expect: deny}]\n"), 1);
    std::ifstream file(options.junit);
    const std::string junit{std::istreambuf_iterator<char>(file), {}};
    EXPECT_THAT(junit, HasSubstr("<failure"));
    EXPECT_EQ(run(rules), 2) << "no tests prove nothing";
    EXPECT_EQ(run("rules: []\n"), 1);
}

TEST_F(PolicyFolder, APolicyThatFailsItsOwnTestsIsNotPublished) {
    const std::string rules = "rules: [{name: r, match: {tool: t}, effect: deny}]\n";
    const catalog::Catalog catalog;
    EXPECT_TRUE(may_publish_policy("p", rules, catalog).has_value());
    const Result<void> refused = may_publish_policy(
        "p", rules + "tests: [{name: open, call: {tool: t}, expect: allow}]\n", catalog
    );
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, HasSubstr("p:2: open: deny by rule r; expected was allow"));
}

TEST_F(PolicyFolder, TheServerRunsBackTestsOverItsEvidence) {
    SystemClock clock;
    ServeOptions options;
    options.data_dir = folder + "/data";
    std::filesystem::create_directories(options.data_dir);
    options.http_port = 0;
    options.otlp_http_port = 0;
    options.otlp_grpc_port = 0;
    options.gateway_port = 0;
    Result<std::unique_ptr<App>> app = App::start(options, clock);
    ASSERT_TRUE(app.has_value()) << app.error().message;
    cli::Connection connection;
    connection.url = (*app)->addresses().http;
    connection.token = (*app)->new_token();
    cli::ApiClient api(connection);
    const std::int64_t end = unix_nanos(clock.now());
    net::HttpRequest request;
    request.method = "POST";
    request.url = (*app)->addresses().otlp_http + "/v1/traces";
    request.headers.emplace_back("Content-Type", "application/json");
    request.body =
        R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10",)"
        R"("spanId":"0102030405060708","name":"execute_tool payments.refund","startTimeUnixNano":")" +
        std::to_string(end - 1'000'000) + R"(","endTimeUnixNano":")" + std::to_string(end) +
        R"(","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"execute_tool"}},)"
        R"({"key":"gen_ai.tool.name","value":{"stringValue":"payments.refund"}},)"
        R"({"key":"gen_ai.agent.name","value":{"stringValue":"refund-agent"}},)"
        R"({"key":"gen_ai.tool.call.arguments","value":{"stringValue":"{\"amount\":420}"}}]}]}]}]})";
    net::HttpClient client;
    ASSERT_EQ(client.send(request)->status, 200);

    const json::object body{
        {"content", "rules: [{name: high, match: {tool: payments.refund}, when: args.amount > 100, "
                    "effect: deny}]"}};
    const json::value policy =
        json::parse(api.post("/v1/policies/backtest", json::serialize(body)).value());
    EXPECT_EQ(policy.at("calls"), 1) << json::serialize(policy);
    EXPECT_EQ(policy.at("denied"), 1);
    EXPECT_EQ(policy.at("rows").at(0).at("agent"), "refund-agent");
    const json::value control = json::parse(
        api.post("/v1/controls/backtest", R"({"scope":"tool:payments.*","mode":"stopped","since":"2h"})")
            .value()
    );
    EXPECT_EQ(control.at("denied"), 1) << json::serialize(control);
    EXPECT_THAT(
        api.post("/v1/policies/backtest", R"({"content":"rules: []"})").error().message,
        HasSubstr("list of rules")
    );
    EXPECT_EQ(
        api.post("/v1/controls/backtest", R"({"scope":"global","mode":"stopped","since":"soon"})")
            .error()
            .code,
        ErrorCode::InvalidArgument
    );
    const json::value incident = json::parse(
        api.post(
               "/v1/incidents",
               R"({"title":"it refunds","class":"tool","reason":"seen","agent":"refund-agent",)"
               R"("tool":"payments.refund"})"
        ).value()
    );
    const std::string id(incident.at("id").as_string());
    const json::value suggestion = json::parse(api.get("/v1/incidents/" + id + "/policy").value());
    EXPECT_THAT(std::string(suggestion.at("policy").as_string()), HasSubstr("payments.refund"));
    EXPECT_EQ(suggestion.at("backtest").at("shadow"), 1) << json::serialize(suggestion);
    EXPECT_EQ(api.get("/v1/incidents/INC-99/policy").error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace tagout::app
