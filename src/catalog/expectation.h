// What a journey's step expects of its answer, one line each:
//
//   status 200                   the HTTP status (http steps)
//   is_error false               whether the tool said that it failed (mcp steps)
//   contains TEXT                anywhere in the body or the tool's text
//   not contains TEXT            nowhere in it
//   json PATH == VALUE           a member by its dotted path, "order.items[0].id"; VALUE is JSON, or a
//                                bare word that is taken as a string
//   within 500ms                 the whole step took no longer
//
// A step without a line expects that it worked: a status below 400, or is_error false.
// Pure; thread-safe.
#pragma once

#include "base/clock.h"
#include "catalog/value_text.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::catalog {

struct Expectation {
    enum class Kind : std::uint8_t { Status, IsError, Contains, NotContains, Json, Within };
    Kind kind = Kind::Status;
    int status = 0;
    bool is_error = false;
    std::string text;   ///< Of contains and not contains; of json its path.
    std::string value;  ///< Of json: what it must be, as it was written.
    Duration within{0};
};

/// `step_kind` is http or mcp. The Problem says what is wrong and what to write.
[[nodiscard]] std::expected<Expectation, Problem> parse_expectation(
    std::string_view line, std::string_view step_kind
);

/// One step of a path: a member, or a position in a list when `name` is "".
struct PathPart {
    std::string name;
    std::size_t position = 0;
};
/// Empty when `path` is none.
[[nodiscard]] std::vector<PathPart> path_parts(std::string_view path);

}  // namespace tagout::catalog
