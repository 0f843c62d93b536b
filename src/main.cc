// The command line: every verb and flag of `tagout`, declared once. What they do is in the rooms.

#include "app/calibrate.h"
#include "app/evidence_verify.h"
#include "app/gateway_node.h"
#include "app/offline.h"
#include "app/policy_answer.h"
#include "app/policy_files.h"
#include "app/regressions.h"
#include "app/serve.h"
#include "app/stores.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/hook.h"
#include "cli/prevent_verbs.h"
#include "cli/verb.h"
#include "gateway/stdio/wrapper.h"
#include "rehearse/fleet_desk.h"
#include "rehearse/sim_command.h"
#include "rehearse/splice_score.h"
#include "server/error_map.h"

#include <CLI/CLI.hpp>

#include <csignal>
#include <functional>
#include <map>

namespace tagout {
namespace {

using Verb = std::function<Result<int>(cli::Terminal&)>;

/// What is left to run once the flags are read; the last verb chosen wins, and there is only one.
struct CommandLine {
    CLI::App app{
        "Tagout: lockout/tagout for AI agents. Detects that an agent fails and how, and what to "
        "do."};
    Verb verb;

    void runs(CLI::App* command, Verb what) {
        command->callback([this, what = std::move(what)] { verb = what; });
    }
};

const std::map<std::string, cli::Format> formats{
    {"table", cli::Format::Table}, {"json", cli::Format::Json}, {"yaml", cli::Format::Yaml}};

void add_format(CLI::App* command, cli::Format& format) {
    command->add_option("-o,--output", format, "table, json or yaml")
        ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case))
        ->default_str("table");
}

void add_connection(CLI::App* command, cli::Common& common) {
    command->add_option(
        "--server", common.connection.server, "Address of the control API (or TAGOUT_URL)"
    );
    command->add_option(
        "--token-file",
        common.connection.token_file,
        "File with the token (or TAGOUT_TOKEN in the environment)"
    );
    command
        ->add_option(
            "--data-dir", common.connection.data_dir, "Where the server keeps its data and token"
        )
        ->capture_default_str();
}

void add_common(CLI::App* command, cli::Common& common) {
    add_connection(command, common);
    add_format(command, common.format);
}

void add_dry_run(CLI::App* command, cli::Common& common) {
    command->add_flag("--dry-run", common.dry_run, "Say what would be sent and send nothing");
}

void add_gateway_tls(CLI::App& command, net::TlsFiles& files) {
    command.add_option(
        "--gateway-tls-cert",
        files.certificate,
        "Certificate of the gateway's port (PEM); read again when it changes"
    );
    command.add_option("--gateway-tls-key", files.key, "Its private key");
    command.add_option(
        "--gateway-client-ca",
        files.client_ca,
        "Authorities of agents' certificates, for gateway.identity.mode mtls"
    );
}

void add_serve(CommandLine& line, app::ServeOptions& options) {
    CLI::App* const serve =
        line.app.add_subcommand("serve", "Run everything in one process on embedded stores");
    serve->add_option("--data-dir", options.data_dir, "Journal, evidence and token")
        ->capture_default_str();
    serve->add_option(
        "--config", options.config, "tagout.yaml; without it all is discovered from telemetry"
    );
    serve->add_option("--address", options.address, "Address to listen on")->capture_default_str();
    serve->add_option("--http-port", options.http_port, "Control API, page and metrics")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->capture_default_str();
    serve->add_option("--otlp-http-port", options.otlp_http_port, "OTLP over HTTP")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->capture_default_str();
    serve->add_option("--otlp-grpc-port", options.otlp_grpc_port, "OTLP over gRPC")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->capture_default_str();
    serve->add_option(
        "--ext-authz-port", options.ext_authz_port, "Envoy's external authorization over gRPC"
    );
    serve->add_option("--gateway-port", options.gateway_port, "MCP, model and decision roads")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->capture_default_str();
    add_gateway_tls(*serve, options.gateway_tls);
    serve->add_flag(
        "--sim", options.with_fleet, "Also run the simulated fleet against this server"
    );
    serve->add_option(
        "--fault", options.fleet_faults, "With --sim: a fault to inject, as `tagout sim --fault`"
    );
    serve->add_option("--fleet-ports", options.fleet_ports, "With --sim: first of its five ports")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->capture_default_str();
    line.runs(serve, [&options](cli::Terminal& terminal) -> Result<int> {
        TAGOUT_TRY(rehearse::use_fleet_config(options));
        return app::serve(options, rehearse::fleet_beside(options), terminal);
    });
}

