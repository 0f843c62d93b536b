// One simulated process's OTLP/HTTP exporter: batches like a real SDK's (64 items or a second,
// whichever comes first), protobuf, retries on 429, 502, 503 and 504 as the server asks.
//
// What cannot be delivered is counted, never silently dropped: a queue past queue_max refuses new
// items, as an SDK's does.
#pragma once

#include "base/mutex.h"
#include "net/http_client.h"
#include "intake/otlp_encoder.h"

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace tagout::rehearse {

struct ExportCounts {
    std::uint64_t spans = 0;     ///< Accepted by the server.
    std::uint64_t logs = 0;
    std::uint64_t requests = 0;
    std::uint64_t retries = 0;
    std::uint64_t lost = 0;      ///< Items that found no room or whose request failed for good.
    std::string last_error;      ///< "" when all went well.
};

/// Thread-safe.
class Exporter {
public:
    static constexpr std::size_t batch_max = 64;
    static constexpr std::size_t queue_max = 8192;
    static constexpr int attempts_max = 6;

    /// `endpoint` is the base URL ("http://127.0.0.1:4318"); /v1/traces and /v1/logs are added.
    Exporter(std::string endpoint, otlp::Reporter from, Duration linger);
    /// Sends what is queued, each batch once, and stops.
    ~Exporter();
    Exporter(const Exporter&) = delete;
    Exporter& operator=(const Exporter&) = delete;

    void add(otlp::SpanRecord span);
    void add(otlp::LogEvent event);
    /// Waits until everything added before has been sent or given up.
    void flush();
    [[nodiscard]] ExportCounts counts() const;

private:
    void run();
    void send(
        net::HttpClient& client, const std::vector<otlp::SpanRecord>& spans,
        const std::vector<otlp::LogEvent>& logs
    );
    bool post(net::HttpClient& client, std::string_view path, std::string body, std::size_t items);
    [[nodiscard]] bool pause(Duration time);

    const std::string endpoint_;
    const otlp::Reporter from_;
    const Duration linger_;

    mutable Mutex mutex_;
    Condition changed_;
    Condition stopped_;
    std::vector<otlp::SpanRecord> spans_ TAGOUT_GUARDED_BY(mutex_);
    std::vector<otlp::LogEvent> logs_ TAGOUT_GUARDED_BY(mutex_);
    ExportCounts counts_ TAGOUT_GUARDED_BY(mutex_);
    bool sending_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool hurry_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool stopping_ TAGOUT_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace tagout::rehearse
