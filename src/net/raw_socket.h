// A bare TCP client for tests: sends any bytes, reads what comes. No protocol, no library.
//
// Confined to the test's thread. Every wait is bounded. Only tests and benchmarks include it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace tagout::net {

class RawSocket {
public:
    explicit RawSocket(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    }
    ~RawSocket() { ::close(socket_); }
    RawSocket(const RawSocket&) = delete;
    RawSocket& operator=(const RawSocket&) = delete;

    [[nodiscard]] bool connected() const noexcept { return connected_; }
    [[nodiscard]] int descriptor() const noexcept { return socket_; }

    /// False when the peer has closed.
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
    void end_sending() { ::shutdown(socket_, SHUT_WR); }

    /// Adds what comes within `milliseconds` to `received`; false once the peer has closed.
    bool read_some(int milliseconds) {
        pollfd waiting{socket_, POLLIN, 0};
        if (::poll(&waiting, 1, milliseconds) <= 0) {
            return true;
        }
        char part[65536];
        const ssize_t count = ::recv(socket_, part, sizeof part, 0);
        if (count <= 0) {
            closed_ = true;
            return false;
        }
        received.append(part, static_cast<std::size_t>(count));
        return true;
    }
    /// Reads until `text` has come (true), the peer closes, or about `milliseconds` passed.
    bool read_until(std::string_view text, int milliseconds = 5000) {
        while (received.find(text) == std::string::npos && !closed_ && milliseconds > 0) {
            read_some(50);
            milliseconds -= 50;
        }
        return received.find(text) != std::string::npos;
    }
    /// Reads until the peer closes; false if it has not within about `milliseconds`.
    bool read_to_end(int milliseconds = 5000) {
        while (!closed_ && milliseconds > 0) {
            const std::size_t before = received.size();
            read_some(50);
            milliseconds -= received.size() > before ? 1 : 50;
        }
        return closed_;
    }

    std::string received;

private:
    int socket_;
    bool connected_ = false;
    bool closed_ = false;
};

}  // namespace tagout::net
