#include "gateway/probe.h"

#include "gateway/json_scan.h"
#include "net/http_client.h"

#include <algorithm>
#include <charconv>

namespace tagout::gateway {

namespace {

constexpr auto probe_timeout = std::chrono::seconds(2);
constexpr std::string_view any_tool = "tagout_probe";  // Of unknown effect: counts as a write.

/// A name that `glob` matches: itself, or with its wildcards filled in.
std::string example_of(std::string_view glob) {
    std::string name(glob);
    std::string filled;
    for (const char c : name) {
        filled += c == '*' ? std::string("probe") : std::string(1, c == '?' ? 'x' : c);
    }
    return catalog::glob_matches(glob, filled) ? filled : name;
}

class Prober {
public:
    Prober(Core& core, const Control& control, std::uint16_t port)
        : core_(core),
          control_(control),
          catalog_(core.parts.catalog()),
          client_(own_client_tls(core.options.tls)) {
        const std::string& address = core.options.address;
        const bool any = address == "0.0.0.0" || address == "::" || address.empty();
        const bool v6 = !any && address.find(':') != std::string::npos;
        base_ = std::string(core.options.tls ? "https://" : "http://") +
                (any  ? std::string("127.0.0.1")
                 : v6 ? "[" + address + "]"
                      : address) +
                ":" + std::to_string(port);
    }

    std::vector<contain::ProbeResult> run() {
        const bool of_models = control_.scope.kind == ScopeKind::Model;
        const bool route = control_.mode == ControlMode::Route;
        if (!route && bites_tools()) {
            for (const catalog::McpServer& server : catalog_->contents().mcp_servers) {
                probe_server(server);
            }
        }
        const bool stops =
            control_.mode == ControlMode::Stopped || control_.mode == ControlMode::Observe;
        const bool redacts = control_.mode == ControlMode::Redact;
        if ((stops || redacts || (route && of_models)) && bites_models()) {
            for (const catalog::ModelUpstream& upstream : catalog_->contents().model_upstreams) {
                probe_model(upstream);
            }
        }
        if (!route && !redacts && bites_offered()) {
            for (const catalog::ModelUpstream& upstream : catalog_->contents().model_upstreams) {
                probe_offered(upstream);
            }
        }
        if ((stops || route) && bites_models() && !of_models) {
            for (const catalog::Workflow& workflow : catalog_->contents().workflows) {
                probe_workflow(workflow);
            }
        }
        probe_decide();
        return std::move(results_);
    }

private:
    [[nodiscard]] bool bites_tools() const { return control_.scope.kind != ScopeKind::Model; }
    [[nodiscard]] bool bites_models() const {
        switch (control_.scope.kind) {
            case ScopeKind::Tool:
            case ScopeKind::ToolClass:
            case ScopeKind::McpServer:
                return false;
            default:
                return true;
        }
    }

    /// Whether tools that a model is offered, and calls that it proposes, are its business, and not
    /// the request as a whole.
    [[nodiscard]] bool bites_offered() const {
        return bites_tools() && (!bites_models() || control_.mode == ControlMode::ReadOnly ||
                                 control_.mode == ControlMode::Allowlist ||
                                 control_.mode == ControlMode::Approvals);
    }

    [[nodiscard]] bool in_class(std::string_view tool, std::string_view server) const {
        ToolCall call;
        call.tool = tool;
        call.server = server;
        contain::add_facts(*catalog_, call);
        const std::string& name = control_.scope.name;
        return (name == "read" && call.effect == ToolEffect::Read) ||
               (name == "write" &&
                (call.effect == ToolEffect::Write || call.effect == ToolEffect::Unknown)) ||
               (name == "egress" && call.effect == ToolEffect::Egress) ||
               (name == "high_risk" && call.risk == ToolRisk::High);
    }

    /// Whether the control is about `tool` on `server`, by its scope alone.
    [[nodiscard]] bool is_about(std::string_view tool, std::string_view server) const {
        if (control_.scope.kind == ScopeKind::ToolClass) {
            return in_class(tool, server);
        }
        if (control_.scope.kind != ScopeKind::Tool) {
            return true;
        }
        return catalog::glob_matches(control_.scope.name, tool) ||
               catalog::glob_matches(
                   control_.scope.name, std::string(server) + "." + std::string(tool)
               );
    }
    /// Whether its mode refuses that tool: reads pass read_only, listed ones an allowlist.
    [[nodiscard]] bool is_refused(std::string_view tool, std::string_view server) const {
        if (control_.mode == ControlMode::Allowlist) {
            return std::ranges::none_of(control_.allowed, [&](const std::string& listed) {
                return catalog::glob_matches(listed, tool) ||
                       catalog::glob_matches(listed, std::string(server) + "." + std::string(tool));
            });
        }
        if (control_.mode == ControlMode::ReadOnly || control_.mode == ControlMode::Approvals) {
            ToolCall call;
            call.tool = tool;
            call.server = server;
            contain::add_facts(*catalog_, call);
            return call.effect != ToolEffect::Read;
        }
        return true;
    }

