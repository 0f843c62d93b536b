// The catalog: what is deployed and who owns it, as tagout.yaml says and telemetry adds.
//
// An immutable value behind shared_ptr<const Catalog>: readers take one and never wait; a reload
// makes a new one. Everything works with an empty catalog: names come from telemetry and are
// reported as unowned, effects of tools are inferred from their names and definitions.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/vocabulary.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tagout::catalog {

struct Agent {
    AgentName name;
    std::string description;
    std::vector<WorkflowName> workflows;
    std::vector<ToolName> tools;
};

struct Workflow {
    WorkflowName name;
    WorkflowName fallback;
    std::string url;  ///< The agent's own endpoint, for the gateway's workflow route.
    std::string fallback_url;
    std::uint64_t fallback_percent = 0;  ///< Of sessions that go to the fallback without a control.
};

struct Tool {
    ToolName name;       ///< Or a glob, such as "payments.*".
    std::string server;  ///< MCP server it belongs to, "" for any.
    ToolEffect effect = ToolEffect::Unknown;
    std::optional<ToolRisk> risk = std::nullopt;  ///< Unset: inferred from the name.
    Reversibility reversibility = Reversibility::Unknown;
    ToolName compensating_tool;
};

struct McpServer {
    std::string name;
    std::string url;
};

struct ModelUpstream {
    std::string name;
    std::string protocol;  ///< openai or anthropic
    std::string url;
    std::string key_env;  ///< Name of the environment variable with the key; never the key.
    /// Where requests go when it fails: MODEL, UPSTREAM/MODEL or UPSTREAM/ (the same model there).
    std::string fallback = {};
    std::uint64_t fallback_percent = 0;  ///< Of sessions that go there while it does not fail.
    std::vector<std::string> fallback_on = {};  ///< "429", "5xx"; none: 5xx. No answer counts always.
};

struct OwnerRule {
    std::string match;  ///< "agent:refund-*", "tool:payments.*", "workflow:*", "service:*".
    std::string team;
    std::string contact;
    std::string channel;
};

struct NoticeChannel {
    std::string name;
    std::string type;  ///< webhook, slack, pagerduty, alertmanager
    std::string url;
    std::string url_env = {};  ///< Environment variable with the URL, where it is a secret (Slack).
    std::string secret_env;    ///< Environment variable with signing secret or routing key.
    std::string secret_file;
};

/// Impact bounds; an incident takes the worst severity whose rule holds.
struct SeverityRule {
    Severity severity = Severity::Sev3;
    std::optional<FailureClass> failure_class;
    std::uint64_t failed_sessions_min = 0;
    std::uint64_t users_min = 0;
    std::uint64_t writes_min = 0;
    double cost_usd_min = 0;
    bool high_risk_tool = false;
    bool irreversible_write = false;
};

/// Observe: propose the control to a person. Enforce: apply it at once.
enum class Enforcement : std::uint8_t { Observe = 1, Enforce = 2 };
[[nodiscard]] constexpr std::string_view name_of(Enforcement enforcement) noexcept {
    switch (enforcement) {
        case Enforcement::Observe:
            return "observe";
        case Enforcement::Enforce:
            return "enforce";
    }
    return "?";
}

struct Playbook {
    FailureClass failure_class = FailureClass::Intent;
    Severity severity = Severity::Sev3;
    std::string contain;  ///< tool, agent or workflow: what to stop.
    std::string mode;     ///< Of the control: read_only, approvals, allowlist, stopped, route.
    Enforcement enforcement = Enforcement::Observe;
};

struct JourneyStep {
    std::string kind;  ///< http or mcp
    std::string request;
    std::vector<std::string> expect;
};

struct Journey {
    std::string name;
    std::vector<ToolName> tools;
    std::vector<JourneyStep> steps;
};

/// What proves which agent calls the gateway.
enum class IdentityMode : std::uint8_t {
    Header = 1,  ///< Nothing does: an agent is who it says it is.
    Token = 2,   ///< A token of its own, made by `tagout identity token`.
    Mtls = 3,    ///< The certificate of its TLS connection.
};
[[nodiscard]] constexpr std::string_view name_of(IdentityMode mode) noexcept {
    switch (mode) {
        case IdentityMode::Header:
            return "header";
        case IdentityMode::Token:
            return "token";
        case IdentityMode::Mtls:
            return "mtls";
    }
    return "?";
}

