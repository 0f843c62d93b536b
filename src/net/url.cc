#include "net/url.h"

#include "net/http_server.h"

#include <algorithm>
#include <charconv>

namespace tagout::net {

namespace {

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

std::unexpected<Error> bad_url(std::string_view what) {
    return fail(
        ErrorCode::InvalidArgument,
        "not a usable URL: " + std::string(what) + "; write http://host[:port]/path or https://..."
    );
}

bool is_host_character(char c) noexcept {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '.' || c == '-' ||
           c == '_';
}

/// Splits "host:port" or "[v6]:port"; `parts.port` keeps its default without one.
Result<void> parse_authority(std::string_view authority, UrlParts& parts) {
    if (authority.find('@') != std::string_view::npos) {
        return bad_url("it carries a user name; send credentials in a header");
    }
    std::string_view port;
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos) {
            return bad_url("the '[' of an IPv6 address has no ']'");
        }
        parts.host = authority.substr(1, end - 1);
        const bool plain = std::ranges::all_of(parts.host, [](char c) {
            return hex_digit(c) >= 0 || c == ':' || c == '.';
        });
        if (!plain) {
            return bad_url("what stands in brackets is no IPv6 address");
        }
        port = authority.substr(end + 1);
        if (!port.empty() && !port.starts_with(':')) {
            return bad_url("only a port may follow the ']'");
        }
    } else {
        const std::size_t colon = authority.find(':');
        parts.host = authority.substr(0, colon);
        port = colon == std::string_view::npos ? "" : authority.substr(colon);
        if (!std::ranges::all_of(parts.host, is_host_character)) {
            return bad_url("the host has a character that no host name has");
        }
    }
    if (parts.host.empty()) {
        return bad_url("it has no host");
    }
    if (port.size() > 1) {
        port.remove_prefix(1);
        unsigned number = 0;
        const auto read = std::from_chars(port.data(), port.data() + port.size(), number);
        if (read.ec != std::errc{} || read.ptr != port.data() + port.size() || number == 0 ||
            number > 65'535) {
            return bad_url("the port is not a number from 1 to 65535");
        }
        parts.port = static_cast<std::uint16_t>(number);
    }
    return {};
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view find_header(const Headers& headers, std::string_view name) noexcept {
    for (const auto& [key, value] : headers) {
        if (equal_ignoring_case(key, name)) {
            return value;
        }
    }
    return {};
}

bool has_token(std::string_view value, std::string_view token) noexcept {
    while (!value.empty()) {
        const std::size_t comma = value.find(',');
        if (equal_ignoring_case(trim(value.substr(0, comma)), token)) {
            return true;
        }
        value = comma == std::string_view::npos ? "" : value.substr(comma + 1);
    }
    return false;
}

std::string percent_decode(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const int high = hex_digit(text[i + 1]);
            const int low = hex_digit(text[i + 2]);
            if (high >= 0 && low >= 0) {
                decoded.push_back(static_cast<char>(high * 16 + low));
                i += 2;
                continue;
            }
        }
        decoded.push_back(text[i]);
    }
    return decoded;
}

std::optional<std::string> path_of_target(std::string_view target) {
    if (target.starts_with("http://") || target.starts_with("https://")) {  // RFC 9112 3.2.2
        const std::size_t slash = target.find('/', target.find("//") + 2);
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    std::string path = percent_decode(target.substr(0, target.find_first_of("?#")));
    if (!path.starts_with('/') || path.find('\0') != std::string::npos) {
        return std::nullopt;
    }
    return path;
}

std::string query_value(std::string_view target, std::string_view name) {
    const std::size_t mark = target.find('?');
    std::string_view query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
    query = query.substr(0, query.find('#'));
    while (!query.empty()) {
        const std::size_t end = query.find('&');
        std::string pair(query.substr(0, end));
        query = end == std::string_view::npos ? "" : query.substr(end + 1);
        std::ranges::replace(pair, '+', ' ');
        const std::size_t equals = pair.find('=');
        if (percent_decode(std::string_view(pair).substr(0, equals)) == name) {
            return equals == std::string::npos
                       ? ""
                       : percent_decode(std::string_view(pair).substr(equals + 1));
        }
    }
    return {};
}

Result<UrlParts> parse_url(std::string_view url) {
    UrlParts parts;
    const bool printable = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; });
    if (!printable) {
        return bad_url("it has spaces or characters outside ASCII; percent-encode them");
    }
    const std::size_t scheme_end = url.find("://");
    const std::string_view scheme = url.substr(0, scheme_end);
    if (scheme_end != std::string_view::npos && equal_ignoring_case(scheme, "http")) {
        parts.scheme = "http";
        parts.port = 80;
    } else if (scheme_end != std::string_view::npos && equal_ignoring_case(scheme, "https")) {
        parts.scheme = "https";
        parts.port = 443;
    } else {
        return bad_url("it does not begin with http:// or https://");
    }
    const std::string_view rest = url.substr(scheme_end + 3);
    const std::size_t authority_end = rest.find_first_of("/?#");
    TAGOUT_TRY(parse_authority(rest.substr(0, authority_end), parts));
    std::string_view target =
        authority_end == std::string_view::npos ? "" : rest.substr(authority_end);
    target = target.substr(0, target.find('#'));
    parts.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
    return parts;
}

std::string_view HttpResponse::header(std::string_view name) const {
    return find_header(headers, name);
}

std::string_view ServerRequest::header(std::string_view name) const {
    return find_header(headers, name);
}

std::string ServerRequest::query(std::string_view name) const {
    return query_value(target, name);
}

}  // namespace tagout::net
