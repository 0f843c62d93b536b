#include "gateway/model_api.h"

namespace tagout::gateway {

namespace {

std::string text_member(RawJson json, std::string_view key) {
    return string_of(member(json, key)).value_or("");
}

}  // namespace

ModelApi model_api_of(std::string_view method, std::string_view path) noexcept {
    if (method != "POST") {
        return ModelApi::Other;
    }
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    if (path.ends_with("/chat/completions")) {
        return ModelApi::Chat;
    }
    if (path.ends_with("/responses")) {
        return ModelApi::Responses;
    }
    return path.ends_with("/messages") ? ModelApi::Messages : ModelApi::Other;
}

NamedTool named_tool(RawJson tool) {
    const std::string type = text_member(tool, "type");
    if (type == "mcp") {
        return {text_member(tool, "server_label"), text_member(tool, "name")};
    }
    if (type == "mcp_toolset") {
        return {text_member(tool, "mcp_server_name"), ""};
    }
    for (const std::string_view holder : {"function", "custom"}) {
        if (const RawJson inner = member(tool, holder); is_object(inner)) {
            return {"", text_member(inner, "name")};
        }
    }
    std::string name = text_member(tool, "name");
    return {"", name.empty() ? type : std::move(name)};
}

}  // namespace tagout::gateway
