// The operator's side of the control API: one server, one token, JSON in and out.
//
// Thread-compatible. The address comes from --server, else TAGOUT_URL, else the loopback default;
// the token from --token-file, else TAGOUT_TOKEN, else the data directory's token file, and is
// needed for changes only. Errors keep the server's code and words.
#pragma once

#include "base/result.h"
#include "net/http_client.h"

#include <string>
#include <string_view>

namespace tagout::cli {

struct Connection {
    std::string url = "http://127.0.0.1:8321";
    std::string token;  ///< "" for none.
    std::string
        token_hint;  ///< Where a token was looked for: goes into the error when one is missing.
};

struct ConnectionOptions {
    std::string server;
    std::string token_file;
    std::string data_dir = "data";
    std::string at_gateway;  ///< Folder of a gateway on this host: its admin door, and its token.
};

[[nodiscard]] Connection connection(const ConnectionOptions& options);

class ApiClient {
public:
    explicit ApiClient(Connection connection);

    /// The body of a 2xx answer.
    Result<std::string> get(std::string_view path);
    Result<std::string> post(std::string_view path, std::string_view json);

private:
    Result<std::string> send(net::HttpRequest request);

    Connection connection_;
    net::HttpClient http_;
};

/// Percent-encodes one path segment or query value.
[[nodiscard]] std::string url_encode(std::string_view text);

}  // namespace tagout::cli
