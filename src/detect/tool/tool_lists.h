// ToolLists: which tools agents were offered, as their telemetry tells it, and the compiled schemas
// of their arguments. Agents send the same list with every model call, so a list is read once and
// known by its hash ever after; a schema is compiled when a call first has to be judged by it.
//
// Reads every form in which conventions write tools: OpenAI's {"type":"function","function":{...}},
// OpenTelemetry's and MCP's {"name","parameters" or "inputSchema"}, Anthropic's "input_schema",
// Gemini's "functionDeclarations", names alone, {"tools":[...]}, and objects from name to
// definition. What is no list of tools is remembered as such.
//
// Confined to its shard's thread. Bounds: lists_max lists of tools_max tools, bytes_max of texts
// and compiled schemas; past them the list used least recently is forgotten, and its calls are not
// judged. Cost: a hash of the list's text a model call that carries one (about 40 ns a KiB); some 2
// us a KiB for a new list, 20 to 70 us for a new schema.
#pragma once

#include "schema/schema.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {

struct OfferedTool {
    std::string name{};
    std::string schema_text{};  ///< "" where the list gives names alone.
    std::string description{};  ///< Likewise; the first description_bytes_max of it.
    std::optional<schema::Schema> compiled{};
    bool tried = false;  ///< To compile; a schema that could not be is not tried again.
};

class ToolLists {
public:
    static constexpr std::size_t lists_max = 512;
    static constexpr std::size_t tools_max = 512;
    static constexpr std::size_t schema_bytes_max = 64 * 1024;
    static constexpr std::size_t description_bytes_max = 4 * 1024;
    static constexpr std::size_t bytes_max = 64ULL << 20;

    /// Reads the list if it is new; its hash, never 0. `fresh` says whether it was.
    std::uint64_t note(std::string_view definitions, bool* fresh = nullptr);
    /// The tool that a call of `name` is of: that name, else one that differs by a server's prefix
    /// ("files.read", "mcp__files__read"). nullptr if the list has none or is not known.
    [[nodiscard]] OfferedTool* find(std::uint64_t list, std::string_view name);
    /// nullptr if the list is not known. Valid until the next call that is not const.
    [[nodiscard]] const std::vector<OfferedTool>* tools(std::uint64_t list) const;
    /// Whether the list is known and names any tool.
    [[nodiscard]] bool knows(std::uint64_t list) const;
    /// Of a tool that find() returned for `list`, compiled on demand; nullptr if it has no schema,
    /// or one that cannot be compiled.
    [[nodiscard]] const schema::Schema* schema_of(std::uint64_t list, OfferedTool& tool);

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint64_t forgotten() const noexcept { return forgotten_; }

private:
    struct List {
        std::vector<OfferedTool> tools;
        std::size_t bytes = 0;
        std::uint64_t used = 0;
    };
    void make_room();

    boost::unordered_flat_map<std::uint64_t, List> lists_;
    std::size_t bytes_ = 0;
    std::uint64_t uses_ = 0;
    std::uint64_t forgotten_ = 0;
};

}  // namespace tagout::detect
