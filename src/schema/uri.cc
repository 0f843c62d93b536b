#include "schema/uri.h"

#include <algorithm>
#include <optional>

namespace tagout::schema {

namespace {

struct Parts {
    std::optional<std::string_view> scheme;
    std::optional<std::string_view> authority;
    std::string_view path;
    std::optional<std::string_view> query;
    std::optional<std::string_view> fragment;
};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::size_t scheme_length(std::string_view uri) {
    for (std::size_t i = 0; i < uri.size(); ++i) {
        const char c = uri[i];
        if (c == ':') {
            return i;
        }
        const bool inner = i > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.');
        if (!is_letter(c) && !inner) {
            break;
        }
    }
    return 0;
}

Parts parts_of(std::string_view uri) {
    Parts parts;
    if (const auto at = uri.find('#'); at != std::string_view::npos) {
        parts.fragment = uri.substr(at + 1);
        uri = uri.substr(0, at);
    }
    if (const auto at = uri.find('?'); at != std::string_view::npos) {
        parts.query = uri.substr(at + 1);
        uri = uri.substr(0, at);
    }
    if (const std::size_t length = scheme_length(uri); length > 0) {
        parts.scheme = uri.substr(0, length);
        uri = uri.substr(length + 1);
    }
    if (uri.starts_with("//")) {
        const std::size_t end = std::min(uri.find('/', 2), uri.size());
        parts.authority = uri.substr(2, end - 2);
        uri = uri.substr(end);
    }
    parts.path = uri;
    return parts;
}

std::string without_dots(std::string_view path) {
    std::string out;
    while (!path.empty()) {
        if (path.starts_with("../")) {
            path.remove_prefix(3);
        } else if (path.starts_with("./")) {
            path.remove_prefix(2);
        } else if (path.starts_with("/./")) {
            path.remove_prefix(2);
        } else if (path == "/.") {
            path = "/";
        } else if (path.starts_with("/../") || path == "/..") {
            path = path.size() > 3 ? path.substr(3) : std::string_view("/");
            const auto slash = out.rfind('/');
            out.resize(slash == std::string::npos ? 0 : slash);
        } else if (path == "." || path == "..") {
            path = {};
        } else {
            const std::size_t end = std::min(path.find('/', 1), path.size());
            out += path.substr(0, end);
            path.remove_prefix(end);
        }
    }
    return out;
}

std::string merged(const Parts& base, std::string_view path) {
    if (base.authority && base.path.empty()) {
        return "/" + std::string(path);
    }
    const auto slash = base.path.rfind('/');
    if (slash == std::string_view::npos) {
        return std::string(path);
    }
    return std::string(base.path.substr(0, slash + 1)) + std::string(path);
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

}  // namespace

std::string resolve_uri(std::string_view base_uri, std::string_view reference) {
    const Parts base = parts_of(base_uri);
    const Parts wanted = parts_of(reference);
    std::optional<std::string_view> scheme = base.scheme;
    std::optional<std::string_view> authority = base.authority;
    std::optional<std::string_view> query = wanted.query;
    std::string path;
    if (wanted.scheme) {
        scheme = wanted.scheme;
        authority = wanted.authority;
        path = without_dots(wanted.path);
    } else if (wanted.authority) {
        authority = wanted.authority;
        path = without_dots(wanted.path);
    } else if (wanted.path.empty()) {
        path = base.path;
        query = wanted.query ? wanted.query : base.query;
    } else if (wanted.path.starts_with('/')) {
        path = without_dots(wanted.path);
    } else {
        path = without_dots(merged(base, wanted.path));
    }
    std::string out;
    if (scheme) {
        out.append(*scheme).append(":");
    }
    if (authority) {
        out.append("//").append(*authority);
    }
    out += path;
    if (query) {
        out.append("?").append(*query);
    }
    if (wanted.fragment) {
        out.append("#").append(*wanted.fragment);
    }
    return out;
}

std::pair<std::string, std::string> split_fragment(std::string_view uri) {
    const auto at = uri.find('#');
    if (at == std::string_view::npos) {
        return {std::string(uri), ""};
    }
    return {std::string(uri.substr(0, at)), percent_decoded(uri.substr(at + 1))};
}

std::vector<std::string> pointer_tokens(std::string_view pointer) {
    std::vector<std::string> tokens;
    for (const char c : pointer) {
        if (c == '/') {
            tokens.emplace_back();
        } else if (!tokens.empty()) {
            tokens.back() += c;
        }
    }
    for (std::string& token : tokens) {
        std::string plain;
        for (std::size_t i = 0; i < token.size(); ++i) {
            const bool escape = token[i] == '~' && i + 1 < token.size();
            if (escape && (token[i + 1] == '0' || token[i + 1] == '1')) {
                plain += token[++i] == '0' ? '~' : '/';
            } else {
                plain += token[i];
            }
        }
        token = std::move(plain);
    }
    return tokens;
}

void append_token(std::string& pointer, std::string_view token) {
    pointer += '/';
    for (const char c : token.substr(0, token_bytes_max)) {
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer += c;
        }
    }
    if (token.size() > token_bytes_max) {
        pointer += "...";
    }
}

}  // namespace tagout::schema
