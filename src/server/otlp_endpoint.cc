#include "server/otlp_endpoint.h"

#include "net/compression.h"
#include "net/url.h"
#include "server/error_map.h"
#include "server/metrics.h"
#include "server/otlp_answer.h"

#include <array>
#include <optional>

namespace tagout::server {

namespace {

constexpr unsigned retry_seconds = 2;
constexpr std::string_view protobuf_type = "application/x-protobuf";
constexpr std::string_view json_type = "application/json";

struct SignalPath {
    Signal signal;
    std::string_view http;  ///< What the path ends in.
    std::string_view grpc;
};

constexpr std::array<SignalPath, 3> signal_paths{{
    {Signal::Traces, "/v1/traces", "/opentelemetry.proto.collector.trace.v1.TraceService/Export"},
    {Signal::Logs, "/v1/logs", "/opentelemetry.proto.collector.logs.v1.LogsService/Export"},
    {Signal::Metrics,
     "/v1/metrics",
     "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"},
}};

std::optional<Signal> signal_of_http(std::string_view path) {
    for (const SignalPath& each : signal_paths) {
        if (path.ends_with(each.http)) {
            return each.signal;
        }
    }
    return std::nullopt;
}

std::optional<Signal> signal_of_grpc(std::string_view path) {
    for (const SignalPath& each : signal_paths) {
        if (path == each.grpc) {
            return each.signal;
        }
    }
    return std::nullopt;
}

std::optional<intake::Encoding> encoding_of(std::string_view content_type) {
    std::string_view type = content_type.substr(0, content_type.find(';'));
    while (type.ends_with(' ')) {
        type.remove_suffix(1);
    }
    if (net::equal_ignoring_case(type, protobuf_type)) {
        return intake::Encoding::Protobuf;
    }
    if (net::equal_ignoring_case(type, json_type)) {
        return intake::Encoding::Json;
    }
    return std::nullopt;
}

void count(
    MetricRegistry& metrics, std::string_view protocol, std::string_view signal, int status
) {
    const std::string code = std::to_string(status);
    const std::string_view labels[] = {protocol, signal, code};
    metrics.counter(otlp_requests_total, labels).add();
}

/// What refused items say to the client: how many, and the first one's place and remedy.
struct Refused {
    std::uint64_t items = 0;
    std::string reason;
};

/// Answers in flight keep their door alive, so that a server may go before its sink.
class HttpDoor : public std::enable_shared_from_this<HttpDoor> {
public:
    HttpDoor(IntakeSink& sink, const OtlpOptions& options, MetricRegistry& metrics)
        : sink_(sink), options_(options), metrics_(metrics) {}

    void handle(net::ServerRequest request, std::shared_ptr<net::Responder> responder) const {
        const std::optional<Signal> signal = signal_of_http(request.path);
        const std::optional<intake::Encoding> encoding =
            encoding_of(request.header("Content-Type"));
        const Exchange exchange{
            std::move(responder),
            encoding.value_or(intake::Encoding::Protobuf),
            signal.value_or(Signal::Traces)};
        if (!signal) {
            refuse(
                exchange,
                404,
                5,
                "there is no such path; OTLP goes to /v1/traces, /v1/logs and /v1/metrics"
            );
            return;
        }
        if (request.method != "POST") {
            refuse(exchange, 405, 12, "OTLP requests are sent with POST");
            return;
        }
        if (!encoding) {
            refuse(
                exchange, 415, 3, "Content-Type must be application/x-protobuf or application/json"
            );
            return;
        }
        take(std::move(request), exchange);
    }

private:
    struct Exchange {
        std::shared_ptr<net::Responder> responder;
        intake::Encoding encoding;
        Signal signal;
    };

    void take(net::ServerRequest request, const Exchange& exchange) const {
        const std::string coding(request.header("Content-Encoding"));
        Result<PaddedBytes> body =
            net::decompress(std::move(request.body), coding, options_.body_bytes_max);
        if (!body) {
            refuse_error(exchange, body.error());
            return;
        }
        Result<std::shared_ptr<EventBatch>> batch =
            intake::decode(std::move(*body), exchange.signal, exchange.encoding, options_.limits);
        if (!batch) {
            refuse_error(exchange, batch.error());
            return;
        }
        Refused refused{(*batch)->rejected, (*batch)->rejected_reason};
        sink_.accept(
            std::move(*batch),
            [self = shared_from_this(), exchange, refused = std::move(refused)](Result<void> stored
            ) {
                if (!stored) {
                    self->refuse(
                        exchange,
                        stored.error().code == ErrorCode::LimitExceeded ? 429 : 503,
                        14,
                        stored.error().message
                    );
                    return;
                }
                self->answer(
                    exchange,
                    200,
                    export_response(
                        exchange.encoding, exchange.signal, refused.items, refused.reason
                    )
                );
            }
        );
    }

    void refuse_error(const Exchange& exchange, const Error& error) const {
        const bool too_large = error.code == ErrorCode::LimitExceeded;
        refuse(
            exchange,
            too_large ? 413 : mapping_of(error.code).http_status,
            too_large ? 8 : 3,
            error.message
        );
    }

    void refuse(const Exchange& exchange, int status, int code, std::string_view message) const {
        const bool retry = status == 429 || status == 503;
        answer(
            exchange,
            status,
            rpc_status(exchange.encoding, code, message, retry ? retry_seconds : 0)
        );
    }