void add_gateway(CommandLine& line, app::NodeOptions& options) {
    CLI::App* const gateway = line.app.add_subcommand(
        "gateway", "Run the data plane alone, told by a control server; as many as you like"
    );
    gateway->add_option("--control", options.control, "Address of the control server's API")
        ->capture_default_str();
    gateway->add_option("--name", options.name, "What it is called; this host's name without it");
    gateway->add_option(
        "--token-file", options.token_file,
        "File with its token, made by tagout fleet token (or TAGOUT_GATEWAY_TOKEN)"
    );
    gateway->add_option(
        "--control-key", options.control_key,
        "The control server's public key (tagout evidence key), or a file with it; without it the "
        "first that is met is pinned"
    );
    gateway->add_option("--data-dir", options.data_dir, "Last snapshot, own controls, records")
        ->capture_default_str();
    gateway->add_option(
        "--config", options.config, "tagout.yaml with upstreams; without it the control server's"
    );
    gateway->add_option("--address", options.address, "Address for agents")->capture_default_str();
    gateway->add_option("--gateway-port", options.gateway_port, "MCP, model and decision roads")
        ->capture_default_str();
    add_gateway_tls(*gateway, options.tls);
    gateway->add_option("--admin-address", options.admin_address, "Address of the admin door")
        ->capture_default_str();
    gateway->add_option("--admin-port", options.admin_port, "Metrics, health, stops at this host")
        ->capture_default_str();
    gateway->add_option(
        "--ext-authz-port", options.ext_authz_port, "Envoy's external authorization over gRPC"
    );
    gateway->add_option("--threads", options.threads, "Event loops")
        ->check(CLI::Range(1U, 256U))
        ->capture_default_str();
    line.runs(gateway, [&options](cli::Terminal& terminal) {
        return app::run_gateway(options, terminal);
    });
}

void add_offline(
    CommandLine& line, app::ReplayOptions& replay, app::CalibrateOptions& adjust,
    std::vector<std::string>& files, std::string& file
) {
    CLI::App* const events = line.app.add_subcommand(
        "events", "Print what OTLP files become, one normalised event a line"
    );
    events->add_option("FILE", files, "OTLP in JSON or protobuf, plain or gzip")->required();
    line.runs(events, [&files](cli::Terminal& terminal) {
        return cli::print_events(files, terminal);
    });

    CLI::App* const play = line.app.add_subcommand(
        "replay", "Run recorded runs or OTLP files through the detectors, offline"
    );
    play->add_option(
            "FILE", replay.files, "Recorded runs (JSON lines, plain or gzip) or OTLP files"
    )
        ->required();
    play->add_option("--config", replay.config, "tagout.yaml with thresholds and tools");
    play->add_option(
        "--learn", replay.learn,
        "Recorded runs whose healthy ones (by their labels) teach what each workflow uses"
    );
    play->add_option(
        "--leave-out", replay.leave_out,
        "agent: each record is judged by what other agents' runs taught"
    );
    play->add_option(
        "--against", replay.against,
        "Another tagout.yaml: which pages --config gains and loses against it"
    );
    play->add_flag("--score", replay.score, "Compare with the labels, set by set");
    play->add_option("--findings", replay.findings, "Write findings there as JSON lines");
    add_format(play, replay.format);
    line.runs(play, [&replay](cli::Terminal& terminal) { return app::replay(replay, terminal); });

    CLI::App* const calibrate = line.app.add_subcommand(
        "calibrate", "Thresholds for a budget of pages, from your own history, as a tagout.yaml"
    );
    calibrate->add_option("FILE", adjust.files, "Recorded runs or OTLP files")->required();
    calibrate
        ->add_option("--pages-per-week", adjust.pages_per_week, "At most so many pages a week")
        ->required();
    calibrate->add_option(
        "--sessions-per-week", adjust.sessions_per_week,
        "How many sessions you have a week; recorded runs carry no times to tell it"
    );
    calibrate->add_option("--config", adjust.config, "tagout.yaml to begin with");
    add_format(calibrate, adjust.format);
    line.runs(calibrate, [&adjust](cli::Terminal& terminal) {
        return app::print_calibration(adjust, terminal);
    });

    CLI::App* const check = line.app.add_subcommand(
        "check", "Check a configuration file: every mistake with line and remedy"
    );
    check->add_option("FILE", file, "tagout.yaml")->required();
    add_format(check, replay.format);
    line.runs(check, [&](cli::Terminal& terminal) {
        return app::check_config(file, replay.format, terminal);
    });

}

