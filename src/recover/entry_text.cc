#include "recover/entry_text.h"

#include <boost/json.hpp>

namespace tagout::recover {

namespace json = boost::json;

namespace {

constexpr std::array<SessionOutcome, 5> outcomes{
    SessionOutcome::Unknown,
    SessionOutcome::Succeeded,
    SessionOutcome::Failed,
    SessionOutcome::Abandoned,
    SessionOutcome::Denied,
};

}  // namespace

std::string text_at(const json::object& body, std::string_view name) {
    const json::value* const found = body.if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string())
                                                  : std::string();
}

std::uint64_t number_at(const json::object& body, std::string_view name) {
    const json::value* const found = body.if_contains(name);
    if (found == nullptr) {
        return 0;
    }
    if (const std::int64_t* const number = found->if_int64()) {
        return *number < 0 ? 0 : static_cast<std::uint64_t>(*number);
    }
    const std::uint64_t* const large = found->if_uint64();
    return large == nullptr ? 0 : *large;
}

std::optional<json::object> object_of(std::string_view text) {
    boost::system::error_code error;
    json::value parsed = json::parse(text, error);
    if (error || !parsed.is_object()) {
        return std::nullopt;
    }
    return std::move(parsed.get_object());
}

void put_key(json::object& body, const catalog::VersionKey& key) {
    body["family"] = catalog::name_of(key.family);
    body["name"] = key.name;
}

std::optional<catalog::VersionKey> key_at(const json::object& body) {
    const auto family = catalog::parse_version_family(text_at(body, "family"));
    std::string name = text_at(body, "name");
    if (!family || name.empty()) {
        return std::nullopt;
    }
    return catalog::VersionKey{*family, std::move(name)};
}

void put_text(json::object& body, std::string_view name, std::string_view value) {
    if (!value.empty()) {
        body[name] = value;
    }
}

json::object tree_of(const catalog::VersionRef& version) {
    json::object tree;
    put_key(tree, version.key);
    tree["number"] = version.number;
    tree["hash"] = version.hash;
    return tree;
}

json::object tree_of(const catalog::Bundle& bundle) {
    json::array versions;
    for (const catalog::VersionRef& each : bundle.versions) {
        versions.push_back(tree_of(each));
    }
    json::array tools(bundle.tools.begin(), bundle.tools.end());
    return json::object{
        {"id", bundle.id},
        {"agent", bundle.agent.text()},
        {"versions", std::move(versions)},
        {"tools", std::move(tools)}};
}

std::optional<catalog::Bundle> bundle_of(const json::object& body) {
    catalog::Bundle bundle;
    bundle.id = text_at(body, "id");
    bundle.agent = AgentName(text_at(body, "agent"));
    const json::value* const versions = body.if_contains("versions");
    if (bundle.id.empty() || bundle.agent.empty() || versions == nullptr || !versions->is_array()) {
        return std::nullopt;
    }
    for (const json::value& each : versions->get_array()) {
        const json::object* const tree = each.if_object();
        const auto key = tree == nullptr ? std::nullopt : key_at(*tree);
        if (!key) {
            return std::nullopt;
        }
        bundle.versions.push_back(
            {*key, static_cast<std::uint32_t>(number_at(*tree, "number")), text_at(*tree, "hash")}
        );
    }
    if (const json::value* const tools = body.if_contains("tools");
        tools != nullptr && tools->is_array()) {
        for (const json::value& each : tools->get_array()) {
            if (each.is_string()) {
                bundle.tools.emplace_back(each.get_string());
            }
        }
    }
    return bundle;
}

json::object tree_of(const OutcomeTally& tally) {
    json::object tree;
    for (const SessionOutcome outcome : outcomes) {
        tree[name_of(outcome)] = tally.of(outcome);
    }
    return tree;
}

OutcomeTally tally_of(const json::object& body) {
    OutcomeTally tally;
    for (const SessionOutcome outcome : outcomes) {
        tally.add(outcome, number_at(body, name_of(outcome)));
    }
    return tally;
}

}  // namespace tagout::recover
