// What is cut out of an answer to tools/list: the tools that are stopped for who asks.
//
// Bytes are cut and nothing is written anew, so the tools that stay are exactly what the upstream
// sent, in its order: clients' prompt caches depend on both. In the modern era a list says how long
// it may be kept (`ttlMs`) and by whom (`cacheScope`); both are tightened, because a stop must
// show.
#pragma once

#include "gateway/json_scan.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::gateway {

inline constexpr std::uint64_t list_ttl_ms_max = 2'000;

struct EditedList {
    std::string json;
    std::vector<std::string> tools;  ///< All that the upstream offers, hidden ones too.
    std::vector<RawJson> definitions;  ///< Of each of them, as it stands in the text that was edited.
    std::size_t hidden = 0;
    bool changed = false;
};

/// Nothing if `json` is no answer with a list of tools in it, or no JSON. A batch of answers is
/// edited throughout.
[[nodiscard]] std::optional<EditedList> edit_tool_list(
    std::string_view json, const std::function<bool(std::string_view tool)>& is_hidden
);

}  // namespace tagout::gateway
