#include "detect/tool/tool_lists.h"

#include "detect/hash.h"
#include "intake/texts.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tagout::detect {

namespace {

using simdjson::dom::element;

constexpr std::size_t list_depth_max = 64;

std::optional<element> member(element value, std::string_view name) {
    element found;
    if (value.is_object() && value.at_key(name).get(found) == simdjson::SUCCESS) {
        return found;
    }
    return std::nullopt;
}

std::string text_of(const std::optional<element>& value) {
    std::string_view text;
    return value && value->get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

/// The schema of the arguments in one tool's definition, "" if it has none.
std::string schema_text(element definition) {
    for (const std::string_view name :
         {"parameters", "inputSchema", "input_schema", "parametersJsonSchema"}) {
        std::optional<element> found = member(definition, name);
        if (found) {
            if (const auto inner = member(*found, "jsonSchema")) {
                found = inner;  // Vercel's wrapping
            }
            if (found->is_object()) {
                std::string text = simdjson::minify(*found);
                return text.size() <= ToolLists::schema_bytes_max ? text : std::string();
            }
        }
    }
    return {};
}

std::string description_of(element definition) {
    std::string_view text;
    const std::optional<element> found = member(definition, "description");
    return found && found->get(text) == simdjson::SUCCESS
               ? std::string(intake::clipped(text, ToolLists::description_bytes_max))
               : std::string();
}

class Reading {
public:
    std::vector<OfferedTool> take(element root) {
        if (const auto listed = member(root, "tools")) {
            add_all(*listed);
        } else {
            add_all(root);
        }
        return std::move(tools_);
    }

private:
    void add(std::string name) {
        if (!name.empty() && tools_.size() < ToolLists::tools_max) {
            tools_.push_back({.name = std::move(name)});
        }
    }

    void add(std::string name, element definition) {
        if (!name.empty() && tools_.size() < ToolLists::tools_max) {
            tools_.push_back(
                {.name = std::move(name),
                 .schema_text = schema_text(definition),
                 .description = description_of(definition)}
            );
        }
    }

    void add_all(element list) {
        if (list.is_array()) {
            const simdjson::dom::array items = list.get_array().value_unsafe();
            for (const element item : items) {
                add_one(item);
            }
        } else if (list.is_object()) {
            const simdjson::dom::object members = list.get_object().value_unsafe();
            for (const auto entry : members) {
                if (entry.value.is_object()) {
                    add(std::string(entry.key), entry.value);
                }
            }
        }
    }

    void add_one(element item) {
        if (item.is_string()) {
            add(text_of(item));
            return;
        }
        for (const std::string_view many : {"functionDeclarations", "function_declarations"}) {
            if (const auto declared = member(item, many)) {
                return add_all(*declared);
            }
        }
        const auto function = member(item, "function");
        const element definition = function && function->is_object() ? *function : item;
        std::string name = text_of(member(definition, "name"));
        if (name.empty()) {
            name = text_of(member(item, "type"));  // tools that the provider runs
        }
        add(std::move(name), definition);
    }

    std::vector<OfferedTool> tools_;
};

/// `longer` is `shorter` behind a server's name.
bool differs_by_prefix(std::string_view longer, std::string_view shorter) {
    if (longer.size() <= shorter.size() + 1 || !longer.ends_with(shorter)) {
        return false;
    }
    const std::string_view before = longer.substr(0, longer.size() - shorter.size());
    return before.ends_with('.') || before.ends_with(':') || before.ends_with('/') ||
           before.ends_with("__");
}

}  // namespace

std::uint64_t ToolLists::note(std::string_view definitions, bool* is_fresh) {
    const std::uint64_t hash = hash_of(definitions) | 1U;
    const auto [at, fresh] = lists_.try_emplace(hash);
    at->second.used = ++uses_;
    if (is_fresh != nullptr) {
        *is_fresh = fresh;
    }
    if (!fresh) {
        return hash;
    }
    List& list = at->second;
    simdjson::dom::parser parser;
    element root;
    if (parser.allocate(std::max<std::size_t>(definitions.size(), 64), list_depth_max) ==
            simdjson::SUCCESS &&
        parser.parse(definitions.data(), definitions.size()).get(root) == simdjson::SUCCESS) {
        list.tools = Reading().take(root);
    }
    list.bytes = sizeof(List);
    for (const OfferedTool& tool : list.tools) {
        list.bytes += sizeof(OfferedTool) + tool.name.size() + tool.schema_text.size() +
                      tool.description.size();
    }
    bytes_ += list.bytes;
    make_room();
    return hash;
}

void ToolLists::make_room() {
    while (lists_.size() > 1 && (lists_.size() > lists_max || bytes_ > bytes_max)) {
        auto oldest = lists_.begin();
        for (auto at = lists_.begin(); at != lists_.end(); ++at) {
            oldest = at->second.used < oldest->second.used ? at : oldest;
        }
        bytes_ -= oldest->second.bytes;
        lists_.erase(oldest);
        ++forgotten_;
    }
}

const std::vector<OfferedTool>* ToolLists::tools(std::uint64_t list) const {
    const auto found = lists_.find(list);
    return found == lists_.end() ? nullptr : &found->second.tools;
}

bool ToolLists::knows(std::uint64_t list) const {
    const auto found = lists_.find(list);
    return found != lists_.end() && !found->second.tools.empty();
}

OfferedTool* ToolLists::find(std::uint64_t list, std::string_view name) {
    const auto found = lists_.find(list);
    if (found == lists_.end()) {
        return nullptr;
    }
    found->second.used = ++uses_;
    std::vector<OfferedTool>& tools = found->second.tools;
    auto tool = std::ranges::find(tools, name, &OfferedTool::name);
    if (tool == tools.end()) {
        tool = std::ranges::find_if(tools, [&](const OfferedTool& offered) {
            return differs_by_prefix(offered.name, name) || differs_by_prefix(name, offered.name);
        });
    }
    return tool == tools.end() ? nullptr : &*tool;
}

const schema::Schema* ToolLists::schema_of(std::uint64_t list, OfferedTool& tool) {
    if (!tool.tried && !tool.schema_text.empty()) {
        tool.tried = true;
        schema::CompileOptions options;
        options.bytes_max = schema_bytes_max;
        options.subschemas_max = 4'000;
        options.unsupported_patterns = schema::UnsupportedPatterns::Skip;
        auto compiled = schema::Schema::compile(tool.schema_text, options);
        if (!compiled) {  // lists as `items` and other habits of the older draft, unnamed
            options.draft = schema::Draft::Draft7;
            compiled = schema::Schema::compile(tool.schema_text, options);
        }
        if (compiled) {
            tool.compiled = *std::move(compiled);
            lists_[list].bytes += tool.compiled->bytes();
            bytes_ += tool.compiled->bytes();
        }
    }
    return tool.compiled ? &*tool.compiled : nullptr;
}

}  // namespace tagout::detect
