#include "rehearse/exporter.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tagout::rehearse {

namespace {

bool is_retryable(int status) noexcept {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

Duration retry_after(const net::HttpResponse& response, int attempt) {
    const std::string_view value = response.header("Retry-After");
    int seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error == std::errc() && !value.empty()) {
        return std::chrono::seconds(std::clamp(seconds, 0, 30));
    }
    return std::chrono::milliseconds(std::min(5000, 1000 << std::min(attempt, 3)));
}

}  // namespace

Exporter::Exporter(std::string endpoint, otlp::Reporter from, Duration linger)
    : endpoint_(std::move(endpoint)), from_(std::move(from)), linger_(linger),
      thread_([this] { run(); }) {}

Exporter::~Exporter() {
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
        stopped_.notify_all();
    }
    thread_.join();
}

void Exporter::add(otlp::SpanRecord span) {
    const MutexLock lock(mutex_);
    if (spans_.size() >= queue_max) {
        counts_.lost += 1;
        return;
    }
    spans_.push_back(std::move(span));
    if (spans_.size() >= batch_max) {
        changed_.notify_all();
    }
}

void Exporter::add(otlp::LogEvent event) {
    const MutexLock lock(mutex_);
    if (logs_.size() >= queue_max) {
        counts_.lost += 1;
        return;
    }
    logs_.push_back(std::move(event));
}

void Exporter::flush() {
    const MutexLock lock(mutex_);
    hurry_ = true;
    changed_.notify_all();
    while (sending_ || !spans_.empty() || !logs_.empty()) {
        changed_.wait(mutex_);
    }
    hurry_ = false;
}

ExportCounts Exporter::counts() const {
    const MutexLock lock(mutex_);
    return counts_;
}

void Exporter::run() {
    net::HttpClient client;
    for (;;) {
        std::vector<otlp::SpanRecord> spans;
        std::vector<otlp::LogEvent> logs;
        {
            const MutexLock lock(mutex_);
            if (!stopping_ && !hurry_ && spans_.size() < batch_max) {
                changed_.wait_for(mutex_, linger_);
            }
            if (spans_.empty() && logs_.empty()) {
                if (stopping_) {
                    return;
                }
                continue;
            }
            const auto count = static_cast<std::ptrdiff_t>(std::min(spans_.size(), batch_max));
            spans.assign(
                std::make_move_iterator(spans_.begin()), std::make_move_iterator(spans_.begin() + count)
            );
            spans_.erase(spans_.begin(), spans_.begin() + count);
            logs.swap(logs_);
            sending_ = true;
        }
        send(client, spans, logs);
        const MutexLock lock(mutex_);
        sending_ = false;
        changed_.notify_all();
    }
}

void Exporter::send(
    net::HttpClient& client, const std::vector<otlp::SpanRecord>& spans,
    const std::vector<otlp::LogEvent>& logs
) {
    if (!spans.empty() && post(client, "/v1/traces", otlp::encode_spans(from_, spans), spans.size())) {
        const MutexLock lock(mutex_);
        counts_.spans += spans.size();
    }
    if (!logs.empty() && post(client, "/v1/logs", otlp::encode_logs(from_, logs), logs.size())) {
        const MutexLock lock(mutex_);
        counts_.logs += logs.size();
    }
}

bool Exporter::post(
    net::HttpClient& client, std::string_view path, std::string body, std::size_t items
) {
    const net::HttpRequest request{
        .method = "POST",
        .url = endpoint_ + std::string(path),
        .headers = {{"Content-Type", "application/x-protobuf"}, {"User-Agent", "tagout-sim"}},
        .body = std::move(body),
        .timeout = std::chrono::seconds(10),
    };
    std::string error;
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const Result<net::HttpResponse> response = client.send(request);
        {
            const MutexLock lock(mutex_);
            counts_.requests += 1;
        }
        if (response && response->status >= 200 && response->status < 300) {
            return true;
        }
        error = response ? "HTTP " + std::to_string(response->status) + " from " + request.url
                         : response.error().message;
        const bool again = !response || is_retryable(response->status);
        const Duration wait =
            response ? retry_after(*response, attempt) : Duration(std::chrono::seconds(1));
        if (!again || attempt + 1 == attempts_max || !pause(wait)) {
            break;
        }
        const MutexLock lock(mutex_);
        counts_.retries += 1;
    }
    const MutexLock lock(mutex_);
    counts_.lost += items;
    counts_.last_error = error;
    return false;
}

/// False when the exporter stops meanwhile.
bool Exporter::pause(Duration time) {
    const MutexLock lock(mutex_);
    if (!stopping_) {
        stopped_.wait_for(mutex_, time);
    }
    return !stopping_;
}

}  // namespace tagout::rehearse
