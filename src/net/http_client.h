// A small blocking HTTP/1.1 client for the doors that call out: notices, the command line, the
// simulated fleet. TLS with the system's certificates when the URL says https.
//
// Thread-compatible: one client, one thread; it keeps one connection per origin alive. Redirects
// are not followed (a webhook must not be bent to another host).
#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tagout::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method = "GET";
    std::string url;  ///< http:// or https://, host, optional port, path and query.
    Headers headers;
    std::string body;
    Duration timeout = std::chrono::seconds(15);  ///< For the whole exchange.
    std::size_t response_bytes_max = 16 * 1024 * 1024;
    /// Of stream(): cut after so long without a byte; `timeout` then counts to the first byte only. 0 for
    /// not.
    Duration silence_max{};
};

struct HttpResponse {
    int status = 0;
    Headers headers;
    std::string body;
    /// First value of a header, whatever its case; "" if absent.
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// Of https:// connections; "" takes the system's authorities and shows no certificate.
struct ClientTls {
    std::string trusted =
        {};                 ///< PEM file: only what it holds is trusted, read at each connection.
    bool any_host = false;  ///< With `trusted`: whatever host its certificate is for.
    std::string certificate = {};  ///< PEM files of what is shown to a server that asks.
    std::string key = {};
};

class HttpClient {
public:
    HttpClient() : HttpClient(ClientTls{}) {}
    explicit HttpClient(ClientTls tls);
    ~HttpClient();
    HttpClient(HttpClient&&) noexcept;

    /// Unavailable: no connection, cut, or timed out. Any status is a value, not an error.
    Result<HttpResponse> send(const HttpRequest& request);
    /// For text/event-stream and other long bodies: `chunk` sees bytes as they come and returns
    /// false to stop. The returned response has no body.
    Result<HttpResponse> stream(
        const HttpRequest& request, const std::function<bool(std::string_view)>& chunk
    );

    /// On any thread while this one waits: the exchange ends with Unavailable, and the server sees
    /// the connection close. One that has no connection yet goes on.
    void cut();

private:
    struct State;
    std::unique_ptr<State> state_;
};

struct UrlParts {
    std::string scheme;
    std::string host;
    std::uint16_t port = 0;
    std::string target;  ///< Path and query, at least "/".
};
[[nodiscard]] Result<UrlParts> parse_url(std::string_view url);

}  // namespace tagout::net
