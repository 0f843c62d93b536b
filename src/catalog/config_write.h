// The half of tagout.yaml that an enforcement point needs, written so that read_config() gives it back:
// agents, workflows, tools, MCP servers and model APIs; no owners, no channels, no secrets' names but
// those of the upstreams.
//
// Pure; thread-safe.
#pragma once

#include "catalog/catalog.h"

#include <string>

namespace tagout::catalog {

/// JSON, which YAML is a superset of, on one line. Values that are as they would be unset are left out.
[[nodiscard]] std::string enforcement_config(const Contents& contents);

}  // namespace tagout::catalog