void add_policy(CommandLine& line, app::PolicyFiles& options) {
    CLI::App* const policy =
        line.app.add_subcommand("policy", "Policies: checked, tested, tried on what has been");
    policy->require_subcommand(1);
    CLI::App* const check = policy->add_subcommand(
        "check", "Check policy files: every mistake with line and remedy; exit 1 on any"
    );
    CLI::App* const test = policy->add_subcommand(
        "test", "Run the tests that stand in policy files; exit 0 pass, 1 fail, 2 no tests"
    );
    for (CLI::App* const each : {check, test}) {
        each->add_option("FILE", options.files, "Policies in YAML")->required();
        each->add_option("--config", options.config, "tagout.yaml: what the tools are");
        add_format(each, options.format);
    }
    test->add_option("--junit", options.junit, "Write the results there as JUnit XML");
    line.runs(check, [&options](cli::Terminal& terminal) {
        return app::check_policies(options, terminal);
    });
    line.runs(test, [&options](cli::Terminal& terminal) {
        return app::test_policies(options, terminal);
    });
}

void add_hook(CommandLine& line, cli::HookOptions& options, double& seconds) {
    CLI::App* const hook = line.app.add_subcommand(
        "hook", "Decide on a coding agent's tool call, as its PreToolUse hook; fails closed"
    );
    hook->add_option("--gateway", options.gateway, "Address of the gateway (or TAGOUT_GATEWAY)");
    hook->add_option("--agent", options.agent, "The agent's name in controls and policies");
    hook->add_option("--timeout", seconds, "Seconds until the call is refused")
        ->check(CLI::Range(0.1, 600.0))
        ->capture_default_str();
    line.runs(hook, [&options, &seconds](cli::Terminal& terminal) {
        options.timeout =
            std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
        options.token = cli::agent_token();
        options.tls = cli::agent_tls();
        return cli::run_hook(options, terminal);
    });
}

void add_mcp(CommandLine& line, gateway::WrapperOptions& options, double& seconds) {
    CLI::App* const mcp = line.app.add_subcommand(
        "mcp", "Stand before an MCP server that speaks over stdio: tagout mcp --server NAME -- COMMAND..."
    );
    mcp->add_option("--server", options.judge.server, "The server's name in controls and policies")
        ->required();
    mcp->add_option(
           "--gateway", options.judge.gateway, "Address of the gateway (or TAGOUT_GATEWAY)"
    );
    mcp->add_option("--agent", options.judge.agent, "The agent's name; else what the client says");
    mcp->add_option("--session", options.judge.session, "The session's name; else one of its own");
    mcp->add_option("--timeout", seconds, "Seconds until a call is refused")
        ->check(CLI::Range(0.1, 600.0))
        ->capture_default_str();
    mcp->add_flag(
        "--reads-go-on",
        options.reads_go_on,
        "While the gateway cannot be asked, tools known to change nothing go on; others never do"
    );
    mcp->add_option("command", options.command, "Command of the server, behind --")->required();
    mcp->positionals_at_end();
    line.runs(mcp, [&options, &seconds](cli::Terminal&) {
        options.judge.timeout =
            std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
        options.judge.gateway = cli::gateway_address(options.judge.gateway);
        options.judge.token = cli::agent_token();
        options.judge.tls = cli::agent_tls();
        static const SystemClock clock;
        return gateway::run_wrapper(options, clock);
    });
}

