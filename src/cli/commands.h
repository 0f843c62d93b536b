// The operator's verbs: each takes its parsed options and returns what to exit with, or an Error.
//
// Flags are declared once, in main.cc; exit codes of errors are server/error_map's. A verb that
// only reads files needs no server; the others speak the public API.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "cli/api_client.h"
#include "cli/terminal.h"

#include <string>
#include <vector>

namespace tagout::cli {

struct Common {
    ConnectionOptions connection;
    Format format = Format::Table;
    bool dry_run = false;  ///< Say what would be sent and send nothing.
};

struct ListOptions {
    std::string state;
    std::string failure_class;
    std::string severity;
    std::string kind;
    std::string text;
    unsigned limit = 100;
};

Result<int> list_incidents(const Common& common, const ListOptions& options, Terminal& terminal);
Result<int> show_incident(const Common& common, const std::string& id, Terminal& terminal);

/// One change of one incident: POST /v1/incidents/{id}/{verb} with these members.
struct ChangeOptions {
    std::string id;    ///< "" declares a new one.
    std::string verb;  ///< "ack", "notes", ..., "move"
    std::vector<std::pair<std::string, std::string>> members;
};
Result<int> change_incident(const Common& common, const ChangeOptions& options, Terminal& terminal);

Result<int> list_agents(const Common& common, Terminal& terminal);
Result<int> show_now(const Common& common, Terminal& terminal);
Result<int> list_notices(const Common& common, const std::string& incident, Terminal& terminal);
Result<int> test_notice(const Common& common, const std::string& channel, Terminal& terminal);

/// tagout events FILE...: what an OTLP file becomes, one normalised event a line.
Result<int> print_events(const std::vector<std::string>& files, Terminal& terminal);

}  // namespace tagout::cli
