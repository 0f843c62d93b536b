// A TCP server that does exactly what a test's script says: it lies about lengths, stalls, cuts,
// counts. No protocol of its own beyond reading one HTTP request.
//
// Every wait is bounded. Only tests and benchmarks include it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tagout::net {

/// One connection, on a thread of its own.
class ScriptedPeer {
public:
    ScriptedPeer(int descriptor, const std::atomic<bool>& ending)
        : socket_(descriptor), ending_(ending) {}
    ~ScriptedPeer() { close(); }
    ScriptedPeer(const ScriptedPeer&) = delete;
    ScriptedPeer& operator=(const ScriptedPeer&) = delete;

    /// Head and body of the next request, "" once the client has closed or the test ends.
    std::string read_request() {
        for (;;) {
            const std::size_t head = received_.find("\r\n\r\n");
            if (head != std::string::npos) {
                const std::size_t size = head + 4 + content_length(received_.substr(0, head));
                if (received_.size() >= size) {
                    std::string request = received_.substr(0, size);
                    received_.erase(0, size);
                    return request;
                }
            }
            if (!read_some(20)) {
                return "";
            }
        }
    }
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    /// True when the client closed within about `milliseconds`.
    bool sees_close(int milliseconds) {
        for (; milliseconds > 0 && !ending_; milliseconds -= 10) {
            if (!read_some(10)) {
                return true;
            }
        }
        return false;
    }
    void pause(int milliseconds) {
        for (; milliseconds > 0 && !ending_; milliseconds -= 5) {
            std::this_thread::sleep_for(std::chrono::milliseconds(std::min(5, milliseconds)));
        }
    }
    [[nodiscard]] bool ending() const { return ending_; }
    void close() {
        if (socket_ >= 0) {
            ::close(socket_);
            socket_ = -1;
        }
    }

private:
    static std::size_t content_length(std::string head) {
        for (char& c : head) {
            c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        }
        const std::size_t at = head.find("\r\ncontent-length:");
        return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 17, nullptr, 10);
    }
    /// False once the peer has closed.
    bool read_some(int milliseconds) {
        pollfd waiting{socket_, POLLIN, 0};
        if (ending_ || socket_ < 0) {
            return false;
        }
        if (::poll(&waiting, 1, milliseconds) <= 0) {
            return true;
        }
        char part[65536];
        const ssize_t count = ::recv(socket_, part, sizeof part, 0);
        if (count <= 0) {
            return false;
        }
        received_.append(part, static_cast<std::size_t>(count));
        return true;
    }

    int socket_;
    const std::atomic<bool>& ending_;
    std::string received_;
};

class ScriptedServer {
public:
    using Script = std::function<void(ScriptedPeer&)>;

    explicit ScriptedServer(Script script) : script_(std::move(script)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        ::bind(listener_, reinterpret_cast<const sockaddr*>(&at), size);
        ::listen(listener_, 128);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
        port_ = ntohs(at.sin_port);
        accepting_ = std::thread([this] { accept(); });
    }
    ~ScriptedServer() {
        ending_ = true;
        accepting_.join();
        for (std::thread& each : peers_) {
            each.join();
        }
        ::close(listener_);
    }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] int connections() const noexcept { return connections_; }
    [[nodiscard]] std::string url(std::string_view path = "/") const {
        return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
    }

private:
    void accept() {
        while (!ending_) {
            pollfd waiting{listener_, POLLIN, 0};
            if (::poll(&waiting, 1, 20) <= 0) {
                continue;
            }
            const int peer = ::accept(listener_, nullptr, nullptr);
            if (peer >= 0) {
                ++connections_;
                peers_.emplace_back([this, peer] {
                    ScriptedPeer one(peer, ending_);
                    script_(one);
                });
            }
        }
    }

    const Script script_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> ending_{false};
    std::atomic<int> connections_{0};
    std::thread accepting_;
    std::vector<std::thread> peers_;
};

}  // namespace tagout::net
