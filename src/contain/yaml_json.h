// A part of a YAML document as JSON text: numbers, true, false and null where they stand unquoted,
// texts otherwise. Internal to contain/.
#pragma once

#include "catalog/yaml_tree.h"

#include <expected>
#include <string>

namespace tagout::contain {

struct YamlJsonProblem {
    const catalog::YamlNode* at = nullptr;
    std::string what;
    std::string remedy;
};

/// At most `bytes_max` bytes, also where aliases repeat what stands once.
[[nodiscard]] std::expected<std::string, YamlJsonProblem> json_of(
    const catalog::YamlTree& tree, const catalog::YamlNode& node, std::size_t bytes_max
);

}  // namespace tagout::contain
