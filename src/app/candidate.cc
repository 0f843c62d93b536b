#include "app/candidate.h"

#include "app/recorded.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::app {

namespace {

namespace json = boost::json;

constexpr std::size_t versions_max = 1'000;

std::string text_at(const json::object& tree, std::string_view name) {
    const json::value* const value = tree.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::unexpected<Error> wrong(const std::string& place, const std::string& problem) {
    return fail(
        ErrorCode::InvalidArgument,
        place + ": " + problem + "; export the bundle anew with tagout catalog bundle"
    );
}

Result<void> add_version(const json::value& value, const std::string& place, BundleFile& bundle) {
    if (!value.is_object()) {
        return wrong(place, "a version is an object");
    }
    const json::object& tree = value.as_object();
    const std::string family = text_at(tree, "family");
    const std::string name = text_at(tree, "name");
    const json::value* const number = tree.if_contains("number");
    boost::system::error_code error;
    const auto count = number != nullptr && number->is_number()
                           ? number->to_number<std::uint32_t>(error)
                           : 0U;
    if (name.empty() || count == 0 || error) {
        return wrong(place, "a version has a name and a number from 1");
    }
    const std::string version = "v" + std::to_string(count);
    if (family == "prompt") {
        bundle.prompts.push_back({name, version, text_at(tree, "hash")});
    } else if (family == "model_route") {
        bundle.model_routes.push_back({name, version, text_at(tree, "hash")});
    } else if (family == "policy") {
        if (!tree.contains("content")) {
            return wrong(place, "policy " + name + " has no content");
        }
        bundle.policies.push_back({name, version, text_at(tree, "content")});
    } else {
        return wrong(place, "'" + family.substr(0, 40) + "' is no family of versions");
    }
    return {};
}

Result<void> add_versions(const json::object& tree, std::string_view name, BundleFile& bundle) {
    const json::value* const rows = tree.if_contains(name);
    if (rows == nullptr) {
        return {};
    }
    if (!rows->is_array() || rows->as_array().size() > versions_max) {
        return wrong(std::string(name), "a list of at most 1000 versions was expected");
    }
    std::size_t index = 0;
    for (const json::value& row : rows->as_array()) {
        const std::string place = std::string(name) + "[" + std::to_string(index++) + "]";
        TAGOUT_TRY(add_version(row, place, bundle));
    }
    return {};
}

}  // namespace

Result<BundleFile> read_bundle(std::string_view text) {
    boost::system::error_code error;
    const json::value whole = json::parse(text, error);
    if (error || !whole.is_object() || !whole.as_object().contains("tagout_bundle")) {
        return wrong("bundle", "this is no bundle's file");
    }
    const json::object& tree = whole.as_object();
    if (tree.at("tagout_bundle") != json::value(1)) {
        return wrong("tagout_bundle", "this program reads form 1");
    }
    BundleFile bundle;
    if (const json::value* const about = tree.if_contains("bundle");
        about != nullptr && about->is_object()) {
        bundle.id = text_at(about->as_object(), "id");
        bundle.agent = AgentName(text_at(about->as_object(), "agent"));
    }
    TAGOUT_TRY(add_versions(tree, "versions", bundle));
    TAGOUT_TRY(add_versions(tree, "shared", bundle));
    return bundle;
}

Result<prevent::Candidate> candidate_of(CandidateParts parts, const CompilePolicies& compile) {
    prevent::Candidate candidate;
    candidate.name = parts.name;
    std::vector<PolicyText> policies = std::move(parts.policies);
    if (parts.bundle) {
        candidate.prompts = parts.bundle->prompts;
        candidate.model_routes = parts.bundle->model_routes;
        std::ranges::copy(parts.bundle->policies, std::back_inserter(policies));
    }
    if (!policies.empty() && !compile) {
        return fail(ErrorCode::Unavailable, "nothing here decides by policies");
    }
    if (!policies.empty()) {
        candidate.decide = TAGOUT_TRY(compile(policies, parts.catalog));
    }
    if (parts.thresholds || parts.bundle || !policies.empty()) {
        candidate.replay = [settings = parts.thresholds.value_or(detect::Settings{}),
                            catalog = parts.catalog](
                               std::span<const prevent::RecordedSession> sessions
                           ) -> Result<std::vector<std::string>> {
            return signals_of(sessions, settings, catalog);
        };
    }
    return candidate;
}

}  // namespace tagout::app