    void answer(const Exchange& exchange, int status, std::string body) const {
        count(metrics_, "http", status == 404 ? "none" : name_of(exchange.signal), status);
        net::ServerResponse response;
        response.status = status;
        response.headers.emplace_back(
            "Content-Type",
            std::string(exchange.encoding == intake::Encoding::Json ? json_type : protobuf_type)
        );
        if (status == 429 || status == 503) {
            response.headers.emplace_back("Retry-After", std::to_string(retry_seconds));
        }
        if (status == 405) {
            response.headers.emplace_back("Allow", "POST");
        }
        response.body = std::move(body);
        exchange.responder->respond(std::move(response));
    }

    IntakeSink& sink_;
    const OtlpOptions options_;
    MetricRegistry& metrics_;
};

class GrpcDoor : public std::enable_shared_from_this<GrpcDoor> {
public:
    GrpcDoor(IntakeSink& sink, const OtlpOptions& options, MetricRegistry& metrics)
        : sink_(sink), options_(options), metrics_(metrics) {}

    void handle(net::GrpcRequest request, const std::shared_ptr<net::GrpcResponder>& responder)
        const {
        const std::optional<Signal> signal = signal_of_grpc(request.path);
        if (!signal) {
            count(metrics_, "grpc", "none", static_cast<int>(net::GrpcStatus::Unimplemented));
            responder->respond(
                {net::GrpcStatus::Unimplemented,
                 "no such method; OTLP's Export is served here",
                 "",
                 {}}
            );
            return;
        }
        Result<std::shared_ptr<EventBatch>> batch = intake::decode(
            std::move(request.message), *signal, intake::Encoding::Protobuf, options_.limits
        );
        if (!batch) {
            const bool too_large = batch.error().code == ErrorCode::LimitExceeded;
            answer(
                *responder,
                *signal,
                {too_large ? net::GrpcStatus::ResourceExhausted : net::GrpcStatus::InvalidArgument,
                 batch.error().message,
                 "",
                 {}}
            );
            return;
        }
        Refused refused{(*batch)->rejected, (*batch)->rejected_reason};
        sink_.accept(
            std::move(*batch),
            [self = shared_from_this(), responder, signal = *signal, refused = std::move(refused)](
                Result<void> stored
            ) {
                if (!stored) {
                    self->answer(*responder, signal, overloaded(stored.error().message));
                    return;
                }
                net::GrpcResponse response;
                response.message = export_response(
                    intake::Encoding::Protobuf, signal, refused.items, refused.reason
                );
                self->answer(*responder, signal, std::move(response));
            }
        );
    }

private:
    /// Retryable for every SDK: the status with details, and the trailer that Python's reads.
    static net::GrpcResponse overloaded(const std::string& message) {
        net::GrpcResponse response;
        response.status = net::GrpcStatus::Unavailable;
        response.status_message = message;
        response.trailers = {
            {"grpc-status-details-bin",
             rpc_status(
                 intake::Encoding::Protobuf,
                 static_cast<int>(response.status),
                 message,
                 retry_seconds
             )},
            {"google.rpc.retryinfo-bin", retry_info(retry_seconds)},
        };
        return response;
    }

    void answer(net::GrpcResponder& responder, Signal signal, net::GrpcResponse response) const {
        count(metrics_, "grpc", name_of(signal), static_cast<int>(response.status));
        responder.respond(std::move(response));
    }

    IntakeSink& sink_;
    const OtlpOptions options_;
    MetricRegistry& metrics_;
};

}  // namespace

net::Handler otlp_http_handler(
    IntakeSink& sink, const OtlpOptions& options, MetricRegistry& metrics
) {
    const auto door = std::make_shared<const HttpDoor>(sink, options, metrics);
    return [door](net::ServerRequest request, std::shared_ptr<net::Responder> responder) {
        door->handle(std::move(request), std::move(responder));
    };
}

net::Refuse otlp_http_refuse(MetricRegistry& metrics) {
    return [&metrics](const net::ServerRequest& head, int status, const std::string& message) {
        constexpr int invalid_argument = 3;
        constexpr int resource_exhausted = 8;
        constexpr int unavailable = 14;
        const std::optional<Signal> signal = signal_of_http(head.path);
        const intake::Encoding encoding =
            encoding_of(head.header("Content-Type")).value_or(intake::Encoding::Protobuf);
        const bool retry = status == 503;
        const int code = retry           ? unavailable
                         : status == 413 ? resource_exhausted
                                         : invalid_argument;
        count(metrics, "http", signal ? name_of(*signal) : "none", status);
        net::ServerResponse response;
        response.status = status;
        response.headers.emplace_back(
            "Content-Type",
            std::string(encoding == intake::Encoding::Json ? json_type : protobuf_type)
        );
        if (retry) {
            response.headers.emplace_back("Retry-After", std::to_string(retry_seconds));
        }
        response.body = rpc_status(encoding, code, message, retry ? retry_seconds : 0);
        return response;
    };
}

net::GrpcHandler otlp_grpc_handler(
    IntakeSink& sink, const OtlpOptions& options, MetricRegistry& metrics
) {
    const auto door = std::make_shared<const GrpcDoor>(sink, options, metrics);
    return [door](net::GrpcRequest request, const std::shared_ptr<net::GrpcResponder>& responder) {
        door->handle(std::move(request), responder);
    };
}

}  // namespace tagout::server
