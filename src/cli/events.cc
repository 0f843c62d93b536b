#include "cli/commands.h"
#include "cli/line_source.h"
#include "intake/otlp_file.h"

namespace tagout::cli {

namespace {

constexpr std::size_t otlp_bytes_max = std::size_t{1} << 30;

}  // namespace

Result<int> print_events(const std::vector<std::string>& files, Terminal& terminal) {
    std::vector<std::string> contents;
    for (const std::string& file : files) {
        contents.push_back(TAGOUT_TRY(read_whole(file, otlp_bytes_max)));
    }
    // As one: the spans and the logs of a run belong together, whichever file they lie in.
    std::vector<intake::OtlpFile> parts;
    for (std::size_t i = 0; i < files.size(); ++i) {
        parts.push_back({files[i], contents[i]});
    }
    const std::vector<std::string> lines =
        TAGOUT_TRY(intake::event_lines_of_files(parts, intake::DecodeLimits{}));
    for (const std::string& line : lines) {
        terminal.line(line);
    }
    return 0;
}

}  // namespace tagout::cli