void add_stores(CommandLine& line, app::VerifyOptions& options) {
    CLI::App* const journal =
        line.app.add_subcommand("journal", "The record of every state change");
    journal->require_subcommand(1);
    CLI::App* const verify = journal->add_subcommand(
        "verify",
        "Recompute the journal's chain and the evidence's checksums; exit 1 if anything was altered"
    );
    verify->add_option("--data-dir", options.data_dir, "The data directory")->capture_default_str();
    add_format(verify, options.format);
    line.runs(verify, [&options](cli::Terminal& terminal) {
        return app::verify_stores(options, terminal);
    });
    CLI::App* const show = journal->add_subcommand("show", "Print journal entries as JSON lines");
    show->add_option("--data-dir", options.data_dir, "The data directory")->capture_default_str();
    show->add_option("--from", options.from, "First sequence")->capture_default_str();
    line.runs(show, [&options](cli::Terminal& terminal) {
        return app::show_journal(options, terminal);
    });
}

/// The flags of every change of an incident, by the name of its member in the API.
struct ChangeFlags {
    std::string id;
    std::map<std::string, std::string> members;
};

struct ChangeVerb {
    const char* name;
    const char* path;
    const char* help;
    std::vector<std::pair<const char*, const char*>> required;  ///< Member and its help.
    std::vector<std::pair<std::string, std::string>> fixed;
    bool reason_required;
};

const std::vector<ChangeVerb>& change_verbs() {
    static const std::vector<ChangeVerb> verbs{
        {"confirm",
         "confirm",
         "Declare an incident that stands in signal or triage",
         {},
         {},
         false},
        {"ack", "ack", "Say that somebody is on it", {}, {}, false},
        {"note", "notes", "Put a note on the timeline", {{"text", "The note"}}, {}, false},
        {"assign", "assign", "Hand it to a person or team", {{"to", "Who"}}, {}, false},
        {"severity",
         "severity",
         "Set the severity",
         {{"severity", "SEV1, SEV2 or SEV3"}},
         {},
         true},
        {"anchor",
         "anchor",
         "Correct one of its times",
         {{"anchor", "onset, declared, ..."}, {"at", "RFC 3339 time"}},
         {},
         true},
        {"merge", "merge", "Merge it into another", {{"into", "The other's id"}}, {}, false},
        {"move", "move", "Move it to another state", {{"to", "The state"}}, {}, true},
        {"resolve", "move", "It is over: the harm has stopped", {}, {{"to", "resolved"}}, true},
        {"close", "move", "Reviewed and done", {}, {{"to", "closed"}}, true},
        {"false-positive", "move", "It was nothing", {}, {{"to", "false_positive"}}, true},
        {"cancel", "move", "Opened by mistake", {}, {{"to", "cancelled"}}, true},
    };
    return verbs;
}

void add_change(
    CommandLine& line, CLI::App* incidents, const ChangeVerb& verb, cli::Common& common,
    ChangeFlags& flags
) {
    CLI::App* const command = incidents->add_subcommand(verb.name, verb.help);
    command->add_option("ID", flags.id, "The incident, such as INC-1")->required();
    for (const auto& [member, help] : verb.required) {
        command->add_option(member, flags.members[member], help)->required();
    }
    const std::string verb_name = verb.name;
    if (verb_name != "note") {
        CLI::Option* const reason = command->add_option("--reason", flags.members["reason"], "Why");
        if (verb.reason_required) {
            reason->required();
        }
    }
    command->add_option("--as", flags.members["actor"], "Who you are, for the timeline");
    add_common(command, common);
    add_dry_run(command, common);
    line.runs(command, [&common, &flags, &verb](cli::Terminal& terminal) {
        cli::ChangeOptions change{flags.id, verb.path, verb.fixed};
        for (const auto& [name, value] : flags.members) {
            change.members.emplace_back(name, value);
        }
        return cli::change_incident(common, change, terminal);
    });
}

