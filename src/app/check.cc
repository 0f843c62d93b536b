#include "app/config_file.h"
#include "app/offline.h"
#include "cli/json_text.h"
#include "cli/line_source.h"

#include <boost/json.hpp>

namespace tagout::app {

namespace {

namespace json = boost::json;

constexpr std::size_t file_bytes_max = 4 * 1024 * 1024;

json::array mistakes_json(const std::vector<catalog::Mistake>& mistakes) {
    json::array rows;
    for (const catalog::Mistake& mistake : mistakes) {
        rows.push_back({
            {"line", mistake.line},
            {"column", mistake.column},
            {"path", mistake.path},
            {"what", mistake.what},
            {"remedy", mistake.remedy},
        });
    }
    return rows;
}

}  // namespace

Result<int> check_config(const std::string& file, cli::Format format, cli::Terminal& terminal) {
    const std::string yaml = TAGOUT_TRY(cli::read_whole(file, file_bytes_max));
    const ConfigFile read = check_text(yaml, file);
    if (format != cli::Format::Table) {
        terminal.line(
            cli::rendered(json::object{{"mistakes", mistakes_json(read.mistakes)}}, format)
        );
    } else {
        for (const catalog::Mistake& mistake : read.mistakes) {
            terminal.line(catalog::to_text(mistake, file));
        }
        if (read.configured) {
            const catalog::Contents& contents = read.configured->catalog->contents();
            terminal.line(
                file + " is good: " + std::to_string(contents.agents.size()) + " agents, " +
                std::to_string(contents.workflows.size()) + " workflows, " +
                std::to_string(contents.tools.size()) + " tools, " +
                std::to_string(contents.owners.size()) + " owner rules"
            );
        }
    }
    return read.configured ? 0 : 1;
}

}  // namespace tagout::app
