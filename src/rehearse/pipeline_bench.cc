// From socket to durable evidence with every detector on: the whole server in this process, a
// client on loopback sockets, the server's CPU being the process's less the client's threads'.
//
// Budget: >= 150 k spans a second and core for the first half of the spine, >= 250 k in DESIGN 10, and
// at most 330 bytes of evidence a span. What no server can do without, receiving the bytes and zstd
// level 1 over them, is measured in the same run: `share_of_limit` survives a slower machine.

#include "app/app.h"
#include "detect/testing/agent_traffic.h"
#include "intake/otlp_encoder.h"
#include "net/http_client.h"

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tagout::rehearse {
namespace {

constexpr std::size_t batch_spans = 512;
constexpr std::size_t batches = 64;  ///< Of one iteration; every iteration has spans of its own.
constexpr std::size_t iterations = 4;
constexpr std::size_t connections = 4;

/// Ready HTTP requests; `first_trace` is a trace of the first batch.
struct Load {
    std::vector<std::string> requests;
    TraceId first_trace;
    std::size_t body_bytes = 0;
};

Load make_load(Instant now) {
    Load load;
    detect::Prose prose(42);
    const otlp::Reporter reporter{{{"service.name", std::string("support")}}, "bench", "1"};
    for (std::size_t b = 0; b < batches * iterations; ++b) {
        const std::vector<otlp::SpanRecord> spans =
            detect::make_sessions(prose, batch_spans / detect::spans_per_session, now);
        if (load.first_trace.empty()) {
            load.first_trace = spans.front().trace_id;
        }
        const std::string body = otlp::encode_spans(reporter, spans);
        load.body_bytes += body.size();
        load.requests.push_back(
            "POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
            "application/x-protobuf\r\n"
            "Content-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body
        );
    }
    return load;
}

class Connection {
public:
    explicit Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ok_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
        const int one = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    ~Connection() { ::close(socket_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// True when the answer is 200.
    bool exchange(const std::string& request) {
        std::size_t sent = 0;
        while (ok_ && sent < request.size()) {
            const ssize_t count =
                ::send(socket_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
            ok_ = count > 0;
            sent += ok_ ? static_cast<std::size_t>(count) : 0;
        }
        std::array<char, 4096> answer{};
        const ssize_t count = ok_ ? ::recv(socket_, answer.data(), answer.size(), 0) : -1;
        ok_ = count > 0;
        if (ok_) {
            last_.assign(answer.data(), static_cast<std::size_t>(count));
        }
        return ok_ && std::string_view(answer.data(), static_cast<std::size_t>(count))
                          .starts_with("HTTP/1.1 200");
    }

    [[nodiscard]] const std::string& last_answer() const { return last_; }

private:
    int socket_;
    bool ok_ = false;
    std::string last_;
};

double process_cpu() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double thread_cpu() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::uint16_t port_of(const std::string& address) {
    std::uint16_t port = 0;
    const std::size_t colon = address.rfind(':');
    std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
    return port;
}

/// A server on a data folder of its own, gone with it.
struct Running {
    Running()
        : folder(
              std::filesystem::temp_directory_path() / ("tagout-bench-" + std::to_string(getpid()))
          ) {
        std::filesystem::remove_all(folder);
        app::ServeOptions options;
        options.data_dir = folder.string();
        options.http_port = 0;
        options.otlp_http_port = 0;
        options.otlp_grpc_port = 0;
        started = app::App::start(options, clock);
    }
    ~Running() {
        started = fail(ErrorCode::Unavailable, "over");
        std::filesystem::remove_all(folder);
    }
    SystemClock clock;
    std::filesystem::path folder;
    Result<std::unique_ptr<app::App>> started = fail(ErrorCode::Unavailable, "not started");
};

/// Waits until nothing waits for detection any more, so that its whole cost is counted.
bool worked_off(const app::App& app) {
    net::HttpClient http;
    for (int i = 0; i < 1'200; ++i) {
        const Result<net::HttpResponse> metrics =
            http.send({.url = app.addresses().http + "/metrics", .headers = {}, .body = {}});
        if (metrics &&
            metrics->body.find("\ntagout_detection_queue_batches 0\n") != std::string::npos) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
}

/// CPU of a thread that receives the load's bytes over a loopback socket into one buffer.
double receive_cpu(const Load& load, std::size_t requests) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    bool good = ::bind(listener, reinterpret_cast<const sockaddr*>(&at), size) == 0 &&
                ::listen(listener, 1) == 0 &&
                ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) == 0;
    const int sender = ::socket(AF_INET, SOCK_STREAM, 0);
    good = good && ::connect(sender, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    const int receiver = good ? ::accept(listener, nullptr, nullptr) : -1;
    double cpu = 0;
    std::thread reading([&] {
        std::vector<char> buffer(std::size_t{1} << 20);
        const double begin = thread_cpu();
        while (receiver >= 0 && ::recv(receiver, buffer.data(), buffer.size(), 0) > 0) {
        }
        cpu = thread_cpu() - begin;
    });
    for (std::size_t i = 0; good && i < requests; ++i) {
        for (std::size_t sent = 0; good && sent < load.requests[i].size();) {
            const ssize_t count = ::send(
                sender, load.requests[i].data() + sent, load.requests[i].size() - sent, MSG_NOSIGNAL
            );
            good = count > 0;
            sent += good ? static_cast<std::size_t>(count) : 0;
        }
    }
    ::close(sender);
    reading.join();
    ::close(receiver);
    ::close(listener);
    return cpu;
}

/// CPU of zstd level 1 over the load's bytes in pieces of 128 KiB.
double zstd_cpu(const Load& load, std::size_t requests) {
    constexpr std::size_t piece = std::size_t{128} << 10;
    std::string out(ZSTD_compressBound(piece), '\0');
    const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(
        ZSTD_createCCtx(), ZSTD_freeCCtx
    );
    const double begin = thread_cpu();
    for (std::size_t i = 0; i < requests; ++i) {
        const std::string& bytes = load.requests[i];
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            benchmark::DoNotOptimize(ZSTD_compressCCtx(
                context.get(),
                out.data(),
                out.size(),
                bytes.data() + at,
                std::min(piece, bytes.size() - at),
                1
            ));
        }
    }
    return thread_cpu() - begin;
}

/// The value of a metric without labels; 0 if it is not told.
double metric(const app::App& app, std::string_view name) {
    net::HttpClient http;
    const Result<net::HttpResponse> metrics =
        http.send({.url = app.addresses().http + "/metrics", .headers = {}, .body = {}});
    const std::string line = "\n" + std::string(name) + " ";
    const std::size_t at = metrics ? metrics->body.find(line) : std::string::npos;
    return at == std::string::npos ? 0 : std::strtod(metrics->body.c_str() + at + line.size(), nullptr);
}

void BM_SocketToDurableEvidence(benchmark::State& state) {
    Running running;
    if (!running.started) {
        state.SkipWithError(running.started.error().message.c_str());
        return;
    }
    app::App& app = **running.started;
    const Load load = make_load(running.clock.now());
    const std::uint16_t port = port_of(app.addresses().otlp_http);
    {
        // The answer first: a batch is accepted, and its trace is found again with all its spans.
        Connection probe(port);
        net::HttpClient http;
        const bool accepted = probe.exchange(load.requests.front());
        const Result<net::HttpResponse> trace = http.send(
            {.url = app.addresses().http + "/v1/traces/" + to_hex(load.first_trace),
             .headers = {},
             .body = {}}
        );
        std::size_t spans = 0;
        for (std::size_t at = 0;
             trace && (at = trace->body.find("\"span_id\"", at)) != std::string::npos;
             ++at) {
            ++spans;
        }
        if (!accepted || !trace || spans < detect::spans_per_session) {
            state.SkipWithError("wrong answer: the first batch is not in the evidence");
            return;
        }
    }
    double server_cpu = 0;
    std::size_t spans = 0;
    std::size_t first = 0;
    for (auto _ : state) {
        const double before = process_cpu();
        std::array<double, connections> client_cpu{};
        std::array<bool, connections> good{};
        std::array<std::string, connections> said;
        std::vector<std::thread> clients;
        for (std::size_t c = 0; c < connections; ++c) {
            clients.emplace_back([&, c] {
                const double begin = thread_cpu();
                Connection connection(port);
                good[c] = true;
                for (std::size_t b = first + c; b < first + batches; b += connections) {
                    good[c] = connection.exchange(load.requests[b]) && good[c];
                }
                client_cpu[c] = thread_cpu() - begin;
                said[c] = connection.last_answer();
            });
        }
        for (std::thread& client : clients) {
            client.join();
        }
        first += batches;
        if (!worked_off(app)) {
            state.SkipWithError("detection did not work off what was accepted within a minute");
            return;
        }
        server_cpu += process_cpu() - before;
        for (std::size_t c = 0; c < connections; ++c) {
            server_cpu -= client_cpu[c];
            if (!good[c]) {
                state.SkipWithError(("a batch was refused: " + said[c]).c_str());
                return;
            }
        }
        spans += batch_spans * batches;
    }
    state.counters["cpu_ns_per_span"] = server_cpu * 1e9 / static_cast<double>(spans);
    state.counters["spans_per_s_core"] = static_cast<double>(spans) / server_cpu;
    state.counters["bytes_per_span"] = static_cast<double>(load.body_bytes) /
                                       static_cast<double>(iterations * batches * batch_spans);
    const double items = metric(app, "tagout_evidence_stored_items_total");
    const double written = metric(app, "tagout_evidence_written_bytes_total");
    if (items < static_cast<double>(spans) || written == 0) {
        state.SkipWithError("wrong answer: not everything that was accepted was stored");
        return;
    }
    state.counters["evidence_bytes_per_span"] = written / items;
    const auto limit_spans = static_cast<double>(batches * batch_spans);
    const double receive = receive_cpu(load, batches) * 1e9 / limit_spans;
    const double zstd = zstd_cpu(load, batches) * 1e9 / limit_spans;
    state.counters["tcp_receive_ns"] = receive;
    state.counters["zstd1_ns"] = zstd;
    state.counters["share_of_limit"] =
        (receive + zstd) * static_cast<double>(spans) / (server_cpu * 1e9);
    state.SetItemsProcessed(static_cast<std::int64_t>(spans));
}
BENCHMARK(BM_SocketToDurableEvidence)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(iterations)
    ->UseRealTime();

}  // namespace
}  // namespace tagout::rehearse
