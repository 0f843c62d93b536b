#include "net/http_text.h"

#include "net/url.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace tagout::net {

namespace {

struct Phrase {
    int status;
    std::string_view text;
};

constexpr std::array phrases{
    Phrase{200, "OK"},
    Phrase{201, "Created"},
    Phrase{202, "Accepted"},
    Phrase{204, "No Content"},
    Phrase{301, "Moved Permanently"},
    Phrase{302, "Found"},
    Phrase{304, "Not Modified"},
    Phrase{307, "Temporary Redirect"},
    Phrase{400, "Bad Request"},
    Phrase{401, "Unauthorized"},
    Phrase{403, "Forbidden"},
    Phrase{404, "Not Found"},
    Phrase{405, "Method Not Allowed"},
    Phrase{408, "Request Timeout"},
    Phrase{409, "Conflict"},
    Phrase{410, "Gone"},
    Phrase{411, "Length Required"},
    Phrase{413, "Content Too Large"},
    Phrase{415, "Unsupported Media Type"},
    Phrase{417, "Expectation Failed"},
    Phrase{421, "Misdirected Request"},
    Phrase{422, "Unprocessable Content"},
    Phrase{428, "Precondition Required"},
    Phrase{429, "Too Many Requests"},
    Phrase{431, "Request Header Fields Too Large"},
    Phrase{500, "Internal Server Error"},
    Phrase{501, "Not Implemented"},
    Phrase{502, "Bad Gateway"},
    Phrase{503, "Service Unavailable"},
    Phrase{504, "Gateway Timeout"},
};

void append_number(std::string& text, std::uint64_t number, int base) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
    text.append(digits.data(), end);
}

void append_clean(std::string& text, std::string_view value) {
    const std::size_t from = text.size();
    text += value;
    std::replace_if(
        text.begin() + static_cast<std::ptrdiff_t>(from),
        text.end(),
        [](char c) { return c == '\r' || c == '\n' || c == '\0'; },
        ' '
    );
}

bool is_the_servers_own(std::string_view name) {
    return equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Connection") ||
           equal_ignoring_case(name, "Date") || equal_ignoring_case(name, "Transfer-Encoding");
}

}  // namespace

std::string_view reason_phrase(int status) noexcept {
    for (const Phrase& phrase : phrases) {
        if (phrase.status == status) {
            return phrase.text;
        }
    }
    return "";
}

std::string http_date(Instant at) {
    const std::time_t seconds =
        std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    const std::size_t size =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), size};
}

std::string head_text(
    const ServerResponse& response, Framing framing, After after, std::string_view date,
    std::optional<std::uint64_t> length
) {
    std::string text;
    text.reserve(256);
    text += "HTTP/1.1 ";
    append_number(text, static_cast<std::uint64_t>(std::clamp(response.status, 200, 599)), 10);
    text += ' ';
    text += reason_phrase(response.status);
    text += "\r\nDate: ";
    text += date;
    text += "\r\n";
    for (const auto& [name, value] : response.headers) {
        if (is_the_servers_own(name)) {
            continue;
        }
        append_clean(text, name);
        text += ": ";
        append_clean(text, value);
        text += "\r\n";
    }
    if (framing == Framing::Chunked) {
        text += "Transfer-Encoding: chunked\r\n";
    } else if (framing == Framing::Length && may_have_body(response.status)) {
        text += "Content-Length: ";
        append_number(text, length.value_or(response.body.size()), 10);
        text += "\r\n";
    }
    if (after == After::Close) {
        text += "Connection: close\r\n";
    }
    text += "\r\n";
    return text;
}

std::string chunk_text(std::string_view bytes) {
    std::string text;
    if (bytes.empty()) {
        return text;
    }
    text.reserve(bytes.size() + 24);
    append_number(text, bytes.size(), 16);
    text += "\r\n";
    text += bytes;
    text += "\r\n";
    return text;
}

}  // namespace tagout::net
