#include "catalog/config_check.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tagout::catalog {

namespace {

bool is_alnum(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool has_control(std::string_view text) noexcept {
    return std::ranges::any_of(text, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

std::optional<Problem> check_name(std::string_view text) {
    if (text.empty()) {
        return Problem{"the name is empty", "Write a name"};
    }
    if (text.size() > name_bytes_max) {
        return Problem{
            quoted(text) + " has " + std::to_string(text.size()) + " bytes",
            "Write at most " + std::to_string(name_bytes_max)};
    }
    if (has_control(text)) {
        return Problem{quoted(text) + " holds a control character", "Remove it"};
    }
    if (text.front() == ' ' || text.back() == ' ') {
        return Problem{quoted(text) + " begins or ends with a blank", "Remove the blank"};
    }
    return std::nullopt;
}

std::optional<Problem> check_glob(std::string_view text) {
    if (auto problem = check_name(text)) {
        return problem;
    }
    if (text.find_first_of("[]{}^$|()\\") != std::string_view::npos) {
        return Problem{
            quoted(text) + " is no glob: only * and ? are special",
            "Write one entry for each alternative, with * for the rest"};
    }
    if (text.find("**") != std::string_view::npos) {
        return Problem{
            quoted(text) + " has two * in a row", "Write one *: it matches every character"};
    }
    return std::nullopt;
}

std::optional<Problem> check_owner_match(std::string_view text) {
    if (text == "*") {
        return std::nullopt;
    }
    constexpr std::array<std::string_view, 4> kinds{"tool", "agent", "workflow", "service"};
    const std::size_t colon = text.find(':');
    const std::string_view kind = text.substr(0, colon);
    if (colon == std::string_view::npos || std::ranges::find(kinds, kind) == kinds.end()) {
        const std::string_view near = colon == std::string_view::npos ? "" : nearest(kind, kinds);
        const std::string example =
            near.empty() ? "agent:refund-*" : std::string(near) + std::string(text.substr(colon));
        return Problem{
            quoted(text) + " does not say what kind of name it matches",
            "Write tool:, agent:, workflow: or service: and a glob, such as " + quoted(example) +
                ", or '*' for the rest"};
    }
    return check_glob(text.substr(colon + 1));
}

bool is_host(std::string_view host) noexcept {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        return host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.%") ==
               std::string_view::npos;
    }
    return !host.empty() && host.size() <= 253 && host.front() != '.' && host.front() != '-' &&
           std::ranges::all_of(host, [](char c) {
               return is_alnum(c) || c == '-' || c == '.' || c == '_';
           });
}

std::optional<Problem> check_port(std::string_view url, std::string_view port) {
    unsigned number = 0;
    const char* const end = port.data() + port.size();
    const auto [stopped, error] = std::from_chars(port.data(), end, number);
    if (port.empty() || error != std::errc() || stopped != end || number == 0 || number > 65535) {
        return Problem{quoted(url) + " has no valid port", "Write a port from 1 to 65535"};
    }
    return std::nullopt;
}

/// RFC 3986, as far as an HTTP client needs it: scheme, authority without userinfo, no blanks.
std::optional<Problem> check_url(std::string_view text) {
    const std::size_t scheme_end = text.find("://");
    const std::string_view scheme = text.substr(0, scheme_end);
    if (scheme_end == std::string_view::npos || (scheme != "http" && scheme != "https")) {
        return Problem{
            quoted(text) + " is no http or https URL",
            "Write it whole, such as http://127.0.0.1:9001/mcp"};
    }
    if (has_control(text) || text.find_first_of(" \"<>\\^`{|}") != std::string_view::npos) {
        return Problem{
            quoted(text) + " holds a character that no URL may have", "Write it percent-encoded"};
    }
    const std::string_view rest = text.substr(scheme_end + 3);
    std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
    if (host.find('@') != std::string_view::npos) {
        return Problem{
            "the URL holds a user name or password",
            "Remove it: secrets are given by environment variable or file"};
    }
    const std::size_t colon = host.rfind(':');
    const std::size_t bracket = host.rfind(']');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
        if (auto problem = check_port(text, host.substr(colon + 1))) {
            return problem;
        }
        host = host.substr(0, colon);
    }
    if (!is_host(host)) {
        return Problem{
            quoted(text) + " has no valid host", "Write a host name or address after ://"};
    }
    return std::nullopt;
}

std::optional<Problem> check_env_name(std::string_view text) {
    const bool name = !text.empty() && text.size() <= name_bytes_max &&
                      !(text.front() >= '0' && text.front() <= '9') &&
                      std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '_'; });
    if (name) {
        return std::nullopt;
    }
    // Not quoted: people put the secret itself here.
    return Problem{
        "this is not the name of an environment variable",
        "Write the variable's name, such as SLACK_WEBHOOK_URL, and put the secret into the "
        "variable"};
}

}  // namespace

std::optional<Problem> check_format(std::string_view text, Format format) {
    switch (format) {
        case Format::Text:
            return std::nullopt;
        case Format::Name:
            return check_name(text);
        case Format::Glob:
            return check_glob(text);
        case Format::OwnerMatch:
            return check_owner_match(text);
        case Format::Url:
            return check_url(text);
        case Format::EnvName:
            return check_env_name(text);
        case Format::FilePath:
            return text.empty() || has_control(text)
                       ? std::optional(Problem{"this is no path of a file", "Write the file's path"}
                         )
                       : std::nullopt;
    }
    return std::nullopt;
}

bool looks_secret(std::string_view text) {
    constexpr std::array<std::string_view, 16> prefixes{
        "sk-",
        "sk_live_",
        "sk_test_",
        "xoxb-",
        "xoxp-",
        "xoxa-",
        "xapp-",
        "ghp_",
        "gho_",
        "ghs_",
        "github_pat_",
        "AKIA",
        "whsec_",
        "glpat-",
        "AIza",
        "-----BEGIN"};
    constexpr std::size_t secret_bytes_min = 16;
    if (text.find("hooks.slack.com/services/") != std::string_view::npos) {
        return true;
    }
    const std::size_t scheme_end = text.find("://");
    if (scheme_end != std::string_view::npos) {
        const std::string_view rest = text.substr(scheme_end + 3);
        const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
        const std::size_t at = authority.find('@');
        return at != std::string_view::npos &&
               authority.substr(0, at).find(':') != std::string_view::npos;
    }
    return text.size() >= secret_bytes_min && text.find(' ') == std::string_view::npos
               ? std::ranges::any_of(
                     prefixes, [&](auto prefix) { return text.starts_with(prefix); }
                 )
               : text.starts_with("-----BEGIN");
}

bool names_secret(std::string_view key) {
    constexpr std::array<std::string_view, 14> keys{
        "api_key",
        "apikey",
        "auth_token",
        "credential",
        "integration_key",
        "key",
        "passwd",
        "password",
        "routing_key",
        "secret",
        "service_key",
        "signing_secret",
        "token",
        "webhook_secret"};
    return std::ranges::find(keys, key) != keys.end();
}

}  // namespace tagout::catalog