/// Where in its certificate an agent's name stands.
enum class CertificateName : std::uint8_t { Uri = 1, CommonName = 2 };
[[nodiscard]] constexpr std::string_view name_of(CertificateName name) noexcept {
    switch (name) {
        case CertificateName::Uri:
            return "uri";
        case CertificateName::CommonName:
            return "common_name";
    }
    return "?";
}

/// How the gateway knows who calls.
struct Identity {
    IdentityMode mode = IdentityMode::Header;
    CertificateName certificate_name = CertificateName::Uri;
    std::string certificate_prefix = {};  ///< Cut off the certificate's name; others are refused.
    friend bool operator==(const Identity&, const Identity&) = default;
};

/// A setting of a detector as written: "detection.tool.4xx_spike.rate_min" = 0.2. The detect room
/// owns names, defaults and bounds; catalog only carries text and place for its error messages.
struct SettingText {
    std::string path;
    std::string value;  ///< A list as its items with ", " between.
    int line = 0;
    int column = 0;
};

struct Model {
    std::string name;  ///< Glob.
    double input_usd_per_million = 0;
    double output_usd_per_million = 0;
    /// Of input tokens that came from a cache; unset, they cost what other input costs.
    std::optional<double> cached_input_usd_per_million = std::nullopt;
};

struct Contents {
    std::vector<Agent> agents;
    std::vector<Workflow> workflows;
    std::vector<Tool> tools;
    std::vector<McpServer> mcp_servers;
    std::vector<ModelUpstream> model_upstreams;
    std::vector<OwnerRule> owners;
    std::vector<NoticeChannel> channels;
    std::string default_channel;
    std::vector<SeverityRule> severity_rules;
    std::vector<Playbook> playbooks;
    std::vector<Journey> journeys;
    std::vector<Model> prices;
    Identity identity = {};  ///< Of agents at the gateway.
    std::vector<SettingText> detection;
    std::vector<SettingText> incidents = {};  ///< Join window, quiet period, automatic declaration.
    std::vector<SettingText> notices;         ///< Delivery, retries, addresses in links.
    std::vector<SettingText> containment = {};  ///< Review dates, probes, approvals.
    std::vector<SettingText> evidence;          ///< Segments, retention.
    std::vector<SettingText> server;          ///< Threads, limits, queues.
    std::vector<SettingText> gate = {};       ///< What a release needs.
    std::vector<SettingText> releases = {};   ///< Known good bundles, limits of versions, journeys.
};

struct ToolFacts {
    ToolEffect effect = ToolEffect::Unknown;
    ToolRisk risk = ToolRisk::Low;
    Reversibility reversibility = Reversibility::Unknown;
    bool configured = false;  ///< False: inferred from the name, and shown as such.

    /// It writes, or sends something out; what is unknown may.
    [[nodiscard]] bool changes_something() const noexcept {
        return effect == ToolEffect::Write || effect == ToolEffect::Egress;
    }
};

/// Thread-safe: immutable.
class Catalog {
public:
    Catalog() = default;
    explicit Catalog(Contents contents);

    [[nodiscard]] const Contents& contents() const noexcept { return contents_; }
    /// Configured facts, else inferred: verbs such as get, list, search read; create, update,
    /// delete, send, pay, refund write; mail, post, webhook, upload and URL arguments go out.
    [[nodiscard]] ToolFacts tool(std::string_view name) const;
    /// First rule whose glob matches the most specific name present: tool, agent, workflow,
    /// service.
    [[nodiscard]] const OwnerRule* owner_of(
        std::string_view tool, std::string_view agent, std::string_view workflow,
        std::string_view service
    ) const;
    /// USD of one call, or -1 when no price matches `model`. `cached_tokens` are those of the input
    /// tokens that came from a cache.
    [[nodiscard]] double cost_usd(
        std::string_view model, std::int64_t input_tokens, std::int64_t output_tokens,
        std::int64_t cached_tokens = 0
    ) const;
    /// The channel of that name; "" asks for the default one. Null if there is none.
    [[nodiscard]] const NoticeChannel* channel(std::string_view name) const;
    /// The entry of tagout.yaml for `name` (with or without its server before it), else null.
    [[nodiscard]] const Tool* configured_tool(std::string_view name) const;

private:
    struct TextHash : std::hash<std::string_view> {
        using is_transparent = void;
    };

    Contents contents_;
    std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> tools_by_name_;
    std::vector<std::size_t> tool_globs_;
};

/// Matches * and ?; case-sensitive. Never recursive: at worst pattern length times text length.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text) noexcept;

}  // namespace tagout::catalog
