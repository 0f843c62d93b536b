// `tagout serve`: everything in one process on embedded stores.
#pragma once

#include "base/result.h"
#include "cli/terminal.h"
#include "net/http_server.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tagout::app {

struct ServeOptions {
    std::string data_dir = "data";
    std::string config;
    std::string address = "127.0.0.1";
    std::uint16_t http_port = 8321;
    std::uint16_t otlp_http_port = 4318;
    std::uint16_t otlp_grpc_port = 4317;
    std::uint16_t gateway_port = 8322;
    net::TlsFiles gateway_tls = {};               ///< All "": the gateway's port is plain.
    std::optional<std::uint16_t> ext_authz_port;  ///< Unset: no external authorization over gRPC.
    std::uint16_t fleet_ports = 9310;  ///< First of the five ports of the fleet beside it.
    bool with_fleet = false;  ///< Run the simulated fleet beside the server.
    std::vector<std::string> fleet_faults;
};

/// Where a running server answers; the fleet is started with it.
struct Addresses {
    std::string http;       ///< "http://127.0.0.1:8321"
    std::string otlp_http;  ///< "http://127.0.0.1:4318"
    std::string otlp_grpc;  ///< "127.0.0.1:4317"
    std::string gateway;    ///< "http://127.0.0.1:8322"
};

/// Something that runs beside the server: started when it is ready; the returned call ends it.
using Beside = std::function<Result<std::function<void()>>(const Addresses&)>;

/// Runs until SIGINT or SIGTERM. Prints the page's address, and the administrator token once when
/// it was made. Writes data_dir/addresses.json when every port is open. Errors name the port or the
/// file.
Result<int> serve(const ServeOptions& options, const Beside& beside, cli::Terminal& terminal);

}  // namespace tagout::app
