#include "cli/commands.h"
#include "cli/line_source.h"
#include "intake/otlp_file.h"

namespace tagout::cli {

namespace {

constexpr std::size_t otlp_bytes_max = std::size_t{1} << 30;

}  // namespace

Result<int> print_events(const std::vector<std::string>& files, Terminal& terminal) {
    for (const std::string& file : files) {
        const std::string bytes = TAGOUT_TRY(read_whole(file, otlp_bytes_max));
        const std::vector<std::string> lines = TAGOUT_TRY(intake::event_lines_of_file(bytes, file));
        for (const std::string& line : lines) {
            terminal.line(line);
        }
    }
    return 0;
}

}  // namespace tagout::cli
