// The tool definitions that recorded runs refer to: "tools_bank.json#suites/banking" is that member
// of that file beside the recording. Read once and kept, so that each run of a set gets them for
// nothing.
//
// Thread-compatible. Bounds: files_max files of file_bytes_max. A file that is not there or cannot
// be read gives "": what is not told is not judged by.
#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace tagout::app {

class ToolDefinitions {
public:
    static constexpr std::size_t files_max = 16;
    static constexpr std::size_t refs_max = 1'000;
    static constexpr std::size_t file_bytes_max = 16 << 20;

    /// JSON of what `tools_ref` of a run recorded in `recording` names. Valid while this lives.
    [[nodiscard]] const std::string& find(std::string_view recording, std::string_view tools_ref);

private:
    [[nodiscard]] const boost::json::value& file(const std::string& path);

    std::map<std::string, boost::json::value> files_;
    std::map<std::string, std::string, std::less<>> texts_;
};

}  // namespace tagout::app
