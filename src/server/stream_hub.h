// Server-sent events to every open page.
//
// Thread-safe. An event is named and has JSON data; each client has the bounded queue of its
// EventStream, and one that falls behind is closed and connects again, so a slow phone holds up
// nobody.
#pragma once

#include "base/metrics.h"
#include "base/mutex.h"
#include "net/http_server.h"

#include <memory>
#include <string_view>
#include <vector>

namespace tagout::server {

class StreamHub {
public:
    static constexpr std::size_t clients_max = 1'000;

    explicit StreamHub(MetricRegistry& metrics);

    /// Answers with a stream that lives until the client goes; 503 past clients_max.
    void open(net::Responder& responder);
    void publish(std::string_view event, std::string_view json);
    /// A comment line, so that proxies keep idle streams open. Call every 15 seconds.
    void keep_alive();
    void close_all();

private:
    void send(const std::string& text);

    Gauge& clients_gauge_;
    Counter& lagged_;
    Mutex mutex_;
    std::vector<std::shared_ptr<net::EventStream>> clients_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace tagout::server
