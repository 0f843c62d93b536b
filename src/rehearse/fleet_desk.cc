#include "rehearse/fleet_desk.h"

#include "rehearse/fleet_config.h"
#include "rehearse/sample_server.h"

#include <boost/json.hpp>

namespace tagout::rehearse {

namespace {

namespace json = boost::json;

net::ServerResponse answer(int status, const json::value& body) {
    return {
        .status = status,
        .headers = {{"Content-Type", "application/json"}},
        .body = json::serialize(body),
    };
}

net::ServerResponse refusal(int status, std::string message) {
    return answer(status, json::object{{"error", std::move(message)}});
}

net::ServerResponse listed(const FaultPlan& plan, const Clock& clock) {
    json::array rows;
    for (const Fault& fault : plan.faults()) {
        rows.push_back(json::object{
            {"fault", info_of(fault.kind).name},
            {"on", plan.active(fault.kind, clock.now()).has_value()},
        });
    }
    return answer(200, json::object{{"faults", std::move(rows)}});
}

net::ServerResponse injected(FaultPlan& plan, const Clock& clock, std::string_view body) {
    boost::system::error_code error;
    const json::value asked = json::parse(body, error);
    const json::value* const name =
        !error && asked.is_object() ? asked.as_object().if_contains("fault") : nullptr;
    if (name == nullptr || !name->is_string()) {
        return refusal(400, R"(write {"fault":"NAME"})");
    }
    Result<Fault> fault = parse_fault(name->as_string());
    if (!fault) {
        return refusal(400, fault.error().message);
    }
    // "20 s after the start of the run" makes no sense for one that is asked for now.
    if (std::string_view(name->as_string()).find("start=") == std::string_view::npos) {
        fault->start = Duration::zero();
    }
    if (const Result<void> added = plan.add(*fault, clock.now()); !added) {
        return refusal(409, added.error().message);
    }
    const FaultInfo& info = info_of(fault->kind);
    return answer(
        201, json::object{{"fault", info.name}, {"class", tagout::name_of(info.failure_class)},
                          {"sentence", info.sentence}}
    );
}

Result<json::object> post(std::uint16_t fleet_ports, std::string_view path, std::string body) {
    net::HttpClient client;
    const std::string place =
        "http://127.0.0.1:" + std::to_string(ports_from(fleet_ports).desk);
    const Result<net::HttpResponse> response = client.send({
        .method = "POST",
        .url = place + std::string(path),
        .headers = {{"Content-Type", "application/json"}},
        .body = std::move(body),
        .timeout = std::chrono::seconds(5),
    });
    if (!response) {
        return fail(
            ErrorCode::Unavailable,
            "no fleet answers at " + place + ": start `tagout serve --sim`, or name its --fleet-ports"
        );
    }
    boost::system::error_code error;
    const json::value parsed = json::parse(response->body, error);
    if (error || !parsed.is_object()) {
        return fail(ErrorCode::Unavailable, place + " is no fleet");
    }
    const json::value* const refused = parsed.as_object().if_contains("error");
    if (refused != nullptr && refused->is_string()) {
        return fail(ErrorCode::InvalidArgument, std::string(refused->as_string()));
    }
    return parsed.as_object();
}

}  // namespace

Result<std::unique_ptr<FleetDesk>> FleetDesk::start(
    FaultPlan& plan, const Clock& clock, std::uint16_t port
) {
    std::unique_ptr<FleetDesk> desk(new FleetDesk);
    desk->server_ = TAGOUT_TRY(net::HttpServer::start(
        server_options(port),
        [&plan, &clock](net::ServerRequest request, std::shared_ptr<net::Responder> responder) {
            if (request.path == "/faults" && request.method == "GET") {
                responder->respond(listed(plan, clock));
            } else if (request.path == "/faults" && request.method == "POST") {
                responder->respond(injected(plan, clock, request.body.view()));
            } else if (request.path == "/faults/clear" && request.method == "POST") {
                responder->respond(answer(200, json::object{{"cleared", plan.clear()}}));
            } else {
                responder->respond(refusal(404, "GET /faults, POST /faults or POST /faults/clear"));
            }
        }
    ));
    return desk;
}

Result<int> inject_fault(
    const std::string& fault, std::uint16_t fleet_ports, cli::Terminal& terminal
) {
    TAGOUT_TRY(parse_fault(fault));
    const json::object done = TAGOUT_TRY(
        post(fleet_ports, "/faults", json::serialize(json::object{{"fault", fault}}))
    );
    const auto text = [&done](std::string_view name) {
        const json::value* const value = done.if_contains(name);
        return value != nullptr && value->is_string() ? std::string(value->as_string())
                                                      : std::string();
    };
    terminal.line(text("fault") + " (" + text("class") + "): " + text("sentence"));
    return 0;
}

Result<int> clear_faults(std::uint16_t fleet_ports, cli::Terminal& terminal) {
    const json::object done = TAGOUT_TRY(post(fleet_ports, "/faults/clear", "{}"));
    const json::value* const count = done.if_contains("cleared");
    terminal.line(
        (count == nullptr ? std::string("0") : json::serialize(*count)) + " faults ended"
    );
    return 0;
}

}  // namespace tagout::rehearse
