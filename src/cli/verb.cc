#include "cli/verb.h"

#include "cli/json_text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <unistd.h>

namespace tagout::cli {

namespace {

namespace json = boost::json;

constexpr std::size_t file_bytes_max = std::size_t{16} << 20;

Result<std::string> content_of(const std::string& file) {
    std::string content;
    if (file == "-") {
        content.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        std::ifstream in(file, std::ios::binary);
        if (!in) {
            return fail(ErrorCode::InvalidArgument, file + ": cannot be read");
        }
        content.assign(std::istreambuf_iterator<char>(in), {});
    }
    if (content.size() > file_bytes_max) {
        return fail(ErrorCode::LimitExceeded, file + ": over 16 MiB");
    }
    return content;
}

Result<json::value> value_of(
    const VerbArgument& argument, const std::vector<std::string>& given
) {
    switch (argument.kind) {
        case ArgumentKind::Text:
            return json::value(given.back());
        case ArgumentKind::File:
            return json::value(TAGOUT_TRY(content_of(given.back())));
        case ArgumentKind::Flag:
            return json::value(true);
        case ArgumentKind::List: {
            json::array items;
            for (const std::string& each : given) {
                items.emplace_back(each);
            }
            return json::value(std::move(items));
        }
        case ArgumentKind::Number: {
            const std::string& text = given.back();
            std::int64_t number = 0;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), number);
            if (error != std::errc{} || end != text.data() + text.size()) {
                return fail(
                    ErrorCode::InvalidArgument, flag_of(argument) + ": '" + text + "' is no number"
                );
            }
            return json::value(number);
        }
    }
    return json::value(nullptr);
}

std::string joined(const std::vector<std::string>& items) {
    std::string text;
    for (const std::string& each : items) {
        text += (text.empty() ? "" : ",") + each;
    }
    return text;
}

/// Whole or not at all: the bytes stand under another name until they are on disk.
Result<void> save(const std::string& path, const std::string& bytes, bool over) {
    std::error_code error;
    if (!over && std::filesystem::exists(path, error)) {
        return fail(ErrorCode::Conflict, path + " exists; --force replaces it");
    }
    const std::string partial = path + ".partial." + std::to_string(::getpid());
    {
        std::ofstream out(partial, std::ios::binary | std::ios::trunc);
        out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        out.flush();
        if (!out) {
            std::filesystem::remove(partial, error);
            return fail(ErrorCode::Unavailable, path + ": cannot be written");
        }
    }
    std::filesystem::rename(partial, path, error);
    if (error) {
        return fail(ErrorCode::Unavailable, path + ": " + error.message());
    }
    return {};
}

}  // namespace

std::string flag_of(const VerbArgument& argument) {
    if (!argument.flag.empty()) {
        return std::string(argument.flag);
    }
    std::string flag = "--" + std::string(argument.member);
    std::ranges::replace(flag, '_', '-');
    return flag;
}

Result<VerbRequest> request_of(const ApiVerb& verb, const VerbValues& values) {
    VerbRequest request{std::string(verb.path), ""};
    const bool is_post = verb.method == "POST";
    json::object body;
    std::string query;
    const auto add_query = [&query](std::string_view name, const std::string& value) {
        query += (query.empty() ? "?" : "&") + std::string(name) + "=" + url_encode(value);
    };
    for (const auto& [name, value] : verb.fixed) {
        if (is_post) {
            body[name] = value;
        } else {
            add_query(name, std::string(value));
        }
    }
    for (const VerbArgument& argument : verb.arguments) {
        const auto given = values.find(argument.member);
        const bool absent = given == values.end() || given->second.empty() ||
                            (given->second.size() == 1 && given->second.front().empty());
        if (absent || argument.member == verb.save_to || argument.member == "force") {
            continue;
        }
        const std::string place = "{" + std::string(argument.member) + "}";
        if (const std::size_t at = request.path.find(place); at != std::string::npos) {
            request.path.replace(at, place.size(), url_encode(given->second.back()));
        } else if (is_post) {
            body[argument.member] = TAGOUT_TRY(value_of(argument, given->second));
        } else {
            add_query(argument.member, joined(given->second));
        }
    }
    request.path += query;
    if (is_post) {
        request.body = json::serialize(body);
    }
    return request;
}

namespace {

/// A dry run needs no server; with one it also says what would have come of it.
int preview(
    const Common& common, const ApiVerb& verb, const VerbRequest& request, Terminal& terminal
) {
    ApiClient api(connection(common.connection));
    const Result<std::string> text = api.post(std::string(verb.preview), request.body);
    const Result<json::value> answer =
        text ? parse_answer(*text) : Result<json::value>(std::unexpected(text.error()));
    if (!answer) {
        terminal.note("what it would have done is not known: " + answer.error().message);
    } else if (common.format != Format::Table || verb.render_preview == nullptr) {
        terminal.line(rendered(*answer, common.format));
    } else {
        verb.render_preview(*answer, terminal);
    }
    return 0;
}

}  // namespace

Result<int> run_verb(
    const Common& common, const ApiVerb& verb, const VerbValues& values, Terminal& terminal
) {
    const VerbRequest request = TAGOUT_TRY(request_of(verb, values));
    if (common.dry_run) {
        terminal.line(
            "would " + std::string(verb.method) + " " + request.path +
            (request.body.empty() ? "" : " " + request.body)
        );
        return verb.preview.empty() ? 0 : preview(common, verb, request, terminal);
    }
    ApiClient api(connection(common.connection));
    const std::string text = TAGOUT_TRY(
        verb.method == "POST" ? api.post(request.path, request.body) : api.get(request.path)
    );
    if (const auto file = values.find(verb.save_to);
        !verb.save_to.empty() && file != values.end() && !file->second.back().empty()) {
        const std::string& path = file->second.back();
        TAGOUT_TRY(save(path, text, values.contains("force")));
        terminal.line("wrote " + path + " (" + std::to_string(text.size()) + " bytes)");
        return 0;
    }
    const json::value answer = TAGOUT_TRY(parse_answer(text));
    if (common.format != Format::Table || verb.render == nullptr) {
        terminal.line(rendered(answer, common.format));
    } else {
        verb.render(answer, terminal);
    }
    return verb.exit_code == nullptr ? 0 : verb.exit_code(answer);
}

}  // namespace tagout::cli
