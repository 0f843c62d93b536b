#include "intake/normalise_tools.h"

#include "intake/normalise_values.h"

#include <string>

namespace tagout::intake {

namespace {

/// `llm.tools.N.tool.json_schema`, each one tool, joined into a list.
std::string_view spread_definitions(const AttributeIndex& attributes, EventBatch& batch) {
    std::string joined;
    for (const Attribute& attribute : attributes.all()) {
        const std::string_view text = attribute.value.text();
        if (attribute.key_id == KeyId::LlmTool && attribute.key.ends_with(".tool.json_schema") &&
            json_container_of(text).type == JsonType::Object) {
            joined += joined.empty() ? '[' : ',';
            joined += text;
        }
    }
    if (!joined.empty()) {
        joined += ']';
    }
    return batch.keep(joined);
}

/// The answer to MCP's tools/list, if the span kept it.
std::string_view listed_definitions(const AttributeIndex& attributes) {
    for (const KeyId id : {key("traceloop.entity.output"), key("output.value")}) {
        const std::string_view text = attributes.text(id);
        if (text.find("\"tools\"") != std::string_view::npos &&
            json_container_of(text).type == JsonType::Object) {
            return text;
        }
    }
    return {};
}

}  // namespace

void fill_tool_definitions(
    const AttributeIndex& attributes, std::string_view name, EventBatch& batch, AgentEvent& out
) {
    if (attributes.has(key("gen_ai.tool.definitions"))) {
        const AnyValue& value = attributes[key("gen_ai.tool.definitions")];
        std::string scratch;
        out.tool_definitions =
            value.is_text() ? value.text() : batch.keep(container_of(value, scratch).raw);
    } else if (attributes.has(KeyId::LlmTool)) {
        out.tool_definitions = spread_definitions(attributes, batch);
    } else if (out.kind == EventKind::Mcp && name.find("tools/list") != std::string_view::npos) {
        out.tool_definitions = listed_definitions(attributes);
    }
}

}  // namespace tagout::intake
