#include "gateway/tool_definition.h"

#include <algorithm>
#include <vector>

namespace tagout::gateway {

namespace {

std::string canonical(RawJson value, std::size_t depth) {
    if (depth >= canonical_depth_max) {
        return std::string(value);
    }
    if (is_object(value)) {
        std::vector<std::pair<std::string, std::string>> members;
        for_each_member(value, [&](std::string_view key, RawJson part) {
            if (depth > 0 || (key != "_meta" && key != "icons")) {
                members.emplace_back(key, canonical(part, depth + 1));
            }
            return Walk::GoOn;
        });
        std::ranges::stable_sort(members, {}, &std::pair<std::string, std::string>::first);
        std::string text = "{";
        for (const auto& [key, part] : members) {
            text += (text.size() > 1 ? "," : "") + quoted(key) + ":" + part;
        }
        return text + "}";
    }
    if (is_array(value)) {
        std::string text = "[";
        for_each_element(value, [&](RawJson part) {
            text += (text.size() > 1 ? "," : "") + canonical(part, depth + 1);
            return Walk::GoOn;
        });
        return text + "]";
    }
    const auto text = string_of(value);
    return text ? quoted(*text) : std::string(value);
}

}  // namespace

std::string canonical_definition(RawJson tool) {
    return canonical(trimmed(tool), 0);
}

}  // namespace tagout::gateway
