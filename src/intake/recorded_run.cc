#include "intake/recorded_run.h"

#include <algorithm>
#include <simdjson.h>

namespace tagout::intake {

namespace {

namespace dom = simdjson::dom;

std::unexpected<Error> wrong(const std::string& place, std::string_view expected) {
    return fail(ErrorCode::InvalidArgument, place + ": " + std::string(expected) + " was expected");
}

/// A member that is a text, or absent or null: then "".
Result<std::string> optional_text(
    const dom::object& object, const std::string& place, std::string_view name
) {
    dom::element value;
    if (object[name].get(value) != simdjson::SUCCESS || value.is_null()) {
        return std::string{};
    }
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) {
        return wrong(place + std::string(name), "a text");
    }
    return std::string(text);
}

Result<std::string> required_text(
    const dom::object& object, const std::string& place, std::string_view name
) {
    dom::element value;
    std::string_view text;
    if (object[name].get(value) != simdjson::SUCCESS || value.get(text) != simdjson::SUCCESS) {
        return wrong(place + std::string(name), "a text");
    }
    return std::string(text);
}

Result<TurnRole> role_of(const dom::object& turn, const std::string& place) {
    const std::string role = TAGOUT_TRY(required_text(turn, place, "role"));
    if (role == "user") {
        return TurnRole::User;
    }
    if (role == "assistant") {
        return TurnRole::Assistant;
    }
    if (role == "tool") {
        return TurnRole::Tool;
    }
    if (role == "system" || role == "developer") {
        return TurnRole::System;
    }
    return wrong(place + "role", "system, user, assistant or tool");
}

/// Arguments are an object; some recorders keep the model's text instead.
Result<RecordedCall> call_of(const dom::element& element, const std::string& place) {
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) {
        return wrong(place.substr(0, place.size() - 1), "an object");
    }
    RecordedCall call;
    call.id = TAGOUT_TRY(optional_text(object, place, "id"));
    call.name = TAGOUT_TRY(required_text(object, place, "name"));
    dom::element arguments;
    if (object["arguments"].get(arguments) == simdjson::SUCCESS && !arguments.is_null()) {
        std::string_view text;
        call.arguments = arguments.get(text) == simdjson::SUCCESS ? std::string(text)
                                                                  : simdjson::minify(arguments);
    }
    return call;
}

Result<RecordedTurn> turn_of(const dom::element& element, const std::string& place) {
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) {
        return wrong(place.substr(0, place.size() - 1), "an object");
    }
    RecordedTurn turn;
    turn.role = TAGOUT_TRY(role_of(object, place));
    turn.content = TAGOUT_TRY(optional_text(object, place, "content"));
    turn.name = TAGOUT_TRY(optional_text(object, place, "name"));
    turn.tool_call_id = TAGOUT_TRY(optional_text(object, place, "tool_call_id"));
    dom::element member;
    if (object["error"].get(member) == simdjson::SUCCESS && !member.is_null()) {
        std::string_view text;
        if (member.get(text) == simdjson::SUCCESS) {
            turn.error = !text.empty();
        } else if (member.get(turn.error) != simdjson::SUCCESS) {
            return wrong(place + "error", "true or false");
        }
    }
    if (object["tool_calls"].get(member) == simdjson::SUCCESS && !member.is_null()) {
        dom::array calls;
        if (member.get(calls) != simdjson::SUCCESS) {
            return wrong(place + "tool_calls", "a list");
        }
        for (const dom::element call : calls) {
            const std::string number = std::to_string(turn.tool_calls.size());
            turn.tool_calls.push_back(
                TAGOUT_TRY(call_of(call, place + "tool_calls[" + number + "]."))
            );
        }
    }
    return turn;
}

