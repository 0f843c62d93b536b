// Verbs that are one call of the control API, declared as rows of a table.
//
// A row says how a verb is called and what its answer looks like as a table; flags, --dry-run, -o,
// errors and exit codes are the same for all of them. main.cc makes the command line from the rows,
// so that CLI11 stays in one translation unit. Verbs that need more than one call are functions.
#pragma once

#include "cli/commands.h"

#include <boost/json/value.hpp>

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tagout::cli {

enum class ArgumentKind : std::uint8_t {
    Text,
    Number,
    Flag,  ///< true when given
    List,  ///< Words after the flag, or all positional ones.
    File,  ///< Names a file; its content is sent. "-" reads standard input.
};

/// One argument, by the name of the member of the API that it fills.
struct VerbArgument {
    std::string_view member;
    std::string_view help;
    ArgumentKind kind = ArgumentKind::Text;
    bool required = false;
    bool positional = false;
    std::string_view flag = {};  ///< When it is not "--" and the member with dashes: "--as".
};

/// Who asks and why: nearly every change has both.
inline constexpr VerbArgument as_argument{
    "actor", "Who you are, for the journal", ArgumentKind::Text, false, false, "--as"};
inline constexpr VerbArgument reason_argument{"reason", "Why", ArgumentKind::Text, true};

using Render = void (*)(const boost::json::value& answer, Terminal& terminal);
using ExitCode = int (*)(const boost::json::value& answer);

struct ApiVerb {
    std::string_view name;
    std::string_view help;
    std::string_view method;  ///< GET or POST
    /// "{member}" stands for that argument; others go into the query of a GET, the body of a POST.
    std::string_view path;
    std::vector<VerbArgument> arguments = {};
    std::vector<std::pair<std::string_view, std::string_view>> fixed = {};
    Render render = nullptr;       ///< Of -o table; without one the answer is shown as YAML.
    ExitCode exit_code = nullptr;  ///< Without one: 0.
    /// Argument that names the file into which the answer is written as it came (never over another
    /// file without --force); "" prints it.
    std::string_view save_to = {};
    /// Of a POST: where --dry-run sends the same body to learn what would have come of it.
    std::string_view preview = {};
    Render render_preview = nullptr;
    bool at_gateway = false;  ///< A gateway's admin door answers it, too.
};

/// Verbs under one word, such as `tagout contain`. Without a name they stand at the top.
struct VerbGroup {
    std::string_view name;
    std::string_view help;
    std::vector<ApiVerb> verbs;
};

/// What was given, by member; a flag holds "true".
using VerbValues = std::map<std::string, std::vector<std::string>, std::less<>>;

/// "--without-journeys" for without_journeys, unless the row says otherwise.
[[nodiscard]] std::string flag_of(const VerbArgument& argument);

/// InvalidArgument: a file that cannot be read, a number that is none. Else as the server says.
Result<int> run_verb(
    const Common& common, const ApiVerb& verb, const VerbValues& values, Terminal& terminal
);

/// What would be sent: path with query, and the body of a POST ("" for a GET).
struct VerbRequest {
    std::string path;
    std::string body;
};
Result<VerbRequest> request_of(const ApiVerb& verb, const VerbValues& values);

/// Every group, in the order of the help.
[[nodiscard]] const std::vector<VerbGroup>& verb_groups();

}  // namespace tagout::cli
