#include "app/serve.h"

#include "app/app.h"
#include "app/stop_signals.h"
#include "base/log.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace tagout::app {

namespace {

/// Whole or not at all: a reader never sees half of it.
Result<void> write_addresses(const std::string& data_dir, const Addresses& addresses) {
    const std::string path = data_dir + "/addresses.json";
    const std::string text = "{\"pid\":" + std::to_string(getpid()) + ",\"http\":\"" +
                             addresses.http + "\",\"otlp_http\":\"" + addresses.otlp_http +
                             "\",\"otlp_grpc\":\"" + addresses.otlp_grpc + "\",\"gateway\":\"" +
                             addresses.gateway + "\"}\n";
    std::ofstream(path + ".new") << text;
    if (std::rename((path + ".new").c_str(), path.c_str()) != 0) {
        return fail(ErrorCode::Unavailable, path + " cannot be written");
    }
    return {};
}

void greet(const App& app, const ServeOptions& options, const cli::Terminal& terminal) {
    const Addresses& addresses = app.addresses();
    terminal.line("");
    terminal.line("Tagout is running.");
    terminal.line("  page and API    " + addresses.http);
    terminal.line("  OTLP over HTTP  " + addresses.otlp_http + "   (OTEL_EXPORTER_OTLP_ENDPOINT)");
    terminal.line("  OTLP over gRPC  " + addresses.otlp_grpc);
    if (!addresses.gateway.empty()) {
        terminal.line(
            "  gateway         " + addresses.gateway + "   (/mcp/SERVER, /model/UPSTREAM, /v1/decide)"
        );
    }
    if (!app.new_token().empty()) {
        terminal.line("  token           " + app.new_token());
        terminal.line(
            "                  shown this once; changes need it; kept in " + options.data_dir +
            "/admin.token"
        );
    }
    terminal.line("Stop with Ctrl-C.");
    std::fflush(stdout);
}

}  // namespace

Result<int> serve(const ServeOptions& options, const Beside& beside, cli::Terminal& terminal) {
    const StopSignals stop_signals;
    const SystemClock clock;
    const std::unique_ptr<App> app = TAGOUT_TRY(App::start(options, clock));
    TAGOUT_TRY(write_addresses(options.data_dir, app->addresses()));
    greet(*app, options, terminal);
    std::function<void()> end_beside;
    if (beside) {
        end_beside = TAGOUT_TRY(beside(app->addresses()));
    }
    while (!stop_signals.wait_for(std::chrono::seconds(1))) {
        app->tick();
    }
    log::info("stopping", {});
    if (end_beside) {
        end_beside();
    }
    return 0;
}

}  // namespace tagout::app
