// A gateway with scripted upstreams, driven over real sockets. Only tests and benchmarks include
// it.
#pragma once

#include "gateway/gateway.h"
#include "incident/memory_journal.h"
#include "net/http_client.h"
#include "net/raw_socket.h"
#include "net/scripted_server.h"

#include "base/mutex.h"

#include <future>
#include <optional>
#include <vector>

namespace tagout::gateway {

/// Approvals that a test answers.
class FakeApprovals final : public contain::Approvals {
public:
    Result<void> rebuild() override { return {}; }
    void use(const contain::Settings&) override {}
    Result<std::string> ask(
        const ToolCall& call, std::string_view arguments, const ControlId& control,
        std::function<void(contain::ApprovalAnswer, const contain::By&)> answer
    ) override {
        const MutexLock lock(mutex_);
        if (full) {
            return fail(ErrorCode::LimitExceeded, "too many calls wait");
        }
        asked_.push_back(
            std::string(call.tool) + " " + std::string(arguments) + " " + control.text()
        );
        answers_.push_back(std::move(answer));
        return "APR-" + std::to_string(asked_.size());
    }
    void withdraw(const std::string& id) override {
        const MutexLock lock(mutex_);
        withdrawn_.push_back(id);
    }
    Result<contain::PendingApproval> approve(const std::string& id, const contain::By& by) override {
        return told(id, contain::ApprovalAnswer::Approved, by);
    }
    Result<contain::PendingApproval> deny(const std::string& id, const contain::By& by) override {
        return told(id, contain::ApprovalAnswer::Denied, by);
    }
    void tick() override {}
    [[nodiscard]] std::vector<contain::PendingApproval> pending() const override { return {}; }

    void answer(std::size_t number, contain::ApprovalAnswer with, const std::string& reason) {
        std::function<void(contain::ApprovalAnswer, const contain::By&)> tell;
        {
            const MutexLock lock(mutex_);
            tell = answers_.at(number);
        }
        tell(with, {Actor("person:ann"), reason});
    }
    [[nodiscard]] std::vector<std::string> asked() const {
        const MutexLock lock(mutex_);
        return asked_;
    }
    [[nodiscard]] std::vector<std::string> withdrawn() const {
        const MutexLock lock(mutex_);
        return withdrawn_;
    }
    /// What was answered by approve() and deny(): "approved person:ann: why".
    [[nodiscard]] std::vector<std::string> told() const {
        const MutexLock lock(mutex_);
        return told_;
    }
    std::atomic<bool> full{false};

private:
    Result<contain::PendingApproval> told(
        const std::string& id, contain::ApprovalAnswer with, const contain::By& by
    ) {
        std::function<void(contain::ApprovalAnswer, const contain::By&)> tell;
        {
            const MutexLock lock(mutex_);
            told_.push_back(std::string(name_of(with)) + " " + by.actor.text() + ": " + by.reason);
            tell = answers_.at(std::stoul(id.substr(4)) - 1);
        }
        tell(with, by);
        return contain::PendingApproval{};
    }

    mutable Mutex mutex_;
    std::vector<std::string> asked_ TAGOUT_GUARDED_BY(mutex_);
    std::vector<std::string> told_ TAGOUT_GUARDED_BY(mutex_);
    std::vector<std::string> withdrawn_ TAGOUT_GUARDED_BY(mutex_);
    std::vector<std::function<void(contain::ApprovalAnswer, const contain::By&)>> answers_
        TAGOUT_GUARDED_BY(mutex_);
};

struct Asked {
    std::string method = "POST";
    std::string path;
    std::string body;
    net::Headers headers{};
};

/// How a world's gateway knows agents.
struct Proof {
    catalog::Identity identity = {};
    std::function<std::shared_ptr<const contain::AgentCredentials>()> credentials = {};
    contain::Refusals* refusals = nullptr;
    std::optional<net::TlsFiles> tls = {};
};

class World {
public:
    using Script = net::ScriptedServer::Script;