void add_declare(CommandLine& line, CLI::App* incidents, cli::Common& common, ChangeFlags& flags) {
    CLI::App* const declare = incidents->add_subcommand("declare", "Declare an incident by hand");
    declare->add_option("title", flags.members["title"], "What is happening to whom")->required();
    declare->add_option("--class", flags.members["class"], "intent, tool, context, safety or cost")
        ->required();
    declare->add_option("--reason", flags.members["reason"], "Why")->required();
    for (const char* member : {"severity", "kind", "agent", "workflow", "tool"}) {
        declare->add_option("--" + std::string(member), flags.members[member], "");
    }
    declare->add_option(
        "--onset", flags.members["onset_at"], "When the harm began (needed for --kind backfilled)"
    );
    declare->add_option("--as", flags.members["actor"], "Who you are, for the timeline");
    add_common(declare, common);
    add_dry_run(declare, common);
    line.runs(declare, [&common, &flags](cli::Terminal& terminal) {
        cli::ChangeOptions change;
        for (const auto& [name, value] : flags.members) {
            change.members.emplace_back(name, value);
        }
        return cli::change_incident(common, change, terminal);
    });
}

void add_incidents(
    CommandLine& line, cli::Common& common, cli::ListOptions& filter,
    std::map<std::string, ChangeFlags>& flags
) {
    CLI::App* const incidents =
        line.app.add_subcommand("incidents", "Incidents and what people do with them");
    incidents->require_subcommand(1);
    CLI::App* const list =
        incidents->add_subcommand("list", "Incidents, newest first; without filters the open ones");
    list->add_option("--state", filter.state, "Comma-separated states, or all");
    list->add_option("--class", filter.failure_class, "intent, tool, context, safety or cost");
    list->add_option("--severity", filter.severity, "SEV1, SEV2 or SEV3");
    list->add_option("--kind", filter.kind, "real, drill, chaos or backfilled");
    list->add_option("--text", filter.text, "Part of id, title, agent, tool or owner");
    list->add_option("--limit", filter.limit, "At most so many")->capture_default_str();
    add_common(list, common);
    line.runs(list, [&](cli::Terminal& terminal) {
        return cli::list_incidents(common, filter, terminal);
    });

    CLI::App* const show =
        incidents->add_subcommand("show", "One incident with findings and timeline");
    show->add_option("ID", flags["show"].id, "The incident, such as INC-1")->required();
    add_common(show, common);
    line.runs(show, [&](cli::Terminal& terminal) {
        return cli::show_incident(common, flags["show"].id, terminal);
    });

    add_declare(line, incidents, common, flags["declare"]);
    for (const ChangeVerb& verb : change_verbs()) {
        add_change(line, incidents, verb, common, flags[verb.name]);
    }
}

void add_views(
    CommandLine& line, cli::Common& common, std::string& incident, std::string& channel
) {
    CLI::App* const now = line.app.add_subcommand("now", "What is happening");
    add_common(now, common);
    line.runs(now, [&](cli::Terminal& terminal) { return cli::show_now(common, terminal); });

    CLI::App* const agents =
        line.app.add_subcommand("agents", "Agents, configured or discovered, and their owners");
    add_common(agents, common);
    line.runs(agents, [&](cli::Terminal& terminal) { return cli::list_agents(common, terminal); });

    CLI::App* const notices = line.app.add_subcommand("notices", "What was sent to people");
    notices->require_subcommand(1);
    CLI::App* const list = notices->add_subcommand("list", "The delivery log, newest first");
    list->add_option("--incident", incident, "Of one incident only");
    add_common(list, common);
    line.runs(list, [&](cli::Terminal& terminal) {
        return cli::list_notices(common, incident, terminal);
    });
    CLI::App* const test =
        notices->add_subcommand("test", "Send a test notice to one channel and say what happened");
    test->add_option("CHANNEL", channel, "Name of the channel in tagout.yaml")->required();
    add_common(test, common);
    add_dry_run(test, common);
    line.runs(test, [&](cli::Terminal& terminal) {
        return cli::test_notice(common, channel, terminal);
    });
}

