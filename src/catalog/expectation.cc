#include "catalog/expectation.h"

#include "catalog/mistake.h"

#include <charconv>
#include <optional>

namespace tagout::catalog {

namespace {

using Kind = Expectation::Kind;
using Parsed = std::expected<Expectation, Problem>;

constexpr std::size_t path_parts_max = 20;
constexpr std::string_view forms =
    "Write one of: status 200, is_error false, contains TEXT, not contains TEXT, "
    "json PATH == VALUE, within 500ms";

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// The rest behind `word` and a blank; nothing when `line` begins otherwise.
std::optional<std::string_view> after(std::string_view line, std::string_view word) {
    if (!line.starts_with(word)) {
        return std::nullopt;
    }
    line.remove_prefix(word.size());
    if (!line.empty() && line.front() != ' ') {
        return std::nullopt;
    }
    return trimmed(line);
}

Parsed problem(std::string what, std::string remedy) {
    return std::unexpected(Problem{std::move(what), std::move(remedy)});
}

Parsed status(std::string_view rest, std::string_view step_kind) {
    Expectation made{Kind::Status, 0, false, "", "", Duration{0}};
    if (step_kind == "mcp") {
        return problem("an mcp step has no status", "Write is_error false, or contains TEXT");
    }
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), made.status);
    if (error != std::errc{} || end != rest.data() + rest.size() || made.status < 100 ||
        made.status > 599) {
        return problem(quoted(rest) + " is no status", "Write a number from 100 to 599");
    }
    return made;
}

Parsed is_error(std::string_view rest, std::string_view step_kind) {
    if (step_kind == "http") {
        return problem("an http step has no is_error", "Write status 200, or contains TEXT");
    }
    if (rest != "true" && rest != "false") {
        return problem(quoted(rest) + " is neither true nor false", "Write is_error false");
    }
    return Expectation{Kind::IsError, 0, rest == "true", "", "", Duration{0}};
}

Parsed text(Kind kind, std::string_view rest) {
    if (rest.empty()) {
        return problem("the text is missing", "Write contains and the text to look for");
    }
    return Expectation{kind, 0, false, std::string(rest), "", Duration{0}};
}

Parsed json(std::string_view rest) {
    const std::size_t equals = rest.find("==");
    const std::string_view path = trimmed(rest.substr(0, equals));
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view{} : trimmed(rest.substr(equals + 2));
    if (equals == std::string_view::npos || value.empty()) {
        return problem("'==' and a value are missing", "Write json order.status == \"paid\"");
    }
    if (path_parts(path).empty()) {
        return problem(
            quoted(path) + " is no path", "Write members with dots and positions, order.items[0].id"
        );
    }
    return Expectation{Kind::Json, 0, false, std::string(path), std::string(value), Duration{0}};
}

Parsed within(std::string_view rest) {
    const Result<Duration> duration = parse_duration(rest);
    if (!duration || *duration <= Duration{0}) {
        return problem(quoted(rest) + " is no duration", "Write within 500ms, or within 2s");
    }
    return Expectation{Kind::Within, 0, false, "", "", *duration};
}

}  // namespace

std::vector<PathPart> path_parts(std::string_view path) {
    std::vector<PathPart> parts;
    while (!path.empty()) {
        if (parts.size() >= path_parts_max) {
            return {};
        }
        if (path.front() == '[') {
            PathPart part;
            const std::size_t close = path.find(']');
            const std::string_view digits =
                close == std::string_view::npos ? std::string_view{} : path.substr(1, close - 1);
            const auto [end, error] =
                std::from_chars(digits.data(), digits.data() + digits.size(), part.position);
            if (error != std::errc{} || end != digits.data() + digits.size()) {
                return {};
            }
            parts.push_back(part);
            path.remove_prefix(close + 1);
        } else {
            if (!parts.empty()) {
                if (path.front() != '.') {
                    return {};
                }
                path.remove_prefix(1);
            }
            const std::size_t end = path.find_first_of(".[");
            if (end == 0 || path.empty()) {
                return {};
            }
            parts.push_back({std::string(path.substr(0, end)), 0});
            path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
        }
    }
    return parts;
}

std::expected<Expectation, Problem> parse_expectation(
    std::string_view line, std::string_view step_kind
) {
    line = trimmed(line);
    if (const auto rest = after(line, "status")) {
        return status(*rest, step_kind);
    }
    if (const auto rest = after(line, "is_error")) {
        return is_error(*rest, step_kind);
    }
    if (const auto rest = after(line, "contains")) {
        return text(Kind::Contains, *rest);
    }
    if (const auto rest = after(line, "not contains")) {
        return text(Kind::NotContains, *rest);
    }
    if (const auto rest = after(line, "json")) {
        return json(*rest);
    }
    if (const auto rest = after(line, "within")) {
        return within(*rest);
    }
    return problem(quoted(line) + " is no expectation", std::string(forms));
}

}  // namespace tagout::catalog