    /// Tools that `server` is known to offer: configured, and seen.
    [[nodiscard]] std::vector<std::string> offered_by(const std::string& server) const {
        std::vector<std::string> tools;
        for (const catalog::Tool& tool : catalog_->contents().tools) {
            if (tool.server == server &&
                tool.name.text().find_first_of("*?") == std::string::npos) {
                tools.push_back(tool.name.text());
            }
        }
        std::ranges::move(core_.tools_of(server), std::back_inserter(tools));
        return tools;
    }

    [[nodiscard]] std::string tool_on(const std::string& server) const {
        for (const std::string& tool : offered_by(server)) {
            if (is_about(tool, server) && is_refused(tool, server)) {
                return tool;
            }
        }
        return "";
    }
    [[nodiscard]] bool is_known_somewhere() const {
        return std::ranges::any_of(catalog_->contents().mcp_servers, [&](const auto& server) {
            return !tool_on(server.name).empty();
        });
    }
    /// A name for a tool that nobody is known to offer.
    [[nodiscard]] std::string made_up_tool(std::string_view server) const {
        if (control_.scope.kind == ScopeKind::Tool) {
            return example_of(control_.scope.name);
        }
        for (const catalog::Tool& tool : catalog_->contents().tools) {
            const std::string name = example_of(tool.name.text());
            if (is_about(name, server) && is_refused(name, server)) {
                return name;
            }
        }
        for (const std::string_view name :
             {any_tool,
              std::string_view("get_tagout_probe"),
              std::string_view("update_tagout_probe"),
              std::string_view("send_mail_tagout_probe"),
              std::string_view("delete_tagout_probe")}) {
            if (is_about(name, server) && is_refused(name, server)) {
                return std::string(name);
            }
        }
        return "";
    }

    [[nodiscard]] net::Headers caller() const {
        const std::string name = example_of(control_.scope.name);
        switch (control_.scope.kind) {
            case ScopeKind::Agent:
                return {{"tagout-agent", name}};
            case ScopeKind::Workflow:
                return {{"tagout-workflow", name}};
            case ScopeKind::Tenant:
                return {{"tagout-tenant", name}};
            case ScopeKind::Environment:
                return {{"tagout-environment", name}};
            case ScopeKind::Session:
                return {{"tagout-session", name}};
            case ScopeKind::User:
                return {{"tagout-user", name}};
            case ScopeKind::PromptVersion:
                return {{"tagout-prompt", name}};
            default:
                return {};
        }
    }

    void probe_server(const catalog::McpServer& server) {
        if (control_.scope.kind == ScopeKind::McpServer &&
            !catalog::glob_matches(control_.scope.name, server.name)) {
            return;
        }
        std::string tool = tool_on(server.name);
        const bool by_tool =
            control_.scope.kind == ScopeKind::Tool || control_.scope.kind == ScopeKind::ToolClass;
        if (tool.empty() && by_tool && is_known_somewhere()) {
            return;  // Offered elsewhere: this server is no road to it.
        }
        if (tool.empty()) {
            tool = made_up_tool(server.name);
        }
        const std::string road = "mcp:" + server.name;
        if (tool.empty()) {
            results_.push_back(
                {road,
                 false,
                 Verdict::None,
                 "",
                 0,
                 "no tool is known that this control refuses; name one under tools in tagout.yaml"}
            );
            return;
        }
        net::Headers headers = caller();
        headers.emplace_back("Accept", "application/json, text/event-stream");
        send(
            road,
            "/mcp/" + server.name,
            std::move(headers),
            R"({"jsonrpc":"2.0","id":"tagout-probe","method":"tools/call","params":{"name":)" +
                quoted(tool) + R"(,"arguments":{}}})",
            "tools/call " + tool
        );
    }

    void probe_model(const catalog::ModelUpstream& upstream) {
        const bool by_model = control_.scope.kind == ScopeKind::Model;
        const std::string model = by_model ? example_of(control_.scope.name) : "tagout-probe";
        const std::string path =
            upstream.protocol == "anthropic" ? "/v1/messages" : "/v1/chat/completions";
        send(
            "model:" + upstream.name,
            "/model/" + upstream.name + path,
            caller(),
            R"({"model":)" + quoted(model) + R"(,"messages":[]})",
            "a request for model " + model
        );
    }

    void probe_offered(const catalog::ModelUpstream& upstream) {
        std::string offered;
        std::string what;
        if (control_.scope.kind == ScopeKind::McpServer) {
            const std::string server = example_of(control_.scope.name);
            offered = R"({"type":"mcp","server_label":)" + quoted(server) + R"(,"name":)" +
                      quoted(any_tool) + "}";
            what = "a model's call on MCP server " + server;
        } else {
            const std::string tool = some_tool();
            if (tool.empty()) {
                return;  // The road of the tools themselves says so.
            }
            offered = R"({"type":"function","name":)" + quoted(tool) + "}";
            what = "a model's call of " + tool;
        }
        const bool anthropic = upstream.protocol == "anthropic";
        send(
            "model:" + upstream.name,
            "/model/" + upstream.name + (anthropic ? "/v1/messages" : "/v1/responses"),
            caller(),
            R"({"model":"tagout-probe","messages":[],"tools":[)" + offered + "]}",
            what
        );
    }

