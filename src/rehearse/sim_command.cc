#include "rehearse/sim_command.h"

#include "base/log.h"
#include "rehearse/fleet_config.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>
#include <utility>

namespace tagout::rehearse {

namespace {

std::atomic<bool> stop_asked{false};

void ask_to_stop(int) { stop_asked.store(true); }

std::string share_text(std::uint64_t part, std::uint64_t whole) {
    return std::to_string(part) + " of " + std::to_string(whole);
}

std::string one_decimal(double value) {
    const auto tenths = static_cast<std::int64_t>(value * 10 + 0.5);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string progress_text(const SimProgress& progress) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(progress.elapsed);
    return tagout::to_text(seconds) + "  " + std::to_string(progress.sessions_started) +
           " conversations, " + std::to_string(progress.sessions_failed) + " failed, " +
           std::to_string(progress.spans_exported) + " spans" +
           (progress.faults_on.empty() ? "" : "  fault: " + progress.faults_on);
}

}  // namespace

Result<SimOptions> parse_sim(const SimCommand& command) {
    SimOptions options;
    options.otlp_endpoint = command.otlp_endpoint;
    while (options.otlp_endpoint.ends_with('/')) {
        options.otlp_endpoint.pop_back();
    }
    options.agents = command.agents;
    options.rate = command.rate;
    options.seed = command.seed;
    options.duration = Duration::zero();
    if (!command.duration.empty()) {
        options.duration = TAGOUT_TRY(parse_duration(command.duration));
    }
    options.gateway = command.gateway;
    while (options.gateway.ends_with('/')) {
        options.gateway.pop_back();
    }
    options.ports = command.fleet_ports;
    if (!options.gateway.empty()) {
        options.ports = options.ports == 0 ? fleet_ports_default : options.ports;
        options.control = cli::connection(command.control);
    }
    for (const std::string& fault : command.faults) {
        options.faults.push_back(TAGOUT_TRY(parse_fault(fault)));
    }
    return options;
}

Result<int> sim(const SimCommand& command, cli::Terminal& terminal) {
    if (command.list_faults) {
        terminal.line(list_faults());
        return 0;
    }
    SimOptions options = TAGOUT_TRY(parse_sim(command));
    options.on_progress = [&terminal](const SimProgress& progress) {
        terminal.progress(progress_text(progress));
    };
    std::signal(SIGINT, ask_to_stop);
    std::signal(SIGTERM, ask_to_stop);
    const SystemClock clock;
    const SimReport report = TAGOUT_TRY(run_sim(options, clock, stop_asked));
    terminal.clear_progress();
    terminal.line(report_text(report));
    return report.items_lost == 0 ? 0 : 1;
}

app::Beside fleet_beside(const app::ServeOptions& options) {
    if (!options.with_fleet) {
        return [](const app::Addresses&) -> Result<std::function<void()>> { return [] {}; };
    }
    return [faults = options.fleet_faults, ports = options.fleet_ports, data = options.data_dir](
               const app::Addresses& addresses
           ) -> Result<std::function<void()>> {
        SimCommand command;
        command.otlp_endpoint = addresses.otlp_http;
        command.faults = faults;
        command.gateway = addresses.gateway;
        command.fleet_ports = addresses.gateway.empty() ? std::uint16_t{0} : ports;
        command.control.server = addresses.http;
        command.control.data_dir = data;
        const SimOptions fleet = TAGOUT_TRY(parse_sim(command));
        const auto stop = std::make_shared<std::atomic<bool>>(false);
        const auto runner = std::make_shared<std::thread>([fleet, stop] {
            const SystemClock clock;
            const Result<SimReport> report = run_sim(fleet, clock, *stop);
            if (!report) {
                log::error("fleet_ended", {{"error", report.error().message}});
                return;
            }
            log::info(
                "fleet_ended",
                {{"conversations", report->sessions_ended}, {"spans", report->spans_exported}}
            );
        });
        return [stop, runner] {
            stop->store(true);
            runner->join();
        };
    };
}

Result<void> use_fleet_config(app::ServeOptions& options) {
    if (!options.with_fleet || !options.config.empty()) {
        return {};
    }
    std::error_code error;
    std::filesystem::create_directories(options.data_dir, error);
    const std::string path = options.data_dir + "/fleet.yaml";
    if (!std::filesystem::exists(path, error)) {
        std::ofstream file(path, std::ios::trunc);
        file << fleet_config(options.fleet_ports);
        file.flush();
        if (!file) {
            return fail(ErrorCode::Unavailable, path + ": cannot be written");
        }
    }
    options.config = path;
    return {};
}

std::string list_faults() {
    std::string out;
    for (const FaultInfo& fault : fault_table) {
        std::string line(fault.name);
        line.resize(18, ' ');
        std::string failure_class(name_of(fault.failure_class));
        failure_class.resize(9, ' ');
        out += (out.empty() ? "" : "\n") + line + failure_class + std::string(fault.sentence);
    }
    return out;
}

std::string report_text(const SimReport& report) {
    const double seconds = std::chrono::duration<double>(report.elapsed).count();
    std::string out = "ran " + one_decimal(seconds) + " s: " +
                      std::to_string(report.sessions_ended) + " conversations in " +
                      std::to_string(report.turns) + " turns, " +
                      std::to_string(report.model_calls) + " model calls, " +
                      std::to_string(report.tool_calls) + " tool calls (" +
                      std::to_string(report.tool_errors) + " errors, " +
                      std::to_string(report.writes) + " writes), " + std::to_string(report.tokens) +
                      " tokens";
    if (report.sessions_rerouted > 0) {
        out += "\n" + std::to_string(report.sessions_rerouted) + " went to the fallback workflow";
    }
    if (report.sessions_closed > 0) {
        out += "\n" + std::to_string(report.sessions_closed) + " met a closed workflow";
    }
    if (report.sessions_refused > 0) {
        out += "\n" + std::to_string(report.sessions_refused) +
               " requests found no free agent: raise --agents or lower --rate";
    }
    for (const AgentReport& agent : report.agents) {
        if (agent.sessions == 0) {
            continue;
        }
        out += "\n  " + agent.agent + ": " + std::to_string(agent.sessions) + " conversations, " +
               std::to_string(agent.failed) + " failed, " + std::to_string(agent.unsatisfied) +
               " users not helped";
    }
    for (const FaultReport& fault : report.faults) {
        out += "\n  fault " + fault.fault + " (" + fault.failure_class +
               "): " + share_text(fault.unsatisfied, fault.sessions) +
               " conversations that it reached went wrong" +
               (fault.example.empty() ? "" : ", such as " + fault.example);
    }
    out += "\nsent " + std::to_string(report.spans_exported) + " spans and " +
           std::to_string(report.logs_exported) + " log records in " +
           std::to_string(report.export_requests) + " requests";
    if (report.export_retries > 0) {
        out += ", " + std::to_string(report.export_retries) + " of them again";
    }
    if (report.items_lost > 0) {
        out += "\nlost " + std::to_string(report.items_lost) + " items: " + report.export_error;
    }
    return out;
}

}  // namespace tagout::rehearse