/// The flags and arguments of one row of the verb table, and its values as CLI11 fills them.
void add_verb(
    CommandLine& line, CLI::App* group, const cli::ApiVerb& verb, cli::Common& common,
    cli::VerbValues& values
) {
    CLI::App* const command =
        group->add_subcommand(std::string(verb.name), std::string(verb.help));
    for (const cli::VerbArgument& argument : verb.arguments) {
        const std::string name =
            argument.positional ? std::string(argument.member) : cli::flag_of(argument);
        const std::string help(argument.help);
        std::vector<std::string>& value = values[std::string(argument.member)];
        if (argument.kind == cli::ArgumentKind::Flag) {
            command->add_flag_callback(name, [&value] { value = {"true"}; }, help);
            continue;
        }
        CLI::Option* const option = command->add_option(name, value, help);
        option->required(argument.required);
        if (argument.kind != cli::ArgumentKind::List) {
            option->expected(1)->allow_extra_args(false);
        }
    }
    if (!verb.save_to.empty()) {
        std::vector<std::string>& force = values["force"];
        command->add_flag_callback("--force", [&force] { force = {"true"}; }, "Replace the file");
    }
    // An answer that is saved as it came has no other form, and -o names its file.
    if (verb.save_to.empty()) {
        add_common(command, common);
    } else {
        add_connection(command, common);
    }
    if (verb.method == "POST") {
        add_dry_run(command, common);
    }
    if (verb.at_gateway) {
        command->add_option(
            "--at-gateway", common.connection.at_gateway,
            "Folder of a gateway on this host: there, and with the control server away too"
        );
    }
    line.runs(command, [&common, &verb, &values](cli::Terminal& terminal) {
        std::erase_if(values, [](const auto& each) { return each.second.empty(); });
        return cli::run_verb(common, verb, values, terminal);
    });
}

void add_verbs(
    CommandLine& line, cli::Common& common, std::map<std::string, cli::VerbValues>& values
) {
    for (const cli::VerbGroup& group : cli::verb_groups()) {
        CLI::App* parent = &line.app;
        if (!group.name.empty()) {
            const std::string name(group.name);
            const std::vector<CLI::App*> known = line.app.get_subcommands(
                [&name](const CLI::App* each) { return each->get_name() == name; }
            );
            parent = known.empty() ? line.app.add_subcommand(name, std::string(group.help))
                                   : known.front();
            parent->require_subcommand(1);
        }
        for (const cli::ApiVerb& verb : group.verbs) {
            const std::string key = std::string(group.name) + " " + std::string(verb.name);
            add_verb(line, parent, verb, common, values[key]);
        }
    }
}

void add_evidence_verify(CommandLine& line, app::EvidenceVerifyOptions& options) {
    CLI::App* const evidence = line.app.add_subcommand(
        "evidence", "Sealed evidence packs: one signed file that proves itself"
    );
    evidence->require_subcommand(1);
    CLI::App* const verify = evidence->add_subcommand(
        "verify",
        "Check a pack without a server: every changed byte is named, and who signed it; exit 1 on any"
    );
    verify->add_option("FILE", options.file, "The pack")->required();
    verify->add_option(
        "--key", options.key, "The trusted public key: a file such as evidence.pub, or its hex digits"
    );
    verify->add_option("--incident", options.incident, "The incident that it must be of");
    verify->add_option("--data-dir", options.data_dir, "Without --key, its evidence.pub is trusted")
        ->capture_default_str();
    verify->add_flag(
        "--any-key", options.any_key, "Check that it is whole and trust whoever signed it"
    );
    add_format(verify, options.format);
    line.runs(verify, [&options](cli::Terminal& terminal) {
        return app::verify_evidence_pack(options, terminal);
    });
}