    void probe_workflow(const catalog::Workflow& workflow) {
        const std::string& name = workflow.name.text();
        if (workflow.url.empty() || (control_.scope.kind == ScopeKind::Workflow &&
                                     !catalog::glob_matches(control_.scope.name, name))) {
            return;
        }
        send("workflow:" + name, "/workflow/" + name, caller(), "{}", "a request to " + name);
    }

    /// A tool that the control refuses: one that is known somewhere, else a made-up one.
    [[nodiscard]] std::string some_tool() const {
        for (const catalog::McpServer& each : catalog_->contents().mcp_servers) {
            if (std::string tool = tool_on(each.name); !tool.empty()) {
                return tool;
            }
        }
        return made_up_tool("");
    }

    void probe_decide() {
        std::string body = "{";
        const auto add = [&](std::string_view key, std::string_view value) {
            body += (body.size() > 1 ? ",\"" : "\"") + std::string(key) + "\":" + quoted(value);
        };
        for (const auto& [header, value] : caller()) {
            add(header.substr(std::string_view("tagout-").size()), value);
        }
        std::string what = "a call";
        if (control_.mode == ControlMode::Route && control_.scope.kind != ScopeKind::Model) {
            add("kind", "workflow");
        } else if (control_.scope.kind == ScopeKind::Model) {
            add("kind", "model");
            add("model", example_of(control_.scope.name));
        } else {
            std::string server;
            std::string tool;
            for (const catalog::McpServer& each : catalog_->contents().mcp_servers) {
                if (tool.empty()) {
                    tool = tool_on(each.name);
                    server = tool.empty() ? "" : each.name;
                }
            }
            if (control_.scope.kind == ScopeKind::McpServer) {
                server = example_of(control_.scope.name);
            }
            tool = tool.empty() ? made_up_tool(server) : tool;
            if (tool.empty()) {
                results_.push_back(
                    {"decide",
                     false,
                     Verdict::None,
                     "",
                     0,
                     "no tool is known that this control refuses; name one under tools in "
                     "tagout.yaml"}
                );
                return;
            }
            add("tool", tool);
            if (!server.empty()) {
                add("server", server);
            }
            what = "a call of " + tool;
        }
        send("decide", "/v1/decide", {}, body + "}", what);
    }

    void send(
        const std::string& road, const std::string& path, net::Headers headers, std::string body,
        const std::string& what
    ) {
        if (results_.size() >= probes_max) {
            core_.met_limit("probes_max");
            return;
        }
        headers.emplace_back("Content-Type", "application/json");
        headers.emplace_back("tagout-probe", core_.probe_secret);
        const auto answer =
            client_.send({"POST", base_ + path, std::move(headers), std::move(body), probe_timeout}
            );
        contain::ProbeResult result;
        result.road = road;
        if (!answer) {
            result.detail = answer.error().message;
            count("unreachable");
        } else {
            read(*answer, what, result);
        }
        results_.push_back(std::move(result));
    }

    void read(
        const net::HttpResponse& answer, const std::string& what, contain::ProbeResult& result
    ) const {
        const std::string decision(answer.header("tagout-decision"));
        if (decision.empty() || !check_json(decision)) {
            result.detail =
                "answered with HTTP " + std::to_string(answer.status) + " and no decision";
            count("unreachable");
            return;
        }
        result.reached = true;
        const std::string verdict = string_of(member(decision, "verdict")).value_or("");
        for (const Verdict each :
             {Verdict::Allow, Verdict::Deny, Verdict::Modify, Verdict::Escalate}) {
            if (name_of(each) == verdict) {
                result.verdict = each;
            }
        }
        result.decided_by = string_of(member(decision, "decided_by")).value_or("");
        const std::string shadow = string_of(member(decision, "shadow")).value_or("");
        const RawJson revision = member(decision, "revision");
        std::from_chars(revision.data(), revision.data() + revision.size(), result.revision);
        if (result.verdict == Verdict::Allow && control_.mode == ControlMode::Observe) {
            result.decided_by = shadow;
        }
        result.detail =
            what + (result.verdict == Verdict::Deny       ? " was refused"
                    : result.verdict == Verdict::Escalate ? " waits for a person"
                    : result.verdict == Verdict::Modify
                        ? (control_.mode == ControlMode::Redact ? " passed redacted" : " is routed elsewhere")
                    : shadow.empty()                      ? " passed"
                                     : " passed, and " + shadow + " would have refused it");
        count(result.verdict == Verdict::Allow ? "passed" : "refused");
    }

    void count(std::string_view result) const {
        const std::array values{result};
        core_.parts.metrics.counter(gateway_probes_total, values).add();
    }

    Core& core_;
    const Control& control_;
    const std::shared_ptr<const catalog::Catalog> catalog_;
    std::string base_;
    net::HttpClient client_;
    std::vector<contain::ProbeResult> results_;
};

}  // namespace

std::vector<contain::ProbeResult> send_probes(
    Core& core, const Control& control, std::uint16_t port
) {
    return Prober(core, control, port).run();
}

}  // namespace tagout::gateway
