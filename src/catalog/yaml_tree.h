// YamlTree: a YAML document as plain nodes with their places, read within bounds.
//
// yaml-cpp parses; this keeps what it says as values, so that the reader above can name line and
// column of every mistake and no exception leaves the room. An alias shares the node of its anchor,
// so a "billion laughs" file stays as small in memory as it is on disk; whoever walks the tree
// counts visits (YamlLimits::visits_max). Untrusted input: any bytes give a tree or a Mistake.
#pragma once

#include "catalog/mistake.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::catalog {

struct YamlLimits {
    std::size_t bytes_max = 1024 * 1024;
    std::size_t depth_max = 32;        ///< Of nested maps and sequences.
    std::size_t nodes_max = 100'000;   ///< In the file.
    std::size_t visits_max = 200'000;  ///< By a walk that follows aliases.
};

struct YamlNode {
    enum class Kind : std::uint8_t { Null, Scalar, Sequence, Map };
    Kind kind = Kind::Null;
    bool quoted = false;  ///< A scalar in quotes or a block: never a number or a boolean.
    int line = 0;
    int column = 0;
    std::string text;
    /// Of a sequence its items; of a map key, value, key, value, ... Indices into YamlTree::nodes.
    std::vector<std::uint32_t> children;
};

struct YamlTree {
    std::vector<YamlNode> nodes;
    std::uint32_t root = 0;  ///< Valid when `mistakes` is empty; Null for an empty file.
    std::vector<Mistake> mistakes;
};

[[nodiscard]] YamlTree read_yaml(std::string_view text, const YamlLimits& limits);

}  // namespace tagout::catalog