/// What must not happen again, and whether a release may go out: exit codes 0, 1 and 2.
void add_prevent(
    CommandLine& line, cli::Common& common, app::RegressionsOptions& regressions,
    cli::GateOptions& gate
) {
    CLI::App* const parent = line.app.add_subcommand(
        "regressions", "Regression cases: what must not happen again, as files for CI"
    );
    CLI::App* const run = parent->add_subcommand(
        "run", "Run cases against a configuration, offline; exit 0 pass, 1 fail, 2 inconclusive"
    );
    run->add_option("FILE", regressions.files, "Cases, as `regressions create` writes them")
        ->required();
    run->add_option("--config", regressions.config, "tagout.yaml: thresholds and tools");
    run->add_option("--policy", regressions.policies, "A policy's YAML; may be repeated")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->expected(1)
        ->allow_extra_args(false);
    run->add_option("--bundle", regressions.bundle, "A bundle, as `catalog bundle` writes it");
    run->add_option("--junit", regressions.junit, "Write the results there as JUnit XML");
    add_format(run, regressions.format);
    line.runs(run, [&regressions](cli::Terminal& terminal) {
        return app::run_regressions(regressions, app::compile_policies(), terminal);
    });

    CLI::App* const ask = line.app.add_subcommand(
        "gate", "Whether a release may go out; exit 0 pass, 1 fail, 2 inconclusive"
    );
    ask->add_option("--agent", gate.agent, "Of one agent only");
    ask->add_option(
        "--bundle", gate.bundle, "The candidate: a bundle's file, or the id of one on the server"
    );
    ask->add_option("--junit", gate.junit, "Write the checks there as JUnit XML");
    add_common(ask, common);
    line.runs(ask, [&common, &gate](cli::Terminal& terminal) {
        return cli::ask_gate(common, gate, terminal);
    });
}

void add_splice(CommandLine& line, rehearse::SpliceCommand& splice) {
    CLI::App* const command = line.app.add_subcommand(
        "splice", "Plant faults of the context class into good recorded runs and score their finding"
    );
    command->add_option("FILE", splice.files, "Recorded runs with labels")->required();
    command->add_option("--config", splice.config, "tagout.yaml with thresholds and tools");
    command->add_option("--seed", splice.seed, "The same seed plants the same faults")
        ->capture_default_str();
    command->add_option("--half", splice.half, "tuning, kept or all: records parted by their task")
        ->capture_default_str();
    command->add_option("--show", splice.show, "Name so many misses of each kind, and every form")
        ->capture_default_str();
    add_format(command, splice.format);
    line.runs(command, [&splice](cli::Terminal& terminal) {
        return rehearse::splice_command(splice, terminal);
    });
}

