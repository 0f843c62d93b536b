// The form of tagout.yaml, declared once: the reader, the JSON Schema and the unknown-key check are
// all visitors of these functions, so a key can stand in none of them without the others.
//
// A visitor has
//   field(key, member, FieldInfo)            one value: text, name, number, boolean, choice, list
//   of texts named(key, vector<T>, FieldInfo)         a map from name to T, whose member `name` is
//   the key list(key, vector<T>, FieldInfo)          a sequence of T group(key, FieldInfo,
//   function)          a map whose keys the function visits settings(key, vector<SettingText>,
//   FieldInfo)   a subtree that other rooms declare
// Included by config.cc and config_schema.cc only.
#pragma once

#include "catalog/catalog.h"

#include <array>
#include <span>
#include <string_view>

namespace tagout::catalog {

/// What a text must look like.
enum class Format : std::uint8_t {
    Text,
    Name,        ///< Not empty, no control characters, at most 256 bytes.
    Glob,        ///< A name in which * and ? stand for anything and for one character.
    OwnerMatch,  ///< "tool:GLOB", "agent:GLOB", "workflow:GLOB", "service:GLOB" or "*".
    Url,         ///< http or https, with a host, without a user or password in it.
    EnvName,     ///< Name of an environment variable.
    FilePath,
};

enum class Presence : std::uint8_t { Optional, Required };

struct FieldInfo {
    std::string_view help;  ///< One sentence.
    Presence presence = Presence::Optional;
    Format format = Format::Text;
    std::span<const std::string_view> choices = {};  ///< Of a text; an enum brings its own.
    double min = 0;
    double max = 0;
    std::string_view unit = "";
};

inline constexpr std::array<std::string_view, 2> upstream_protocols{"openai", "anthropic"};
inline constexpr std::array<std::string_view, 4> channel_types{
    "webhook", "slack", "pagerduty", "alertmanager"};
inline constexpr std::array<std::string_view, 3> contain_targets{"tool", "agent", "workflow"};
inline constexpr std::array<std::string_view, 5> control_modes{
    "read_only", "approvals", "allowlist", "stopped", "route"};
inline constexpr std::array<std::string_view, 2> journey_step_kinds{"http", "mcp"};

using enum Presence;

template <class V>
void describe(Agent& agent, V& v) {
    v.field("description", agent.description, FieldInfo{.help = "What the agent is for."});
    v.field(
        "workflows",
        agent.workflows,
        FieldInfo{.help = "Workflows it runs; each stands under workflows.", .format = Format::Name}
    );
    v.field(
        "tools",
        agent.tools,
        FieldInfo{.help = "Tools it may call; each stands under tools.", .format = Format::Name}
    );
}

template <class V>
void describe(Workflow& workflow, V& v) {
    v.field(
        "fallback",
        workflow.fallback,
        FieldInfo{
            .help = "Workflow that takes over when this one is contained.", .format = Format::Name}
    );
    v.field(
        "url",
        workflow.url,
        FieldInfo{
            .help = "The agent's own endpoint, for the gateway's workflow route.",
            .format = Format::Url}
    );
    v.field(
        "fallback_url",
        workflow.fallback_url,
        FieldInfo{
            .help = "Endpoint of the fallback, where no workflow of its own is listed.",
            .format = Format::Url}
    );
    v.field(
        "fallback_percent",
        workflow.fallback_percent,
        FieldInfo{
            .help = "Share of sessions that the gateway's workflow route gives to the fallback; a "
                    "session stays where it went.",
            .max = 100,
            .unit = "percent"}
    );
}

template <class V>
void describe(Tool& tool, V& v) {
    v.field(
        "server",
        tool.server,
        FieldInfo{
            .help = "MCP server that offers it, from mcp_servers; absent for any.",
            .format = Format::Name}
    );
    v.field(
        "effect",
        tool.effect,
        FieldInfo{.help = "What it does to the world; inferred from the name when absent."}
    );
    v.field(
        "risk",
        tool.risk,
        FieldInfo{
            .help =
                "High-risk tools are the first to be stopped; inferred from the name when absent."}
    );
    v.field(
        "reversibility",
        tool.reversibility,
        FieldInfo{
            .help = "How what it wrote can be taken back; inferred from the name when absent."}
    );
    v.field(
        "compensating_tool",
        tool.compensating_tool,
        FieldInfo{.help = "Tool that undoes one call of this one.", .format = Format::Name}
    );
}

template <class V>
void describe(McpServer& server, V& v) {
    v.field(
        "url",
        server.url,
        FieldInfo{
            .help = "Address of its MCP endpoint.", .presence = Required, .format = Format::Url}
    );
}

template <class V>
void describe(ModelUpstream& upstream, V& v) {
    v.field(
        "protocol",
        upstream.protocol,
        FieldInfo{
            .help = "API that it speaks.", .presence = Required, .choices = upstream_protocols}
    );
    v.field(
        "url",
        upstream.url,
        FieldInfo{
            .help = "Base address of the model API.", .presence = Required, .format = Format::Url}
    );
    v.field(
        "key_env",
        upstream.key_env,
        FieldInfo{
            .help = "Environment variable with the API key; never the key.",
            .format = Format::EnvName}
    );
    v.field(
        "fallback",
        upstream.fallback,
        FieldInfo{
            .help = "Where requests go when it fails before a byte of its answer went out: MODEL, "
                    "UPSTREAM/MODEL or UPSTREAM/ for the same model there."}
    );
    v.field(
        "fallback_percent",
        upstream.fallback_percent,
        FieldInfo{
            .help = "Share of sessions that go to the fallback while it does not fail; a session "
                    "stays where it went.",
            .max = 100,
            .unit = "percent"}
    );
    v.field(
        "fallback_on",
        upstream.fallback_on,
        FieldInfo{
            .help = "Statuses that count as failures, such as 429 or 5xx; absent for 5xx. No answer "
                    "counts always."}
    );
}

template <class V>
void describe(OwnerRule& rule, V& v) {
    v.field(
        "match",
        rule.match,
        FieldInfo{
            .help = "What is owned: tool:, agent:, workflow: or service: and a glob, or * for the "
                    "rest. "
                    "The most specific name decides, then the order of the file.",
            .presence = Required,
            .format = Format::OwnerMatch}
    );
    v.field(
        "team",
        rule.team,
        FieldInfo{.help = "Team that owns it.", .presence = Required, .format = Format::Name}
    );
    v.field("contact", rule.contact, FieldInfo{.help = "Who is on call, or how to reach them."});
    v.field(
        "channel",
        rule.channel,
        FieldInfo{
            .help = "Notice channel of the team; the default channel when absent.",
            .format = Format::Name}
    );
}

template <class V>
void describe(NoticeChannel& channel, V& v) {
    v.field(
        "type",
        channel.type,
        FieldInfo{.help = "Format of the notices.", .presence = Required, .choices = channel_types}
    );
    v.field(
        "url", channel.url, FieldInfo{.help = "Where notices are posted.", .format = Format::Url}
    );
    v.field(
        "url_env",
        channel.url_env,
        FieldInfo{
            .help = "Environment variable with the URL, where the URL is itself a secret (Slack).",
            .format = Format::EnvName}
    );
    v.field(
        "secret_env",
        channel.secret_env,
        FieldInfo{
            .help =
                "Environment variable with the signing secret or routing key; never the secret.",
            .format = Format::EnvName}
    );
    v.field(
        "secret_file",
        channel.secret_file,
        FieldInfo{
            .help = "File whose first line is the signing secret or routing key.",
            .format = Format::FilePath}
    );
}

template <class V>
void describe(SeverityRule& rule, V& v) {
    v.field(
        "severity",
        rule.severity,
        FieldInfo{
            .help = "Severity of an incident for which every bound below holds.",
            .presence = Required}
    );
    v.field(
        "class",
        rule.failure_class,
        FieldInfo{.help = "Failure class that the rule is about; absent for every class."}
    );
    v.field(
        "failed_sessions_min",
        rule.failed_sessions_min,
        FieldInfo{.help = "At least this many failed sessions.", .max = 1e12, .unit = "sessions"}
    );
    v.field(
        "users_min",
        rule.users_min,
        FieldInfo{.help = "At least this many users.", .max = 1e12, .unit = "users"}
    );
    v.field(
        "writes_min",
        rule.writes_min,
        FieldInfo{.help = "At least this many side effects.", .max = 1e12, .unit = "writes"}
    );
    v.field(
        "cost_usd_min",
        rule.cost_usd_min,
        FieldInfo{.help = "At least this much money spent.", .max = 1e12, .unit = "USD"}
    );
    v.field(
        "high_risk_tool",
        rule.high_risk_tool,
        FieldInfo{.help = "The incident is about a high-risk tool."}
    );
    v.field(
        "irreversible_write",
        rule.irreversible_write,
        FieldInfo{.help = "A side effect happened that cannot be taken back."}
    );
}

template <class V>
void describe(Playbook& playbook, V& v) {
    v.field(
        "class",
        playbook.failure_class,
        FieldInfo{.help = "Failure class that it answers.", .presence = Required}
    );
    v.field(
        "severity",
        playbook.severity,
        FieldInfo{.help = "Severity that it answers.", .presence = Required}
    );
    v.field(
        "contain",
        playbook.contain,
        FieldInfo{
            .help = "What is contained: the incident's tool, agent or workflow.",
            .presence = Required,
            .choices = contain_targets}
    );
    v.field(
        "mode",
        playbook.mode,
        FieldInfo{.help = "Mode of the control.", .presence = Required, .choices = control_modes}
    );
    v.field(
        "enforcement",
        playbook.enforcement,
        FieldInfo{.help = "observe proposes the control to a person, enforce applies it at once."}
    );
}

template <class V>
void describe(JourneyStep& step, V& v) {
    v.field(
        "kind",
        step.kind,
        FieldInfo{
            .help = "How the step is sent.", .presence = Required, .choices = journey_step_kinds}
    );
    v.field(
        "request",
        step.request,
        FieldInfo{
            .help = "http: a method and a URL, then the body; mcp: a tool name, then its arguments "
                    "in JSON.",
            .presence = Required}
    );
    v.field(
        "expect",
        step.expect,
        FieldInfo{
            .help = "What must hold of the answer, one line each: status 200, is_error false, "
                    "contains TEXT, not contains TEXT, json PATH == VALUE, within 500ms. Without a "
                    "line the step must work."}
    );
}

template <class V>
void describe(Journey& journey, V& v) {
    v.field(
        "tools",
        journey.tools,
        FieldInfo{
            .help = "Tools that the journey proves; each stands under tools.",
            .format = Format::Name}
    );
    v.list("steps", journey.steps, FieldInfo{.help = "Steps in order.", .presence = Required});
}

template <class V>
void describe(Model& model, V& v) {
    v.field(
        "model",
        model.name,
        FieldInfo{
            .help = "Models that the price is for; the first entry that matches counts.",
            .presence = Required,
            .format = Format::Glob}
    );
    v.field(
        "input_usd_per_million",
        model.input_usd_per_million,
        FieldInfo{
            .help = "Price of a million input tokens.",
            .presence = Required,
            .max = 1e6,
            .unit = "USD"}
    );
    v.field(
        "output_usd_per_million",
        model.output_usd_per_million,
        FieldInfo{
            .help = "Price of a million output tokens.",
            .presence = Required,
            .max = 1e6,
            .unit = "USD"}
    );
    v.field(
        "cached_input_usd_per_million",
        model.cached_input_usd_per_million,
        FieldInfo{
            .help = "Price of a million input tokens that came from a cache; absent, they cost what "
                    "other input costs.",
            .max = 1e6,
            .unit = "USD"}
    );
}

template <class V>
void describe(Identity& identity, V& v) {
    v.field(
        "mode",
        identity.mode,
        FieldInfo{
            .help = "What proves which agent calls: header (nothing does), token (tagout identity "
                    "token) or mtls (its certificate)."}
    );
    v.field(
        "certificate_name",
        identity.certificate_name,
        FieldInfo{
            .help = "Of mode mtls: the agent's name is a URI among the certificate's alternative "
                    "names, or its common name."}
    );
    v.field(
        "certificate_prefix",
        identity.certificate_prefix,
        FieldInfo{
            .help = "Of mode mtls: what stands before the agent's name there, such as "
                    "spiffe://example.org/agent/; names without it are refused.",
            .format = Format::Name}
    );
}

template <class V>
void describe(Contents& contents, V& v) {
    v.named(
        "agents", contents.agents, FieldInfo{.help = "Agents by name.", .format = Format::Name}
    );
    v.named(
        "workflows",
        contents.workflows,
        FieldInfo{.help = "Workflows by name.", .format = Format::Name}
    );
    v.named(
        "tools",
        contents.tools,
        FieldInfo{
            .help = "Tools by name or glob; an empty entry only says that the tool exists.",
            .format = Format::Glob}
    );
    v.named(
        "mcp_servers",
        contents.mcp_servers,
        FieldInfo{.help = "MCP servers by name.", .format = Format::Name}
    );
    v.named(
        "model_upstreams",
        contents.model_upstreams,
        FieldInfo{.help = "Model APIs by name.", .format = Format::Name}
    );
    v.list(
        "owners",
        contents.owners,
        FieldInfo{.help = "The ownership map; what no entry matches is shown as unowned."}
    );
    v.group("notices", FieldInfo{.help = "Where people are told."}, [&](auto& inside) {
        inside.field(
            "default_channel",
            contents.default_channel,
            FieldInfo{
                .help = "Channel of incidents whose owner names none.", .format = Format::Name}
        );
        inside.named(
            "channels",
            contents.channels,
            FieldInfo{.help = "Notice channels by name.", .format = Format::Name}
        );
    });
    v.list(
        "severity_rules",
        contents.severity_rules,
        FieldInfo{
            .help = "Impact rules; an incident takes the worst severity whose rule holds. "
                    "They replace the built-in ones."}
    );
    v.list(
        "playbooks",
        contents.playbooks,
        FieldInfo{.help = "What is contained when an incident of a class and severity is declared."}
    );
    v.named(
        "journeys",
        contents.journeys,
        FieldInfo{
            .help = "User journeys that must work before a tool is released, by name.",
            .format = Format::Name}
    );
    v.list(
        "prices",
        contents.prices,
        FieldInfo{
            .help = "What you pay for models, for cost where telemetry carries none; the program "
                    "knows no price of its own."}
    );
    v.settings(
        "detection",
        contents.detection,
        FieldInfo{
            .help = "Thresholds and windows per class; docs/reference/settings.md lists them."}
    );
    v.settings(
        "incidents",
        contents.incidents,
        FieldInfo{
            .help = "How findings become incidents; docs/reference/settings.md lists the settings."}
    );
    v.settings(
        "notify",
        contents.notices,
        FieldInfo{
            .help = "How notices are delivered; docs/reference/settings.md lists the settings."}
    );
    v.settings(
        "containment",
        contents.containment,
        FieldInfo{
            .help = "Review dates, probes and approvals of controls; docs/reference/settings.md "
                    "lists the settings."}
    );
    v.settings(
        "evidence",
        contents.evidence,
        FieldInfo{
            .help = "Segments and retention of stored telemetry; docs/reference/settings.md lists "
                    "them."}
    );
    v.settings(
        "gate",
        contents.gate,
        FieldInfo{
            .help = "What a release needs to pass; docs/reference/settings.md lists the settings."}
    );
    v.settings(
        "releases",
        contents.releases,
        FieldInfo{
            .help = "When a bundle is known good, limits of versions, times of journeys; "
                    "docs/reference/settings.md lists the settings."}
    );
    v.group("gateway", FieldInfo{.help = "The road that agents take."}, [&](auto& inside) {
        inside.group(
            "identity",
            FieldInfo{.help = "How the gateway knows which agent calls."},
            [&](auto& known) { describe(contents.identity, known); }
        );
    });
    v.settings(
        "server",
        contents.server,
        FieldInfo{
            .help = "Addresses, directories, limits and retention; docs/reference/settings.md "
                    "lists them."}
    );
}

}  // namespace tagout::catalog
