#include "app/quality/tool_definitions.h"

#include "cli/line_source.h"

#include <boost/json.hpp>

#include <filesystem>

namespace tagout::app {

namespace json = boost::json;

namespace {

/// A list of names stands for the definitions that the file keeps apart, under "tools".
std::string definitions_text(const json::value& named, const json::value& file) {
    const json::array* names = named.if_array();
    const json::object* root = file.if_object();
    const json::value* all = root == nullptr ? nullptr : root->if_contains("tools");
    if (names == nullptr || all == nullptr || !all->is_object()) {
        return json::serialize(named);
    }
    json::array definitions;
    for (const json::value& name : *names) {
        const json::value* known =
            name.is_string() ? all->get_object().if_contains(name.get_string()) : nullptr;
        if (known != nullptr && known->is_object()) {
            json::object definition = known->get_object();
            definition["name"] = name;
            definitions.push_back(std::move(definition));
        } else {
            definitions.push_back(name);
        }
    }
    return json::serialize(definitions);
}

}  // namespace

const json::value& ToolDefinitions::file(const std::string& path) {
    static const json::value nothing;
    const auto known = files_.find(path);
    if (known != files_.end()) {
        return known->second;
    }
    if (files_.size() >= files_max) {
        return nothing;
    }
    boost::system::error_code error;
    json::value tree;
    if (const auto text = cli::read_whole(path, file_bytes_max)) {
        tree = json::parse(*text, error);
    }
    return files_.emplace(path, error ? json::value() : std::move(tree)).first->second;
}

const std::string& ToolDefinitions::find(std::string_view recording, std::string_view tools_ref) {
    static const std::string nothing;
    const std::size_t mark = tools_ref.find('#');
    const std::string name(tools_ref.substr(0, mark));
    // A name beside the recording, and no way out of its folder.
    if (name.empty() || name.find('/') != std::string::npos || name.starts_with('.')) {
        return nothing;
    }
    const std::string path = (std::filesystem::path(recording).parent_path() / name).string();
    const std::string key =
        path + std::string(mark == std::string_view::npos ? "" : tools_ref.substr(mark));
    if (const auto known = texts_.find(key); known != texts_.end()) {
        return known->second;
    }
    if (texts_.size() >= refs_max) {
        return nothing;
    }
    const json::value* at = &file(path);
    std::string_view rest = mark == std::string_view::npos ? "" : tools_ref.substr(mark + 1);
    while (at != nullptr && !rest.empty()) {
        const std::size_t slash = std::min(rest.find('/'), rest.size());
        const std::string_view member = rest.substr(0, slash);
        const json::object* object = at->if_object();
        at = object == nullptr
                 ? nullptr
                 : object->if_contains(json::string_view(member.data(), member.size()));
        rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    const bool there = at != nullptr && !at->is_null();
    return texts_.emplace(key, there ? definitions_text(*at, file(path)) : std::string())
        .first->second;
}

}  // namespace tagout::app