void add_sim(
    CommandLine& line, rehearse::SimCommand& sim, std::string& fault, std::uint16_t& fleet_ports
) {
    CLI::App* const command = line.app.add_subcommand(
        "sim", "A fleet of scripted agents, their model and their tools, over real protocols"
    );
    command->add_option("--otlp", sim.otlp_endpoint, "Where the agents send their telemetry")
        ->capture_default_str();
    command->add_option("--agents", sim.agents, "Agents at work at the same time")
        ->capture_default_str();
    command->add_option("--rate", sim.rate, "Sessions a second over the fleet")
        ->capture_default_str();
    command->add_option("--seed", sim.seed, "The same seed gives the same conversations")
        ->capture_default_str();
    command->add_option(
        "--duration", sim.duration, "How long, such as 2m; without it until stopped"
    );
    command->add_option(
        "--fault", sim.faults, "A fault by name, as NAME or NAME:start=30s,...; may be repeated"
    );
    command->add_flag("--list-faults", sim.list_faults, "Name the faults and what they do");
    command->add_option(
        "--gateway", sim.gateway, "Reach model and tools through this gateway; without it directly"
    );
    command->add_option(
        "--fleet-ports", sim.fleet_ports, "First of the five ports of the fleet's own servers"
    );
    command->add_option("--server", sim.control.server, "With --gateway: address of the control API");
    command->add_option("--data-dir", sim.control.data_dir, "With --gateway: where the token is");
    // A parent's callback runs after its subcommand's: it must not take the verb away again.
    command->callback([&line, command, &sim] {
        if (command->get_subcommands().empty()) {
            line.verb = [&sim](cli::Terminal& terminal) { return rehearse::sim(sim, terminal); };
        }
    });
    CLI::App* const inject =
        command->add_subcommand("inject", "Make a running fleet suffer a fault, from now on");
    inject->add_option("FAULT", fault, "A fault by name, as NAME or NAME:for=1m,share=0.5")->required();
    inject->add_option("--fleet-ports", fleet_ports, "First of the fleet's five ports")
        ->capture_default_str();
    line.runs(inject, [&fault, &fleet_ports](cli::Terminal& terminal) {
        return rehearse::inject_fault(fault, fleet_ports, terminal);
    });
    CLI::App* const clear = command->add_subcommand("clear", "End every fault of a running fleet");
    clear->add_option("--fleet-ports", fleet_ports, "First of the fleet's five ports")
        ->capture_default_str();
    line.runs(clear, [&fleet_ports](cli::Terminal& terminal) {
        return rehearse::clear_faults(fleet_ports, terminal);
    });
}

int run(int argc, char** argv) {
    CommandLine line;
    cli::HookOptions hook;
    double hook_seconds = std::chrono::duration<double>(hook.timeout).count();
    gateway::WrapperOptions wrapper;
    double wrapper_seconds = std::chrono::duration<double>(wrapper.judge.timeout).count();
    cli::Terminal terminal;
    app::ServeOptions serve;
    app::NodeOptions node;
    app::ReplayOptions replay;
    app::CalibrateOptions adjust;
    app::VerifyOptions verify;
    app::EvidenceVerifyOptions evidence;
    rehearse::SimCommand sim;
    cli::Common common;
    cli::ListOptions filter;
    std::map<std::string, ChangeFlags> flags;
    std::map<std::string, cli::VerbValues> values;
    app::RegressionsOptions regressions;
    app::PolicyFiles policies;
    cli::GateOptions gate;
    std::vector<std::string> files;
    std::string file;
    std::string incident;
    std::string channel;
    std::string fault;
    std::uint16_t fleet_ports = serve.fleet_ports;

    line.app.require_subcommand(1);
    line.app.set_version_flag("--version", "tagout " TAGOUT_VERSION);
    line.app.get_formatter()->column_width(34);
    add_serve(line, serve);
    add_gateway(line, node);
    add_offline(line, replay, adjust, files, file);
    add_policy(line, policies);
    add_stores(line, verify);
    add_incidents(line, common, filter, flags);
    add_views(line, common, incident, channel);
    add_evidence_verify(line, evidence);
    add_prevent(line, common, regressions, gate);
    add_verbs(line, common, values);
    add_sim(line, sim, fault, fleet_ports);
    rehearse::SpliceCommand splice;
    add_splice(line, splice);
    add_hook(line, hook, hook_seconds);
    add_mcp(line, wrapper, wrapper_seconds);
    try {
        line.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = line.app.exit(error);
        // A coding agent lets a tool run when its hook ends in any other way than this.
        return code != 0 && argc > 1 && std::string_view(argv[1]) == "hook" ? cli::hook_refuses
                                                                             : code;
    }

    const Result<int> code = line.verb(terminal);
    if (!code) {
        terminal.clear_progress();
        terminal.note("tagout: " + code.error().message);
        return server::exit_code_of(code.error().code);
    }
    return *code;
}

}  // namespace
}  // namespace tagout

int main(int argc, char** argv) {
    // A peer that is gone, and a file over `ulimit -f`, are answers of a call and not the end.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    return tagout::run(argc, argv);
}
