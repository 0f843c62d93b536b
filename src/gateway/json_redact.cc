#include "gateway/json_redact.h"

#include "gateway/json_edit.h"

#include <algorithm>
#include <bit>

namespace tagout::gateway {

namespace {

constexpr std::size_t depth_max = 4;  // JSON in a text in JSON ...
constexpr std::size_t number_digits_min = 9;
constexpr std::size_t base64_bytes_min = 64;

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// Behind the text that begins at `at` with its quote.
std::size_t text_end(std::string_view json, std::size_t at) {
    for (++at; at < json.size() && json[at] != '"'; ++at) {
        at += json[at] == '\\' ? 1 : 0;
    }
    return std::min(at + 1, json.size());
}

bool stays(std::string_view key, std::string_view plain) {
    if (key == "\"thinking\"" || key == "\"progressToken\"" || key == "\"requestId\"") {
        return true;  // signed, or what ties MCP's messages together
    }
    const bool opaque = key == "\"data\"" || key == "\"blob\"" || key == "\"signature\"" ||
                        key == "\"encrypted_content\"";
    return opaque && plain.size() >= base64_bytes_min && std::ranges::all_of(plain, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                      c == '+' || c == '/' || c == '-' || c == '_' || c == '=';
           });
}

bool on_side(RedactWhere where, RedactWhere side) {
    return where == RedactWhere::Both || where == side;
}

}  // namespace

Redaction::Redaction(Snapshot snapshot, std::uint64_t redactions) {
    add(snapshot, redactions);
}

void Redaction::add(const Snapshot& snapshot, std::uint64_t redactions) {
    if (redactions == 0) {
        return;
    }
    for (Part& part : parts_) {
        if (part.snapshot == snapshot) {
            part.redactions |= redactions;
            return;
        }
    }
    parts_.push_back({snapshot, redactions});
}

bool Redaction::has(RedactWhere side) const noexcept {
    for (const Part& part : parts_) {
        for (std::uint64_t bits = part.redactions; bits != 0; bits &= bits - 1) {
            const auto bit = static_cast<std::size_t>(std::countr_zero(bits));
            if (on_side(part.snapshot->redactor(bit).where(), side)) {
                return true;
            }
        }
    }
    return false;
}

std::optional<std::string> Redaction::text(RedactWhere side, std::string_view plain) const {
    std::optional<std::string> result;
    for (const Part& part : parts_) {
        for (std::uint64_t bits = part.redactions; bits != 0; bits &= bits - 1) {
            const auto& redactor =
                part.snapshot->redactor(static_cast<std::size_t>(std::countr_zero(bits)));
            if (!on_side(redactor.where(), side)) {
                continue;
            }
            if (auto changed = redactor.redacted(result ? std::string_view(*result) : plain)) {
                result = std::move(changed);
            }
        }
    }
    return result;
}

std::optional<std::string> Redaction::redacted(RedactWhere side, std::string_view json) const {
    if (json.empty() || !has(side)) {
        return std::nullopt;
    }
    return check_json(json) ? value(side, json, 0) : text(side, json);
}

std::optional<std::string> Redaction::redacted_message(RedactWhere side, std::string_view json)
    const {
    if (json.empty() || !has(side) || !check_json(json) || !is_object(trimmed(json))) {
        return redacted(side, json);
    }
    JsonEdits edits(json);
    for_each_member(trimmed(json), [&](std::string_view key, RawJson member) {
        if (key != "id" && key != "jsonrpc" && key != "method") {
            if (auto changed = value(side, member, 0)) {
                edits.replace(member, std::move(*changed));
            }
        }
        return Walk::GoOn;
    });
    return edits.empty() ? std::nullopt : std::optional(edits.text());
}

/// `json` has passed check_json. Walks its tokens; a text before a colon is a key.
std::optional<std::string> Redaction::value(
    RedactWhere side, std::string_view json, std::size_t depth
) const {
    JsonEdits edits(json);
    std::string_view key;
    for (std::size_t at = 0; at < json.size();) {
        const char c = json[at];
        if (c == '"') {
            const std::size_t end = text_end(json, at);
            const RawJson token = json.substr(at, end - at);
            std::size_t next = end;
            while (next < json.size() && is_space(json[next])) {
                ++next;
            }
            at = end;
            if (next < json.size() && json[next] == ':') {
                key = token;
                continue;
            }
            const std::string plain = string_of(token).value_or("");
            if (stays(key, plain)) {
                continue;
            }
            const bool nested = depth < depth_max &&
                                (plain.starts_with('{') || plain.starts_with('[')) &&
                                check_json(plain);
            if (auto changed = nested ? value(side, plain, depth + 1) : text(side, plain)) {
                edits.replace(token, quoted(*changed));
            }
        } else if ((c >= '0' && c <= '9') || c == '-') {
            const std::size_t end = std::min(json.find_first_of(",]} \n\r\t", at), json.size());
            const RawJson token = json.substr(at, end - at);
            if (token.size() >= number_digits_min && !stays(key, token)) {
                if (auto changed = text(side, token)) {
                    edits.replace(token, quoted(*changed));
                }
            }
            at = end;
        } else {
            key = c == '}' || c == '{' ? std::string_view() : key;
            ++at;
        }
    }
    return edits.empty() ? std::nullopt : std::optional(edits.text());
}

}  // namespace tagout::gateway
