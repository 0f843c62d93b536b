#include "cli/api_client.h"

#include <boost/json.hpp>

#include <array>
#include <cstdlib>
#include <fstream>

namespace tagout::cli {

namespace {

/// An evidence pack is the largest answer.
constexpr std::size_t answer_bytes_max = std::size_t{260} << 20U;
/// Sealing one reads the whole journal.
constexpr Duration change_timeout = std::chrono::minutes(2);

std::string first_line_of(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

ErrorCode code_of(std::string_view name, int status) {
    for (const ErrorCode code :
         {ErrorCode::InvalidArgument,
          ErrorCode::NotFound,
          ErrorCode::Conflict,
          ErrorCode::Unavailable,
          ErrorCode::LimitExceeded,
          ErrorCode::Unauthorized,
          ErrorCode::Corrupt}) {
        if (name_of(code) == name) {
            return code;
        }
    }
    return status >= 500 ? ErrorCode::Unavailable : ErrorCode::InvalidArgument;
}

Error error_of(const net::HttpResponse& response, const Connection& connection) {
    boost::system::error_code broken;
    const boost::json::value body = boost::json::parse(response.body, broken);
    Error error{
        code_of("", response.status), "the server answered " + std::to_string(response.status)};
    if (!broken && body.is_object()) {
        const boost::json::value* const detail = body.as_object().if_contains("error");
        if (detail != nullptr && detail->is_object()) {
            const boost::json::object& fields = detail->as_object();
            if (const auto* code = fields.if_contains("code");
                code != nullptr && code->is_string()) {
                error.code = code_of(code->as_string(), response.status);
            }
            if (const auto* message = fields.if_contains("message");
                message != nullptr && message->is_string()) {
                error.message = message->as_string();
            }
        }
    }
    if (error.code == ErrorCode::Unauthorized && connection.token.empty()) {
        error.message += " (no token was sent: " + connection.token_hint + ")";
    }
    return error;
}

}  // namespace

namespace {

/// The door of a gateway that runs on this host, as its folder says.
Connection gateway_on_this_host(const std::string& folder) {
    Connection found;
    found.url = "http://127.0.0.1:8323";
    boost::system::error_code broken;
    const boost::json::value addresses =
        boost::json::parse(first_line_of(folder + "/addresses.json"), broken);
    if (!broken && addresses.is_object()) {
        const boost::json::value* const admin = addresses.as_object().if_contains("admin");
        if (admin != nullptr && admin->is_string()) {
            found.url = admin->as_string();
        }
    }
    found.token = first_line_of(folder + "/admin.token");
    found.token_hint = folder + "/admin.token cannot be read; is that the gateway's --data-dir?";
    return found;
}

}  // namespace

Connection connection(const ConnectionOptions& options) {
    if (!options.at_gateway.empty()) {
        return gateway_on_this_host(options.at_gateway);
    }
    Connection found;
    if (!options.server.empty()) {
        found.url = options.server;
    } else if (const char* url = std::getenv("TAGOUT_URL"); url != nullptr && *url != '\0') {
        found.url = url;
    }
    while (found.url.ends_with('/')) {
        found.url.pop_back();
    }
    const std::string default_file = options.data_dir + "/admin.token";
    found.token_hint = "give --token-file, set TAGOUT_TOKEN, or run where " + default_file + " is";
    if (!options.token_file.empty()) {
        found.token = first_line_of(options.token_file);
    } else if (const char* token = std::getenv("TAGOUT_TOKEN");
               token != nullptr && *token != '\0') {
        found.token = token;
    } else {
        found.token = first_line_of(default_file);
    }
    return found;
}

ApiClient::ApiClient(Connection connection) : connection_(std::move(connection)) {}

Result<std::string> ApiClient::get(std::string_view path) {
    net::HttpRequest request;
    request.url = connection_.url + std::string(path);
    return send(std::move(request));
}

Result<std::string> ApiClient::post(std::string_view path, std::string_view json) {
    net::HttpRequest request;
    request.method = "POST";
    request.url = connection_.url + std::string(path);
    request.headers.emplace_back("Content-Type", "application/json");
    request.timeout = change_timeout;
    request.body = json;
    return send(std::move(request));
}

Result<std::string> ApiClient::send(net::HttpRequest request) {
    if (!connection_.token.empty()) {
        request.headers.emplace_back("Authorization", "Bearer " + connection_.token);
    }
    request.response_bytes_max = answer_bytes_max;
    Result<net::HttpResponse> response = http_.send(request);
    if (!response) {
        return fail(
            response.error().code,
            response.error().message + "; is `tagout serve` running at " + connection_.url +
                "? (--server or TAGOUT_URL names another)"
        );
    }
    if (response->status / 100 != 2) {
        return std::unexpected(error_of(*response, connection_));
    }
    return std::move(response->body);
}

std::string url_encode(std::string_view text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            encoded += c;
        } else {
            encoded += '%';
            encoded += hex[byte >> 4U];
            encoded += hex[byte & 15U];
        }
    }
    return encoded;
}

}  // namespace tagout::cli