/// Whole numbers of more digits than 64 bits hold, as texts: account and chain addresses in
/// arguments, which must keep their digits. Everything else as it is.
std::string with_long_numbers_quoted(std::string_view line) {
    constexpr std::size_t digits_max = 18;
    std::string text;
    bool in_string = false;
    for (std::size_t i = 0; i < line.size();) {
        const char c = line[i];
        if (in_string || (c != '-' && (c < '0' || c > '9'))) {
            if (in_string && c == '\\' && i + 1 < line.size()) {
                text += c;
                ++i;
            } else if (c == '"') {
                in_string = !in_string;
            }
            text += line[i];
            ++i;
            continue;
        }
        const std::size_t end =
            std::min(line.find_first_not_of("+-.0123456789eE", i + 1), line.size());
        const std::string_view number = line.substr(i, end - i);
        const bool quote = number.size() > digits_max
            && number.find_first_not_of("0123456789", number[0] == '-' ? 1 : 0)
                == std::string_view::npos;
        text += quote ? "\"" : "";
        text += number;
        text += quote ? "\"" : "";
        i = end;
    }
    return text;
}

bool has_member(const dom::object& object, std::string_view name) {
    return object[name].error() == simdjson::SUCCESS;
}

Result<RecordedRun> run_of(const dom::object& line) {
    RecordedRun run;
    run.source = TAGOUT_TRY(optional_text(line, "", "source"));
    run.split = TAGOUT_TRY(optional_text(line, "", "split"));
    const std::string kind = TAGOUT_TRY(optional_text(line, "", "kind"));
    if (kind == "series") {
        run.kind = RecordKind::Series;
        run.id = TAGOUT_TRY(optional_text(line, "", "id"));
        return run;
    }
    dom::array turns;
    dom::element member;
    if (line["turns"].get(member) != simdjson::SUCCESS) {
        if (has_member(line, "t") && has_member(line, "in") && has_member(line, "out")) {
            run.kind = RecordKind::RequestTrace;
            return run;
        }
        return wrong("turns", "a list of turns");
    }
    run.id = TAGOUT_TRY(required_text(line, "", "id"));
    if (run.id.empty()) {
        return wrong("id", "a text that is not empty");
    }
    run.agent = TAGOUT_TRY(optional_text(line, "", "agent"));
    run.task = TAGOUT_TRY(optional_text(line, "", "task"));
    run.tools_ref = TAGOUT_TRY(optional_text(line, "", "tools_ref"));
    if (member.get(turns) != simdjson::SUCCESS) {
        return wrong("turns", "a list of turns");
    }
    if (turns.size() > recorded_turns_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "turns: more than " + std::to_string(recorded_turns_max) + "; split the run"
        );
    }
    for (const dom::element turn : turns) {
        const std::string place = "turns[" + std::to_string(run.turns.size()) + "].";
        run.turns.push_back(TAGOUT_TRY(turn_of(turn, place)));
    }
    if (line["labels"].get(member) == simdjson::SUCCESS && !member.is_null()) {
        run.labels = simdjson::minify(member);
    }
    return run;
}

}  // namespace

Result<RecordedRun> parse_recorded_run(std::string_view line) {
    if (line.size() > recorded_line_bytes_max) {
        return fail(
            ErrorCode::LimitExceeded, "a line of " + std::to_string(line.size())
                + " bytes; at most " + std::to_string(recorded_line_bytes_max) + " are read"
        );
    }
    thread_local dom::parser parser;
    dom::element document;
    auto error = parser.parse(line.data(), line.size()).get(document);
    if (error == simdjson::NUMBER_ERROR) {
        error = parser.parse(with_long_numbers_quoted(line)).get(document);
    }
    if (error != simdjson::SUCCESS) {
        return fail(
            ErrorCode::InvalidArgument,
            std::string("no JSON: ") + simdjson::error_message(error)
                + "; one whole object a line was expected"
        );
    }
    dom::object object;
    if (document.get(object) != simdjson::SUCCESS) {
        return fail(ErrorCode::InvalidArgument, "a JSON object was expected, one a line");
    }
    return run_of(object);
}

}  // namespace tagout::intake
