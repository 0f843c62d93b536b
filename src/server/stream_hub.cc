#include "server/stream_hub.h"

#include "server/metrics.h"

namespace tagout::server {

StreamHub::StreamHub(MetricRegistry& metrics)
    : clients_gauge_(metrics.gauge(stream_clients)),
      lagged_(metrics.counter(stream_lagged_total)) {}

void StreamHub::open(net::Responder& responder) {
    const MutexLock lock(mutex_);
    if (clients_.size() >= clients_max) {
        responder.respond(
            {503, {{"Content-Type", "text/plain"}, {"Retry-After", "5"}}, "too many open streams\n"}
        );
        return;
    }
    net::ServerResponse head;
    head.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
    std::shared_ptr<net::EventStream> client = responder.respond_stream(std::move(head));
    if (client && client->send(": connected\nretry: 1000\n\n")) {
        clients_.push_back(std::move(client));
        clients_gauge_.set(static_cast<double>(clients_.size()));
    }
}

void StreamHub::publish(std::string_view event, std::string_view json) {
    std::string text = "event: " + std::string(event) + "\ndata: ";
    text += json;  // JSON as Boost writes it has no line breaks
    text += "\n\n";
    send(text);
}

void StreamHub::keep_alive() {
    send(": still here\n\n");
}

void StreamHub::send(const std::string& text) {
    const MutexLock lock(mutex_);
    const std::size_t removed = std::erase_if(clients_, [&](const auto& client) {
        if (client->send(text)) {
            return false;
        }
        client->close();
        return true;
    });
    lagged_.add(removed);
    clients_gauge_.set(static_cast<double>(clients_.size()));
}

void StreamHub::close_all() {
    const MutexLock lock(mutex_);
    for (const auto& client : clients_) {
        client->close();
    }
    clients_.clear();
    clients_gauge_.set(0);
}

}  // namespace tagout::server