    /// `tools` serves MCP at /mcp/shop, `model` a model API at /model/openai and /model/anthropic; with
    /// `fallbacks` main, down and half (a share) fall back to spare, which `tools` serves.
    explicit World(
        Script tools, Script model = nullptr, bool controlled = true, unsigned threads = 2,
        contain::ToolPins* pins = nullptr, Proof proof = {}, bool fallbacks = false
    )
        : tools_(counted(std::move(tools), tool_requests)),
          model_(
              counted(model ? std::move(model) : Script([](net::ScriptedPeer&) {}), model_requests)
          ) {
        catalog::Contents contents;
        contents.identity = proof.identity;
        contents.mcp_servers.push_back({"shop", tools_.url("/mcp")});
        contents.mcp_servers.push_back({"gone", "http://127.0.0.1:1/mcp"});
        contents.model_upstreams.push_back(
            {"openai", "openai", model_.url("/v1"), "TAGOUT_TEST_KEY"}
        );
        contents.model_upstreams.push_back({"anthropic", "anthropic", model_.url(), ""});
        contents.tools.push_back(
            {.name = ToolName("refund"),
             .server = "shop",
             .effect = ToolEffect::Write,
             .risk = ToolRisk::High,
             .compensating_tool = {}}
        );
        contents.tools.push_back(
            {.name = ToolName("get_order"),
             .server = "shop",
             .effect = ToolEffect::Read,
             .compensating_tool = {}}
        );
        contents.workflows.push_back(
            {WorkflowName("returns"), WorkflowName("fallback"), model_.url("/agent"), ""}
        );
        contents.workflows.push_back(
            {WorkflowName("fallback"), {}, tools_.url("/people"), ""}
        );
        contents.prices.push_back({"gpt-priced", 10, 50});
        if (fallbacks) {
            contents.model_upstreams.push_back(
                {"main", "openai", model_.url("/v1"), "", "spare/gpt-spare", 0, {}}
            );
            contents.model_upstreams.push_back({"spare", "openai", tools_.url("/v1"), "TAGOUT_SPARE_KEY"});
            contents.model_upstreams.push_back(
                {"down", "openai", "http://127.0.0.1:1/v1", "", "spare/", 0, {"429", "5xx"}}
            );
            contents.model_upstreams.push_back(
                {"half", "openai", model_.url("/v1"), "", "gpt-spare", 50, {}}
            );
            contents.workflows.push_back(
                {WorkflowName("shared"), WorkflowName("fallback"), model_.url("/agent"), "", 50}
            );
        }
        catalog_ = std::make_shared<const catalog::Catalog>(std::move(contents));
        GatewayOptions options;
        options.threads = threads;
        options.authz_port = 0;
        options.body_bytes_max = 1024 * 1024;
        options.connect_timeout = std::chrono::milliseconds(500);
        options.journey_secret = "journey";
        options.tls = proof.tls;
        tls = own_client_tls(proof.tls);
        GatewayParts parts{
            clock,
            metrics,
            [this] { return catalog_; },
            approvals,
            [this](SeenCall call) {
                const MutexLock lock(mutex_);
                seen_.push_back(std::move(call));
            },
            [](std::string_view family, std::string_view name, std::string_view label
            ) -> Result<FetchedVersion> {
                if (name != "support") {
                    return fail(ErrorCode::NotFound, "no such version");
                }
                return FetchedVersion{
                    "{\"content\":\"" + std::string(family) + " " + std::string(label) + "\"}",
                    "\"v1\""};
            },
            pins,
            proof.credentials,
            proof.refusals,
            {},
            circuits.get()};
        gateway = std::move(*Gateway::start(options, parts));
        if (controlled) {
            (void)control({});
        }
    }
    ~World() { gateway->stop(); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// Puts exactly these in force and waits until the gateway says so; the time it took.
    Duration control(std::vector<Control> controls, std::vector<contain::Policy> policies = {}) {
        const Instant from = clock.now();
        std::promise<Result<std::uint64_t>> done;
        auto snapshot = contain::ControlSnapshot::build(controls, policies, ++revision_);
        gateway->enforce(*snapshot, [&](Result<std::uint64_t> in_force) {
            done.set_value(std::move(in_force));
        });
        const Result<std::uint64_t> answer = done.get_future().get();
        if (!answer || *answer != revision_) {
            return Duration::max();
        }
        return clock.now() - from;
    }
    static Control stop(std::string_view scope, ControlMode mode = ControlMode::Stopped) {
        Control control;
        control.id = ControlId("CTL-7");
        control.scope = *parse_scope(scope);
        control.mode = mode;
        control.reason = "pays twice";
        control.author = Actor("person:ann");
        control.incident = IncidentId("INC-3");
        return control;
    }

    [[nodiscard]] net::HttpResponse ask(const Asked& asked) const {
        net::HttpClient client(tls);
        net::HttpRequest request{
            asked.method,
            (tls.trusted.empty() ? "http://127.0.0.1:" : "https://127.0.0.1:") +
                std::to_string(gateway->port()) + asked.path,
            asked.headers,
            asked.body,
            std::chrono::seconds(10)};
        auto answer = client.send(request);
        return answer ? std::move(*answer) : net::HttpResponse{-1, {}, answer.error().message};
    }
    [[nodiscard]] net::HttpResponse mcp(const std::string& body, net::Headers headers = {}) const {
        headers.emplace_back("Content-Type", "application/json");
        headers.emplace_back("Accept", "application/json, text/event-stream");
        return ask({"POST", "/mcp/shop", body, std::move(headers)});
    }
    net::ClientTls tls;  ///< Of ask() and mcp().
    /// A request as a raw socket sends it.
    static std::string raw_post(
        std::string_view path, std::string_view body, std::string_view headers = ""
    ) {
        return "POST " + std::string(path) +
               " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
               std::string(headers) + "Content-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + std::string(body);
    }

    [[nodiscard]] std::vector<SeenCall> seen() const {
        const MutexLock lock(mutex_);
        return seen_;
    }
    /// Waits a little for what is reported after an answer went out.
    [[nodiscard]] SeenCall last_seen(std::size_t count = 1) const {
        for (int i = 0; i < 200 && seen().size() < count; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        const auto all = seen();
        return all.empty() ? SeenCall() : all.back();
    }
    [[nodiscard]] bool wait_for(const std::function<bool()>& condition) const {
        for (int i = 0; i < 600 && !condition(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return condition();
    }

    SystemClock clock;
    MetricRegistry metrics;
    FakeApprovals approvals;
    incident::MemoryJournal journal{clock};
    std::unique_ptr<contain::Circuits> circuits = contain::Circuits::make(journal, clock, metrics);
    std::atomic<int> tool_requests{0};
    std::atomic<int> model_requests{0};
    std::shared_ptr<Gateway> gateway;

    [[nodiscard]] std::uint16_t tools_port() const { return tools_.port(); }

private:
    static Script counted(Script script, std::atomic<int>& connections) {
        return [script = std::move(script), &connections](net::ScriptedPeer& peer) {
            ++connections;
            script(peer);
        };
    }

    std::shared_ptr<const catalog::Catalog> catalog_;
    std::uint64_t revision_ = 0;
    mutable Mutex mutex_;
    std::vector<SeenCall> seen_ TAGOUT_GUARDED_BY(mutex_);
    net::ScriptedServer tools_;
    net::ScriptedServer model_;
};

/// "tools/call" of either era.
inline std::string tool_call(
    std::string_view tool, std::string_view arguments = "{}", bool modern = false
) {
    return R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" +
           std::string(tool) + R"(","arguments":)" + std::string(arguments) +
           (modern ? R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"})" : "") +
           "}}";
}

inline std::string http_answer(
    std::string_view type, std::string_view body, std::string_view more = "", int status = 200
) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + std::string(type) +
           "\r\n" + std::string(more) + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
}

}  // namespace tagout::gateway
